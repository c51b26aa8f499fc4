"""Verifying over the interface: anybody may, a key is welcome; each answer is the facts apart, each look recorded."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone

from tests.api.conftest import System, problem_in
from tests.small_city import SmallCity, uscc
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.models import Checkpoint
from xinzheng.apps.reports.issuing import Order, issue_report, long_code
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.decision import Request
from xinzheng.core.inclusion import read_proof
from xinzheng.core.lifecycle import ReportStatus, typed_code

pytestmark = pytest.mark.django_db
VERIFY = "/api/v1/verify"


@pytest.fixture
def report(city: SmallCity) -> Report:
    city.declare_everything()
    return issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), "test"))


def code_of(report: Report) -> str:
    return typed_code(bytes(report.secret))


def text_of(report: Report) -> str:
    return qr_text(bytes(report.cose), long_code(bytes(report.secret)))


def asked(way: str, body: Any, **headers: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    sent = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"{VERIFY}/{way}", sent, content_type="application/json", headers=headers)


def sent_file(data: bytes) -> Any:
    return Client(enforce_csrf_checks=True).post(f"{VERIFY}/file", {"file": SimpleUploadedFile("a.pdf", data)})


def facts(answer: Any) -> list[Any]:
    return [answer[fact] for fact in ("intact", "signature_valid", "signer_trusted", "status")]


def looks() -> list[tuple[str, str, str]]:
    return list(Look.objects.order_by("id").values_list("way", "by", "status"))


def test_by_number_and_code_only_the_status_is_known(report: Report) -> None:
    sent = asked("code", {"number": report.number, "code": code_of(report)})
    answer = sent.json()
    assert sent.status_code == 200
    assert sent.headers["Cache-Control"] == "no-store"
    assert not sent.cookies
    assert facts(answer) == [None, None, None, "in_force"]
    assert answer["is_good"] is False
    assert answer["number"] == report.number
    assert "精密制造" not in sent.content.decode()
    assert looks() == [("code", "public", "in_force")]


def test_a_wrong_code_is_answered_like_an_unknown_number_and_leaves_no_look(report: Report) -> None:
    wrong = asked("code", {"number": report.number, "code": "0" * 12}).json()
    unknown = asked("code", {"number": "SZ2020010100000015", "code": code_of(report)}).json()
    assert {**wrong, "number": None} == {**unknown, "number": None}
    assert facts(wrong) == [None, None, None, None]
    assert wrong["log"] is None
    assert looks() == []


def test_by_the_text_of_the_qr_code_signature_and_signer_are_known_and_the_host_is_told(report: Report) -> None:
    answer = asked("qr", {"qr": text_of(report)}).json()
    assert facts(answer) == [None, True, True, "in_force"]
    assert answer["host"] == "127.0.0.1:8000"
    assert looks() == [("qr", "public", "in_force")]


def test_by_file_all_four_facts_are_known(report: Report) -> None:
    answer = sent_file(report_pdf(report.number)).json()
    assert facts(answer) == [True, True, True, "in_force"]
    assert answer["is_good"] is True
    assert looks() == [("file", "public", "in_force")]


def test_a_changed_file_is_told_and_leaves_no_look(report: Report) -> None:
    data = bytearray(report_pdf(report.number))
    data[len(data) // 2] ^= 1
    answer = sent_file(bytes(data)).json()
    assert answer["intact"] is False
    assert answer["status"] is None
    assert looks() == []


@pytest.mark.parametrize("data", [b"GIF89a", b"%PDF"])
def test_what_is_no_pdf_is_refused(report: Report, data: bytes) -> None:
    assert problem_in(sent_file(data))["code"] == "file-not-a-report"


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(report: Report) -> None:
    sent = Client().post(
        f"{VERIFY}/file",
        data="--x",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(21 * 1024 * 1024),
    )
    assert (sent.status_code, problem_in(sent)["code"]) == (413, "request-too-large")


def test_a_hundred_are_answered_in_their_order_with_two_statements(
    report: Report, django_assert_num_queries: Callable[[int], Any]
) -> None:
    good = {"number": report.number, "code": code_of(report)}
    items = [good, {"qr": text_of(report)}, {"number": report.number, "code": "0" * 12}, {"qr": "hello"}]
    with django_assert_num_queries(2):
        sent = asked("batch", {"items": items * 25})
    answers = sent.json()["answers"]
    assert [facts(answer)[3] for answer in answers] == ["in_force", "in_force", None, None] * 25
    assert [answer["signature_valid"] for answer in answers[:4]] == [None, True, None, None]
    assert looks() == [("batch", "public", "in_force")] * 50


@pytest.mark.parametrize(
    "items",
    [[], [{"qr": "x"}] * 101, [{"number": "SZ1"}], [{"number": "SZ1", "code": "x", "qr": "y"}], [{}], [{"other": 1}]],
)
def test_a_batch_that_is_none_is_refused(db: None, items: list[Any]) -> None:
    assert problem_in(asked("batch", {"items": items}))["code"] == "request-invalid"


def test_one_bad_item_takes_nothing_from_the_others(report: Report) -> None:
    items = [{"number": "\x00\ud800"[:1], "code": "x"}, {"number": report.number, "code": code_of(report)}]
    answers = asked("batch", {"items": items}).json()["answers"]
    assert [answer["status"] for answer in answers] == [None, "in_force"]


def test_a_key_names_who_looked_and_one_that_is_wrong_is_refused(report: Report, tax: System) -> None:
    body = {"number": report.number, "code": code_of(report)}
    assert tax.post(f"{VERIFY}/code", body).json()["status"] == "in_force"
    assert looks() == [("code", f"key:{tax.key_id}", "in_force")]
    refused = asked("code", body, Authorization="Bearer xz_wrong")
    assert (refused.status_code, problem_in(refused)["code"]) == (401, "key-refused")
    assert asked("code", body, Authorization="Basic abc").status_code == 401
    assert len(looks()) == 1


def test_an_address_may_ask_so_often_and_a_key_more_often(report: Report, tax: System) -> None:
    body = {"number": "SZ1", "code": "x"}
    with override_settings(XINZHENG_VERIFY_PER_MINUTE=3):
        answers = [asked("code", body) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["RateLimit"].startswith('"address";r=2')
        assert 0 < int(answers[3].headers["Retry-After"]) <= 60
        assert [tax.post(f"{VERIFY}/code", body).status_code for _ in range(4)] == [200] * 4


def test_a_report_that_was_superseded_says_since_when_and_why_in_general_words(report: Report) -> None:
    change_status(report, ReportStatus.SUPERSEDED, "system", Why("详情", code="records-added"))
    sent = asked("code", {"number": report.number, "code": code_of(report)})
    answer = sent.json()
    assert answer["status"] == "superseded"
    assert answer["since"] is not None
    assert answer["why"] == "出具后，出具前的数据有补充或者更正"
    assert "详情" not in sent.content.decode()


def test_the_log_is_a_fact_beside_the_four_and_its_proof_is_answered_to_whoever_asks(report: Report) -> None:
    body = {"number": report.number, "code": code_of(report), "proof": True}
    waiting = asked("code", body).json()
    assert (waiting["log"], waiting["proof"]) == ({"included": None, "index": None, "since": None}, None)
    size = seal_log(timezone.now())
    answer = asked("code", body).json()
    assert (answer["log"]["included"], answer["log"]["index"]) == (True, 0)
    note, leaves = read_proof(json.dumps(answer["proof"]))
    head = (size, bytes(Checkpoint.objects.get(size=size).root))
    assert Checkpoint.objects.get(size=size).note == note
    assert all(leaf.holds_in(head) for leaf in leaves)
    assert json.loads(leaves[0].leaf)["digest"] == bytes(report.digest).hex()
    assert asked("code", body | {"proof": False}).json()["proof"] is None
    assert asked("code", body | {"code": "0" * 12}).json()["proof"] is None


def test_a_report_that_should_be_in_the_log_and_is_not_is_said_not_to_be(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinzheng.apps.reports.registered.SEALING_TAKES_AT_MOST", timedelta(0))
    answer = asked("code", {"number": report.number, "code": code_of(report)}).json()
    assert answer["log"]["included"] is False


def test_verifying_by_code_is_two_statements(report: Report, django_assert_num_queries: Callable[[int], Any]) -> None:
    with django_assert_num_queries(2):
        asked("code", {"number": report.number, "code": code_of(report)})


@pytest.mark.parametrize(("way", "body"), [("code", "{"), ("code", "[]"), ("qr", '{"qr": 1}'), ("batch", "null")])
def test_what_cannot_be_read_is_a_problem_and_no_failure(db: None, way: str, body: str) -> None:
    sent = asked(way, body)
    assert sent.status_code in (400, 422)
    problem_in(sent)
