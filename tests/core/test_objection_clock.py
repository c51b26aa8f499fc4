"""Clocks of objections across 春节 and 调休, pauses, and years nobody has announced."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from xinzheng.adapters.calendar import default_calendar
from xinzheng.core.objection_clock import Stepped, Terms, clock_of
from xinzheng.core.objections import Act, State
from xinzheng.core.workdays import Calendar

TERMS = Terms(intake=3, whole=10, supply=5, appeal_within=10, review=10)
REAL = default_calendar()
PLAIN = Calendar(frozenset(range(2020, 2031)))
SPRING = date(2026, 2, 13)


def lodged(day: date) -> Stepped:
    return Stepped(Act.LODGE, day, State.INTAKE)


def test_intake_over_the_spring_festival_counts_the_worked_saturday() -> None:
    # 14 February 2026, a Saturday, is worked; 15 to 23 February are off.
    clock = clock_of([lodged(SPRING)], SPRING, TERMS, REAL)
    assert (clock.limit, clock.used, clock.due) == (3, 0, date(2026, 2, 25))
    assert clock_of([lodged(SPRING)], date(2026, 2, 23), TERMS, REAL).used == 1
    assert clock_of([lodged(SPRING)], date(2026, 2, 26), TERMS, REAL).is_over


def test_ten_days_in_all_run_on_through_the_worked_saturday_at_the_end_of_the_holiday() -> None:
    steps = [lodged(SPRING), Stepped(Act.ACCEPT, date(2026, 2, 24), State.WITH_UNIT)]
    # worked: 14, 24, 25, 26, 27, 28 (Saturday) February, 2, 3, 4, 5 March
    assert clock_of(steps, date(2026, 2, 24), TERMS, REAL).due == date(2026, 3, 5)


def test_what_waits_for_the_subject_does_not_count() -> None:
    monday = date(2026, 6, 1)
    asked = [lodged(monday), Stepped(Act.ASK, date(2026, 6, 2), State.MORE_ASKED)]
    waiting = clock_of(asked, date(2026, 6, 9), TERMS, PLAIN)
    assert (waiting.used, waiting.due, waiting.is_paused) == (1, None, True)
    answered = [*asked, Stepped(Act.SUPPLY, date(2026, 6, 9), State.INTAKE)]
    clock = clock_of(answered, date(2026, 6, 9), TERMS, PLAIN)
    assert (clock.used, clock.due) == (1, date(2026, 6, 11))


def test_a_year_nobody_announced_is_said_and_never_guessed() -> None:
    clock = clock_of([lodged(date(2026, 12, 30))], date(2026, 12, 31), TERMS, REAL)
    assert (clock.used, clock.due, clock.unknown_year) == (1, None, 2027)


def test_an_appeal_begins_a_term_of_its_own() -> None:
    steps = [
        lodged(date(2026, 6, 1)),
        Stepped(Act.ACCEPT, date(2026, 6, 2), State.WITH_UNIT),
        Stepped(Act.DISMISS, date(2026, 6, 12), State.DISMISSED),
        Stepped(Act.APPEAL, date(2026, 6, 15), State.APPEALED),
    ]
    assert clock_of(steps, date(2026, 6, 15), TERMS, PLAIN).due == date(2026, 6, 29)


@given(st.integers(0, 300), st.integers(0, 60))
def test_days_used_and_left_meet_at_the_due_day(start: int, later: int) -> None:
    day = date(2026, 1, 1) + timedelta(days=start)
    steps = [lodged(day)]
    clock = clock_of(steps, min(day + timedelta(days=later), date(2026, 12, 31)), TERMS, REAL)
    if clock.due is not None:
        assert clock_of(steps, clock.due, TERMS, REAL).left == 0
        assert REAL.is_working_day(clock.due)
