"""The coverage calendar: what each month amounts to, and who is reminded on which day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.adapters.calendar import default_calendar
from xinzheng.core.coverage_calendar import (
    CellState,
    LateScope,
    Month,
    Stated,
    due_reminders,
    month_cell,
    months_until,
)
from xinzheng.core.errors import CalendarError

OCTOBER = Month(2026, 10)
FIRST, LAST = OCTOBER.first, OCTOBER.last
WHOLE = ((FIRST, LAST),)
MUCH_LATER = date(2026, 12, 31)
CALENDAR = default_calendar()
LATE = LateScope("unit", "water_affairs", "administrative_penalty", date(2026, 9, 30), date(2026, 10, 12))

days = st.integers(-5, 36).map(lambda n: FIRST + timedelta(days=n))
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))
stretches = st.lists(spans, max_size=4).map(tuple)


def state(stated: Stated, due: date = MUCH_LATER, records: int = 3) -> CellState:
    return month_cell(OCTOBER, stated, due, records).state


def test_months_run_over_the_turn_of_the_year() -> None:
    assert [str(m) for m in months_until(Month(2026, 2), 4)] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert Month.read("2024-02").last == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["2026-13", "2026", "2026-1", "2026-10-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind of error is all there is
        Month.read(text)


def test_a_whole_month_is_delivered_or_zero_by_its_records() -> None:
    assert state(Stated(WHOLE)) is CellState.DELIVERED
    assert state(Stated(WHOLE), records=0) is CellState.ZERO


def test_a_month_that_ends_early_says_through_which_day() -> None:
    cell = month_cell(OCTOBER, Stated(((FIRST, date(2026, 10, 9)),)), date(2026, 10, 12))
    assert (cell.state, cell.through, cell.needed, cell.lacking) == (CellState.PART, date(2026, 10, 9), 12, 3)


def test_data_that_reaches_the_day_due_is_not_late_though_the_month_goes_on() -> None:
    cell = month_cell(OCTOBER, Stated(((FIRST, date(2026, 10, 18)),)), date(2026, 10, 12), 2)
    assert (cell.state, cell.through) == (CellState.DELIVERED, date(2026, 10, 18))


def test_nothing_is_due_before_the_day_comes() -> None:
    assert state(Stated(), due=date(2026, 9, 30)) is CellState.NOT_DUE
    assert state(Stated(), due=FIRST) is CellState.MISSING


def test_a_hole_in_the_middle_is_part() -> None:
    cell = month_cell(OCTOBER, Stated(((FIRST, date(2026, 10, 5)), (date(2026, 10, 8), LAST))), MUCH_LATER)
    assert (cell.state, cell.through, cell.lacking) == (CellState.PART, date(2026, 10, 5), 2)


def test_held_and_blocked_batches_cover_nothing_but_say_why() -> None:
    assert state(Stated(held=WHOLE)) is CellState.HELD
    assert state(Stated(blocked=WHOLE)) is CellState.BLOCKED
    assert state(Stated(held=((FIRST, date(2026, 10, 5)),))) is CellState.MISSING


def test_a_latest_state_needs_its_last_day_only() -> None:
    end = ((date(2026, 10, 31), date(2026, 11, 2)),)
    assert state(Stated(end, is_latest=True)) is CellState.DELIVERED
    assert state(Stated(end)) is CellState.PART


@given(stretches, stretches, stretches, days, st.booleans())
def test_a_month_is_late_exactly_when_a_day_needed_is_in_no_open_stretch(
    given_open: tuple[tuple[date, date], ...],
    held: tuple[tuple[date, date], ...],
    blocked: tuple[tuple[date, date], ...],
    due: date,
    is_latest: bool,
) -> None:
    cell = month_cell(OCTOBER, Stated(given_open, held, blocked, is_latest), due)
    needed = [day for day in OCTOBER.days() if day <= due]
    needed = needed[-1:] if is_latest else needed
    covered = [day for day in needed if any(a <= day <= b for a, b in given_open)]
    assert cell.needed == len(needed)
    assert cell.lacking == len(needed) - len(covered)
    assert cell.is_late == (cell.lacking > 0)


def test_a_late_unit_is_reminded_on_a_working_day_with_the_working_days_it_is_late() -> None:
    (reminder,) = due_reminders(date(2026, 10, 21), CALENDAR, [LATE])
    # 1 to 7 October 2026 are days off, the 10th (a Saturday) is worked: 8, 9, 10 and 12 October.
    assert reminder.working_days == 4


def test_nobody_is_reminded_on_a_day_off_and_everybody_on_a_weekend_that_is_worked() -> None:
    assert due_reminders(date(2026, 10, 6), CALENDAR, [LATE]) == ()  # a Tuesday of the National Day holiday
    assert due_reminders(date(2026, 10, 17), CALENDAR, [LATE]) == ()  # a Saturday
    assert len(due_reminders(date(2026, 10, 10), CALENDAR, [LATE])) == 1  # a Saturday, worked (调休)


def test_who_was_reminded_a_short_while_ago_is_left_alone() -> None:
    assert due_reminders(date(2026, 10, 21), CALENDAR, [LATE], [LATE]) == ()


def test_a_year_that_was_not_announced_is_an_error_even_when_nobody_is_late() -> None:
    with pytest.raises(CalendarError, match="2027年"):
        due_reminders(date(2027, 1, 4), CALENDAR, [])


def test_who_never_delivered_is_reminded_without_a_number() -> None:
    never = LateScope("unit", "water_affairs", "administrative_penalty", None, date(2026, 10, 12))
    assert due_reminders(date(2026, 10, 21), CALENDAR, [never])[0].working_days is None
