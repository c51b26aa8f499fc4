"""What is covered at a position: statements, zero returns, withdrawals, and what makes a clean answer impossible."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import (
    Scope,
    declare_coverage,
    explain_line,
    submit_batch,
    withdraw_batch,
    withdraw_coverage,
)
from xinzheng.apps.ledger.errors import CoverageError, IntakeError
from xinzheng.apps.ledger.models import CoverageStatement
from xinzheng.apps.ledger.queries import case_coverage, coverage_at, coverage_calendar
from xinzheng.apps.ledger.statements import Stated, joined, open_pieces_of
from xinzheng.core.coverage import Coverage

DAY = timedelta(days=1)
NEW_YEAR = date(2026, 1, 1)

days = st.integers(0, 40).map(lambda n: NEW_YEAR + n * DAY)
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


@pytest.fixture
def scope(city: SmallCity) -> Scope:
    return Scope(city.unit("taxation"), "taxation", PENALTY)


def stretches(coverage: Coverage, scope: Scope) -> list[tuple[date, date]]:
    found = coverage.statements_of(scope.unit_uscc, scope.kind, scope.domain)
    return [(s.from_date, s.through_date) for s in found]


def now(scope: Scope) -> list[tuple[date, date]]:
    return stretches(coverage_at("suzhou-2024", head_position()), scope)


@given(st.lists(st.tuples(spans, st.booleans()), max_size=8))
def test_a_day_speaks_exactly_when_the_last_statement_that_names_it_is_open(
    stated: list[tuple[tuple[date, date], bool]],
) -> None:
    given_order = [Stated(n, n, *span, is_open) for n, (span, is_open) in enumerate(stated)]
    pieces = open_pieces_of(reversed(given_order))
    for offset in range(-1, 42):
        day = NEW_YEAR + offset * DAY
        naming = [s for s in given_order if s.from_date <= day <= s.through_date]
        speaking = [p.statement for p in pieces if p.from_date <= day <= p.through_date]
        assert speaking == ([naming[-1].id] if naming and naming[-1].is_open else [])


@given(st.lists(spans, max_size=8))
def test_joining_keeps_every_day_and_leaves_gaps_between(stretched: list[tuple[date, date]]) -> None:
    found = joined(stretched)
    inside = {first + n * DAY for first, last in stretched for n in range((last - first).days + 1)}
    assert {first + n * DAY for first, last in found for n in range((last - first).days + 1)} == inside
    assert all(b[0] - a[1] > DAY for a, b in pairwise(found))


def test_a_unit_that_never_delivered_has_no_statement(scope: Scope) -> None:
    coverage = coverage_at("suzhou-2024", head_position())
    assert stretches(coverage, scope) == []
    assert scope.unit_uscc in {r.unit for r in coverage.responsibilities}


def test_a_declaration_without_records_is_a_zero_return_and_covers(scope: Scope) -> None:
    result = declare_coverage(scope, from_date=NEW_YEAR, through_date=today(), by=BY)
    assert result.is_zero
    assert now(scope) == [(NEW_YEAR, today())]


def test_a_declaration_with_a_live_record_in_its_period_is_no_zero_return(city: SmallCity, scope: Scope) -> None:
    city.submit([city.penalty(uscc(1))])
    assert not declare_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY).is_zero
    assert declare_coverage(scope, from_date=LONG_AGO, through_date=LONG_AGO, by=BY).is_zero


def test_a_penalty_repaired_since_is_of_the_day_it_was_decided(city: SmallCity) -> None:
    decided = today() - timedelta(days=180)
    city.submit([city.penalty(uscc(1), 修复日期=today().isoformat())])
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    assert not declare_coverage(scope, from_date=decided, through_date=decided, by=BY).is_zero
    assert declare_coverage(scope, from_date=today(), through_date=today(), by=BY).is_zero


def test_a_repair_is_of_the_day_it_was_repaired(city: SmallCity) -> None:
    row = {"主体名称": "甲公司", "统一社会信用代码": uscc(1), "原处罚决定书文号": "1号", "原处罚机关": "市税务局",
           "原处罚决定日期": "2025-03-01", "修复日期": "2026-03-01"}  # fmt: skip
    city.submit_kind([row], "credit_repair", "credit_repair")
    scope = Scope(city.unit("credit_repair"), "credit_repair", "credit_repair")
    assert not declare_coverage(scope, from_date=date(2026, 3, 1), through_date=date(2026, 3, 1), by=BY).is_zero
    assert declare_coverage(scope, from_date=date(2025, 3, 1), through_date=date(2025, 3, 1), by=BY).is_zero


def test_what_is_stated_later_is_not_seen_at_an_earlier_position(scope: Scope) -> None:
    before = head_position()
    declare_coverage(scope, from_date=NEW_YEAR, through_date=today(), by=BY)
    assert now(scope)
    assert stretches(coverage_at("suzhou-2024", before), scope) == []


def test_a_late_unit_reaches_only_as_far_as_it_stated(scope: Scope) -> None:
    late = today() - 60 * DAY
    declare_coverage(scope, from_date=LONG_AGO, through_date=late, by=BY)
    assert now(scope) == [(LONG_AGO, late)]
    states = coverage_calendar(scope.unit_uscc, "suzhou-2024")
    assert {s.kind: s.through_date for s in states if s.domain == "taxation"}[PENALTY] == late


def test_withdrawing_the_middle_keeps_what_was_stated_around_it(scope: Scope) -> None:
    declare_coverage(scope, from_date=NEW_YEAR, through_date=NEW_YEAR + 30 * DAY, by=BY)
    before = head_position()
    hole = (NEW_YEAR + 10 * DAY, NEW_YEAR + 12 * DAY)
    withdraw_coverage(scope, from_date=hole[0], through_date=hole[1], by=BY)
    assert now(scope) == [(NEW_YEAR, hole[0] - DAY), (hole[1] + DAY, NEW_YEAR + 30 * DAY)]
    assert stretches(coverage_at("suzhou-2024", before), scope) == [(NEW_YEAR, NEW_YEAR + 30 * DAY)]


def test_withdrawing_a_later_statement_does_not_bring_the_replaced_part_back(city: SmallCity, scope: Scope) -> None:
    declare_coverage(scope, from_date=NEW_YEAR, through_date=NEW_YEAR + 30 * DAY, by=BY)
    batch = city.submit([city.penalty(uscc(1))], covers=(NEW_YEAR + 20 * DAY, NEW_YEAR + 40 * DAY))
    assert now(scope) == [(NEW_YEAR, NEW_YEAR + 40 * DAY)]
    withdraw_batch(batch_id=batch.batch, reason="报错", by=BY)
    assert now(scope) == [(NEW_YEAR, NEW_YEAR + 19 * DAY)]


def test_nothing_to_withdraw_is_an_error(scope: Scope) -> None:
    with pytest.raises(CoverageError, match="没有生效的覆盖声明"):
        withdraw_coverage(scope, from_date=NEW_YEAR, through_date=today(), by=BY)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(0, 1, "coverage-in-future"), (0, -1, "coverage-reversed"), (1, 2, "coverage-in-future")],
)
def test_a_period_that_is_reversed_or_not_over_is_refused(scope: Scope, first: int, last: int, code: str) -> None:
    with pytest.raises(CoverageError) as error:
        declare_coverage(scope, from_date=today() + first * DAY, through_date=today() + last * DAY, by=BY)
    assert error.value.code == code
    assert not CoverageStatement.objects.exists()


def test_only_the_unit_that_answers_may_state(city: SmallCity) -> None:
    foreign = Scope(city.unit("taxation"), "transport", PENALTY)
    with pytest.raises(IntakeError) as error:
        declare_coverage(foreign, from_date=NEW_YEAR, through_date=today(), by=BY)
    assert error.value.code == "unit-not-responsible"
    assert "taxation" in error.value.message


def test_a_rejected_line_suspends_its_batchs_statement_and_names_its_subject(city: SmallCity, scope: Scope) -> None:
    wrong = city.penalty(uscc(1), 处罚决定日期="2026-02-30")
    batch = city.submit([wrong, city.penalty(uscc(2), "苏税罚〔2026〕2号")], covers=(NEW_YEAR, today()))
    subject, other = city.firm(uscc(1)), city.firm(uscc(2))
    position = head_position()
    coverage = case_coverage("suzhou-2024", [subject], position)
    assert stretches(coverage, scope) == []
    (pending,) = coverage.pending
    assert (pending.domain, pending.unit, pending.kind) == ("taxation", scope.unit_uscc, PENALTY)
    assert (pending.count, pending.names_subject) == (1, True)
    assert case_coverage("suzhou-2024", [other], position).pending == ()

    explain_line(batch_id=batch.batch, line=2, reason="重复导出的残行", by=BY)
    assert now(scope) == [(NEW_YEAR, today())]
    assert case_coverage("suzhou-2024", [subject], head_position()).pending == ()
    assert case_coverage("suzhou-2024", [subject], position).pending == (pending,)


def test_a_line_whose_subject_is_unreadable_waits_for_everybody(city: SmallCity, scope: Scope) -> None:
    city.submit([city.penalty("91320500MAXXXXXXX0")], covers=(NEW_YEAR, today()))
    anybody = city.firm(uscc(9))
    (pending,) = case_coverage("suzhou-2024", [anybody], head_position()).pending
    assert not pending.names_subject
    assert pending.unit == scope.unit_uscc
    assert now(scope) == []


def test_a_rolled_back_batch_no_longer_covers_nor_waits(city: SmallCity, scope: Scope) -> None:
    batch = city.submit([city.penalty(uscc(1)), city.penalty("91320500MAXXXXXXX0", "苏税罚〔2026〕2号")])
    good = city.submit([city.penalty(uscc(2), "苏税罚〔2026〕3号")], covers=(NEW_YEAR, today()))
    assert now(scope) == [(NEW_YEAR, today())]
    assert coverage_at("suzhou-2024", head_position()).pending
    withdraw_batch(batch_id=batch.batch, reason="报错", by=BY)
    assert coverage_at("suzhou-2024", head_position()).pending == ()
    withdraw_batch(batch_id=good.batch, reason="报错", by=BY)
    assert now(scope) == []


def test_a_delivery_that_speaks_for_the_future_is_refused_whole(city: SmallCity) -> None:
    before = head_position()
    with pytest.raises(CoverageError):
        submit_batch(city.delivery([city.penalty(uscc(1))], covers=(NEW_YEAR, today() + DAY)), by=BY)
    assert head_position() == before
