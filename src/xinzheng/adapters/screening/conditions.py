"""Conditions compiled: the same closed vocabulary as an ibis expression, NULL for unknown.

AND, OR and NOT of SQL are those of Kleene's logic, so that a compiled condition is true, false or NULL exactly where
``evaluate`` is True, False or None.
"""

import operator
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

import ibis
from ibis.expr.types import BooleanValue, Table

from xinzheng.core.conditions import (
    DATE_FIELDS,
    FLAGS,
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


def compiled(condition: Condition, facts: Table, references: Mapping[str, date]) -> BooleanValue:
    """The condition over a table with a column for every field of FIELDS; ``references`` as for ``evaluate``."""
    match condition:
        case And(parts):
            each = [compiled(part, facts, references) for part in parts]
            return reduce(operator.and_, each) if each else ibis.literal(True)
        case Or(parts):
            each = [compiled(part, facts, references) for part in parts]
            return reduce(operator.or_, each) if each else ibis.literal(False)
        case Not(part):
            return ~compiled(part, facts, references)
        case _:
            return _compared(condition, facts, references)


def _compared(
    condition: Equals | IsIn | Before | After | Known, facts: Table, references: Mapping[str, date]
) -> BooleanValue:
    match condition:
        case Known(field):
            return facts[field].notnull()
        case Equals(field, value):
            return _is_one_of(facts, field, (value,))
        case IsIn(field, values):
            return _is_one_of(facts, field, values)
        case Before(field, day):
            return _date_column(facts, field) < _literal(day, references)
        case After(field, day):
            return _date_column(facts, field) > _literal(day, references)


def holds(condition: Condition | None, facts: Table, references: Mapping[str, date]) -> BooleanValue:
    """Whether a clause with the condition applies: true, never NULL; without a condition it applies to everything."""
    return ibis.literal(True) if condition is None else compiled(condition, facts, references).fill_null(False)


def _is_one_of(facts: Table, field: str, values: Sequence[str | bool]) -> BooleanValue:
    """A text is never a flag nor a date: what cannot be equal is false where the fact is known."""
    wanted = bool if field in FLAGS else str
    fitting = [] if field in DATE_FIELDS else [value for value in values if isinstance(value, wanted)]
    if not fitting:
        return ibis.ifelse(facts[field].isnull(), ibis.null("boolean"), ibis.literal(False))
    return facts[field].isin(fitting)


def _date_column(facts: Table, field: str) -> ibis.expr.types.DateValue:
    if field not in DATE_FIELDS:
        raise TypeError(f"{field} is not a date")
    return facts[field]


def _literal(day: date | str, references: Mapping[str, date]) -> ibis.expr.types.DateScalar:
    return ibis.literal(day if isinstance(day, date) else references[day], type="date")
