"""A platform reads reports, shares them by code and sees who looked, for whom it acts and for nobody else."""

import base64
import hashlib
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.platform_world import OURS, World, db, undone, world
from tests.platform_callers import Calls, own_token, registered, without_number
from xinzheng.apps.accounts.mandates import NewMandate, grant, revoke
from xinzheng.apps.accounts.models import Mandate
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice, Receiver, ReceiverDecision, ShareCode
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import RevocationReason, typed_code

__all__ = ["db", "undone", "world"]
TERMS = {"purpose": "financing", "hours": 2, "views": 2}
BANK = "示例银行苏州分行"


def test_reports_are_listed_a_page_at_a_time(world: World) -> None:
    subject_id = world.agent.subject_id
    assert subject_id is not None
    more = [issue_report(Order("suzhou-2024", subject_id, Request(), "test")).number for _ in range(2)]
    calls = world.calls("reports:read")
    first = calls.get(f"/reports?subject={OURS}&limit=2").json()
    second = calls.get(first["next"]).json()
    assert [row["number"] for row in first["reports"] + second["reports"]] == [more[1], more[0], world.number]
    assert (second["next"], first["subject"]) == (None, OURS)
    assert {row["status"] for row in first["reports"]} == {"in_force"}
    event = AuditEvent.objects.filter(action="reports-listed").latest("id")
    assert event.who == f"client:{world.made.platform.pk}/{world.agent.actor}"
    assert event.subject_id == subject_id
    for before in (world.theirs, "x", "%00"):
        refused = calls.get(f"/reports?subject={OURS}&before={before}")
        assert (refused.status_code, refused.json()["errors"][0]["in"]) == (422, "query")
    (wrong,) = calls.get("/reports?subject=330502199001010014").json()["errors"]
    assert (wrong["in"], wrong["field"]) == ("query", "subject")


def test_a_report_is_told_with_its_content_and_its_file_with_its_digest(world: World) -> None:
    calls = world.calls("reports:read")
    said = calls.get(f"/reports/{world.number}").json()
    assert (said["number"], said["subject"], said["status"]) == (world.number, OURS, "in_force")
    assert (said["has_file"], said["content"]["number"]) == (True, world.number)
    assert "secret" not in said
    file = calls.get(f"/reports/{world.number}/file")
    digest = base64.b64encode(hashlib.sha256(file.content).digest()).decode()
    assert file.content.startswith(b"%PDF-")
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{world.number}.pdf"'
    assert file.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    told = list(AuditEvent.objects.filter(object_id=world.number, who__startswith="client:").values_list("action"))
    assert told == [("report-read",), ("report-downloaded",)]


def test_a_share_has_the_terms_it_was_given_and_each_showing_a_code_of_its_own(world: World) -> None:
    calls = world.calls("codes")
    made = calls.post(f"/reports/{world.number}/codes", TERMS | {"receiver_name": BANK})
    assert made.status_code == 201, made.content
    said = made.json()
    assert made.headers["Location"] == f"/api/v1/platform/codes/{said['id']}"
    assert (said["purpose_name"], said["receiver_name"], said["views_allowed"]) == ("融资", BANK, 2)
    assert (said["state"], said["views_used"]) == ("active", 0)
    first, second = (calls.post(f"/codes/{said['id']}/shown").json() for _ in range(2))
    assert first["address"] != second["address"]
    assert first["renew_after_seconds"] == 60
    kept = ShareCode.objects.get(pk=said["id"])
    assert kept.created_by == f"client:{world.made.platform.pk}/{world.agent.actor}"
    assert calls.delete(f"/codes/{said['id']}").status_code == 204
    assert calls.delete(f"/codes/{said['id']}").status_code == 204
    assert calls.get(f"/codes/{said['id']}").json()["state"] == "taken_back"
    over = calls.post(f"/codes/{said['id']}/shown")
    assert (over.status_code, over.json()["code"]) == (409, "share-over")
    actions = list(AuditEvent.objects.filter(object_id=said["id"]).order_by("id").values_list("action", flat=True))
    assert actions == ["share-made", "share-taken-back"]


