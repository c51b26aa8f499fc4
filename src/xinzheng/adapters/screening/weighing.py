"""Weighing set-wise (批量认定): the ordered clauses of a policy as one expression, as ``weigh`` applies them to one.

Each record gets the number of a verdict: one of the clauses, or one of the built-in reasons why it is out of scope.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, StringValue, Table

from xinzheng.adapters.screening.conditions import holds
from xinzheng.core.policy import Clause, Effect
from xinzheng.core.records import LISTING_KINDS
from xinzheng.core.weighing import AFTER_PERIOD, BEFORE_PERIOD, DOMAIN_NOT_CHOSEN, NOT_WEIGHED, Weighing

NO_CLAUSE = "no-clause"
COUNTING = (Effect.COUNTED, Effect.MARKED)
SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a number in a table of findings stands for: a clause or built-in reason, its effect, whether it hides."""

    clause: str
    effect: Effect
    hides: bool = False


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one weighing by their numbers: built-in reasons first, then the clauses in order.

    A record no clause applies to, which a strict pack never leaves, is unresolved: it never makes an answer cleaner.
    """

    clauses: tuple[Clause, ...]

    @cached_property
    def by_number(self) -> tuple[Verdict, ...]:
        """The verdict of each number."""
        scope = (NOT_WEIGHED, DOMAIN_NOT_CHOSEN, BEFORE_PERIOD, AFTER_PERIOD)
        built_in = [*(Verdict(reason, Effect.EXCLUDED) for reason in scope), Verdict(NO_CLAUSE, Effect.UNRESOLVED)]
        return (*built_in, *(Verdict(c.id, c.effect, c.hides) for c in self.clauses))

    @property
    def offset(self) -> int:
        """The number of the first clause."""
        return len(self.by_number) - len(self.clauses)

    def numbers(self, fitting: Callable[[Verdict], bool]) -> list[int]:
        """The numbers of the verdicts that fit."""
        return [number for number, verdict in enumerate(self.by_number) if fitting(verdict)]

    def marks(self, marking: str) -> tuple[str, ...]:
        """The marks of the clauses named in a finding's column ``marks``."""
        words = [self.clauses[int(number) - self.offset].mark for number in marking.split(SEPARATOR) if number]
        return tuple(dict.fromkeys(word for word in words if word))


def weighed(facts: Table, weighing: Weighing) -> Table:
    """The facts with ``verdict`` (a number of :class:`Verdicts`) and ``marks`` (numbers of the clauses that mark).

    ``facts`` has the columns of FIELDS, which stay with all others.
    """
    verdicts = Verdicts(weighing.clauses)
    names = [f"holds_{number}" for number in range(len(weighing.clauses))]
    held = facts.mutate(
        **{
            name: holds(clause.condition, facts, weighing.references)
            for name, clause in zip(names, weighing.clauses, strict=True)
        }
    )
    branches = [
        Branch(held[name], number + verdicts.offset, clause)
        for number, (name, clause) in enumerate(zip(names, weighing.clauses, strict=True))
    ]
    out = _out(held, weighing, branches)
    end = _first(b.verdict for b in branches if b.clause.effect is not Effect.MARKED)
    marking = _first(_unstopped(b, branches).verdict for b in branches if b.clause.effect is Effect.MARKED)
    ends_counted = end.isin(verdicts.numbers(lambda verdict: verdict.effect is Effect.COUNTED))
    concluded = ibis.ifelse(ends_counted, ibis.coalesce(marking, end), end)
    no_clause = ibis.literal(verdicts.numbers(lambda verdict: verdict.clause == NO_CLAUSE)[0], "int16")
    marks = ibis.ifelse(out.isnull() & ends_counted, _marks(branches), "")
    return held.mutate(verdict=ibis.coalesce(out, concluded, no_clause), marks=marks).drop(*names)


@dataclass(frozen=True, slots=True)
class Branch:
    """A clause with the number of its verdict, and whether it applies."""

    when: BooleanValue
    number: int
    clause: Clause

    @property
    def verdict(self) -> tuple[BooleanValue, int]:
        """When it applies, and which verdict that is."""
        return self.when, self.number


def _first(verdicts: Iterable[tuple[BooleanValue, int]]) -> IntegerValue:
    """The number of the first verdict that applies, or NULL."""
    cases = [(when, ibis.literal(number, "int16")) for when, number in verdicts]
    return ibis.cases(*cases, else_=ibis.null("int16")) if cases else ibis.null("int16")


def _out(facts: Table, weighing: Weighing, branches: Sequence[Branch]) -> IntegerValue:
    """What ends the weighing before the clauses are asked in order: a clause that hides, or the scope."""
    policy, period = weighing.policy, weighing.period
    of_policy = [(facts.domain == d.code) & facts.kind.isin([str(k) for k in d.kinds]) for d in policy.domains]
    day, listed = facts.window_date, facts.kind.isin([str(kind) for kind in LISTING_KINDS])
    last = ibis.ifelse(listed, facts.listed_through, day)
    is_before = (last < ibis.literal(period.from_date, type="date")).fill_null(False)
    is_after = (day > ibis.literal(period.to_date, type="date")).fill_null(False)
    is_chosen = facts.domain.isin(sorted(weighing.domains))
    scope = [~ibis.or_(*of_policy), ~is_chosen, is_before, is_after]
    hiding = [branch.verdict for branch in branches if branch.clause.hides]
    return _first([*hiding, *((when, number) for number, when in enumerate(scope))])


def _unstopped(branch: Branch, branches: Sequence[Branch]) -> Branch:
    """The clause where no clause before it applies that neither counts nor marks."""
    before = [b.when for b in branches if b.number < branch.number and b.clause.effect not in COUNTING]
    return replace(branch, when=ibis.and_(branch.when, *(~when for when in before)))


def _marks(branches: Sequence[Branch]) -> StringValue:
    """The numbers of the clauses that apply and bear a mark, in order, until one neither counts nor marks."""
    marking = [_unstopped(b, branches) for b in branches if b.clause.mark and b.clause.effect in COUNTING]
    parts = [ibis.ifelse(b.when, f"{b.number}{SEPARATOR}", "") for b in marking]
    return reduce(operator.add, parts) if parts else ibis.literal("")
