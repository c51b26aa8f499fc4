"""Conditions (条件): a small closed vocabulary over a record's fields, in Kleene's three-valued logic.

A field that is unknown makes a comparison unknown (None), never false; a clause applies only when its condition is
true. The same value compiles to SQL elsewhere, so nothing here may run code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

Value: TypeAlias = str | bool | date | None
FIELDS = (
    "kind",
    "domain",
    "tie",
    "organ",
    "procedure",
    "outcome",
    "standing",
    "standing_date",
    "decision_date",
    "window_date",
    "listed_through",
    "served_date",
    "repaired_date",
    "sealed",
    "disputed",
    "subject_kind",
)
DATE_FIELDS = frozenset(name for name in FIELDS if name.endswith("_date") or name == "listed_through")
FLAGS = frozenset({"sealed", "disputed"})
REFERENCES = ("as_of", "window.from", "window.to")


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has this value."""

    field: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class IsIn:
    """The field has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """The date field lies strictly before a day, or before a reference day of the case."""

    field: str
    day: date | str


@dataclass(frozen=True, slots=True)
class After:
    """The date field lies strictly after a day, or after a reference day of the case."""

    field: str
    day: date | str


@dataclass(frozen=True, slots=True)
class Known:
    """The field is known; this is never itself unknown."""

    field: str


@dataclass(frozen=True, slots=True)
class And:
    """All hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = Equals | IsIn | Before | After | Known | And | Or | Not


def kleene_and(values: list[bool | None]) -> bool | None:
    """False if any is false, else unknown if any is unknown, else true."""
    if False in values:
        return False
    return None if None in values else True


def kleene_or(values: list[bool | None]) -> bool | None:
    """True if any is true, else unknown if any is unknown, else false."""
    if True in values:
        return True
    return None if None in values else False


def kleene_not(value: bool | None) -> bool | None:
    """The opposite; unknown stays unknown."""
    return None if value is None else not value


def _holds(condition: Equals | IsIn | Before | After, fact: Value, references: Mapping[str, date]) -> bool:
    match condition:
        case Equals(_, value):
            return fact == value
        case IsIn(_, values):
            return fact in values
    if not isinstance(fact, date):
        raise TypeError(f"{condition.field} is not a date")
    day = condition.day if isinstance(condition.day, date) else references[condition.day]
    return fact < day if isinstance(condition, Before) else fact > day


def evaluate(condition: Condition, facts: Mapping[str, Value], references: Mapping[str, date]) -> bool | None:
    """True, false, or None where a fact that matters is unknown.

    ``facts`` holds every field of FIELDS (None = unknown); ``references`` the days named in REFERENCES.
    """
    match condition:
        case And(parts):
            return kleene_and([evaluate(part, facts, references) for part in parts])
        case Or(parts):
            return kleene_or([evaluate(part, facts, references) for part in parts])
        case Not(part):
            return kleene_not(evaluate(part, facts, references))
        case Known(field):
            return facts[field] is not None
        case _:
            fact = facts[condition.field]
            return None if fact is None else _holds(condition, fact, references)
