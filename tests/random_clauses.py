"""Conditions and clauses by chance: every word of the vocabulary, also where it cannot hold or says nothing."""

import random
from datetime import date, timedelta

from tests.core.cases import clause
from xinzheng.core.conditions import (
    DATE_FIELDS,
    FIELDS,
    FLAGS,
    REFERENCES,
    After,
    And,
    Before,
    Condition,
    Equals,
    IsIn,
    Known,
    Not,
    Or,
)
from xinzheng.core.policy import Clause, DateSpan, Effect
from xinzheng.core.records import OrganPlace, Outcome, Procedure, RecordKind, Standing
from xinzheng.core.subjects import SubjectKind, Tie

WORDS = {
    "kind": RecordKind,
    "tie": Tie,
    "organ": OrganPlace,
    "procedure": Procedure,
    "outcome": Outcome,
    "standing": Standing,
    "subject_kind": SubjectKind,
}


def some_condition(chance: random.Random, as_of: date, depth: int = 3) -> Condition:
    """A condition of at most so many levels."""
    if depth and chance.random() < 0.6:
        parts = tuple(some_condition(chance, as_of, depth - 1) for _ in range(chance.choice([0, 1, 2, 2, 3])))
        return chance.choice([And(parts), Or(parts), Not(some_condition(chance, as_of, depth - 1))])
    field = chance.choice(FIELDS)
    if chance.random() < 0.2:
        return Known(field)
    if field in DATE_FIELDS:
        day = chance.choice([*REFERENCES, as_of, as_of - timedelta(days=1096), date(1, 1, 1), date(9999, 12, 31)])
        return chance.choice([Before(field, day), After(field, day), Equals(field, as_of.isoformat())])
    if field in FLAGS:
        return chance.choice([Equals(field, True), Equals(field, False), Equals(field, "true"), IsIn(field, ("true",))])
    words = [str(word) for word in WORDS.get(field, ("taxation", "health", "it's"))]
    some = tuple(chance.sample(words, chance.randrange(len(words))))
    return chance.choice([Equals(field, chance.choice(words)), IsIn(field, some), Equals(field, True)])


def some_clauses(chance: random.Random, as_of: date) -> tuple[Clause, ...]:
    """Some clauses in order, a few that hide or have ended; the last is for every record."""
    return (
        *(_some_clause(chance, as_of, number) for number in range(chance.randrange(2, 9))),
        clause("rest", Effect.COUNTED),
    )


def _some_clause(chance: random.Random, as_of: date, number: int) -> Clause:
    return clause(
        f"c{number}",
        chance.choice(list(Effect)),
        some_condition(chance, as_of),
        mark=chance.choice([None, "甲", "乙"]),
        hides=chance.random() < 0.15,
        in_effect=chance.choice([DateSpan(), DateSpan(), DateSpan(None, as_of - timedelta(days=1))]),
    )
