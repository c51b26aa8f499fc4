"""policy.yaml → Policy (政策包), strictly: every mistake of the files is listed, each with its line."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from xinzheng.adapters.policy_files.clause_reader import (
    Core,
    PlacedClause,
    read_basis,
    read_citation,
    read_clauses,
)
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import Value
from xinzheng.adapters.policy_files.reachability import check_order, check_reach
from xinzheng.adapters.policy_files.wording_keys import NOTE_KEY, read_wording, required_keys
from xinzheng.core.policy import (
    Basis,
    Choice,
    Citation,
    DateSpan,
    OtherSection,
    Policy,
    PolicyDomain,
    Purpose,
    SectionCoverage,
    ServedKind,
    Validity,
    Window,
)
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import SubjectKind

FORMAT = "xinzheng.policy/1"
# A report number is verified by its length too (``is_report_number``).
NUMBER_PREFIX = re.compile(r"[A-Z]{2}")
# Further back lie years whose working days were never announced.
MOST_WORKING_DAYS = 250
# How long each may be: a line of a report, a cell of a table.
TEXTS = {
    "id": 60, "title": 100, "number_prefix": 2, "record_word": 20, "units_word": 20, "document": 100, "issuer": 100,
}  # fmt: skip
MOST_TITLE_LINES = 3
# Of this many a report still has some pages, and the plan for whole lists some levels.
MOST_DOMAINS = 150
REQUIRED = (
    "format",
    *TEXTS,
    "report_title",
    "jurisdiction",
    "effective",
    "subject_kinds",
    "purposes",
    "exceptions",
    "window",
    "choices",
    "domains",
    "clauses",
    "other",
    "freshness",
    "notes",
    "wording",
)
Item = TypeVar("Item")


def _list_of(
    value: Value | None, read: Callable[[Value], Item], least: int = 1, most: int | None = None
) -> tuple[Item, ...]:
    if value is None:
        return ()
    items = value.items()
    if value.tag == "seq" and len(items) < least:
        value.wrong(f"此处至少要列{least}项")
    if most is not None and len(items) > most:
        value.wrong(f"此处最多列{most}项，现在有{len(items)}项")
    return tuple(read(item) for item in items)


def _unique(value: Value | None, key: str) -> None:
    """Note entries of a list that have the same ``key``."""
    seen: set[str] = set()
    for item in value.items() if value else []:
        entry = item.entries().get(key) if item.tag == "map" else None
        code = str(entry.node.value) if entry else ""
        if code in seen and entry:
            entry.wrong(f"“{code}”写了两次")
        seen.add(code)


def _served(value: Value) -> ServedKind:
    read = value.fields(("kind", "basis", "citation"), ("as_kind",))
    basis, citation = read_basis(read)
    kind = read["kind"].one_of(SubjectKind) if "kind" in read else SubjectKind.ENTERPRISE_LEGAL_PERSON
    return ServedKind(kind, citation, basis, read["as_kind"].text() if "as_kind" in read else "")


def _purpose(value: Value) -> Purpose:
    read = value.fields(("code", "name"), ("group",))
    code, name = _code_and_name(read)
    return Purpose(code, name, read["group"].text() if "group" in read else "")


def _window(value: Value | None) -> Window:
    read = value.fields(("basis", "citation"), ("years", "since")) if value else {}
    basis, citation = read_basis(read)
    if value and ("years" in read) == ("since" in read):
        value.wrong("查询期应写 years（年数）或者 since（起始日期），二者写一个")
    return Window(
        citation,
        basis,
        read["years"].whole(1, most=100) if "years" in read else None,
        read["since"].day() if "since" in read else None,
    )


def _choice(value: Value | None) -> Choice:
    read = value.fields(("offered", "basis", "citation")) if value else {}
    basis, citation = read_basis(read)
    return Choice("offered" in read and read["offered"].flag(), citation, basis)


def _domain(value: Value, kinds: tuple[RecordKind, ...]) -> PolicyDomain:
    read = value.fields(("code", "name"), ("kinds", "units"))
    own = _list_of(read.get("kinds"), lambda v: v.one_of(RecordKind)) if "kinds" in read else kinds
    code, name = _code_and_name(read)
    return PolicyDomain(code, name, own, read["units"].text() if "units" in read else "")


def _section(value: Value) -> OtherSection:
    read = value.fields(("code", "name", "kind", "coverage", "units", "basis", "citation"))
    basis, citation = read_basis(read)
    code, name = _code_and_name(read)
    units = read["units"].text() if "units" in read else ""
    kind = read["kind"].one_of(RecordKind) if "kind" in read else RecordKind.CREDIT_REPAIR
    coverage = read["coverage"].one_of(SectionCoverage) if "coverage" in read else SectionCoverage.LATEST
    return OtherSection(code, name, kind, coverage, units, citation, basis)


def _code_and_name(read: Mapping[str, Value]) -> tuple[str, str]:
    return read["code"].code() if "code" in read else "", read["name"].name() if "name" in read else ""


def _domains(value: Value | None) -> tuple[tuple[PolicyDomain, ...], dict[str, object]]:
    """The domains, and the policy's other facts about them."""
    read = value.fields(("kinds", "basis", "citation", "list"), ("claimed", "annex_note")) if value else {}
    basis, citation = read_basis(read)
    kinds = _list_of(read.get("kinds"), lambda v: v.one_of(RecordKind))
    domains = _list_of(read.get("list"), lambda v: _domain(v, kinds), most=MOST_DOMAINS)
    _unique(read.get("list"), "code")
    claimed = read["claimed"].whole(1) if "claimed" in read else None
    annex = read["annex_note"].text() if "annex_note" in read else ""
    facts = {"domains_citation": citation, "domains_basis": basis, "claimed_domains": claimed, "annex_note": annex}
    return domains, facts