def test_a_share_sent_again_under_its_key_is_the_same_share(world: World) -> None:
    calls = world.calls("codes")
    address = f"/reports/{world.number}/codes"
    first, again = (calls.post(address, TERMS, Idempotency_Key="key-1").json() for _ in range(2))
    assert first == again
    assert calls.post(address, TERMS | {"views": 3}, Idempotency_Key="key-1").status_code == 422
    assert calls.post(address, TERMS).json()["id"] != first["id"]
    assert ShareCode.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "nothing"}, "purpose"),
        ({"hours": 24 * 31}, "hours"),
        ({"hours": "2"}, "hours"),
        ({"views": 0}, "views"),
        ({"views": 1001}, "views"),
        ({"receiver_name": "找我13812345678"}, "receiver_name"),
        ({"receiver": OURS}, "receiver"),
        ({"receiver": OURS, "receiver_name": BANK}, ""),
        ({"may_subscribe": True}, ""),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_terms_that_cannot_be_are_refused_by_name(world: World, changes: dict[str, Any], field: str) -> None:
    answer = world.calls("codes").post(f"/reports/{world.number}/codes", TERMS | changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid"), answer.content
    assert [found["field"] for found in answer.json()["errors"]] == [field]
    assert not ShareCode.objects.exists()


def test_a_share_may_be_for_a_verified_receiver_that_may_subscribe(world: World) -> None:
    receiver = Receiver.objects.create(uscc=OURS, name=BANK, kind="bank", created_by="test")
    calls, terms = world.calls("codes"), TERMS | {"receiver": OURS, "may_subscribe": True}
    address = f"/reports/{world.number}/codes"
    assert calls.post(address, terms).status_code == 422
    ReceiverDecision.objects.create(receiver=receiver, state="verified", by="test")
    made = calls.post(address, terms).json()
    assert made["receiver_name"] == BANK
    kept = ShareCode.objects.get(pk=made["id"])
    assert (kept.receiver_id, kept.may_subscribe) == (receiver.pk, True)


def test_a_report_that_is_not_in_force_is_told_but_not_shared(world: World) -> None:
    revoke_report(world.number, RevocationReason.ISSUED_IN_ERROR, "test")
    calls = world.calls()
    answer = calls.post(f"/reports/{world.number}/codes", TERMS)
    assert (answer.status_code, answer.json()["code"]) == (409, "report-not-in-force")
    assert calls.get(f"/reports/{world.number}").json()["status"] == "revoked"


def test_what_is_anothers_is_answered_like_what_is_not_there(world: World) -> None:
    ours = world.calls().post(f"/reports/{world.number}/codes", TERMS).json()["id"]
    calls = world.calls(of=world.other)
    for method, address in (
        ("get", "/reports/{}"),
        ("get", "/reports/{}/file"),
        ("get", "/reports/{}/views"),
        ("post", "/reports/{}/codes"),
    ):
        sent = {"data": TERMS} if method == "post" else {}
        answers = [getattr(calls, method)(address.format(one), **sent) for one in (world.number, "x", "9" * 400)]
        assert {answer.status_code for answer in answers} == {404}, address
        assert len({without_number(answer) for answer in answers}) == 1
    for method, address in (("get", "/codes/{}"), ("delete", "/codes/{}"), ("post", "/codes/{}/shown")):
        answers = [getattr(calls, method)(address.format(one)) for one in (ours, uuid.uuid4(), "x")]
        assert {answer.status_code for answer in answers} == {404}, address
        assert len({without_number(answer) for answer in answers}) == 1
    assert world.calls().get(f"/codes/{ours}").json()["state"] == "active"


def test_each_deed_asks_for_its_scope_of_the_token_and_of_the_mandate(world: World) -> None:
    share = world.calls().post(f"/reports/{world.number}/codes", TERMS).json()["id"]
    deeds = (
        ("reports:read", "get", f"/reports?subject={OURS}"),
        ("reports:read", "get", f"/reports/{world.number}"),
        ("reports:read", "get", f"/reports/{world.number}/file"),
        ("views", "get", f"/reports/{world.number}/views"),
        ("codes", "post", f"/reports/{world.number}/codes"),
        ("codes", "get", f"/codes/{share}"),
        ("codes", "post", f"/codes/{share}/shown"),
        ("codes", "delete", f"/codes/{share}"),
    )
    every = {"reports:apply", "reports:read", "codes", "views"}
    revoke(Mandate.objects.get(account=world.agent).pk, by="test")
    subject_id = world.agent.subject_id
    assert subject_id is not None
    grant(NewMandate(world.agent.pk, subject_id, Mandate.Basis.OPENED, ("object",)), by="test")
    own, narrow = Calls(own_token(world.made)), world.calls()
    for scope, method, address in deeds:
        sent = {"data": TERMS} if address.endswith("/codes") else {}
        without = getattr(world.calls(*(every - {scope})), method)(address, **sent)
        assert (without.status_code, without.json()["code"]) == (403, "scope-missing"), address
        assert getattr(own, method)(address, **sent).status_code == 403
        answer = getattr(narrow, method)(address, **sent)
        assert (answer.status_code, answer.json()["code"]) == (403, "mandate-insufficient"), address
        assert "授权不包括这一项" in answer.json()["detail"]


def test_a_platform_verifies_under_its_own_limit_and_its_looks_bear_its_name(world: World) -> None:
    report = Report.objects.get(pk=world.number)
    item = {"number": world.number, "code": typed_code(bytes(report.secret))}
    calls = Calls(own_token(world.made, "verify"))
    answer = calls.post("/api/v1/verify/code", item)
    assert (answer.status_code, answer.json()["status"]) == (200, "in_force")
    assert answer.headers["RateLimit-Policy"] == '"platform";q=600;w=60'
    many = calls.post("/api/v1/verify/batch", {"items": [item] * 3})
    assert [one["status"] for one in many.json()["answers"]] == ["in_force"] * 3
    assert set(Look.objects.values_list("by", flat=True)) == {f"client:{world.made.platform.pk}"}
    told = world.calls("views").get(f"/reports/{world.number}/views").json()
    assert told["verifications_total"] == 4
    assert all("示例平台" in look["who"] for look in told["verifications"])
    refused = world.calls().post("/api/v1/verify/code", item)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    wrong = Calls("nobody's").post("/api/v1/verify/code", item)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "token-refused")


