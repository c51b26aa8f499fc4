"""Guidance on repair (信用修复指引): class, spans of publication, what is still to do; by the rules of the day asked.

Publication is not whether a record counts: the one ends by itself or by repair, the other is the policy's affair. What
cannot be told gives every class it may be, and the longest of their spans; never the milder one.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from xinzheng.core.policy import Citation
from xinzheng.core.records import Record, RecordKind, link_repairs
from xinzheng.core.repair_rules import (
    Condition,
    Elsewhere,
    Ending,
    RecordFacts,
    RepairClass,
    RepairRule,
    RepairRules,
)

ONE_DAY = timedelta(days=1)


class PublicationState(StrEnum):
    """Whether a record is published (公示状态)."""

    PUBLISHED_UNTIL = "published-until"
    ENDED_BY_PERIOD = "ended-by-period"
    ENDED_BY_REPAIR = "ended-by-repair"
    NOT_PUBLISHED = "not-published"
    BY_SECTOR_RULES = "by-sector-rules"


@dataclass(frozen=True, slots=True)
class Publication:
    """Publication of a record on a day (公示).

    ``until``: the last day it may be published; None where that cannot be told. ``is_certain``: no other class could
    give another state or day. ``needs_duties``: publication ended only if all that was demanded was done, as nobody
    knows.
    """

    state: PublicationState
    until: date | None = None
    is_certain: bool = True
    needs_duties: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A class a record belongs to, or may belong to (可能的类别), with its days; None where no day is known.

    ``shortest_end`` and ``longest_end`` are the last days of the shortest and the longest period, ``earliest`` the
    first day a repair can be asked for. ``doubts``: what would have to be so.
    """

    repair_class: RepairClass
    is_certain: bool
    shortest_end: date | None
    longest_end: date | None
    earliest: date | None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToDo:
    """A condition of repair (修复条件), and whether it is met; None: only the subject knows."""

    condition: Condition
    is_done: bool | None


class Note(StrEnum):
    """What a guidance points out (提示)."""

    TRANSITION = "transition"
    NOT_COVERED = "not-covered"
    DATE_UNKNOWN = "date-unknown"
    CLASS_UNKNOWN = "class-unknown"
    DUTIES_UNKNOWN = "duties-unknown"
    NOT_PENALISED = "not-penalised"
    TAKEN_BACK = "taken-back"
    DELISTED = "delisted"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What to know of a record's repair on a day (修复指引).

    ``cls`` is None where several classes are possible; the spans are then the longest of ``candidates``: ``earliest``
    is the day from which a repair can surely be asked for, ``possible_from`` the day from which perhaps.
    """

    rule: RepairRule
    cls: RepairClass | None
    candidates: tuple[Candidate, ...]
    publication: Publication
    shortest_end: date | None
    longest_end: date | None
    earliest: date | None
    possible_from: date | None
    to_do: tuple[ToDo, ...]
    citation: Citation
    notes: tuple[Note, ...]
    elsewhere: tuple[Elsewhere, ...]

    @property
    def is_open(self) -> bool:
        """Whether there is anything to repair: a rule covers it and publication was not ended for good."""
        over = (PublicationState.ENDED_BY_REPAIR, PublicationState.BY_SECTOR_RULES)
        ended = {Note.NOT_PENALISED, Note.TAKEN_BACK, Note.DELISTED} & set(self.notes)
        return bool(self.candidates) and self.publication.state not in over and not ended


def months_after(day: date, months: int) -> date:
    """The last day of a period of months: the same day of the month it ends in, or that month's last (对应日)."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def guidance(facts: RecordFacts, rules: RepairRules, today: date) -> Guidance:
    """The guidance for a record on a day, by the rule in force that day. Raises ``no-repair-rule``."""
    rule = rules.on(today)
    candidates = _candidates(facts, rule, rules.categories) if facts.kind in rule.covers else ()
    found = _publication(facts, rule, candidates, today)
    earliest = _latest(one.earliest for one in candidates)
    first = [one.earliest for one in candidates if one.earliest is not None]
    return Guidance(
        rule=rule,
        cls=candidates[0].repair_class if len(candidates) == 1 else None,
        candidates=candidates,
        publication=found,
        shortest_end=_latest(one.shortest_end for one in candidates),
        longest_end=_latest(one.longest_end for one in candidates),
        earliest=earliest,
        possible_from=min(first, default=None),
        to_do=_to_do(facts, rule, earliest, today) if candidates else (),
        citation=rule.citation,
        notes=_notes(facts, rule, candidates, found, today),
        elsewhere=tuple(e for e in rules.elsewhere if facts.domain in e.domains and e.from_date <= today),
    )


def publication(facts: RecordFacts, rules: RepairRules, today: date) -> Publication:
    """Whether a record is published on a day (公示状态). Raises ``no-repair-rule``."""
    return guidance(facts, rules, today).publication


