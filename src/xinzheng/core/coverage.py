"""Coverage (归集覆盖): what a unit has stated to be complete, and what of it is missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property, partial

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Statement:
    """A unit's statement (覆盖声明) that its records of a kind in a domain decided from … through … are complete.

    Both days are included. Only statements in effect at the position are given to a decision: withdrawn ones and
    those of held or unmended batches are not.
    """

    domain: str
    unit: str
    kind: str
    from_date: date
    through_date: date


@dataclass(frozen=True, slots=True)
class PendingLines:
    """Rejected lines (待更正的行) that block an answer until mended or explained.

    ``names_subject`` is true when the line's subject could be read and is the one who asks; false when the subject
    could not be read, so that the line may concern anybody. ``sealed``: they say themselves that they are sealed
    (依法封存), and say so readably.
    """

    domain: str
    unit: str
    kind: str
    count: int = 1
    names_subject: bool = True
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Who answers (责任单位) for the records of a kind in a domain."""

    domain: str
    kind: str
    unit: str
    unit_name: str


@dataclass(frozen=True)
class Coverage:
    """All that is known of the completeness of the data at one position.

    ``spoken`` holds the (domain, unit, kind) for which a statement was ever made, also one that is withdrawn or held
    back: who has spoken but is not heard is told apart from who never delivered.
    """

    responsibilities: tuple[Responsibility, ...] = ()
    statements: tuple[Statement, ...] = ()
    pending: tuple[PendingLines, ...] = ()
    spoken: frozenset[tuple[str, str, str]] = frozenset()

    def has_spoken(self, unit: str, kind: str, domain: str | None) -> bool:
        """Whether the unit has ever made a statement for the record kind, whatever became of it."""
        return any(u == unit and k == kind and domain in (None, d) for d, u, k in self.spoken)

    @cached_property
    def _statements_by_kind(self) -> dict[tuple[str, str], list[Statement]]:
        grouped: dict[tuple[str, str], list[Statement]] = {}
        for statement in self.statements:
            grouped.setdefault((statement.unit, statement.kind), []).append(statement)
        return grouped

    def statements_of(self, unit: str, kind: str, domain: str | None) -> tuple[Statement, ...]:
        """The unit's statements for a record kind, in one domain or (None) in all of them."""
        found = self._statements_by_kind.get((unit, kind), ())
        return tuple(s for s in found if domain in (None, s.domain))

    def pending_of(self, unit: str, kind: str, domain: str | None) -> tuple[PendingLines, ...]:
        """The unit's lines that wait to be mended."""
        return tuple(p for p in self.pending if p.unit == unit and p.kind == kind and domain in (None, p.domain))


class GapReason(StrEnum):
    """Why a unit's answer is missing (未能核查的原因)."""

    NEVER_DELIVERED = "never_delivered"
    STATEMENT_LAPSED = "statement_lapsed"
    ENDS_EARLY = "ends_early"
    STARTS_LATE = "starts_late"
    LINE_PENDING = "line_pending"
    LINE_UNREADABLE = "line_unreadable"
    NOBODY_RESPONSIBLE = "nobody_responsible"


@dataclass(frozen=True, slots=True)
class Gap:
    """One unit's missing answer.

    ``through`` is the last day its data covers without a break, ``since`` the first day it covers at all (only where
    the beginning of the period is missing), ``lines`` the number of lines waiting to be mended.
    """

    unit: str
    unit_name: str
    kind: str
    reason: GapReason
    through: date | None = None
    since: date | None = None
    lines: int = 0


def covered_through(statements: Iterable[Statement], from_date: date) -> date | None:
    """The last day that the statements cover without a break from ``from_date``; None if not even that day."""
    reached: date | None = None
    wanted = from_date
    for statement in sorted(statements, key=lambda s: (s.from_date, s.through_date)):
        if statement.from_date > wanted:
            break
        if statement.through_date >= wanted:
            reached = statement.through_date
            wanted = reached + ONE_DAY if reached < date.max else reached
    return reached


def unit_gap(
    responsibility: Responsibility, statements: tuple[Statement, ...], from_date: date, until_date: date
) -> Gap | None:
    """What the unit's statements lack of [from_date, until_date]; None when they cover it without a break."""
    reached = covered_through(statements, from_date)
    if reached is not None and reached >= until_date:
        return None
    gap = partial(Gap, responsibility.unit, responsibility.unit_name, responsibility.kind)
    if not statements:
        return gap(GapReason.NEVER_DELIVERED)
    before = [s.through_date for s in statements if s.from_date <= from_date]
    after = [s.from_date for s in statements if s.from_date > from_date]
    if reached is None and after:
        return gap(GapReason.STARTS_LATE, since=min(after))
    return gap(GapReason.ENDS_EARLY, through=reached or max(before))
