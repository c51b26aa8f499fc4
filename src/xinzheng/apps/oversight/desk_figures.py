"""The figures of the desk (运行情况) for a range of days in China: of tallied days their tallies, the rest counted now.

What comes of it equals one plain count of the same rows, for any range; ``tests/apps/test_tallies.py`` holds it to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import connection

from xinzheng.apps.oversight.tallies import FIGURES, ONE_DAY, counted, tallied_days
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.decision import china_date

# A chart of more bars than this is no longer read.
MOST_BARS = 13

_TALLIED = """
    SELECT date_trunc(%(step)s, day::timestamp)::date, figure, key, sum(count)::bigint
    FROM oversight_daytally WHERE day BETWEEN %(first)s AND %(last)s
    AND (%(policy)s::text IS NULL OR policy_id = %(policy)s)
    GROUP BY 1, 2, 3
"""


class Step(StrEnum):
    """How long one bar of a chart is (统计口径)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Range:
    """Days in China from the first to the last, both included (期间). ValueError for a reversed one."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"{self.first} is after {self.last}")

    def holds(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar: the days it stands for, and whether the range or today cuts it (未完整)."""

    first: date
    last: date
    is_partial: bool


# By figure, key and the first day of the bucket.
Counts = Mapping[str, Mapping[str, Mapping[date, int]]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a range under one policy or (None) all; ``today``: of the day at hand, in the range or not."""

    range: Range
    policy_id: str | None
    step: Step
    buckets: tuple[Bucket, ...]
    counts: Counts
    today: Mapping[str, Mapping[str, int]]

    def total(self, figure: str) -> int:
        """How many in the whole range."""
        return sum(self.by_key(figure).values())

    def by_key(self, figure: str) -> dict[str, int]:
        """How many of each key, the most first."""
        found = {key: sum(days.values()) for key, days in self.counts.get(figure, {}).items()}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def series(self, figure: str) -> list[int]:
        """How many in each bucket, in order."""
        of = self.counts.get(figure, {}).values()
        return [sum(days.get(bucket.first, 0) for days in of) for bucket in self.buckets]

    def today_total(self, figure: str) -> int:
        """How many today."""
        return sum(self.today.get(figure, {}).values())


def figures(asked: Range, policy_id: str | None, now: datetime) -> Figures:
    """All figures of a range as they stand now."""
    today, step = china_date(now), step_of(asked)
    # Asked first: what is tallied meanwhile is then still counted live, and nothing twice.
    closed = tallied_days()
    counts: dict[str, dict[str, dict[date, int]]] = {figure: {} for figure in FIGURES}
    for begin, figure, key, count in _tallied(asked, policy_id, step, closed):
        _add(counts, figure, key, (begin, count))
    at_hand: dict[str, dict[str, int]] = {figure: defaultdict(int) for figure in FIGURES}
    for first, last in _live(asked, today, closed):
        for one in counted(first, last):
            if policy_id not in (None, one.policy_id):
                continue
            if asked.holds(one.day) and not _is_tallied(one.day, closed):
                _add(counts, one.figure, one.key, (begin_of(one.day, step), one.count))
            if one.day == today:
                at_hand[one.figure][one.key] += one.count
    return Figures(asked, policy_id, step, _buckets(asked, step, today), counts, at_hand)


def _is_tallied(day: date, closed: tuple[date, date] | None) -> bool:
    return closed is not None and closed[0] <= day <= closed[1]


def _add(counts: dict[str, dict[str, dict[date, int]]], figure: str, key: str, found: tuple[date, int]) -> None:
    days = counts.setdefault(figure, {}).setdefault(key, {})
    days[found[0]] = days.get(found[0], 0) + found[1]


def _tallied(
    asked: Range, policy_id: str | None, step: Step, closed: tuple[date, date] | None
) -> Iterable[tuple[date, str, str, int]]:
    if closed is None:
        return []
    values = {
        "first": max(asked.first, closed[0]),
        "last": min(asked.last, closed[1]),
        "policy": policy_id,
        "step": step.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TALLIED, values)
        return list(cursor.fetchall())


def _live(asked: Range, today: date, closed: tuple[date, date] | None) -> Iterator[tuple[date, date]]:
    """The stretches of days that have to be counted now: those of the range that are not tallied, and today."""
    if closed is None:
        yield asked.first, asked.last
    else:
        before, after = closed[0] - ONE_DAY, closed[1] + ONE_DAY
        stretches = [(asked.first, min(asked.last, before)), (max(asked.first, after), asked.last)]
        yield from ((first, last) for first, last in stretches if first <= last)
    if not asked.holds(today) or _is_tallied(today, closed):
        yield today, today


def step_of(asked: Range) -> Step:
    """The shortest step that gives no more bars than can be read."""
    return next((step for step in Step if _bars(asked, step) <= MOST_BARS), Step.YEAR)


def _bars(asked: Range, step: Step) -> int:
    if step is Step.DAY:
        return (asked.last - asked.first).days + 1
    return len(list(_begins(asked, step)))


def begin_of(day: date, step: Step) -> date:
    """The first day of the bucket a day lies in: of its week a Monday."""
    if step is Step.WEEK:
        return day - timedelta(days=day.weekday())
    month = {Step.MONTH: day.month, Step.QUARTER: day.month - (day.month - 1) % 3, Step.YEAR: 1}.get(step)
    return day if month is None else date(day.year, month, 1)


def _next(begin: date, step: Step) -> date:
    if step in (Step.DAY, Step.WEEK):
        return begin + timedelta(days=1 if step is Step.DAY else 7)
    return Month.of(begin).plus({Step.MONTH: 1, Step.QUARTER: 3}.get(step, 12)).first


def _begins(asked: Range, step: Step) -> Iterator[date]:
    begin = begin_of(asked.first, step)
    while begin <= asked.last:
        yield begin
        begin = _next(begin, step)


def _buckets(asked: Range, step: Step, today: date) -> tuple[Bucket, ...]:
    found = []
    for begin in _begins(asked, step):
        end = _next(begin, step) - ONE_DAY
        first, last = max(begin, asked.first), min(end, asked.last)
        found.append(Bucket(begin, last, is_partial=first > begin or last < end or last >= today))
    return tuple(found)