def _candidates(facts: RecordFacts, rule: RepairRule, known: frozenset[str]) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    for one in rule.classes:
        holds = one.test.holds(facts, known)
        doubts = tuple(f"{doubt.name}：{doubt.why}" for doubt in one.doubts if doubt.arises(facts, known))
        if holds:
            found.append(_candidate(facts, one, is_certain=not found))
            break
        if holds is None or doubts:
            found.append(replace(_candidate(facts, one, is_certain=False), doubts=doubts))
    return tuple(found)


def _candidate(facts: RecordFacts, one: RepairClass, *, is_certain: bool) -> Candidate:
    if facts.since_date is None:
        return Candidate(one, is_certain, None, None, None)
    shortest = months_after(facts.since_date, one.shortest_months)
    earliest = shortest + ONE_DAY if one.shortest_months else facts.since_date
    return Candidate(one, is_certain, shortest, months_after(facts.since_date, one.longest_months), earliest)


def _latest(days: Iterable[date | None]) -> date | None:
    found = list(days)
    return None if not found or None in found else max(day for day in found if day is not None)


def _closed(facts: RecordFacts, today: date) -> Note | None:
    """Why there is nothing to publish, if so."""
    if facts.is_penalised is False:
        return Note.NOT_PENALISED
    if facts.is_gone:
        return Note.TAKEN_BACK
    is_off = facts.kind is RecordKind.SERIOUS_DISHONESTY and facts.listed_through is not None
    return Note.DELISTED if is_off and facts.listed_through and facts.listed_through < today else None


def _publication(facts: RecordFacts, rule: RepairRule, candidates: tuple[Candidate, ...], today: date) -> Publication:
    if facts.repaired_date is not None and facts.repaired_date <= today:
        return Publication(PublicationState.ENDED_BY_REPAIR, facts.repaired_date)
    if _closed(facts, today):
        return Publication(PublicationState.NOT_PUBLISHED)
    if not candidates:
        return Publication(PublicationState.BY_SECTOR_RULES)
    each = [_of_class(facts, rule, one, today) for one in candidates]
    worst = max(each, key=_how_long)
    return replace(worst, is_certain=len({(one.state, one.until) for one in each}) == 1)


def _how_long(found: Publication) -> tuple[int, date]:
    """Orders from what is gone to what stays longest."""
    order = (
        PublicationState.NOT_PUBLISHED,
        PublicationState.ENDED_BY_PERIOD,
        PublicationState.BY_SECTOR_RULES,
        PublicationState.PUBLISHED_UNTIL,
    )
    return order.index(found.state), found.until or date.max


def _of_class(facts: RecordFacts, rule: RepairRule, one: Candidate, today: date) -> Publication:
    if not one.repair_class.is_normally_published:
        return Publication(PublicationState.NOT_PUBLISHED, one.longest_end)
    if one.longest_end is None or today <= one.longest_end:
        return Publication(PublicationState.PUBLISHED_UNTIL, one.longest_end)
    if rule.ends_by_itself is Ending.ALWAYS or facts.duties_done:
        return Publication(PublicationState.ENDED_BY_PERIOD, one.longest_end)
    if facts.duties_done is False:
        return Publication(PublicationState.BY_SECTOR_RULES, one.longest_end)
    return Publication(PublicationState.ENDED_BY_PERIOD, one.longest_end, needs_duties=True)


def _to_do(facts: RecordFacts, rule: RepairRule, earliest: date | None, today: date) -> tuple[ToDo, ...]:
    met = {
        Condition.SHORTEST_OVER: None if earliest is None else earliest <= today,
        Condition.DUTIES_DONE: facts.duties_done,
        Condition.COMMITMENT: None,
    }
    return tuple(ToDo(condition, met[condition]) for condition in rule.conditions)


def _notes(
    facts: RecordFacts, rule: RepairRule, candidates: tuple[Candidate, ...], found: Publication, today: date
) -> tuple[Note, ...]:
    first, closed = rule.in_effect.from_date, _closed(facts, today)
    of_before = first is not None and facts.since_date is not None and facts.since_date < first
    told = {
        Note.NOT_COVERED: not candidates,
        Note.DATE_UNKNOWN: bool(candidates) and facts.since_date is None,
        Note.CLASS_UNKNOWN: len(candidates) > 1,
        Note.DUTIES_UNKNOWN: found.needs_duties,
        Note.TRANSITION: bool(candidates) and of_before,
    }
    return (*([closed] if closed else ()), *(note for note, is_so in told.items() if is_so))


def repair_pairs(records: Iterable[Record], as_of: date) -> tuple[tuple[Record, Record], ...]:
    """Each credit repair with the penalties it repairs (修复对应处罚), as ``link_repairs`` links them."""
    everything = tuple(records)
    repairs = [one for one in everything if one.kind is RecordKind.CREDIT_REPAIR]
    others = tuple(replace(one, repaired_date=None) for one in everything if one.kind is not RecordKind.CREDIT_REPAIR)
    return tuple(
        (repair, record)
        for repair in repairs
        for record in link_repairs((*others, repair), as_of)
        if record.kind is not RecordKind.CREDIT_REPAIR and record.repaired_date is not None
    )
