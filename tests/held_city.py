"""A small city whose tax unit usually sends two lines, so that eight are a sudden change; and what it then says."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone

from tests.small_city import LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import (
    BatchResult,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.queries import coverage_at, records_at
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.decision import Request, Result
from xinzheng.core.floors import Floors
from xinzheng.core.subjects import Tie

SECOND = "account:2"
POLICY = "suzhou-2024"
# So that a few rows are a sudden change.
TIGHT = Floors(least_history=2, far_times=3, far_lines=3, ended_records=2, rejected_lines=3)


def everything() -> tuple[date, date]:
    """Since long ago and through the day it is now."""
    return LONG_AGO, today()


def usual_city(folder: Path, settings: LazySettings) -> SmallCity:
    settings.XINZHENG_FLOORS = TIGHT
    city = build_small_city(folder, units_per_domain=1)
    city.declare_everything()
    for month in range(2):
        assert not city.submit([numbered(city, 100 + month * 2 + n) for n in range(2)]).held
    return city


def numbered(city: SmallCity, number: int, code: str = uscc(9), **columns: str) -> dict[str, str]:
    return city.penalty(code, f"苏税罚〔2026〕{number}号", **columns)


def surge(city: SmallCity, count: int = 8, **columns: str) -> list[dict[str, str]]:
    """More lines than usual, each of a firm of its own."""
    return [numbered(city, n, uscc(n), **columns) for n in range(1, count + 1)]


def held_surge(city: SmallCity, is_covering: bool = True) -> BatchResult:
    result = city.submit(surge(city), covers=everything() if is_covering else None)
    assert result.held
    return result


def taxation_of(code: str) -> Result:
    subject = find_subject(code)
    assert subject is not None
    policy = current_policy(POLICY)
    question = Question(policy, current_calendar(), subject, Request(), timezone.now(), head_position())
    return next(d.result for d in answer_question(question).decision.domains if d.code == "taxation")


def stated(domain: str = "taxation") -> list[tuple[date, date]]:
    coverage = coverage_at(POLICY, head_position())
    return [(s.from_date, s.through_date) for s in coverage.statements if s.domain == domain and s.kind == PENALTY]


def content_of(code: str) -> list[str | None]:
    subject = find_subject(code)
    assert subject is not None
    return [record.content["content"] for record in records_at({subject: Tie.SELF}, head_position(), "320500")]


def refused(code: str, act: Callable[[], object]) -> str:
    """The message with which the deed was refused, for the reason expected."""
    with pytest.raises(IntakeError) as error, transaction.atomic():
        act()
    assert error.value.code == code
    return error.value.message
