"""``policies/repair.yaml`` (信用修复规则) read strictly: every mistake is told with file and line."""

import hashlib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from xinzheng.adapters.policy_files.clause_reader import ALWAYS, read_citation, read_span
from xinzheng.adapters.policy_files.locations import policies_folder
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import Value, read_root
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Basis, Citation, DateSpan
from xinzheng.core.records import Procedure, RecordKind
from xinzheng.core.repair import ONE_DAY
from xinzheng.core.repair_rules import (
    Condition,
    CountedFrom,
    Doubt,
    Elsewhere,
    Ending,
    ProcedureStep,
    RepairClass,
    RepairRule,
    RepairRules,
    When,
)

REPAIR_FILE = "repair.yaml"
FORMAT = "xinzheng.repair/1"
TESTS = ("any_category", "only_categories", "domains", "kinds", "procedure")
CLASS_KEYS = ("id", "name", "when", "shortest_months", "longest_months")
RULE_KEYS = (
    "id", "title", "effective", "covers", "counted_from", "classes", "ends_by_itself", "conditions", "basis",
    "citation",
)  # fmt: skip
# Thirty years: longer than any publication.
MOST_MONTHS = 360


class Published(StrEnum):
    """Whether a class is published at all (是否公示)."""

    NORMALLY = "normally"
    NORMALLY_NOT = "normally-not"


def load_repair_rules(path: Path | None = None) -> RepairRules:
    """The rules of a file, by default the shipped one.

    Raises:
        PolicyError: ``repair-rules-unreadable``, or every mistake as ``file:line：what is wrong``.
    """
    place = path or policies_folder() / REPAIR_FILE
    try:
        content = place.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"读不到信用修复规则 {place}（{error.strerror}），请核对路径。", code="repair-rules-unreadable"
        ) from error
    mistakes = Mistakes()
    root = read_root(content, str(place), mistakes)
    found = _read(root, content) if root is not None else None
    mistakes.refuse()
    if found is None:
        raise PolicyError(f"{place} 无法读取。")
    return found


@lru_cache(maxsize=1)
def repair_rules() -> RepairRules:
    """The shipped rules, read once a process. Raises PolicyError."""
    return load_repair_rules()


def _read(root: Value, content: bytes) -> RepairRules:
    read = root.fields(("format", "categories", "counting", "rules"), ("doubts", "elsewhere"))
    if "format" in read and read["format"].text() != FORMAT:
        read["format"].wrong(f"format 应为 {FORMAT}")
    known = _words(read.get("categories"))
    doubts = _doubts(read["doubts"], known) if "doubts" in read else {}
    rules = tuple(_rule(value, known, doubts) for value in read["rules"].items()) if "rules" in read else ()
    if "rules" in read:
        _check_stretches(rules, read["rules"])
    elsewhere = tuple(_elsewhere(value) for value in read["elsewhere"].items()) if "elsewhere" in read else ()
    counting = _cited(read["counting"].fields(("basis", "citation")))[1] if "counting" in read else Citation("")
    return RepairRules(rules, known, counting, elsewhere, hashlib.sha256(content).hexdigest())


def _words(value: Value | None) -> frozenset[str]:
    return frozenset(one.text() for one in value.items()) if value is not None else frozenset()


def _cited(read: Mapping[str, Value]) -> tuple[Basis, Citation]:
    """Basis and citation; a statute that was only seen second-hand may go without the source's own words."""
    basis = read["basis"].one_of(Basis) if "basis" in read else Basis.JUDGEMENT
    if "citation" not in read:
        return basis, Citation("")
    citation = read_citation(read["citation"], Basis.JUDGEMENT if basis is Basis.JUDGEMENT else None)
    if basis is Basis.STATUTE and not citation.quote and not citation.second_hand:
        read["citation"].wrong("政策原文（statute）必须引用原文，请补 quote；没有见到原文的写 second_hand: true")
    return basis, citation


def _when(value: Value, known: frozenset[str], more: tuple[str, ...] = ()) -> tuple[When, Mapping[str, Value]]:
    if value.tag == "str" and value.text() == ALWAYS:
        return When(is_always=True), {}
    read = value.fields((), (*TESTS, *more))
    if not read:
        value.wrong(f"条件不能为空；对所有记录适用的写 {ALWAYS}")
    any_category, only_categories = (_categories(read.get(key), known) for key in TESTS[:2])
    return When(
        any_category=any_category,
        only_categories=only_categories,
        domains=_words(read.get("domains")),
        kinds=_kinds(read.get("kinds")),
        procedure=read["procedure"].one_of(Procedure) if "procedure" in read else None,
    ), read


def _categories(value: Value | None, known: frozenset[str]) -> frozenset[str]:
    for one in value.items() if value is not None else ():
        if one.text() not in known:
            one.wrong(f"“{one.text()}”不在 categories 之中，无法识别")
    return _words(value)


