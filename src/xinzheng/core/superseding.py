"""Superseding (更正): whether what the ledger knows today contradicts what a report said. Pure.

A report speaks of its own moment. Three decisions of its own request at that moment are compared: on the ledger as it
stood then, on today's, and on today's with every waiting line settled and every statement held back by one heard.
Superseding is final, a waiting line is not: what would vanish with it is waited for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xinzheng.core.decision import Decision, ReportOutcome, Result
from xinzheng.core.lifecycle import SupersedingReason
from xinzheng.core.policy import Effect


class Judgement(StrEnum):
    """What becomes of a report that was looked at again (复核结果)."""

    STANDS = "stands"
    WAITS = "waits"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class DomainStand:
    """What a report says of a domain: result, and by their ids the records counted and those left unresolved."""

    result: Result
    counted: frozenset[str]
    unresolved: frozenset[str]

    def rests_on_same(self, other: "DomainStand | None") -> bool:
        """Whether both rest on the same records, weighed alike."""
        return other is not None and (self.counted, self.unresolved) == (other.counted, other.unresolved)


@dataclass(frozen=True, slots=True)
class Stand:
    """What of a decision can be contradicted (可比对的结论): outcome and domains; other information decides nothing.

    ``known`` are the ids of all records that were weighed.
    """

    outcome: ReportOutcome
    domains: Mapping[str, DomainStand]
    known: frozenset[str]

    def is_same(self, other: "Stand") -> bool:
        """Whether both say the same."""
        return (self.outcome, self.domains) == (other.outcome, other.domains)


def stand_of(decision: Decision) -> Stand:
    """The comparable part of a decision."""
    domains = {}
    for domain in decision.domains:
        found = [f for f in decision.findings if f.record.domain == domain.code and not f.hides]
        counted = frozenset(f.record.id for f in found if f.is_counted)
        unresolved = frozenset(f.record.id for f in found if f.effect is Effect.UNRESOLVED)
        domains[domain.code] = DomainStand(domain.result, counted, unresolved)
    return Stand(decision.outcome, domains, frozenset(f.record.id for f in decision.findings))


def judge(then: Stand, now: Stand, settled: Stand) -> Judgement:
    """Whether the report stands, is superseded, or waits for lines to be settled."""
    if now.is_same(then):
        return Judgement.STANDS
    return Judgement.WAITS if settled.is_same(then) else Judgement.SUPERSEDED


def reason_of(then: Stand, now: Stand) -> SupersedingReason:
    """Why ``now`` differs from ``then``: by its records, if any tell; else by how far data reaches."""
    before, after = _weighty(then), _weighty(now)
    if after - then.known:
        return SupersedingReason.RECORDS_ADDED
    if before - now.known:
        return SupersedingReason.RECORDS_WITHDRAWN
    if any(not d.rests_on_same(now.domains.get(code)) for code, d in then.domains.items()):
        return SupersedingReason.RECORDS_CORRECTED
    lost = any(
        d.result is not Result.NOT_VERIFIABLE and now.domains[code].result is Result.NOT_VERIFIABLE
        for code, d in then.domains.items()
    )
    return SupersedingReason.COVERAGE_WITHDRAWN if lost else SupersedingReason.COVERAGE_COMPLETED


def _weighty(stand: Stand) -> frozenset[str]:
    """The records that the results rest on."""
    return frozenset().union(*(d.counted | d.unresolved for d in stand.domains.values()))
