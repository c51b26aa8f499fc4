"""Working days (工作日): the calendar is a value, a year that was not announced is an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from xinzheng.core.errors import CalendarError


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working-day calendar (工作日历): for each announced year, the days that depart from Monday–Friday.

    ``days_off`` are weekdays without work, ``extra_workdays`` weekend days with work (调休), per year. Source: the
    State Council's yearly notice; a year absent from ``years`` has not been announced or imported.
    """

    years: frozenset[int]
    days_off: frozenset[date] = field(default_factory=frozenset)
    extra_workdays: frozenset[date] = field(default_factory=frozenset)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on the day. Raises CalendarError for a year that was not announced."""
        if day.year not in self.years:
            raise CalendarError(
                f"{day.year}年的工作日安排尚未公布或者尚未导入，无法计算工作日；请导入国务院办公厅公布的{day.year}年节假日安排后再试。",
                year=day.year,
            )
        if day in self.extra_workdays:
            return True
        return day.weekday() < 5 and day not in self.days_off

    def minus_working_days(self, day: date, count: int) -> date:
        """The latest day such that ``count`` whole working days lie after it, up to and including ``day``."""
        remaining = count
        while remaining > 0:
            if self.is_working_day(day):
                remaining -= 1
            day -= timedelta(days=1)
        return day

    def plus_working_days(self, day: date, count: int) -> date:
        """The last day of a term of ``count`` working days that begins the day after ``day``."""
        remaining = count
        while remaining > 0:
            day += timedelta(days=1)
            if self.is_working_day(day):
                remaining -= 1
        return day

    def as_mapping(self) -> Mapping[str, object]:
        """The calendar as plain values, in a fixed order, for storing and digests."""
        return {
            "years": sorted(self.years),
            "days_off": sorted(day.isoformat() for day in self.days_off),
            "extra_workdays": sorted(day.isoformat() for day in self.extra_workdays),
        }


def calendar_from_mapping(value: Mapping[str, list[object]]) -> Calendar:
    """The calendar that ``Calendar.as_mapping`` wrote."""
    return Calendar(
        years=frozenset(int(str(year)) for year in value["years"]),
        days_off=frozenset(date.fromisoformat(str(day)) for day in value["days_off"]),
        extra_workdays=frozenset(date.fromisoformat(str(day)) for day in value["extra_workdays"]),
    )
