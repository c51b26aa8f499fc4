"""Every refusal is a problem with a stable code, whoever in the frame refuses; keys, sizes, types, limits."""

import logging
import time
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from tests.api.conftest import BATCHES, System, problem_in
from tests.small_city import PENALTY, SmallCity, uscc
from xinzheng.api import limits
from xinzheng.api.v1 import batches
from xinzheng.apps.accounts.key_actions import revoke_key
from xinzheng.apps.ledger.models import Upload

RESPONSIBILITIES = "/api/v1/responsibilities"


@pytest.fixture
def anybody(db: None) -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("header", [None, "", "Basic eHo6eHo=", "xz_abc", "Bearer"])
def test_without_a_key_nothing_is_told(anybody: Client, header: "str | None") -> None:
    headers = {} if header is None else {"Authorization": header}
    refused = anybody.get(RESPONSIBILITIES, headers=headers)
    assert refused.status_code == 401
    assert problem_in(refused)["code"] == "key-missing"
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="xinzheng"'


def test_a_wrong_and_a_revoked_key_are_told_the_same(tax: System, anybody: Client) -> None:
    revoke_key(key_id=tax.key_id, by="test")
    revoked = tax.get(RESPONSIBILITIES)
    wrong = anybody.get(RESPONSIBILITIES, headers={"Authorization": "Bearer xz_" + "A" * 43})
    assert (revoked.status_code, problem_in(revoked)["code"]) == (401, "key-refused")
    told = [answer.content.decode().replace(answer.headers["X-Request-ID"], "…") for answer in (wrong, revoked)]
    assert told[0] == told[1]


def test_a_browser_session_opens_nothing(anybody: Client, tax: System) -> None:
    from xinzheng.apps.accounts.actions import NewAccount, open_account
    from xinzheng.apps.accounts.models import Role

    anybody.force_login(open_account(NewAccount("admin", "管理员", Role.SYSTEM_ADMINISTRATOR), by="test"))
    assert anybody.get(RESPONSIBILITIES).status_code == 401


def test_the_key_comes_before_the_body_is_looked_at(anybody: Client) -> None:
    refused = anybody.post(BATCHES, "{", content_type="text/plain", headers={"Authorization": "Bearer xz_no"})
    assert problem_in(refused)["code"] == "key-refused"


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/batches", BATCHES + "/x", BATCHES + "/"]
)
def test_an_address_that_is_none_is_a_problem_too(anybody: Client, address: str) -> None:
    refused = anybody.get(address)
    assert (refused.status_code, problem_in(refused)["code"]) == (404, "not-found")


def test_pages_keep_their_own_not_found(anybody: Client) -> None:
    assert anybody.get("/no-such-page").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [("delete", BATCHES, "GET, POST"), ("put", BATCHES + "/1", "GET"), ("post", "/api/v1/openapi.json", "GET, HEAD")],
)
def test_a_method_that_is_not_offered(anybody: Client, method: str, address: str, allowed: str) -> None:
    anybody.handler.enforce_csrf_checks = True
    refused = getattr(anybody, method)(address)
    assert (refused.status_code, problem_in(refused)["code"]) == (405, "method-not-allowed")
    assert sorted(refused.headers["Allow"].split(", ")) == allowed.split(", ")


def test_a_host_that_is_not_ours_is_a_problem_too(anybody: Client) -> None:
    refused = anybody.get(RESPONSIBILITIES, headers={"Host": "evil.example"})
    assert (refused.status_code, problem_in(refused)["code"]) == (400, "request-unreadable")


