"""Invented lists for the engines of screening: who asks, who is tied to whom, records in versions, waiting lines.

The same world is given to an engine as tables and to ``decide`` as one case per subject, so that the two can be held
against each other.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from tests.core.cases import CALENDAR
from xinzheng.adapters.screening import LISTS, Engine, Plan, plan
from xinzheng.core.coverage import Coverage, GapReason, PendingLines, Responsibility, Statement
from xinzheng.core.decision import Case, Decision, DomainResult, Request, decide, window_of
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import Policy
from xinzheng.core.records import OrganPlace, Outcome, Procedure, Record, RecordKind, Standing
from xinzheng.core.subjects import Subject, SubjectKind, Tie
from xinzheng.core.weighing import Weighing, prepare_weighing

# Codes, a name as long as a code, a name in other letters as long as one, and nothing at all.
ORGANS = {
    ("11320500MB0000001A", None): (OrganPlace.HERE, "11320500MB0000001A"),
    ("11320500MB0000002B", "某局"): (OrganPlace.HERE, "11320500MB0000002B"),
    ("11330500MB0000002C", ""): (OrganPlace.ELSEWHERE, "11330500MB0000002C"),
    (None, "苏州市某局"): (OrganPlace.HERE, "苏州市某局"),
    (None, "一二三四五六七八九十一二三四五六七八"): (None, "一二三四五六七八九十一二三四五六七八"),
    ("", "示例市“某，局”\n第二行"): (OrganPlace.ELSEWHERE, "示例市某局"),
    (None, None): (None, None),
}
READ_UNIT, OTHER_UNIT = 7, 8
WITHOUT = (RecordKind.CREDIT_REPAIR, RecordKind.ADMINISTRATIVE_PENALTY)


@dataclass(frozen=True)
class Asked:
    """What one world is about: a policy on a day; ``open_domain`` is one whose data does not reach far enough."""

    policy: Policy
    as_of: date
    open_domain: str | None = None

    @property
    def weighing(self) -> Weighing:
        """As for the widest request, for any kind of subject."""
        everything = frozenset(d.code for d in self.policy.domains)
        kind = SubjectKind.ENTERPRISE_LEGAL_PERSON
        return prepare_weighing(self.policy, window_of(self.policy, self.as_of), everything, kind, self.as_of)


class World:
    """Subjects with their ties, records and lines, by chance from a seed."""

    def __init__(self, asked: Asked, seed: int, subjects: int = 120) -> None:
        self.asked, self.chance = asked, random.Random(seed)
        kinds = [*SubjectKind, SubjectKind.ENTERPRISE_LEGAL_PERSON, SubjectKind.ENTERPRISE_LEGAL_PERSON, None]
        self.kinds = {key: self.chance.choice(kinds) for key in range(1, subjects + 1)}
        self.deregistered = {key for key in self.kinds if self.chance.random() < 0.05}
        self.ties = {key: self._ties_of(key) for key in self.kinds}
        self.codes = [d.code for d in asked.policy.domains]
        self.answering = tuple(
            Responsibility(d.code, str(kind), unit, unit)
            for d in asked.policy.domains
            for kind in d.kinds
            for unit in ("u1", "u2")
        )
        self.records: dict[int, list[tuple[Record, tuple[str | None, str | None]]]] = {key: [] for key in self.kinds}
        self.versions: list[tuple[object, ...]] = []
        for number in range(subjects * 3):
            self._add_record(number + 1, self.chance.randrange(subjects) + 1)
        self.pending = {key: self._lines() for key in self.kinds}

    def _ties_of(self, key: int) -> dict[int, Tie]:
        others = self.chance.sample(sorted(self.kinds), self.chance.choice([0, 0, 0, 1, 2]))
        return {other: self.chance.choice(list(Tie)) for other in others} | {key: Tie.SELF}

    def _ways(self, tie: Tie) -> list[Tie]:
        """The ways that lead to a party whose closest tie is this one, in any order."""
        farther = list(Tie)[list(Tie).index(tie) :]
        return [*self.chance.sample(farther, self.chance.randrange(len(farther))), tie]

    def _day(self) -> date | None:
        near = [-2500, -1827, -1826, -1096, -1095, -30, -1, 0, 1, 30]
        return None if self.chance.random() < 0.2 else self.asked.as_of + timedelta(days=self.chance.choice(near))

    def _record(self, number: int) -> Record:
        pick, is_repair = self.chance.choice, self.chance.random() < 0.35
        others = [kind for kind in RecordKind if kind not in WITHOUT]
        kind = pick(others) if self.chance.random() < 0.2 else RecordKind.ADMINISTRATIVE_PENALTY
        return Record(
            id=str(number),
            kind=RecordKind.CREDIT_REPAIR if is_repair else kind,
            domain="credit_repair"
            if is_repair and pick([True, False])
            else pick([*self.codes[:5], "moon", self.codes[-1]]),
            decision_date=self._day(),
            served_date=self._day(),
            procedure=pick([None, *Procedure]),
            outcome=pick([None, Outcome.PENALISED, Outcome.PENALISED, Outcome.NOT_PENALISED]),
            standing=pick([None, Standing.IN_FORCE, Standing.IN_FORCE, *Standing]),
            standing_date=self._day(),
            repaired_date=self._day(),
            sealed=pick([None, False, False, True]),
            disputed=pick([True, False, False]),
            listed_from=self._day(),
            listed_through=self._day(),
            document_key=pick([None, "甲1", "乙2"]),
        )

    def _add_record(self, number: int, party: int) -> None:
        """A record, perhaps with earlier versions, perhaps gone, perhaps of a unit that is not read."""
        versions = [self._record(number) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        pair = self.chance.choice(list(ORGANS))
        unit = self.chance.choice([READ_UNIT] * 9 + [OTHER_UNIT])
        is_present = self.chance.random() < 0.93
        last = versions[-1]
        for place, version in enumerate(versions):
            row = _row(version, party, unit, (place * 10 + number % 7, is_present or version is not last), pair)
            self.versions.append(row)
        if is_present and unit == READ_UNIT:
            organ, organ_key = ORGANS[pair]
            self.records[party].append((replace(last, organ=organ, organ_key=organ_key), pair))

    def _lines(self) -> list[PendingLines]:
        pick = self.chance.choice
        return [
            PendingLines(
                pick([*self.codes[:5], "moon"]),
                pick(["u1", "u2", "u9"]),
                str(pick([kind for kind in RecordKind])),
                sealed=pick([True, False]),
            )
            for _ in range(pick([0, 0, 0, 0, 1, 2]))
        ]

    @property
    def common(self) -> Coverage:
        """What is covered for everybody."""
        through = self.asked.as_of
        statements = tuple(
            Statement(r.domain, r.unit, r.kind, date(1949, 10, 1), through)
            for r in self.answering
            if (r.domain, r.unit) != (self.asked.open_domain, "u2")
        )
        return Coverage(self.answering, statements)

    def case(self, key: int, kind: SubjectKind) -> Case:
        """The subject's case, as the product would read it."""
        ties = self.ties[key]
        records = tuple(
            replace(record, tie=tie) for party, tie in sorted(ties.items()) for record, _ in self.records[party]
        )
        pending = tuple(line for party in ties for line in self.pending[party])
        subject = Subject(kind, is_deregistered=key in self.deregistered)
        return Case(Request(), subject, records, replace(self.common, pending=pending), self.asked.as_of)

    @property
    def gaps(self) -> frozenset[str]:
        """The domains open for everybody, as a decision about nothing tells."""
        kind = self.asked.policy.subject_kinds[0].kind
        blank = Case(Request(), Subject(kind), (), self.common, self.asked.as_of)
        return frozenset(d.code for d in decide(self.asked.policy, blank, CALENDAR).domains if d.gaps)

    @cached_property
    def planned(self) -> Plan:
        """How an engine answers for this world."""
        return plan(self.asked.weighing, self.asked.policy, self.gaps)

    @cached_property
    def decided(self) -> dict[int, Decision | str]:
        """The decision about each subject, or the code of the refusal."""
        return {key: self._decided(key, kind) for key, kind in self.kinds.items()}

    def _decided(self, key: int, kind: SubjectKind | None) -> Decision | str:
        if kind is None:
            return "subject-kind-unknown"
        try:
            return decide(self.asked.policy, self.case(key, kind), CALENDAR)
        except RefusedError as refusal:
            return refusal.code

    def give(self, engine: Engine, without: str = "") -> None:
        """Every list, to the engine, in several pieces; perhaps without one."""
        for name, rows in self._tables().items():
            engine.take(name, (as_csv([row]) for row in rows if name != without))
        pairs = {(code or None, name or None): placed for (code, name), placed in ORGANS.items()}
        if without == "organs":
            return
        engine.take("organs", [as_csv((*pair, *pairs[pair]) for pair in engine.organ_pairs())])

    def _tables(self) -> Mapping[str, Sequence[Sequence[object]]]:
        shuffled = self.chance.sample(self.versions, len(self.versions))
        of_parties = [(party, record) for party, found in self.records.items() for record, _ in found]
        return {
            "subjects": [(key, kind, key in self.deregistered) for key, kind in self.kinds.items()],
            "ties": [
                (key, party, way)
                for key, ties in self.ties.items()
                for party, tie in ties.items()
                for way in self._ways(tie)
            ],
            "records": shuffled,
            "disputes": [(party, record.id) for party, record in of_parties if record.disputed],
            "units": [(READ_UNIT,)],
            "pending": [
                (key, line.domain, line.unit, line.kind, line.sealed)
                for key, lines in self.pending.items()
                for line in lines
            ],
            "answering": [(r.domain, r.kind, r.unit) for r in self.answering],
        }


