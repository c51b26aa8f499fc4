"""Checks over a pack's ordered clauses: dates that overlap, clauses that can never apply, the catch-all at the end."""

from collections.abc import Iterable, Sequence
from datetime import date

from xinzheng.adapters.policy_files.clause_reader import PlacedClause
from xinzheng.core.conditions import After, And, Before, Condition, Equals, IsIn, Known, Or
from xinzheng.core.policy import Clause, DateSpan, Effect


def _overlap(a: DateSpan, b: DateSpan) -> bool:
    return (a.from_date or date.min) <= (b.until_date or date.max) and (b.from_date or date.min) <= (
        a.until_date or date.max
    )


def _spans(wide: DateSpan, narrow: DateSpan) -> bool:
    return (wide.from_date or date.min) <= (narrow.from_date or date.min) and (narrow.until_date or date.max) <= (
        wide.until_date or date.max
    )


def _values(atom: Condition) -> frozenset[str | bool] | None:
    match atom:
        case Equals(_, value):
            return frozenset({value})
        case IsIn(_, values):
            return frozenset(values)
    return None


def _atom_implies(narrow: Condition, wide: Condition) -> bool:
    if isinstance(narrow, (Equals, IsIn, Before, After)) and isinstance(wide, Known):
        return narrow.field == wide.field
    few, many = _values(narrow), _values(wide)
    if few is not None and many is not None:
        return getattr(narrow, "field", "") == getattr(wide, "field", "") and few <= many
    match narrow, wide:
        case (Before(a, date() as x), Before(b, date() as y)):
            return a == b and x <= y
        case (After(a, date() as x), After(b, date() as y)):
            return a == b and x >= y
    return False


def implies(narrow: Condition | None, wide: Condition | None) -> bool:
    """Whether ``wide`` is surely true whenever ``narrow`` is; by structure, so False may only mean "not seen"."""
    if wide is None or narrow is None or narrow == wide:
        return wide is None or narrow == wide
    if isinstance(narrow, Or):
        return all(implies(part, wide) for part in narrow.parts)
    if isinstance(wide, And):
        return all(implies(narrow, part) for part in wide.parts)
    parts = narrow.parts if isinstance(narrow, And) else ()
    wider = wide.parts if isinstance(wide, Or) else ()
    through_parts = any(implies(narrow, part) for part in wider) or any(implies(part, wide) for part in parts)
    return through_parts or _atom_implies(narrow, wide)


def _required_values(condition: Condition | None) -> dict[str, frozenset[str | bool]]:
    """For each field that must have one of some values: those values."""
    if isinstance(condition, Equals | IsIn):
        return {condition.field: _values(condition) or frozenset()}
    if not isinstance(condition, And):
        return {}
    needed: dict[str, frozenset[str | bool]] = {}
    for part in condition.parts:
        for field, values in _required_values(part).items():
            needed[field] = needed.get(field, values) & values
    return needed


def never_met(condition: Condition | None, possible: dict[str, frozenset[str]]) -> str | None:
    """The field whose value can never be as the condition wants it, given what the pack weighs; else None."""
    for field, values in _required_values(condition).items():
        if not values & possible.get(field, frozenset(values)):
            return field
    return None


def check_order(placed: Sequence[PlacedClause]) -> None:
    """Note clauses behind an earlier one that always applies first, same ids whose dates overlap, no catch-all."""
    for index, item in enumerate(placed):
        for earlier in placed[:index]:
            _check_pair(earlier.clause, item)
    if placed:
        last = placed[-1].clause
        if last.condition is not None or last.effect is Effect.MARKED or last.in_effect != DateSpan():
            placed[-1].place.wrong("最后一条必须是适用于一切记录的条款（when: always，没有起止日期，认定不是 marked）")


def _check_pair(earlier: Clause, item: PlacedClause) -> None:
    clause = item.clause
    if clause.id == earlier.id and _overlap(earlier.in_effect, clause.in_effect):
        item.place.wrong(f"条款“{clause.id}”写了两次，而且适用日期重叠")
    elif _shadows(earlier, clause):
        item.place.wrong(f"条款“{clause.id}”永远不会适用：凡是符合它的记录，都已先适用条款“{earlier.id}”")


def _shadows(earlier: Clause, clause: Clause) -> bool:
    # A clause that hides is looked for before all others, so only another such clause can stand before it; a counted
    # clause behind a counted one still adds its mark.
    if earlier.effect is Effect.MARKED or (clause.hides and not earlier.hides):
        return False
    if clause.mark and earlier.effect is Effect.COUNTED and earlier.condition is not None:
        return False
    return _spans(earlier.in_effect, clause.in_effect) and implies(clause.condition, earlier.condition)


def check_reach(placed: Iterable[PlacedClause], in_effect: DateSpan, possible: dict[str, frozenset[str]]) -> None:
    """Note clauses that no record of this pack can meet: values never weighed, or dates before the pack began."""
    for item in placed:
        field = never_met(item.clause.condition, possible)
        if field is not None:
            item.place.wrong(f"条款“{item.clause.id}”永远不会适用：字段“{field}”不可能取这样的值")
        until = item.clause.in_effect.until_date
        if until and in_effect.from_date and until < in_effect.from_date:
            item.place.wrong(f"条款“{item.clause.id}”永远不会适用：它在政策施行以前已经失效")