@pytest.mark.parametrize(
    ("address", "content_type"),
    [
        (BATCHES, "application/json"),
        (BATCHES, "text/csv"),
        (BATCHES, "application/x-www-form-urlencoded"),
        ("/api/v1/coverage", "text/plain"),
        ("/api/v1/coverage", "multipart/form-data; boundary=x"),
    ],
)
def test_another_media_type_is_refused(tax: System, address: str, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {tax.secret}"}
    refused = tax.client.post(address, "{}", content_type=content_type, headers=headers)
    assert (refused.status_code, problem_in(refused)["code"]) == (415, "media-type-unsupported")


def test_a_form_that_is_none_is_refused(tax: System) -> None:
    headers = {"Authorization": f"Bearer {tax.secret}"}
    refused = tax.client.post(BATCHES, "garbage", content_type="multipart/form-data", headers=headers)
    assert (refused.status_code, problem_in(refused)["code"]) == (400, "request-unreadable")


def test_a_request_beyond_the_limit_is_refused_before_it_is_read(tax: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(_request: HttpRequest) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr(HttpRequest, "_load_post_and_files", unread)
    refused = tax.client.post(
        BATCHES,
        b"x",
        content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {tax.secret}"},
        CONTENT_LENGTH=str(batches.MULTIPART.max_bytes + 1),
    )
    assert (refused.status_code, problem_in(refused)["code"]) == (413, "request-too-large")


def test_a_file_beyond_the_limit_is_refused(city: SmallCity, tax: System, settings: Any) -> None:
    settings.XINZHENG_BATCH_MAX_BYTES = 10
    refused = tax.upload([city.penalty(uscc(1))])
    assert (refused.status_code, problem_in(refused)["code"]) == (413, "file-too-large")
    assert not Upload.objects.exists()


def test_a_text_field_beyond_memory_is_refused(city: SmallCity, tax: System, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused = tax.upload([city.penalty(uscc(1))], domain="a" * 2000)
    assert (refused.status_code, problem_in(refused)["code"]) == (413, "request-too-large")


def test_a_large_json_body_is_refused(tax: System) -> None:
    refused = tax.post("/api/v1/coverage", " " * 70_000)
    assert (refused.status_code, problem_in(refused)["code"]) == (413, "request-too-large")


def test_a_body_without_its_length_is_refused(tax: System) -> None:
    headers = {"Authorization": f"Bearer {tax.secret}"}
    refused = tax.client.post(
        "/api/v1/coverage", "{}", content_type="application/json", headers=headers, CONTENT_LENGTH=""
    )
    assert (refused.status_code, problem_in(refused)["code"]) == (411, "length-required")


def test_a_large_file_takes_the_way_over_the_disk(city: SmallCity, tax: System, settings: Any) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    rows = [city.penalty(uscc(1))]
    first = tax.upload(rows, idempotency="a")
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
    assert tax.upload(rows, idempotency="a").json()["id"] == first.json()["id"]


def test_a_key_is_told_how_much_it_may_still_ask_and_then_when(tax: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000_060.0)  # 20 seconds of the minute are left
    monkeypatch.setattr(limits, "PER_KEY", 2)
    answers = [tax.get(RESPONSIBILITIES) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit"] for answer in answers] == [f'"key";r={left};t=20' for left in (1, 0, 0)]
    assert answers[0].headers["RateLimit-Policy"] == '"key";q=2;w=60'
    assert answers[2].headers["Retry-After"] == "20"
    assert problem_in(answers[2])["code"] == "too-many-requests"


def test_one_keys_limit_is_not_anothers(tax: System, water: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_KEY", 1)
    assert [s.get(RESPONSIBILITIES).status_code for s in (tax, tax, water)] == [200, 429, 200]


def test_wrong_keys_are_limited_by_address_and_right_ones_are_not_hindered(tax: System, anybody: Client) -> None:
    wrong = {"Authorization": "Bearer xz_wrong"}
    codes = [anybody.get(RESPONSIBILITIES, headers=wrong).status_code for _ in range(31)]
    assert codes == [401] * 30 + [429]
    refused = anybody.get(RESPONSIBILITIES, headers=wrong)
    assert problem_in(refused)["code"] == "too-many-wrong-keys"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert tax.get(RESPONSIBILITIES).status_code == 200


def test_a_failure_of_ours_is_a_problem_that_tells_nothing(tax: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(batches, "queue_upload", broken)
    refused = tax.upload(b"x")
    assert (refused.status_code, problem_in(refused)["code"]) == (500, "unexpected")
    assert "secret" not in refused.content.decode()


def test_logs_hold_neither_key_nor_file_name_nor_content(
    city: SmallCity, tax: System, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        tax.upload([city.penalty(uscc(1))], file_name="王五的处罚.csv")
        tax.upload(b"x", kind="坏", file_name="王五的处罚.csv")
        tax.get(BATCHES + "/999")
    logged = " ".join(
        f"{record.getMessage()} {record.args}" for record in caplog.records if record.name != "django.db.backends"
    )
    assert caplog.records
    assert tax.secret not in logged
    assert "王五" not in logged
    assert uscc(1) not in logged
    assert PENALTY not in logged
