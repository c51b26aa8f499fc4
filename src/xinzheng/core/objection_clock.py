"""Clocks of an objection (办理时钟): Chinese working days used and left; what waits for the subject does not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from xinzheng.core.errors import CalendarError
from xinzheng.core.objections import Act, State
from xinzheng.core.workdays import Calendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How many working days each stretch may take (办理时限), in force on a day."""

    intake: int
    whole: int
    supply: int
    appeal_within: int
    review: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """An act on its day in China, and the state it led to."""

    act: Act
    day: date
    state: State


@dataclass(frozen=True, slots=True)
class Clock:
    """Working days used of ``limit``; ``due`` is the last day, None while it waits for the subject or is not known.

    ``unknown_year`` is a year whose working days were not announced: the clock cannot be told beyond it. ``is_past``:
    the last day has gone by, be it by days nobody works.
    """

    limit: int
    used: int
    due: date | None = None
    is_paused: bool = False
    unknown_year: int | None = None
    is_past: bool = False

    @property
    def left(self) -> int:
        """Working days left; negative when over."""
        return self.limit - self.used

    @property
    def is_over(self) -> bool:
        """Whether the term is over (超期)."""
        return self.is_past or self.used > self.limit


def limit_of(steps: Sequence[Stepped], terms: Terms) -> tuple[date, int]:
    """From which day on the present stretch is counted, and its limit."""
    appealed = [step.day for step in steps if step.act is Act.APPEAL]
    if appealed:
        return appealed[-1], terms.review
    first = steps[0].day
    waits = steps[-1].state in (State.INTAKE, State.MORE_ASKED) and not any(s.act is Act.ACCEPT for s in steps)
    return first, terms.intake if waits else terms.whole


def clock_of(steps: Sequence[Stepped], today: date, terms: Terms, calendar: Calendar) -> Clock:
    """The clock of whoever has to act next, on ``today``; steps in order, the first one lodges."""
    start, limit = limit_of(steps, terms)
    pauses, is_paused = _pauses(steps), steps[-1].state is State.MORE_ASKED
    used = counted = 0
    due, day = None, start
    while day < today or (due is None and not is_paused):
        day += ONE_DAY
        try:
            counts = calendar.is_working_day(day) and not any(asked < day <= told for asked, told in pauses)
        except CalendarError:
            is_past = due is not None and due < today
            return Clock(limit, used, None if is_paused else due, is_paused, day.year, is_past)
        counted += counts
        used += counts and day <= today
        due = day if counts and counted == limit else due
    is_past = due is not None and due < today
    return Clock(limit, used, None if is_paused else due, is_paused, is_past=is_past)


def _pauses(steps: Sequence[Stepped]) -> list[tuple[date, date]]:
    """The stretches that waited for the subject: after the day of asking, through the day of its answer."""
    found, asked = [], None
    for step in steps:
        if step.act is Act.ASK:
            asked = step.day
        elif asked is not None:
            found.append((asked, step.day))
            asked = None
    return [*found, (asked, date.max)] if asked is not None else found