def _row(
    record: Record, party: int, unit: int, at: tuple[int, bool], pair: tuple[str | None, str | None]
) -> tuple[object, ...]:
    own = {"party": party, "unit": unit, "position": at[0], "is_present": at[1]}
    own |= {"organ_code": pair[0], "organ_name": pair[1]}
    return tuple(own[name] if name in own else getattr(record, name) for name in LISTS["records"])


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as PostgreSQL's COPY writes them: NULL is nothing, an empty text is a pair of quotes."""
    return "".join(",".join(_cell(value) for value in row) + "\n" for row in rows).encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if not text or set(text) & set('",\n\r') else text


def differences(world: World, engine: Engine, planned: Plan | None = None) -> Iterator[str]:
    """Where the engine says otherwise than ``decide``; nothing when they agree in everything."""
    planned = planned or world.planned
    answers = {row.subject: row for row in engine.run(planned)}
    decided = world.decided
    if answers.keys() != decided.keys():
        yield "others were answered than asked"
    findings = {key: {} for key in decided}
    for row in engine.findings(planned):
        findings[row.subject][row.record] = (row.effect, row.clause, row.marks)
    domains = {key: {} for key in decided}
    for found in engine.domains(planned):
        domains[found.subject][found.domain] = (found.result, found.counted, found.unresolved)
    for key, said in decided.items():
        row = answers[key]
        if isinstance(said, str):
            wanted: object = (said, None, 0, 0, (), {}, {})
        else:
            wanted = _wanted(said)
        given = (row.refusal, row.outcome, row.counted, row.unresolved, row.gaps, findings[key], domains[key])
        if given != wanted:
            yield f"subject {key}: {given} instead of {wanted}"


def _wanted(decision: Decision) -> object:
    findings = {int(f.record.id): (str(f.effect), f.clause.id, f.marks) for f in decision.findings}
    mine = {d.code: (str(d.result), d.counted, d.unresolved) for d in decision.domains if _has_own(d)}
    counted = sum(d.counted for d in decision.domains)
    unresolved = sum(d.unresolved for d in decision.domains)
    gaps = tuple(d.code for d in decision.domains if d.gaps)
    return (None, str(decision.outcome), counted, unresolved, gaps, findings, mine)


def _has_own(domain: DomainResult) -> bool:
    waits = any(gap.reason is GapReason.LINE_PENDING for gap in domain.gaps)
    return bool(domain.counted or domain.unresolved or waits)
