"""Weighing (逐条认定): each record against the ordered clauses of a policy; every record gets a finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from xinzheng.core.conditions import FIELDS, Value, evaluate
from xinzheng.core.policy import Clause, Effect, Policy
from xinzheng.core.records import LISTING_KINDS, OrganPlace, Record, RecordKind
from xinzheng.core.subjects import SubjectKind, Tie

NOT_WEIGHED = "not-weighed"
DOMAIN_NOT_CHOSEN = "domain-not-chosen"
BEFORE_PERIOD = "before-period"
AFTER_PERIOD = "after-period"


@dataclass(frozen=True, slots=True)
class Period:
    """A period (查询期), both days included."""

    from_date: date
    to_date: date


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one record (逐条认定): its effect, and the clause that says so.

    ``marks`` are words printed beside a counted record; ``hides`` means that nobody may be told the record exists.
    """

    record: Record
    effect: Effect
    clause: Clause
    marks: tuple[str, ...] = ()

    @property
    def is_counted(self) -> bool:
        """Whether the record is one of the decree's records; a marked record is counted too."""
        return self.effect in (Effect.COUNTED, Effect.MARKED)

    @property
    def hides(self) -> bool:
        """Whether the record must be neither printed nor hinted at (依法不得提供)."""
        return self.clause.hides


@dataclass(frozen=True, slots=True)
class Weighing:
    """What every record of one decision is weighed against: the clauses in effect, the period, the domains chosen."""

    policy: Policy
    clauses: tuple[Clause, ...]
    period: Period
    domains: frozenset[str]
    subject_kind: SubjectKind
    references: Mapping[str, date]


def prepare_weighing(
    policy: Policy, period: Period, domains: frozenset[str], kind: SubjectKind, as_of: date
) -> Weighing:
    """Collect once what the records of a decision share."""
    references = {"as_of": as_of, "window.from": period.from_date, "window.to": period.to_date}
    return Weighing(policy, policy.clauses_on(as_of), period, domains, kind, references)


def facts_of(record: Record, subject_kind: SubjectKind) -> dict[str, Value]:
    """The record's fields by the names that conditions use; None is unknown."""
    own = {"subject_kind": str(subject_kind), "window_date": record.window_date}
    return {name: own[name] if name in own else getattr(record, name) for name in FIELDS}


def _scope_clause(weighing: Weighing, record: Record) -> Clause | None:
    """The built-in reason why a record is outside what was asked, if it is."""
    policy, period = weighing.policy, weighing.period
    weighed = {d.code for d in policy.domains if record.kind in d.kinds}
    if record.domain not in weighed:
        return _scope(NOT_WEIGHED, "它不属于本政策核查的领域或者记录类型", policy)
    if record.domain not in weighing.domains:
        return _scope(DOMAIN_NOT_CHOSEN, "申请时没有选择它所在的领域", policy)
    # A listing reaches from its own day until it ends, if it has ended; everything else is of one day.
    day = record.window_date
    last = record.listed_through if record.kind in LISTING_KINDS else day
    if last is not None and last < period.from_date:
        return _scope(BEFORE_PERIOD, "它在查询期开始之前", policy)
    if day is not None and day > period.to_date:
        return _scope(AFTER_PERIOD, "它在查询期截止之后", policy)
    return None


def _scope(clause_id: str, reason: str, policy: Policy) -> Clause:
    by_period = clause_id in (BEFORE_PERIOD, AFTER_PERIOD)
    citation = policy.window.citation if by_period else policy.domains_citation
    basis = policy.window.basis if by_period else policy.domains_basis
    return Clause(clause_id, Effect.EXCLUDED, None, reason, citation, basis)


def weigh(weighing: Weighing, record: Record) -> Finding:
    """The finding for one record.

    Clauses that hide come first, then whether the record is within what was asked, then the policy's clauses in
    order. A ``marked`` clause that holds adds its mark and weighing goes on; the first other clause that holds ends
    it, but counted clauses that follow and hold too still add their marks. A strict pack always ends with a clause
    for every record.
    """
    facts = facts_of(record, weighing.subject_kind)
    holding = [c for c in weighing.clauses if c.condition is None or evaluate(c.condition, facts, weighing.references)]
    hiding = next((c for c in holding if c.hides), None)
    if hiding is not None:
        return Finding(record, hiding.effect, hiding)
    scope = _scope_clause(weighing, record)
    if scope is not None:
        return Finding(record, Effect.EXCLUDED, scope)
    return _conclude(record, holding)


def _conclude(record: Record, holding: list[Clause]) -> Finding:
    end = next(c for c in holding if c.effect is not Effect.MARKED)
    if end.effect is not Effect.COUNTED:
        return Finding(record, end.effect, end)
    counting = list(takewhile(lambda c: c.effect in (Effect.COUNTED, Effect.MARKED), holding))
    marks = tuple(dict.fromkeys(c.mark for c in counting if c.mark))
    marking = [c for c in counting if c.effect is Effect.MARKED]
    return Finding(record, Effect.MARKED, marking[0], marks) if marking else Finding(record, Effect.COUNTED, end, marks)


def is_own_and_open(weighing: Weighing, record: Record) -> bool:
    """Whether other information may show the record: the subject's own, of this place, standing, not hidden by law."""
    own = record.tie in (Tie.SELF, Tie.RENAMED) and record.organ is not OrganPlace.ELSEWHERE
    return own and not _is_hidden(weighing, record) and not record.is_gone_by(weighing.references["as_of"])


def hides_all(weighing: Weighing, domain: str, kind: RecordKind, *, sealed: bool | None = None) -> bool:
    """Whether nobody may be told of any (sealed) record of the kind in the domain, whatever else were known of it."""
    return _is_hidden(weighing, Record("", kind, domain, organ=None, standing=None, sealed=sealed))


def _is_hidden(weighing: Weighing, record: Record) -> bool:
    facts = facts_of(record, weighing.subject_kind)
    hiding = [c for c in weighing.clauses if c.hides]
    return any(c.condition is None or evaluate(c.condition, facts, weighing.references) for c in hiding)
