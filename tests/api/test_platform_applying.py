"""A platform applies for whom it acts: asked like on the page, once however often it is sent, refused with reasons."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from tests.api.platform_world import NAME, OURS, THEIRS, World, db, undone, world
from tests.platform_callers import Calls, own_token, without_number
from tests.small_city import uscc
from xinzheng.apps.accounts.actions import close_account
from xinzheng.apps.accounts.mandates import NewMandate, grant, revoke
from xinzheng.apps.accounts.models import KeptPlatformRequest, Mandate
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports.applications import fulfil_application
from xinzheng.apps.reports.models import Application

__all__ = ["db", "undone", "world"]
POLICY = "suzhou-2024"


def fields(calls: Calls, **changes: Any) -> dict[str, Any]:
    """An application with the exceptions as they are told today."""
    (form,) = [f for f in calls.get(f"/application-forms?subject={OURS}").json()["policies"] if f["policy"] == POLICY]
    asked = {"subject": OURS, "policy": POLICY, "purpose": "financing", "exceptions_seen": form["exceptions_seen"]}
    return asked | changes


def apply(calls: Calls, key: str = "", **changes: Any) -> Any:
    return calls.post("/applications", fields(calls, **changes), Idempotency_Key=key or str(uuid.uuid4()))


def test_the_forms_tell_what_can_be_asked_for_and_what_a_report_does_not_replace(world: World) -> None:
    said = world.calls().get(f"/application-forms?subject={OURS}").json()
    (form,) = [form for form in said["policies"] if form["policy"] == POLICY]
    assert (said["subject"], said["name"]) == (OURS, NAME)
    assert {"code": "financing", "name": "融资"} in form["purposes"]
    assert len(form["domains"]) > 10
    assert form["exceptions"]
    assert form["exceptions_seen"]
    assert form["from_date"] < form["to_date"]


def test_an_application_is_taken_followed_and_told_with_the_platform(world: World) -> None:
    calls = world.calls()
    answer = apply(calls, receiver_name="示例银行苏州分行")
    assert answer.status_code == 202, answer.content
    taken = answer.json()
    assert answer.headers["Location"] == f"/api/v1/platform/applications/{taken['id']}"
    assert (taken["status"], taken["subject"], taken["receiver_name"]) == ("queued", OURS, "示例银行苏州分行")
    assert answer.headers["RateLimit-Policy"] == '"platform";q=600;w=60'
    kept = Application.objects.get(pk=taken["id"])
    assert (kept.client_id, kept.account_id) == (world.made.platform.pk, world.agent.pk)
    event = AuditEvent.objects.get(action="application-submitted", object_id=taken["id"])
    assert event.details["client"] == world.made.platform.pk
    assert event.details["told"]
    fulfil_application(taken["id"])
    done = calls.get(answer.headers["Location"]).json()
    assert (done["status"], done["message"]) == ("done", None)
    assert calls.get(f"/reports/{done['number']}").json()["outcome"] == "clear"


def test_the_same_request_sent_again_is_the_same_application_and_another_is_refused(world: World) -> None:
    calls = world.calls()
    first, again = (apply(calls, "key-1") for _ in range(2))
    assert "key-1" not in KeptPlatformRequest.objects.get().idempotency_key  # it may hold anything
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = apply(calls, "key-1", purpose="listing")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert Application.objects.filter(client_id=world.made.platform.pk).count() == 1
    assert KeptPlatformRequest.objects.get().caller == f"client:{world.made.platform.pk}/{world.agent.actor}"
    # What is refused is not kept: mended, it may come under the same key.
    assert apply(calls, "key-2", purpose="nothing").status_code == 422
    assert apply(calls, "key-2").status_code == 202


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "nothing"}, "purpose"),
        ({"policy": "huzhou-2000"}, "policy"),
        ({"domains": ["nowhere"]}, "domains"),
        ({"from_date": "2001-01-01", "to_date": "2001-02-01"}, "from_date"),
        ({"receiver_name": "找我13812345678"}, "receiver_name"),
        ({"subject": "x"}, "subject"),
        ({"subject": "330502199001010014"}, "subject"),
    ],
)
def test_an_unfit_field_is_named_and_nothing_is_taken(world: World, changes: dict[str, Any], field: str) -> None:
    answer = apply(world.calls(), **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid"), answer.content
    assert [found["field"] for found in answer.json()["errors"]] == [field]
    assert "13812345678" not in answer.content.decode()
    assert "330502199001010014" not in answer.content.decode()
    assert not Application.objects.exists()


def test_one_day_without_the_other_and_a_missing_key_are_refused(world: World) -> None:
    calls = world.calls()
    assert apply(calls, from_date="2026-01-01").json()["code"] == "request-invalid"
    answer = calls.post("/applications", fields(calls))
    assert (answer.status_code, answer.json()["errors"][0]["in"]) == (422, "header")


def test_who_has_not_seen_the_exceptions_is_told_them(world: World) -> None:
    answer = apply(world.calls(), exceptions_seen="")
    assert (answer.status_code, answer.json()["code"]) == (422, "exceptions-not-seen")
    told = [found["detail"] for found in answer.json()["errors"]]
    assert told == fields_told(world)


def fields_told(world: World) -> list[str]:
    forms = world.calls().get(f"/application-forms?subject={OURS}").json()["policies"]
    return next(list(form["exceptions"]) for form in forms if form["policy"] == POLICY)


def test_a_part_of_the_domains_and_of_the_period_is_asked_as_chosen(world: World) -> None:
    calls = world.calls()
    to_date = timezone.localdate() - timedelta(days=1)
    days = {"from_date": (to_date - timedelta(days=200)).isoformat(), "to_date": to_date.isoformat()}
    answer = apply(calls, domains=["taxation", "water_affairs"], **days)
    assert answer.status_code == 202, answer.content
    asked = Application.objects.get(pk=answer.json()["id"]).request
    assert sorted(asked["domains"]) == ["taxation", "water_affairs"]
    assert (asked["from"], asked["to"]) == (days["from_date"], days["to_date"])


def test_a_day_has_only_so_many_applications(world: World) -> None:
    calls = world.calls()
    with override_settings(XINZHENG_DAILY_LIMITS={POLICY: 1}):
        assert apply(calls, "key-1").status_code == 202
        refused = apply(calls, "key-2")
        assert (refused.status_code, refused.json()["code"]) == (429, "daily-limit-reached")
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 60 * 60
        assert apply(calls, "key-1").status_code == 202


def test_a_subject_nobody_let_the_account_act_for_is_refused_like_one_that_does_not_exist(world: World) -> None:
    calls = world.calls()
    answers = [apply(calls, subject=subject) for subject in (THEIRS, uscc(77), "self")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({without_number(answer) for answer in answers}) == 1
    assert answers[0].json()["code"] == "mandate-insufficient"
    assert "没有代理该主体的有效授权" in answers[0].json()["detail"]


def test_a_person_applies_for_oneself_only(world: World) -> None:
    calls = world.calls(of=world.person)
    said = calls.get("/application-forms?subject=self").json()
    assert said["subject"] == "self"
    assert calls.get(f"/application-forms?subject={OURS}").status_code == 403
    assert calls.get("/reports?subject=self").json() == {"subject": "self", "reports": [], "next": None}


def test_a_mandate_without_this_scope_and_one_that_has_ended_permit_nothing(world: World) -> None:
    reader = Mandate.objects.get(account=world.agent)
    calls = world.calls()
    asked = fields(calls)
    revoke(reader.pk, by="test")
    gone = calls.post("/applications", asked, Idempotency_Key="key-1")
    assert (gone.status_code, gone.json()["code"]) == (403, "mandate-ended")
    grant(NewMandate(world.agent.pk, reader.subject_id, Mandate.Basis.OPENED, ("read",)), by="test")
    answer = calls.post("/applications", asked, Idempotency_Key="key-1")
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate-insufficient")
    assert "授权不包括这一项" in answer.json()["detail"]
    assert calls.get(f"/reports/{world.number}").status_code == 200
    close_account(world.agent, by="test")
    assert calls.get(f"/reports/{world.number}").status_code == 401


def test_scopes_and_who_a_token_is_for_are_looked_at_first(world: World) -> None:
    for scopes in (("reports:read",), ("codes", "views")):
        answer = world.calls(*scopes).get(f"/application-forms?subject={OURS}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
        assert 'scope="reports:apply"' in answer.headers["WWW-Authenticate"]
    own = Calls(own_token(world.made)).get(f"/application-forms?subject={OURS}")
    assert own.json()["code"] in ("scope-missing", "on-behalf-required")


def test_anothers_application_is_not_there(world: World) -> None:
    theirs = apply(world.calls()).json()["id"]
    calls = world.calls(of=world.other)
    answers = [calls.get(f"/applications/{one}") for one in (theirs, uuid.uuid4(), "x")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({without_number(answer) for answer in answers}) == 1