def _effective(value: Value | None) -> dict[str, object]:
    read = value.fields(("from", "basis", "citation"), ("until",)) if value else {}
    basis, citation = read_basis(read)
    first, last = (read[key].day() if key in read else None for key in ("from", "until"))
    if value and first and last and first > last:
        value.wrong("起始日期晚于截止日期")
    return {"in_effect": DateSpan(first, last), "in_effect_citation": citation, "in_effect_basis": basis}


def _freshness(value: Value | None) -> dict[str, object]:
    read = value.fields(("working_days", "basis", "citation")) if value else {}
    basis, citation = read_basis(read)
    days = read["working_days"].whole(most=MOST_WORKING_DAYS) if "working_days" in read else 0
    return {"freshness_days": days, "freshness_citation": citation, "freshness_basis": basis}


def _validity(value: Value | None) -> Validity | None:
    if value is None:
        return None
    read = value.fields(("days", "basis", "citation"))
    basis, citation = read_basis(read)
    return Validity(read["days"].whole(1) if "days" in read else 1, citation, basis)


def _jurisdiction(value: Value | None) -> dict[str, object]:
    read = value.fields(("code", "name")) if value else {}
    code, name = (read[key].text() if key in read else "" for key in ("code", "name"))
    return {"jurisdiction": code, "jurisdiction_name": name}


def _choices(value: Value | None) -> dict[str, object]:
    read = value.fields(("domains", "period")) if value else {}
    return {"choose_domains": _choice(read.get("domains")), "choose_period": _choice(read.get("period"))}


def _notes(value: Value | None, wording: Mapping[str, str]) -> tuple[str, ...]:
    def key_of(item: Value) -> str:
        key = item.text()
        if key and (key not in wording or not NOTE_KEY.fullmatch(key)):
            item.wrong(f"wording 中没有说明“{key}”（说明的键以 note_ 开头）")
        return key

    return _list_of(value, key_of)


def _check_clauses(clauses: list[PlacedClause], facts: Mapping[str, object], policy_parts: "_Parts") -> None:
    check_order(clauses)
    possible = {
        "kind": frozenset(str(kind) for domain in policy_parts.domains for kind in domain.kinds),
        "domain": frozenset(domain.code for domain in policy_parts.domains),
        "subject_kind": frozenset(str(served.kind) for served in policy_parts.served),
    }
    span = facts["in_effect"]
    check_reach(clauses, span if isinstance(span, DateSpan) else DateSpan(), possible)


class _Parts:
    """The parts of a pack that others are checked against."""

    def __init__(self, read: Mapping[str, Value]) -> None:
        self.domains, self.domain_facts = _domains(read.get("domains"))
        self.served = _list_of(read.get("subject_kinds"), _served)
        self.other = _list_of(read.get("other"), _section, least=0)
        for key, code in (("subject_kinds", "kind"), ("other", "code"), ("purposes", "code")):
            _unique(read.get(key), code)
        _check_apart(read.get("other"), self.other, self.domains)

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(domain.code for domain in self.domains)


