"""Whoever guesses learns nothing: what is not there and what is somebody else's get equal answers, for equal work."""

import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.platform_world import World, db, undone, world
from tests.platform_callers import Calls, own_token, registered, without_number
from xinzheng.apps.codes.notice_events import REPORT_ENDED
from xinzheng.apps.codes.sharing import Terms, share, take_back
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import RevocationReason, report_number, typed_code

__all__ = ["db", "undone", "world"]
WRONG, UNKNOWN = "0" * 12, report_number("SZ", date(2020, 1, 1), 1)
Asking = Callable[[], Any]


def answered(ask: Asking, *names: str) -> tuple[int, str, str, int]:
    """Status, headers and text without the names that were asked about, and how many statements it took."""
    caches["local"].clear()
    with CaptureQueriesContext(connection) as statements:
        answer = ask()
    text = without_number(answer).decode()
    for name in names:
        text = text.replace(name, "…")
    own = ("RateLimit", "X-Request-ID")
    headers = {name: value for name, value in answer.headers.items() if not name.startswith(own)}
    return answer.status_code, str(sorted(headers.items())), text, len(statements)


@pytest.fixture
def guesses(world: World) -> dict[str, dict[str, str]]:
    """A wrong code of a report in force and of a revoked one, and a number there is not."""
    subject_id = world.agent.subject_id
    assert subject_id is not None
    revoked = issue_report(Order("suzhou-2024", subject_id, Request(), "test")).number
    revoke_report(revoked, RevocationReason.ISSUED_IN_ERROR, by="test")
    code = typed_code(bytes(Report.objects.get(pk=world.number).secret))
    return {
        "in force": {"number": world.number, "code": WRONG},
        "revoked": {"number": revoked, "code": WRONG},
        "unknown": {"number": UNKNOWN, "code": code},
    }


def test_a_guessed_code_or_number_is_answered_alike(guesses: dict[str, dict[str, str]]) -> None:
    told = {answered(lambda a=asked: posted("code", a), asked["number"]) for asked in guesses.values()}
    assert len(told) == 1, told
    several = {answered(lambda a=asked: posted("batch", {"items": [a]}), asked["number"]) for asked in guesses.values()}
    assert len(several) == 1, several


def test_a_guess_takes_as_long_whether_there_is_such_a_report(guesses: dict[str, dict[str, str]]) -> None:
    took: dict[str, list[float]] = {name: [] for name in guesses}
    for _ in range(60):
        for name, asked in guesses.items():
            caches["local"].clear()
            begun = time.thread_time()
            posted("code", asked)
            took[name].append(time.thread_time() - begun)
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 1.25 * min(medians)


def posted(way: str, body: Any) -> Any:
    return Client().post(f"/api/v1/verify/{way}", json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("what", ["", "/file", "/views", "/codes"])
def test_anothers_report_is_answered_like_one_there_is_not(world: World, what: str) -> None:
    calls = world.calls()
    terms = {"purpose": "financing", "hours": 2, "views": 2}
    told = set()
    for number in (world.theirs, UNKNOWN):
        address = f"/reports/{number}{what}"
        ask = (lambda a=address: calls.post(a, terms)) if what == "/codes" else (lambda a=address: calls.get(a))
        told.add(answered(ask, number))
    assert {status for status, *_ in told} == {404}
    assert len(told) == 1, told


@pytest.mark.parametrize(("method", "what"), [("get", ""), ("post", "/shown"), ("delete", "")])
def test_anothers_code_open_or_taken_back_is_answered_like_one_there_is_not(
    world: World, method: str, what: str
) -> None:
    calls, terms = world.calls(), Terms("financing", timezone.now() + timedelta(hours=1), 5)
    theirs, back = (share(world.other, world.theirs, terms, by="test").pk for _ in range(2))
    take_back(back, by="test")
    told = {
        answered(lambda o=one: getattr(calls, method)(f"/codes/{o}{what}"), str(one))
        for one in (theirs, back, uuid.uuid4())
    }
    assert {status for status, *_ in told} == {404}
    assert len(told) == 1, told


@pytest.mark.parametrize(("method", "what"), [("get", ""), ("post", "/test"), ("post", "/secret"), ("delete", "")])
def test_anothers_webhook_is_answered_like_one_there_is_not(world: World, method: str, what: str) -> None:
    theirs = registered("另一个平台").platform.pk
    number = register_webhook(Owner(theirs), "https://hooks.example.cn/", [REPORT_ENDED], by="test").webhook.pk
    calls = Calls(own_token(world.made, "webhooks"))
    told = {answered(lambda o=one: getattr(calls, method)(f"/webhooks/{o}{what}")) for one in (number, number + 1)}
    assert {status for status, *_ in told} == {404}
    assert len(told) == 1, told
