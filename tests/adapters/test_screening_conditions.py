"""Conditions and clauses compiled for an engine hold exactly where the core says they hold."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import ibis
import pytest

from tests.core import cases
from tests.random_clauses import some_clauses, some_condition
from xinzheng.adapters.policy_files import load_policy
from xinzheng.adapters.screening.conditions import compiled
from xinzheng.adapters.screening.linking import may_be_one
from xinzheng.adapters.screening.weighing import Verdicts, weighed
from xinzheng.core.conditions import DATE_FIELDS, FIELDS, FLAGS, Before, evaluate
from xinzheng.core.decision import window_of
from xinzheng.core.policy import Policy
from xinzheng.core.records import (
    OrganPlace,
    Outcome,
    Procedure,
    Record,
    RecordKind,
    Standing,
    may_be_one_organ,
)
from xinzheng.core.subjects import SubjectKind, Tie
from xinzheng.core.weighing import Weighing, facts_of, prepare_weighing, weigh

AS_OF = date(2025, 6, 3)
KINDS = {name: "date" if name in DATE_FIELDS else "boolean" if name in FLAGS else "string" for name in FIELDS}
FACTS = ibis.table({"id": "int64"} | KINDS, name="facts")
ASKED = (
    (cases.policy(), AS_OF),
    (load_policy("suzhou-2024"), date(2024, 2, 29)),
    (load_policy("suzhou-2024"), date(2026, 4, 1)),
    (load_policy("huzhou-2023"), date(2025, 12, 31)),
    (load_policy("huzhou-2023"), date(2026, 1, 1)),
    (load_policy("national-2025"), date(2026, 5, 1)),
)
Weighed = tuple[Record, SubjectKind]


def some_records(chance: random.Random, policy: Policy, as_of: date, count: int) -> list[Weighed]:
    """Records of every kind around the days that matter, each of a subject of some kind."""
    window, pick = window_of(policy, as_of), chance.choice

    def day() -> date | None:
        around = pick([window.from_date, window.to_date]) if window.from_date > date(1, 1, 9) else as_of
        return None if chance.random() < 0.2 else around + timedelta(days=pick([-400, -1, 0, 0, 1, 30]))

    codes = [*(d.code for d in policy.domains), "moon"]
    return [
        (
            Record(
                id=str(number),
                kind=pick([*RecordKind, *[RecordKind.ADMINISTRATIVE_PENALTY] * 12]),
                domain=pick(codes),
                tie=pick(list(Tie)),
                organ=pick([None, *OrganPlace]),
                decision_date=day(),
                served_date=day(),
                procedure=pick([None, *Procedure]),
                outcome=pick([None, *Outcome]),
                standing=pick([None, *Standing]),
                standing_date=day(),
                repaired_date=day(),
                sealed=pick([None, True, False, False]),
                disputed=pick([True, False]),
                listed_from=day(),
                listed_through=day(),
            ),
            pick(list(SubjectKind)),
        )
        for number in range(count)
    ]


def table_of(records: Sequence[Weighed]) -> duckdb.DuckDBPyConnection:
    """A database with the facts of the records."""
    database = duckdb.connect(config={"threads": 1})
    columns = ", ".join(f"{name} {'VARCHAR' if kind == 'string' else kind}" for name, kind in KINDS.items())
    database.execute(f"CREATE TABLE facts (id BIGINT, {columns})")
    rows = [(int(record.id), *facts_of(record, kind).values()) for record, kind in records]
    database.execute("INSERT INTO facts VALUES " + ", ".join(f"({', '.join(map(_literal, row))})" for row in rows))
    return database


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value)
    return f"'{value}'"


def prepared(policy: Policy, as_of: date, chosen: Sequence[str] | None = None) -> Weighing:
    """As for a request for these domains, or for all."""
    codes = frozenset(chosen or (d.code for d in policy.domains))
    return prepare_weighing(policy, window_of(policy, as_of), codes, SubjectKind.ENTERPRISE_LEGAL_PERSON, as_of)


Told = tuple[str, str, bool, tuple[str, ...]]


def one_by_one(records: Sequence[Weighed], weighing: Weighing) -> Mapping[int, Told]:
    """What the core says of each record."""
    found = {int(r.id): weigh(replace(weighing, subject_kind=kind), r) for r, kind in records}
    return {key: (f.clause.id, str(f.effect), f.hides, f.marks) for key, f in found.items()}


def all_at_once(database: duckdb.DuckDBPyConnection, weighing: Weighing) -> Mapping[int, Told]:
    """What the compiled weighing says of each record."""
    verdicts = Verdicts(weighing.clauses)
    statement = ibis.to_sql(weighed(FACTS, weighing).select("id", "verdict", "marks"), dialect="duckdb")
    rows = database.execute(str(statement)).fetchall()
    found = {key: (verdicts.by_number[number], marks) for key, number, marks in rows}
    return {key: (v.clause, str(v.effect), v.hides, verdicts.marks(marks)) for key, (v, marks) in found.items()}


def differing(one: Mapping[int, Told], other: Mapping[int, Told]) -> list[object]:
    """The records of which the two say otherwise."""
    return [(key, one[key], other.get(key)) for key in one if one[key] != other.get(key)]


@pytest.mark.parametrize("seed", range(3))
def test_every_condition_is_true_false_or_unknown_where_evaluating_it_is(seed: int) -> None:
    chance = random.Random(seed)
    policy = cases.policy()
    weighing, records = prepared(policy, AS_OF), some_records(chance, policy, AS_OF, 150)
    conditions = [some_condition(chance, AS_OF) for _ in range(60)]
    columns = {f"c{n}": compiled(condition, FACTS, weighing.references) for n, condition in enumerate(conditions)}
    with table_of(records) as database:
        statement = ibis.to_sql(FACTS.select("id", **columns), dialect="duckdb")
        rows = {key: values for key, *values in database.execute(str(statement)).fetchall()}
    values = [value for row in rows.values() for value in row]
    assert {True, False, None} == set(values)
    assert [
        (condition, record)
        for record, kind in records
        for condition, said in zip(conditions, rows[int(record.id)], strict=True)
        if said is not evaluate(condition, facts_of(record, kind), weighing.references)
    ] == []


def test_a_day_is_compared_with_a_date_only() -> None:
    with pytest.raises(TypeError, match="not a date"):
        compiled(Before("tie", AS_OF), FACTS, {})


@pytest.mark.parametrize(("policy", "as_of"), ASKED, ids=lambda value: getattr(value, "id", str(value)))
def test_a_pack_weighs_every_record_as_one_alone(policy: Policy, as_of: date) -> None:
    chance = random.Random(as_of.toordinal())
    codes = [d.code for d in policy.domains]
    weighing = prepared(policy, as_of, chance.sample(codes, len(codes) - 1))
    records = some_records(chance, policy, as_of, 400)
    with table_of(records) as database:
        assert differing(one_by_one(records, weighing), all_at_once(database, weighing)) == []


@pytest.mark.parametrize("seed", range(6))
def test_any_clauses_weigh_every_record_as_one_alone(seed: int) -> None:
    chance = random.Random(seed)
    policy = cases.policy(clauses=some_clauses(chance, AS_OF))
    weighing, records = prepared(policy, AS_OF), some_records(chance, policy, AS_OF, 200)
    with table_of(records) as database:
        assert differing(one_by_one(records, weighing), all_at_once(database, weighing)) == []


@pytest.mark.parametrize(("asked", "step"), [(ASKED[0], 1), (ASKED[2], 3)], ids=["test", "suzhou-2024"])
def test_a_clause_left_out_of_what_is_compiled_is_noticed(asked: tuple[Policy, date], step: int) -> None:
    policy, as_of = asked
    weighing, records = prepared(policy, as_of), some_records(random.Random(5), policy, as_of, 200)
    alone, noticed = one_by_one(records, weighing), 0
    with table_of(records) as database:
        for clause in weighing.clauses[:-1:step]:
            without = replace(weighing, clauses=tuple(c for c in weighing.clauses if c.id != clause.id))
            matters = one_by_one(records, without) != alone
            assert bool(differing(alone, all_at_once(database, without))) is matters, clause.id
            noticed += matters
    assert noticed >= (len(weighing.clauses) - 2) // step


def test_a_record_that_no_clause_applies_to_is_unresolved_and_never_clean() -> None:
    policy = cases.policy(clauses=cases.CLAUSES[:1])
    record = (cases.penalty("1"), SubjectKind.ENTERPRISE_LEGAL_PERSON)
    with table_of([record]) as database:
        assert all_at_once(database, prepared(policy, AS_OF)) == {1: ("no-clause", "unresolved", False, ())}


def test_organ_keys_are_compared_as_one_alone() -> None:
    keys = [None, "11320500MB0000001A", "11320500MB0000002B", "某局", "一" * 18, "a" * 18, "a" * 17 + "é", "\x7f" * 18]
    pairs = ibis.table({"one": "string", "other": "string"}, name="pairs")
    statement = ibis.to_sql(pairs.mutate(may=may_be_one(pairs.one, pairs.other)), dialect="duckdb")
    with duckdb.connect() as database:
        database.execute("CREATE TABLE pairs (one VARCHAR, other VARCHAR)")
        database.executemany("INSERT INTO pairs VALUES (?, ?)", [[a, b] for a in keys for b in keys])
        rows = database.execute(str(statement)).fetchall()
    assert [(a, b, may) for a, b, may in rows if may is not may_be_one_organ(a, b)] == []
