"""What changes between two packs over the same tables (模拟比较): counts, by domain too, and a sample with reasons."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any, NamedTuple

from xinzheng.core.decision import Result
from xinzheng.core.policy import Policy
from xinzheng.core.weighing import AFTER_PERIOD, BEFORE_PERIOD, NOT_WEIGHED

SAMPLE_AT_MOST = 50
RECORDS_SHOWN = 5
ABSENT = "absent"
NONE_FOUND, NOT_VERIFIABLE = str(Result.NONE_FOUND), str(Result.NOT_VERIFIABLE)
BUILT_IN = {
    NOT_WEIGHED: "不属于政策核查的领域或者记录类型",
    BEFORE_PERIOD: "在查询期开始之前",
    AFTER_PERIOD: "在查询期截止之后",
}


@dataclass(frozen=True)
class Side:
    """One of the packs compared (比较的一方): its plan, and the domains that are open for everybody."""

    policy: Policy
    plan: Any
    gaps: frozenset[str]

    def without_own(self, domain: str) -> str:
        """The result of a domain in which a subject has nothing of its own."""
        if domain not in {d.code for d in self.policy.domains}:
            return ABSENT
        return NOT_VERIFIABLE if domain in self.gaps else NONE_FOUND


class Change(NamedTuple):
    """From what to what: outcomes or codes of refusals, or results of a domain (``absent``: the pack has none)."""

    before: str
    after: str


def changes_between(engine: Any, before: Side, after: Side) -> dict[str, Any]:
    """The figures of a simulation, as plain values; the engine holds the tables.

    ``subjects``: all; ``changed``: whose outcome differs, a refusal being one; ``from_to``: the matrix, also of what
    stays; ``by_domain``: the domains in which results differ, with name, number and matrix, most first; ``sample``:
    up to 50 subjects by their keys, each with outcomes, the domains that differ and records with effect, clause and
    reason before and after (None: not weighed there). Nothing that either pack hides stands in the sample.
    """
    outcomes, one_sided = _Outcomes(), set[int]()
    for old, new in zip(engine.run(before.plan), engine.run(after.plan), strict=True):
        change = Change(old.outcome or old.refusal, new.outcome or new.refusal)
        outcomes.count(old.subject, change)
        if old.refusal or new.refusal:
            one_sided.add(old.subject)
    by_domain = _domains(engine, (before, after), one_sided, sum(outcomes.matrix.values()))
    names = {d.code: d.name for side in (before, after) for d in side.policy.domains}
    sample = _Sample(engine, before, after, names).of(outcomes.sampled())
    return {
        "subjects": sum(outcomes.matrix.values()),
        "changed": sum(n for change, n in outcomes.matrix.items() if change.before != change.after),
        "from_to": _table(outcomes.matrix),
        "by_domain": [
            {"domain": code, "name": names[code], "changed": matrix.total(), "from_to": _table(matrix)}
            for code, matrix in sorted(by_domain.items(), key=lambda one: (-one[1].total(), one[0]))
        ],
        "gaps": {"before": _named(before, names), "after": _named(after, names)},
        "sample": sample,
    }


class _Outcomes:
    """The matrix of outcomes, and a few subjects of each change."""

    def __init__(self) -> None:
        self.matrix: Counter[Change] = Counter()
        self._some: dict[Change, list[int]] = defaultdict(list)

    def count(self, subject: int, change: Change) -> None:
        self.matrix[change] += 1
        if change.before != change.after and len(self._some[change]) < SAMPLE_AT_MOST:
            self._some[change].append(subject)

    def sampled(self) -> dict[int, Change]:
        """Up to 50 subjects, each change having its turn."""
        picked: dict[int, Change] = {}
        for place in range(SAMPLE_AT_MOST):
            for change, subjects in sorted(self._some.items()):
                if place < len(subjects) and len(picked) < SAMPLE_AT_MOST:
                    picked[subjects[place]] = change
        return picked


def _domains(engine: Any, sides: tuple[Side, Side], one_sided: set[int], subjects: int) -> dict[str, Counter[Change]]:
    """By domain the results that differ, of who is answered by both."""
    before, after = sides
    found: dict[str, Counter[Change]] = defaultdict(Counter)
    own: Counter[str] = Counter()
    for (subject, domain), results in _beside(engine, sides):
        if subject in one_sided:
            continue
        own[domain] += 1
        change = Change(results.get(0) or before.without_own(domain), results.get(1) or after.without_own(domain))
        if change.before != change.after:
            found[domain][change] += 1
    answered = subjects - len(one_sided)
    for domain in dict.fromkeys(d.code for side in sides for d in side.policy.domains):
        change = Change(before.without_own(domain), after.without_own(domain))
        if change.before != change.after and answered > own[domain]:
            found[domain][change] += answered - own[domain]
    return found


def _beside(engine: Any, sides: tuple[Side, Side]) -> Iterator[tuple[tuple[int, str], dict[int, str]]]:
    """Results of domains with something of a subject's own, in either pack, side by side in the subjects' order."""
    streams = (_numbered(engine.domains(side.plan), number) for number, side in enumerate(sides))
    here: tuple[int, str] | None = None
    results: dict[int, str] = {}
    for subject, domain, number, result in merge(*streams):
        if here is not None and here != (subject, domain):
            yield here, results
            results = {}
        here = (subject, domain)
        results[number] = result
    if here is not None:
        yield here, results


def _numbered(rows: Iterable[Any], number: int) -> Iterator[tuple[int, str, int, str]]:
    return ((row.subject, row.domain, number, str(row.result)) for row in rows)


@dataclass(frozen=True)
class _Sample:
    """Subjects whose outcome differs, each with the records that are found otherwise."""

    engine: Any
    before: Side
    after: Side
    names: Mapping[str, str]

    def of(self, picked: Mapping[int, Change]) -> list[dict[str, Any]]:
        """Those of the subjects picked of whom something may be told."""
        if not picked:
            return []
        old, new = (self._found(side, picked) for side in (self.before, self.after))
        rows = []
        for subject, change in picked.items():
            records, is_hidden = self._records(old.get(subject, {}), new.get(subject, {}))
            if records or not is_hidden:
                rows.append({"subject": subject, "from": change.before, "to": change.after, "records": records})
        return rows

    def _found(self, side: Side, picked: Mapping[int, Change]) -> dict[int, dict[int, Any]]:
        found: dict[int, dict[int, Any]] = defaultdict(dict)
        for finding in self.engine.findings(side.plan, list(picked)):
            found[finding.subject][finding.record] = finding
        return found

    def _records(self, old: Mapping[int, Any], new: Mapping[int, Any]) -> tuple[list[dict[str, Any]], bool]:
        """The records found otherwise, and whether one of them must not be told of."""
        rows, is_hidden = [], False
        for record in sorted({*old, *new}):
            before, after = old.get(record), new.get(record)
            if _same(before, after):
                continue
            if any(one is not None and one.hides for one in (before, after)):
                is_hidden = True
                continue
            domain = (before or after).domain  # type: ignore[union-attr]  # one of them is there
            rows.append({
                "record": record,
                "domain": self.names.get(domain, domain),
                "before": _told(self.before, before),
                "after": _told(self.after, after),
            })  # fmt: skip
        return rows[:RECORDS_SHOWN], is_hidden


def _same(before: Any, after: Any) -> bool:
    if before is None or after is None:
        return before is after
    return (before.effect, before.clause) == (after.effect, after.clause)


def _told(side: Side, finding: Any) -> dict[str, str] | None:
    if finding is None:
        return None
    # Of one id there may be clauses with dates of their own; weighed by are those of the day.
    clause = next((c for c in side.plan.verdicts.clauses if c.id == finding.clause), None)
    reason = clause.reason if clause else BUILT_IN.get(finding.clause, "没有适用的条款")
    section = clause.citation.section if clause else ""
    return {"effect": finding.effect, "clause": finding.clause, "reason": reason, "section": section}


def _table(matrix: Mapping[Change, int]) -> list[dict[str, Any]]:
    return [{"from": change.before, "to": change.after, "count": n} for change, n in sorted(matrix.items())]


def _named(side: Side, names: Mapping[str, str]) -> list[str]:
    return [names[d.code] for d in side.policy.domains if d.code in side.gaps]
