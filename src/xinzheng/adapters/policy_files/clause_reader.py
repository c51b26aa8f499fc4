"""Citations and clauses (依据、条款) in a pack, and the rules of core.yaml that stand in every pack."""

from collections.abc import Mapping
from dataclasses import dataclass

from xinzheng.adapters.policy_files.condition_reader import read_condition
from xinzheng.adapters.policy_files.nodes import Value
from xinzheng.core.conditions import Condition
from xinzheng.core.policy import Basis, Citation, Clause, DateSpan, Effect

ALWAYS = "always"
CLAUSE_REQUIRED = ("id", "effect", "when", "reason", "basis", "citation")
CLAUSE_OPTIONAL = ("effective", "mark", "hides")


@dataclass(frozen=True, slots=True)
class PlacedClause:
    """A clause with the place it is written at (a core rule: where the pack uses it)."""

    clause: Clause
    place: Value


def read_citation(value: Value, basis: Basis | None) -> Citation:
    """Where a rule stands; a statute needs the source's words, a judgement the reason in ``note``."""
    read = value.fields(("source",), ("section", "quote", "note", "second_hand"))
    citation = Citation(
        source=read["source"].text() if "source" in read else "",
        section=read["section"].text() if "section" in read else "",
        quote=read["quote"].text() if "quote" in read else "",
        note=read["note"].text() if "note" in read else "",
        second_hand="second_hand" in read and read["second_hand"].flag(),
    )
    if basis is Basis.STATUTE and "quote" not in read:
        value.wrong("政策原文（statute）必须引用原文，请补 quote")
    if basis is Basis.JUDGEMENT and "note" not in read:
        value.wrong("系统理解（judgement）必须说明理由，请补 note")
    return citation


def read_basis(read: Mapping[str, Value]) -> tuple[Basis, Citation]:
    """The keys ``basis`` and ``citation`` of a rule."""
    basis = read["basis"].one_of(Basis) if "basis" in read else None
    citation = read_citation(read["citation"], basis) if "citation" in read else Citation("")
    return basis or Basis.JUDGEMENT, citation


def read_span(value: Value) -> DateSpan:
    """``{from, until}``, both days included, at least one of them."""
    read = value.fields((), ("from", "until"))
    span = DateSpan(
        read["from"].day() if "from" in read else None,
        read["until"].day() if "until" in read else None,
    )
    if not read:
        value.wrong("起止日期至少要写一个（from、until）")
    if span.from_date and span.until_date and span.from_date > span.until_date:
        value.wrong("起始日期晚于截止日期")
    return span


def _read_when(value: Value, domains: frozenset[str]) -> Condition | None:
    if value.tag == "str" and value.text() == ALWAYS:
        return None
    return read_condition(value, domains)


def read_clause(value: Value, domains: frozenset[str]) -> Clause:
    """One clause, written out in full."""
    read = value.fields(CLAUSE_REQUIRED, CLAUSE_OPTIONAL)
    basis, citation = read_basis(read)
    clause = Clause(
        id=read["id"].code() if "id" in read else "",
        effect=read["effect"].one_of(Effect) if "effect" in read else Effect.COUNTED,
        condition=_read_when(read["when"], domains) if "when" in read else None,
        reason=read["reason"].text() if "reason" in read else "",
        citation=citation,
        basis=basis,
        in_effect=read_span(read["effective"]) if "effective" in read else DateSpan(),
        mark=read["mark"].name() if "mark" in read else None,
        hides="hides" in read and read["hides"].flag(),
    )
    _check_clause(clause, value)
    return clause


def _check_clause(clause: Clause, place: Value) -> None:
    if clause.effect is Effect.MARKED and not clause.mark:
        place.wrong("注明（marked）的条款必须写明注明的字样 mark")
    if clause.mark and clause.effect not in (Effect.MARKED, Effect.COUNTED):
        place.wrong("只有计入（counted）或者注明（marked）的条款可以有 mark")
    if clause.hides and clause.effect is not Effect.EXCLUDED:
        place.wrong("依法不得提供（hides）的条款，认定必须是 excluded")


@dataclass(frozen=True, slots=True)
class Core:
    """What core.yaml holds for every pack: rules by id, each read by the pack that uses it, and shared sentences."""

    rules: Mapping[str, Value]
    wording: Value | None = None


def read_core(root: Value | None) -> Core:
    """The rules and sentences of core.yaml."""
    if root is None:
        return Core({})
    read = root.fields(("format", "rules", "wording"))
    if "format" in read and read["format"].text() != "xinzheng.core/1":
        read["format"].wrong("format 应为 xinzheng.core/1")
    rules: dict[str, Value] = {}
    for rule in read["rules"].items() if "rules" in read else []:
        found = rule.entries().get("id")
        if found is None:
            rule.wrong("缺少必需的键“id”")
        elif found.text() in rules:
            found.wrong(f"规则“{found.text()}”写了两次")
        else:
            rules[found.text()] = rule
    return Core(rules, read.get("wording"))


def read_clauses(value: Value, core: Core, domains: frozenset[str]) -> list[PlacedClause]:
    """The ordered clauses of a pack; ``{use: id}`` stands for a rule of core.yaml."""
    placed = []
    for entry in value.items():
        keys = entry.entries()
        if "use" not in keys:
            placed.append(PlacedClause(read_clause(entry, domains), entry))
            continue
        name = entry.fields(("use",))["use"].text()
        if name not in core.rules:
            keys["use"].wrong(f"core.yaml 中没有规则“{name}”，可用：{'、'.join(core.rules) or '无'}")
            continue
        placed.append(PlacedClause(read_clause(core.rules[name], domains), entry))
    return placed
