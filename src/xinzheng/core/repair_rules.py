"""Rules of repair (信用修复规则): dated classes with their publication spans, and what a record cannot tell of them.

A test has three values: what the record does not say is neither true nor false (None), and never the milder reading.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import Basis, Citation, DateSpan
from xinzheng.core.records import Procedure, Record, RecordKind

_BREAK = re.compile(r"[;；、,，/\s]+")
_OTHER = re.compile(r"^其他[-—:：(（]+")


class CountedFrom(StrEnum):
    """What a span is counted from (起算): the decision, or the date the document bears."""

    DECISION_DATE = "decision_date"
    DOCUMENT_DATE = "document_date"


class Ending(StrEnum):
    """Whether publication ends by itself at the longest period (届满自动停止公示)."""

    ALWAYS = "always"
    UNLESS_DUTIES_OPEN = "unless-duties-open"


class Condition(StrEnum):
    """What a repair takes (修复条件): 最短公示期届满, 义务履行完毕, 公开信用承诺."""

    SHORTEST_OVER = "shortest-over"
    DUTIES_DONE = "duties-done"
    COMMITMENT = "commitment"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What of a record bears on its repair (修复要素); None is unknown.

    ``categories``: the kinds of penalty it names, as written; ``since_date``: the day publication is counted from.
    ``duties_done``: whether what it demands was done; no record says so today.
    """

    kind: RecordKind
    domain: str
    since_date: date | None = None
    procedure: Procedure | None = None
    categories: tuple[str, ...] | None = None
    is_penalised: bool | None = None
    gone_date: date | None = None
    is_gone: bool = False
    repaired_date: date | None = None
    listed_through: date | None = None
    duties_done: bool | None = None


def categories_in(text: str | None) -> tuple[str, ...] | None:
    """The kinds of penalty that a text names, ``其他-`` before one taken off; None where it names none."""
    words = [_OTHER.sub("", word).rstrip(")）") for word in _BREAK.split(text or "")]
    return tuple(word for word in words if word) or None


@dataclass(frozen=True, slots=True)
class When:
    """When something holds (条件): any of what is named; all empty and ``is_always`` is every record."""

    is_always: bool = False
    any_category: frozenset[str] = frozenset()
    only_categories: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    kinds: frozenset[RecordKind] = frozenset()
    procedure: Procedure | None = None

    def holds(self, facts: RecordFacts, known: frozenset[str]) -> bool | None:
        """Whether it holds of a record; ``known`` are the words for kinds of penalty that can be told apart."""
        return any_of(
            [
                self.is_always,
                facts.domain in self.domains,
                facts.kind in self.kinds,
                _is(facts.procedure, self.procedure),
                *self._by_category(facts, known),
            ]
        )

    def _by_category(self, facts: RecordFacts, known: frozenset[str]) -> Iterable[bool | None]:
        if facts.kind is not RecordKind.ADMINISTRATIVE_PENALTY:
            return
        words = facts.categories
        if self.any_category:
            yield any_of([_is_one(word, self.any_category, known) for word in words]) if words else None
        if self.only_categories:
            yield all_of([_is_one(word, self.only_categories, known) for word in words]) if words else None


def any_of(values: Iterable[bool | None]) -> bool | None:
    """Kleene's or."""
    found = list(values)
    return True if True in found else None if None in found else False


def all_of(values: Iterable[bool | None]) -> bool | None:
    """Kleene's and."""
    found = list(values)
    return False if False in found else None if None in found else True


def _is(found: Procedure | None, wanted: Procedure | None) -> bool | None:
    return False if wanted is None else None if found is None else found is wanted


def _is_one(word: str, wanted: frozenset[str], known: frozenset[str]) -> bool | None:
    return word in wanted if word in known else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What no record tells (断定不了的事实): it may be so where ``when`` may hold and ``unless`` does not."""

    id: str
    name: str
    why: str
    when: When
    unless: When | None = None

    def arises(self, facts: RecordFacts, known: frozenset[str]) -> bool:
        """Whether it may be so of this record; it is never known to be."""
        excused = self.unless is not None and self.unless.holds(facts, known) is True
        return not excused and self.when.holds(facts, known) is not False


@dataclass(frozen=True, slots=True)
class RepairClass:
    """A class (失信信息分类) with its shortest and longest publication, in months."""

    id: str
    name: str
    test: When
    shortest_months: int
    longest_months: int
    doubts: tuple[Doubt, ...] = ()
    is_normally_published: bool = True


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """A step of the procedure (办理环节) and its working days."""

    who: str
    what: str
    working_days: int


@dataclass(frozen=True, slots=True)
class RepairRule:
    """The rule in force in a stretch of time (修复规则); classes in the order they are tried, the last takes all."""

    id: str
    title: str
    in_effect: DateSpan
    covers: frozenset[RecordKind]
    counted_from: CountedFrom
    classes: tuple[RepairClass, ...]
    ends_by_itself: Ending
    conditions: tuple[Condition, ...]
    basis: Basis
    citation: Citation
    steps: tuple[ProcedureStep, ...] = ()
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another rule that bears on some domains and is pointed to, not computed by (另有规定)."""

    domains: frozenset[str]
    from_date: date
    citation: Citation


@dataclass(frozen=True, slots=True)
class RepairRules:
    """All rules (修复规则), with the words for kinds of penalty that can be told apart; ``sha256`` of the file."""

    rules: tuple[RepairRule, ...]
    categories: frozenset[str]
    counting: Citation
    elsewhere: tuple[Elsewhere, ...] = ()
    sha256: str = field(default="", compare=False)

    def on(self, day: date) -> RepairRule:
        """The rule in force on a day. Raises ``no-repair-rule``."""
        found = next((rule for rule in self.rules if rule.in_effect.includes(day)), None)
        if found is None:
            raise XinzhengError(f"没有{day:%Y-%m-%d}施行的信用修复规则，不能计算公示期。", code="no-repair-rule")
        return found


def facts_of(record: Record, today: date) -> RecordFacts:
    """What of a record of the ledger bears on its repair, as on a day."""
    return RecordFacts(
        kind=record.kind,
        domain=record.domain,
        since_date=record.window_date,
        procedure=record.procedure,
        categories=categories_in(record.content.get("category")),
        is_penalised=None if record.outcome is None else record.outcome == "penalised",
        is_gone=record.is_gone_by(today),
        gone_date=record.standing_date,
        repaired_date=record.repaired_date,
        listed_through=record.listed_through,
    )
