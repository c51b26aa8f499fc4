"""Working days: what was announced counts, what was not is an error."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.errors import CalendarError
from xinzheng.core.workdays import Calendar, calendar_from_mapping

CALENDAR = Calendar(
    frozenset({2025}), frozenset({date(2025, 10, 1), date(2025, 10, 2)}), frozenset({date(2025, 9, 28)})
)
DAYS = st.dates(date(2025, 3, 1), date(2025, 10, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 9, 26), True),
        (date(2025, 9, 27), False),
        (date(2025, 9, 28), True),
        (date(2025, 10, 1), False),
        (date(2025, 10, 3), True),
    ],
)
def test_weekdays_days_off_and_extra_days(day, works):
    assert CALENDAR.is_working_day(day) is works


def test_a_year_that_was_not_announced_is_an_error_naming_it():
    with pytest.raises(CalendarError, match="2026年") as refused:
        CALENDAR.is_working_day(date(2026, 1, 5))
    assert refused.value.code == "calendar-year-unknown"
    assert refused.value.context["year"] == 2026


@given(DAYS, st.integers(0, 20))
def test_exactly_so_many_working_days_lie_after_the_day_found(day, count):
    found = CALENDAR.minus_working_days(day, count)
    between = [found + timedelta(days=n) for n in range(1, (day - found).days + 1)]
    assert sum(map(CALENDAR.is_working_day, between)) == count
    assert count == 0 or CALENDAR.is_working_day(between[0])


@given(DAYS, st.integers(1, 20))
def test_a_term_begins_the_next_day_and_ends_on_a_working_day(day, count):
    end = CALENDAR.plus_working_days(day, count)
    assert CALENDAR.is_working_day(end)
    assert sum(CALENDAR.is_working_day(day + timedelta(days=n)) for n in range(1, (end - day).days + 1)) == count


def test_seven_working_days_reach_over_a_holiday_and_an_extra_day():
    assert CALENDAR.minus_working_days(date(2025, 10, 6), 7) == date(2025, 9, 24)


def test_a_calendar_survives_being_stored():
    assert calendar_from_mapping(CALENDAR.as_mapping()) == CALENDAR