def test_a_platform_may_call_so_often_in_a_minute_whoever_it_calls_for(world: World) -> None:
    made = registered("急性子", per_minute=2)
    calls = Calls(own_token(made))
    answers = [calls.get("/notices") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["RateLimit"].startswith('"platform";r=0;')
    assert int(answers[2].headers["Retry-After"]) <= 60
    assert world.calls().get(f"/reports/{world.number}").status_code == 200


def test_notices_are_those_of_the_platform_and_of_its_verified_receiver(world: World) -> None:
    bank, other = (
        Receiver.objects.create(uscc=code, name=BANK, kind="bank", created_by="test") for code in ("one", "two")
    )
    ReceiverDecision.objects.create(receiver=bank, state="verified", by="test")
    made = registered("银行平台", receiver_id=bank.pk)
    for number, (receiver, client) in enumerate(((bank, ""), (other, ""), (bank, ""), (None, made.platform.pk))):
        body = {"number": f"{number}"}
        Notice.objects.create(event="e", source=f"s:{number}", receiver=receiver, client_id=client, body=body)
    calls = Calls(own_token(made, "notices"))
    first = calls.get("/notices?limit=2").json()
    rest = calls.get(first["next"]).json()
    assert {one["body"]["number"] for one in first["notices"] + rest["notices"]} == {"0", "2", "3"}
    assert rest["next"] is None
    strange = Notice.objects.get(receiver=other)
    assert calls.get(f"/notices?before={strange.pk}").status_code == 422
    assert Calls(own_token(world.made)).get("/notices").json() == {"notices": [], "next": None}
    ReceiverDecision.objects.create(receiver=bank, state="suspended", by="test")
    assert [one["body"]["number"] for one in calls.get("/notices").json()["notices"]] == ["3"]
    assert AuditEvent.objects.filter(action="notices-listed", object_id=made.platform.pk).exists()


def test_a_page_of_reports_asks_as_much_as_a_short_one(world: World) -> None:
    subject_id = world.agent.subject_id
    assert subject_id is not None
    calls = world.calls("reports:read")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            calls.get(f"/reports?subject={OURS}")
        counts.append(len(asked))
        issue_report(Order("suzhou-2024", subject_id, Request(), "test"))
    assert counts[0] == counts[1]
