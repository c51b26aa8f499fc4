"""Conditions (条件) in a pack: the closed vocabulary of xinzheng.core.conditions as YAML."""

from datetime import date
from enum import StrEnum

from xinzheng.adapters.policy_files.nodes import ISO_DAY, Value
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
from xinzheng.core.records import OrganPlace, Outcome, Procedure, RecordKind, Standing
from xinzheng.core.subjects import SubjectKind, Tie

VOCABULARY: dict[str, type[StrEnum]] = {
    "kind": RecordKind,
    "tie": Tie,
    "organ": OrganPlace,
    "procedure": Procedure,
    "outcome": Outcome,
    "standing": Standing,
    "subject_kind": SubjectKind,
}
TESTS = ("equals", "in", "before", "after", "known")
GROUPS = ("and", "or", "not")
STAND_IN = Known("kind")
# Compiled for whole lists, each part lies one deeper than the one before it.
MOST_PARTS = 50


def read_condition(value: Value, domains: frozenset[str]) -> Condition:
    """One condition; ``domains`` are the codes a test of the field ``domain`` may name."""
    keys = value.entries()
    group = [key for key in GROUPS if key in keys]
    if group and len(keys) == 1:
        return _group(group[0], keys[group[0]], domains)
    if "field" not in keys or len(keys) != 2 or group:
        value.wrong("条件应为 {field: …, equals|in|before|after|known: …}，或者单独的 and、or、not 之一")
        return STAND_IN
    read = value.fields(("field",), TESTS)
    test = next((key for key in TESTS if key in read), None)
    field = read["field"].text()
    if field not in FIELDS:
        read["field"].wrong(f"不认识的字段“{field}”，可用：{'、'.join(FIELDS)}")
        return STAND_IN
    return _test(field, test, read[test], domains) if test else STAND_IN


def _group(name: str, value: Value, domains: frozenset[str]) -> Condition:
    if name == "not":
        return Not(read_condition(value, domains))
    parts = tuple(read_condition(part, domains) for part in value.items())
    if len(parts) < 2:
        value.wrong(f"“{name}”至少要有两个条件")
    if len(parts) > MOST_PARTS:
        value.wrong(f"“{name}”最多{MOST_PARTS}个条件，现在有{len(parts)}个；同一字段的多个值请用 in")
    return And(parts) if name == "and" else Or(parts)


def _test(field: str, test: str, value: Value, domains: frozenset[str]) -> Condition:
    if test == "known":
        return Known(field) if value.flag() else Not(Known(field))
    if (test in ("before", "after")) != (field in DATE_FIELDS):
        kind, allowed = (
            ("是日期", "before、after、known") if field in DATE_FIELDS else ("不是日期", "equals、in、known")
        )
        value.wrong(f"字段“{field}”{kind}，不能用 {test}，可用：{allowed}")
        return STAND_IN
    if field in DATE_FIELDS:
        day = _day(value)
        return Before(field, day) if test == "before" else After(field, day)
    if test == "in":
        return _is_in(field, value, domains)
    return Equals(field, value.flag() if field in FLAGS else _word(field, value, domains))


def _is_in(field: str, value: Value, domains: frozenset[str]) -> Condition:
    if field in FLAGS:
        value.wrong(f"字段“{field}”只有 true 和 false，请用 equals")
        return STAND_IN
    words = tuple(_word(field, item, domains) for item in value.items())
    if not words:
        value.wrong("“in”至少要列一个值")
    return IsIn(field, words)


def _word(field: str, value: Value, domains: frozenset[str]) -> str:
    if field != "domain":
        return str(value.one_of(VOCABULARY[field]))
    code = value.text()
    if code and code not in domains:
        value.wrong(f"没有代码为“{code}”的领域，请先在 domains 中列明")
    return code


def _day(value: Value) -> str | date:
    raw = str(value.node.value)
    if raw in REFERENCES:
        return raw
    if not ISO_DAY.fullmatch(raw):
        value.wrong(f"此处应为日期 YYYY-MM-DD，或者 {'、'.join(REFERENCES)}")
        return REFERENCES[0]
    return value.day()