def _kinds(value: Value | None) -> frozenset[RecordKind]:
    return frozenset(one.one_of(RecordKind) for one in value.items()) if value is not None else frozenset()


def _doubts(value: Value, known: frozenset[str]) -> dict[str, Doubt]:
    found: dict[str, Doubt] = {}
    for one in value.items():
        read = one.fields(("id", "name", "why", "when"), ("unless",))
        name = _text(read, "id")
        if name in found:
            one.wrong(f"“{name}”写了两次，请合并")
        when = _when(read["when"], known)[0] if "when" in read else When()
        unless = _when(read["unless"], known)[0] if "unless" in read else None
        found[name] = Doubt(name, _text(read, "name"), _text(read, "why"), when, unless)
    return found


def _text(read: Mapping[str, Value], key: str) -> str:
    return read[key].text() if key in read else ""


def _rule(value: Value, known: frozenset[str], doubts: Mapping[str, Doubt]) -> RepairRule:
    read = value.fields(RULE_KEYS, ("steps", "effect"))
    basis, citation = _cited(read)
    classes = tuple(_class(one, known, doubts) for one in read["classes"].items()) if "classes" in read else ()
    if "classes" in read and (not classes or not classes[-1].test.is_always):
        read["classes"].wrong(f"最后一档的条件应为 {ALWAYS}，否则有的记录不属于任何一档")
    if any(one.test.is_always for one in classes[:-1]):
        read["classes"].wrong(f"只有最后一档的条件可以是 {ALWAYS}，后面的各档不会用到")
    return RepairRule(
        id=_text(read, "id"),
        title=_text(read, "title"),
        in_effect=read_span(read["effective"]) if "effective" in read else DateSpan(),
        covers=_kinds(read.get("covers")),
        counted_from=read["counted_from"].one_of(CountedFrom) if "counted_from" in read else CountedFrom.DECISION_DATE,
        classes=classes,
        ends_by_itself=read["ends_by_itself"].one_of(Ending) if "ends_by_itself" in read else Ending.ALWAYS,
        conditions=tuple(one.one_of(Condition) for one in read["conditions"].items()) if "conditions" in read else (),
        basis=basis,
        citation=citation,
        steps=tuple(_step(one) for one in read["steps"].items()) if "steps" in read else (),
        effect=_text(read, "effect"),
    )


def _class(value: Value, known: frozenset[str], doubts: Mapping[str, Doubt]) -> RepairClass:
    read = value.fields(CLASS_KEYS, ("published",))
    when, keys = _when(read["when"], known, ("or_unknown",)) if "when" in read else (When(), {})
    shortest, longest = (
        read[key].whole(most=MOST_MONTHS) if key in read else 0 for key in ("shortest_months", "longest_months")
    )
    if shortest > longest:
        value.wrong(f"最短公示期{shortest}个月比最长公示期{longest}个月还长")
    published = read["published"].one_of(Published) if "published" in read else Published.NORMALLY
    return RepairClass(
        id=_text(read, "id"),
        name=_text(read, "name"),
        test=when,
        shortest_months=shortest,
        longest_months=longest,
        doubts=_named(keys.get("or_unknown"), doubts),
        is_normally_published=published is Published.NORMALLY,
    )


def _named(value: Value | None, doubts: Mapping[str, Doubt]) -> tuple[Doubt, ...]:
    found = []
    for one in value.items() if value is not None else ():
        if one.text() in doubts:
            found.append(doubts[one.text()])
        else:
            one.wrong(f"doubts 中没有“{one.text()}”，可用：{'、'.join(doubts) or '无'}")
    return tuple(found)


def _step(value: Value) -> ProcedureStep:
    read = value.fields(("who", "what", "working_days"))
    days = read["working_days"].whole(least=1, most=MOST_MONTHS) if "working_days" in read else 1
    return ProcedureStep(_text(read, "who"), _text(read, "what"), days)


def _elsewhere(value: Value) -> Elsewhere:
    read = value.fields(("domains", "from", "source"), ("note", "second_hand"))
    citation = Citation(
        _text(read, "source"),
        note=_text(read, "note"),
        second_hand="second_hand" in read and read["second_hand"].flag(),
    )
    from_date = read["from"].day() if "from" in read else date.min
    return Elsewhere(_words(read.get("domains")), from_date, citation)


def _check_stretches(rules: tuple[RepairRule, ...], place: Value) -> None:
    """The stretches follow each other without a hole and without an overlap; only the last is open."""
    for one, other in pairwise(rules):
        until, begins = one.in_effect.until_date, other.in_effect.from_date
        if until is None or begins is None or until + ONE_DAY != begins:
            place.wrong(f"规则“{one.id}”和“{other.id}”的施行日期没有首尾相接，请核对 effective")
    if rules and rules[-1].in_effect.until_date is not None:
        place.wrong(f"最后一段规则“{rules[-1].id}”不能有截止日期：以后的日子没有规则可用")
    names = [rule.id for rule in rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        place.wrong(f"规则编号“{name}”写了两次")
