"""Coverage by return: one statement for each unit, its source told, and never above what the unit says itself."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.returning import FINANCE, PLATFORM, Return, everything, unit_id
from tests.small_city import BY, PENALTY, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import Scope, declare_coverage, declare_zero, withdraw_coverage
from xinzheng.apps.ledger.errors import CoverageError, IntakeError
from xinzheng.apps.ledger.models import CoverageStatement
from xinzheng.apps.ledger.queries import coverage_at, coverage_calendar, return_calendar, returned_at
from xinzheng.apps.ledger.statements import Stated, common, open_pieces_of
from xinzheng.apps.oversight.queries import View, coverage_calendar_of, due_date
from xinzheng.apps.oversight.reconciling import own_list, reconcile
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import Month, months_until


@pytest.fixture
def brought(db: None, tmp_path: Path) -> Return:
    return Return(build_small_city(tmp_path))


def test_a_statement_of_the_return_is_one_for_each_unit_and_says_where_it_came_from(brought: Return) -> None:
    result = brought.bring(brought.row(uscc(1), 0), covers=everything())
    made = CoverageStatement.objects.filter(batch_id=result.batch)
    zero = {s.unit_id: (s.is_zero, s.source_unit_id) for s in made}
    assert zero == {
        unit_id(brought.units[0]): (False, unit_id(PLATFORM)),
        unit_id(brought.units[1]): (True, unit_id(PLATFORM)),
    }
    returned = returned_at(head_position())
    assert {key[1] for key in returned} == set(brought.units)
    assert {stretch.source for found in returned.values() for stretch in found} == {PLATFORM}


def scope(unit: str) -> Scope:
    return Scope(unit, FINANCE, PENALTY)


def covered(unit: str) -> list[tuple[date, date]]:
    found = coverage_at("suzhou-2024", head_position()).statements_of(unit, PENALTY, FINANCE)
    return [(s.from_date, s.through_date) for s in found]


def test_the_platform_makes_a_zero_return_for_all_its_units_and_takes_it_back(brought: Return) -> None:
    first, last = everything()
    made = declare_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    assert (made.statements, made.is_zero) == (2, True)
    assert covered(brought.units[0]) == covered(brought.units[1]) == [(first, last)]
    gone = withdraw_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    assert gone.statements == 2
    assert covered(brought.units[0]) == covered(brought.units[1]) == []


def test_while_lines_that_the_platform_brought_wait_neither_it_nor_their_unit_returns_zero(brought: Return) -> None:
    first, last = everything()
    brought.bring(brought.row(uscc(1), 0, 处罚决定日期="2026-02-30"))
    for code in (PLATFORM, brought.units[0]):
        with pytest.raises(CoverageError) as refused:
            declare_zero(scope(code), from_date=first, through_date=last, by=BY)
        assert refused.value.code == "lines-waiting"
    assert declare_zero(scope(brought.units[1]), from_date=first, through_date=last, by=BY).is_zero


def test_the_platform_takes_back_nothing_that_a_unit_said_itself(brought: Return) -> None:
    first, last = everything()
    declare_coverage(scope(brought.units[0]), from_date=first, through_date=last, by=BY)
    with pytest.raises(CoverageError) as refused:
        withdraw_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    assert refused.value.code == "nothing-stated"
    assert covered(brought.units[0]) == [(first, last)]


def test_the_unit_s_own_statement_replaces_the_part_of_the_return_s_that_it_overlaps(brought: Return) -> None:
    first, last = everything()
    middle = last - timedelta(days=100)
    declare_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    declare_coverage(scope(brought.units[0]), from_date=middle, through_date=last, by=BY)
    (stretch,) = returned_at(head_position())[FINANCE, brought.units[0], PENALTY]
    assert (stretch.from_date, stretch.through_date) == (first, middle - timedelta(days=1))
    assert covered(brought.units[0]) == [(first, last)]


@pytest.mark.parametrize("said_by", [0, None])
def test_what_the_unit_took_back_no_later_return_covers_until_the_unit_does(
    brought: Return, said_by: int | None
) -> None:
    first, last = everything()
    day = last - timedelta(days=100)
    platform, unit = scope(PLATFORM), scope(brought.units[0])
    declare_coverage(platform if said_by is None else unit, from_date=first, through_date=last, by=BY)
    withdraw_coverage(unit, from_date=day, through_date=day, by=BY)
    gap = [(first, day - timedelta(days=1)), (day + timedelta(days=1), last)]
    assert covered(unit.unit_uscc) == gap
    declare_coverage(platform, from_date=first, through_date=last, by=BY)
    assert covered(unit.unit_uscc) == gap
    assert covered(brought.units[1]) == [(first, last)]
    declare_coverage(unit, from_date=day, through_date=day, by=BY)
    assert covered(unit.unit_uscc) == [(first, last)]


def test_the_coverage_calendar_knows_the_months_that_came_by_return(brought: Return) -> None:
    first, last = everything()
    declare_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    declare_coverage(scope(brought.units[0]), from_date=last.replace(day=1), through_date=last, by=BY)
    months, policy = months_until(Month.of(last), 3), current_policy("suzhou-2024")
    calendar = coverage_calendar_of(policy, View(head_position(), months, due_date(policy, last)))
    returned = {row.scope.unit.uscc: row.returned for row in calendar.rows if row.scope.domain == FINANCE}
    assert returned == {brought.units[0]: frozenset(months[:2]), brought.units[1]: frozenset(months)}


def test_a_unit_s_own_calendar_names_who_stated_what_by_return(brought: Return) -> None:
    first, last = everything()
    declare_coverage(scope(PLATFORM), from_date=first, through_date=last, by=BY)
    (state,) = coverage_calendar(brought.units[0], "suzhou-2024")
    assert [(s.from_date, s.through_date, s.source) for s in state.returned] == [(first, last, PLATFORM)]


def test_what_the_platform_brings_reaches_as_far_as_the_last_of_its_units(brought: Return) -> None:
    first, last = everything()
    declare_coverage(scope(brought.units[0]), from_date=first, through_date=last, by=BY)
    declare_coverage(scope(brought.units[1]), from_date=first, through_date=last - timedelta(days=9), by=BY)
    states = {s.domain: s for s in return_calendar(PLATFORM, "suzhou-2024", head_position())}
    assert states[FINANCE].stretches == ((first, last - timedelta(days=9)),)
    assert states[FINANCE].served == brought.units
    assert states["taxation"].stretches == ()


def test_a_platform_does_not_reconcile_for_the_units_whose_data_it_brings(brought: Return) -> None:
    with pytest.raises(IntakeError) as refused:
        reconcile(scope(PLATFORM), Month(2026, 1), own_list([]), by=BY)
    assert refused.value.code == "unit-not-responsible"


NEW_YEAR = date(2026, 1, 1)
days = st.integers(0, 20).map(lambda n: NEW_YEAR + timedelta(days=n))
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))
said = st.tuples(spans, st.booleans(), st.booleans())


def is_in(day: date, span: tuple[date, date]) -> bool:
    return span[0] <= day <= span[1]


@given(st.lists(said, max_size=8))
def test_a_day_speaks_as_the_unit_last_said_and_as_the_return_said_only_where_the_unit_said_nothing(
    order: list[tuple[tuple[date, date], bool, bool]],
) -> None:
    stated = [Stated(n, n, *span, is_open, is_returned) for n, (span, is_open, is_returned) in enumerate(order)]
    pieces = open_pieces_of(stated)
    for offset in range(-1, 22):
        day = NEW_YEAR + timedelta(days=offset)
        own = [is_open for span, is_open, is_returned in order if is_in(day, span) and not is_returned]
        returned = [is_open for span, is_open, is_returned in order if is_in(day, span) and is_returned]
        speaks = any(is_in(day, (piece.from_date, piece.through_date)) for piece in pieces)
        assert speaks is (own or returned or [False])[-1]


@given(st.lists(st.lists(spans, max_size=4), min_size=1, max_size=4))
def test_common_days_are_those_in_every_union(unions: list[list[tuple[date, date]]]) -> None:
    found = common(unions)
    for offset in range(-1, 22):
        day = NEW_YEAR + timedelta(days=offset)
        assert any(is_in(day, span) for span in found) is all(any(is_in(day, s) for s in union) for union in unions)