def _check_apart(value: Value | None, sections: tuple[OtherSection, ...], domains: tuple[PolicyDomain, ...]) -> None:
    """Note sections that take records or the code away from a domain: theirs never count (``decide``)."""
    kinds, codes = {kind for domain in domains for kind in domain.kinds}, {domain.code for domain in domains}
    for item, section in zip(value.items() if value else (), sections, strict=True):
        if section.kind in kinds:
            item.wrong(f"“{section.kind}”是 domains 核查的记录，不能又是其他核查信息：列在这里的不影响结论")
        if section.code in codes:
            item.wrong(f"“{section.code}”已是领域的代码，请另定 code")


def _check_since(value: Value | None, facts: Mapping[str, object]) -> None:
    """Note a window that begins after the policy: every record would lie before it."""
    window, span = facts["window"], facts["in_effect"]
    since = window.since if isinstance(window, Window) else None
    begins = span.from_date if isinstance(span, DateSpan) else None
    if value and since and begins and since > begins:
        value.wrong("查询期的起始日期（since）晚于政策施行日期")


def _warnings(policy_parts: _Parts, clauses: list[PlacedClause]) -> tuple[str, ...]:
    facts, named = policy_parts.domain_facts, len(policy_parts.domains)
    warnings = []
    claimed, annex = facts["claimed_domains"], facts["annex_note"]
    if isinstance(claimed, int) and claimed != named:
        tail = f"；{annex}" if annex else ""
        warnings.append(f"称{claimed}个领域，列明{named}个{tail}（相差{claimed - named}个）")
    unseen = [item.clause.id for item in clauses if item.clause.citation.second_hand]
    if unseen:
        warnings.append(f"有{len(unseen)}条条款的来源未见官方原文（second_hand）：{'、'.join(unseen)}")
    return tuple(warnings)


def read_policy(root: Value, core: Core, mistakes: Mistakes, sha256: str) -> Policy:
    """The policy of a read file; raises PolicyError listing every mistake."""
    read = root.fields(REQUIRED, ("validity",))
    if root.tag != "map":
        mistakes.refuse()
    if "format" in read and read["format"].text() != FORMAT:
        read["format"].wrong(f"format 应为 {FORMAT}")
    parts = _Parts(read)
    clauses = read_clauses(read["clauses"], core, parts.codes) if "clauses" in read else []
    facts: dict[str, object] = {key: read[key].text(most) if key in read else "" for key, most in TEXTS.items()}
    _check_names(read)
    facts |= _effective(read.get("effective")) | _freshness(read.get("freshness")) | parts.domain_facts
    facts |= _jurisdiction(read.get("jurisdiction")) | _choices(read.get("choices"))
    keys = required_keys((str(s.kind) for s in parts.served), (s.code for s in parts.other))
    wording = read_wording(read["wording"], core.wording, keys) if "wording" in read else {}
    facts |= {
        "report_title": _list_of(read.get("report_title"), Value.name, most=MOST_TITLE_LINES),
        "purposes": _list_of(read.get("purposes"), _purpose),
        "exceptions": _list_of(read.get("exceptions"), _exception, least=0),
        "window": _window(read.get("window")),
        "validity": _validity(read.get("validity")),
        "notes": _notes(read.get("notes"), wording),
    }
    _check_since(read.get("window"), facts)
    _check_clauses(clauses, facts, parts)
    mistakes.refuse()
    return Policy(
        **facts,  # type: ignore[arg-type]  # every value was read by the reader of its own key
        subject_kinds=parts.served,
        domains=parts.domains,
        other=parts.other,
        clauses=tuple(item.clause for item in clauses),
        wording=wording,
        scope_text=wording["scope"],
        sha256=sha256,
        warnings=_warnings(parts, clauses),
    )


def _check_names(read: Mapping[str, Value]) -> None:
    """Note an id that no address can hold, and a prefix under which no report could be verified."""
    if "id" in read and read["id"].tag == "str":
        read["id"].code()
    prefix = read.get("number_prefix")
    if prefix and prefix.tag == "str" and prefix.node.value and not NUMBER_PREFIX.fullmatch(str(prefix.node.value)):
        prefix.wrong("报告编号的前缀应为两个大写字母，否则报告不能核验")


def _exception(value: Value) -> Citation:
    return read_citation(value, Basis.STATUTE)
