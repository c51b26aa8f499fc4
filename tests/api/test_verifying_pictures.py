"""A picture of the QR code counts as its text does; what cannot be read is a problem that says what to do."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests import pictures
from tests.api.conftest import problem_in
from tests.api.test_verifying import VERIFY, facts, looks, report, text_of
from xinzheng.adapters.examining import asking
from xinzheng.apps.reports.models import Report

__all__ = ["report"]

pytestmark = pytest.mark.django_db


def sent_picture(data: bytes, **headers: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    return client.post(f"{VERIFY}/picture", {"file": SimpleUploadedFile("a.jpg", data)}, headers=headers)


def photographed(*texts: str) -> bytes:
    return pictures.as_file(pictures.photograph(pictures.page(texts)))


def test_a_photograph_of_the_page_tells_what_the_text_of_its_code_tells(report: Report) -> None:
    answer = sent_picture(photographed(text_of(report))).json()
    assert facts(answer) == [None, True, True, "in_force"]
    assert answer["host"] == "127.0.0.1:8000"
    assert looks() == [("qr", "public", "in_force")]


def test_of_several_codes_the_one_of_this_site_counts(report: Report) -> None:
    others = ["https://other.example/", "HELLO"]
    answer = sent_picture(photographed(*others, text_of(report))).json()
    assert facts(answer) == [None, True, True, "in_force"]


def test_a_code_that_leads_elsewhere_is_told_and_not_followed(report: Report) -> None:
    elsewhere = text_of(report).replace("http://127.0.0.1:8000", "https://credit.example")
    answer = sent_picture(photographed(elsewhere)).json()
    assert facts(answer) == [None, False, None, None]
    assert answer["host"] == "127.0.0.1:8000"
    assert any("credit.example" in reason and "不要打开" in reason for reason in answer["reasons"])
    assert looks() == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GIF89a", "picture-unreadable"),
        (b"\xff\xd8\xff and nothing after it", "picture-unreadable"),
        (pictures.HOSTILE["said to be huge"](), "picture-too-large"),
        (pictures.as_file(Image.new("L", (400, 400), 255)), "picture-without-code"),
        (pictures.as_file(pictures.code("wxp://f2f0AAAA")), "picture-without-report"),
        (pictures.as_file(pictures.code("http://127.0.0.1:8000/guide")), "picture-without-report"),
    ],
)
def test_a_picture_that_leads_to_nothing_is_a_problem_with_its_own_code(db: None, data: bytes, code: str) -> None:
    refused = sent_picture(data)
    assert (refused.status_code, problem_in(refused)["code"]) == (422, code)
    assert looks() == []


def test_two_reports_in_one_picture_are_not_chosen_between(report: Report) -> None:
    second = text_of(report)[:-4] + "AAAA"
    assert problem_in(sent_picture(photographed(text_of(report), second)))["code"] == "picture-with-several-reports"


def test_a_picture_beyond_the_limit_is_refused_before_it_is_read(db: None) -> None:
    address, form = f"{VERIFY}/picture", "multipart/form-data; boundary=x"
    sent = Client().post(address, data="--x", content_type=form, CONTENT_LENGTH=str(11 * 1024 * 1024))
    assert (sent.status_code, problem_in(sent)["code"]) == (413, "request-too-large")


def test_while_others_are_examined_a_picture_is_told_to_come_again_soon(report: Report) -> None:
    held = [asking._running.places.acquire() for _ in range(asking.PLACES)]
    try:
        refused = sent_picture(photographed(text_of(report)))
    finally:
        for _ in held:
            asking._running.places.release()
    assert (refused.status_code, problem_in(refused)["code"]) == (429, "examiner-busy")
    assert int(refused.headers["Retry-After"]) > 0
