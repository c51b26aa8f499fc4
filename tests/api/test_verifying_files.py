"""Up to a hundred files over the interface: answered by name and in their order, each counted as one."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from tests.api.conftest import System, problem_in
from tests.api.test_verifying import VERIFY, facts, looks, report
from xinzheng.apps.reports import file_verification
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf

__all__ = ["report"]

pytestmark = pytest.mark.django_db


def sent(*files: tuple[str, bytes], **headers: str) -> Any:
    form = {"files": [SimpleUploadedFile(name, data) for name, data in files]}
    return Client(enforce_csrf_checks=True).post(f"{VERIFY}/batch/files", form, headers=headers)


def test_each_file_is_answered_by_its_name_and_a_bad_one_takes_nothing_from_the_others(report: Report) -> None:
    data = report_pdf(report.number)
    answers = sent(("甲.pdf", data), ("乙.txt", b"hello"), ("丙.pdf", data[:-9])).json()["answers"]
    assert [answer["file_name"] for answer in answers] == ["甲.pdf", "乙.txt", "丙.pdf"]
    assert facts(answers[0]) == [True, True, True, "in_force"]
    assert answers[0]["log"]["included"] is None
    assert facts(answers[1]) == [None, None, None, None]
    assert "这不是PDF文件" in answers[1]["reasons"][0]
    assert answers[2]["intact"] is False
    assert [answer["is_good"] for answer in answers] == [True, False, False]
    assert looks() == [("batch", "public", "in_force")]


def test_more_than_a_hundred_none_at_all_and_too_many_bytes_are_problems(db: None) -> None:
    assert problem_in(sent(*[("a.pdf", b"%PDF-")] * 101))["code"] == "too-many-files"
    assert problem_in(sent())["code"] == "request-invalid"
    large = Client().post(
        f"{VERIFY}/batch/files",
        data="--x",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(201 * 1024 * 1024),
    )
    assert (large.status_code, problem_in(large)["code"]) == (413, "request-too-large")


def test_every_file_counts_as_one_and_a_key_has_more_of_them(report: Report, tax: System) -> None:
    three = [("a.pdf", b"GIF")] * 3
    key = {"Authorization": f"Bearer {tax.secret}"}
    with override_settings(XINZHENG_VERIFY_FILES_PER_MINUTE=5):
        assert sent(*three).status_code == 200
        refused = sent(*three)
        assert (refused.status_code, problem_in(refused)["code"]) == (429, "too-many-files-a-minute")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert [sent(*three, **key).status_code for _ in range(5)] == [200] * 5


def test_a_key_names_who_looked(report: Report, tax: System) -> None:
    assert sent(("a.pdf", report_pdf(report.number)), Authorization=f"Bearer {tax.secret}").status_code == 200
    assert looks() == [("batch", f"key:{tax.key_id}", "in_force")]


def test_while_a_batch_is_examined_another_is_told_to_come_again(report: Report) -> None:
    with file_verification._one_batch():
        refused = sent(("a.pdf", report_pdf(report.number)))
    assert (refused.status_code, problem_in(refused)["code"]) == (429, "examiner-busy")
    assert int(refused.headers["Retry-After"]) > 0
