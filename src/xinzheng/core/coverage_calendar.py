"""Coverage calendar (归集日历): month by month what a unit's data covers; and who is to be reminded today.

Pure: stretches of days, a month and the day data must reach go in, one cell comes out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from xinzheng.core.workdays import Calendar

ONE_DAY = timedelta(days=1)
Stretch = tuple[date, date]


class CellState(StrEnum):
    """What a month amounts to (归集情况)."""

    DELIVERED = "delivered"
    ZERO = "zero"
    PART = "part"
    MISSING = "missing"
    HELD = "held"
    BLOCKED = "blocked"
    NOT_DUE = "not_due"


LATE = frozenset({CellState.PART, CellState.MISSING, CellState.HELD, CellState.BLOCKED})


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month (月份)."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def read(cls, text: str) -> "Month":
        """The month written as 2026-10. Raises ValueError for anything else."""
        if len(text) != 7:
            raise ValueError(text)
        return cls.of(date.fromisoformat(f"{text}-01"))

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.plus(1).first - ONE_DAY

    def plus(self, months: int) -> "Month":
        """The month so many months later; negative for earlier."""
        years, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(years, number + 1)

    def days(self) -> tuple[date, ...]:
        """All its days."""
        return tuple(self.first + n * ONE_DAY for n in range((self.last - self.first).days + 1))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Stated:
    """What was stated of one responsibility: stretches in effect, of held batches, of batches with open lines.

    ``is_latest`` marks a kind of latest states (最新状态): only the last day needed has to be covered.
    """

    open: tuple[Stretch, ...] = ()
    held: tuple[Stretch, ...] = ()
    blocked: tuple[Stretch, ...] = ()
    is_latest: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One month of one responsibility.

    ``through`` is the last day covered without a break where that is not the whole month; ``lacking`` counts the days
    needed by now that are not covered; ``needed`` all days needed by now; ``records`` those decided in the month.
    """

    month: Month
    state: CellState
    records: int = 0
    through: date | None = None
    needed: int = 0
    lacking: int = 0

    @property
    def is_late(self) -> bool:
        """Whether days are missing that should be there by now."""
        return self.state in LATE


def months_until(last: Month, count: int) -> tuple[Month, ...]:
    """So many months in order, ending with ``last``."""
    return tuple(last.plus(n) for n in range(1 - count, 1))


def month_cell(month: Month, stated: Stated, due: date, records: int = 0) -> Cell:
    """What the month amounts to when data must reach ``due`` (both days included).

    Days of held and of blocked batches never count as covered; they only tell why days are lacking.
    """
    until = min(month.last, due)
    reached = _reached(month, stated)
    through = reached if reached != month.last and not stated.is_latest else None
    if until < month.first or (reached is not None and reached >= until):
        # Most months: covered whole, or not due at all. No day need be asked about.
        days = max((until - month.first).days + 1, 0)
        needed_days = min(days, 1) if stated.is_latest else days
        return Cell(month, _covered_state(reached, needed_days, stated, records), records, through, needed_days)
    needed = _needed(month, until, is_latest=stated.is_latest)
    lacking = [day for day in needed if not _inside(day, stated.open)]
    if not lacking:
        return Cell(month, _covered_state(reached, len(needed), stated, records), records, through, len(needed))
    return Cell(month, _lacking_state(lacking, needed, stated), records, through, len(needed), len(lacking))


def _needed(month: Month, until: date, *, is_latest: bool) -> list[date]:
    days = [day for day in month.days() if day <= until]
    return days[-1:] if is_latest else days


def _reached(month: Month, stated: Stated) -> date | None:
    """The last day covered without a break from the month's first."""
    if any(first <= month.first and month.last <= last for first, last in stated.open):
        return month.last
    reached = None
    for day in month.days():
        if not _inside(day, stated.open):
            break
        reached = day
    return reached


def _covered_state(reached: date | None, needed: int, stated: Stated, records: int) -> CellState:
    if not needed and reached is None:
        return CellState.NOT_DUE
    return CellState.ZERO if records == 0 and not stated.is_latest else CellState.DELIVERED


def _lacking_state(lacking: Sequence[date], needed: Sequence[date], stated: Stated) -> CellState:
    if all(_inside(day, stated.held) for day in lacking):
        return CellState.HELD
    if all(_inside(day, (*stated.held, *stated.blocked)) for day in lacking):
        return CellState.BLOCKED
    return CellState.MISSING if len(lacking) == len(needed) else CellState.PART


def _inside(day: date, stretches: Iterable[Stretch]) -> bool:
    return any(first <= day <= last for first, last in stretches)


@dataclass(frozen=True, slots=True)
class LateScope:
    """A responsibility that is late (逾期): covered without a break through ``through``, or never (None)."""

    unit: str
    domain: str
    kind: str
    through: date | None
    due: date


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder (催办) to write today; ``working_days`` late, None where nothing was ever delivered."""

    late: LateScope
    working_days: int | None


def due_reminders(
    today: date, calendar: Calendar, late: Iterable[LateScope], reminded: Iterable[LateScope] = ()
) -> tuple[Reminder, ...]:
    """Whom to remind today: nobody on a day off, nobody of ``reminded`` (reminded too short ago).

    Raises CalendarError when today's year was not announced, also when nobody is late: silence would look like health.
    """
    if not calendar.is_working_day(today):
        return ()
    recent = {(r.unit, r.domain, r.kind) for r in reminded}
    due = [scope for scope in late if (scope.unit, scope.domain, scope.kind) not in recent]
    return tuple(Reminder(scope, working_days_late(scope, calendar)) for scope in due)


def working_days_late(scope: LateScope, calendar: Calendar) -> int | None:
    """The working days between the day covered and the day due; None where nothing was ever delivered."""
    if scope.through is None:
        return None
    days = (scope.due - scope.through).days
    return sum(calendar.is_working_day(scope.through + n * ONE_DAY) for n in range(1, days + 1))
