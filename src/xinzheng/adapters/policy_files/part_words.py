"""Everything a pack says besides its clauses, in words, part by part: what two packs are compared by."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from xinzheng.adapters.policy_files.condition_text import VALUE_NAMES
from xinzheng.core.policy import (
    Basis,
    Choice,
    Citation,
    DateSpan,
    Effect,
    OtherSection,
    Policy,
    SectionCoverage,
    ServedKind,
    Window,
)
from xinzheng.core.records import RecordKind

Item = TypeVar("Item")
EFFECT_NAMES = {
    Effect.COUNTED: "计入",
    Effect.EXCLUDED: "不计入",
    Effect.LISTED_APART: "另行列示",
    Effect.MARKED: "计入并注明",
    Effect.UNRESOLVED: "待核实",
}
BASIS_NAMES = {Basis.STATUTE: "政策原文", Basis.JUDGEMENT: "系统理解"}
COVERAGE_NAMES = {SectionCoverage.LATEST: "最近一期", SectionCoverage.PERIOD: "整个查询期"}

Part = Mapping[str, Mapping[str, str]]


def other_parts(policy: Policy) -> Mapping[str, Part]:
    """Part → member → aspect → words; every field of the policy but its clauses, its id and its digest.

    ``scope_text`` is the sentence ``scope`` of the wording.
    """
    return {
        "政策": {name: {"内容": text} for name, text in _facts(policy).items()},
        "适用主体": _members(policy.subject_kinds, lambda served: str(served.kind), _served),
        "用途": _members(policy.purposes, lambda one: one.code, lambda one: {"名称": one.name, "分组": one.group}),
        "领域": _members(
            policy.domains,
            lambda one: one.code,
            lambda one: {"名称": one.name, "记录类型": _kinds(one.kinds), "数源单位": one.units_text},
        ),
        "其他核查信息": _members(policy.other, lambda one: one.code, _section),
        "不能代替的情形": {f"第{n}项": {"依据": cited(one)} for n, one in enumerate(policy.exceptions, 1)},
        "说明": {key: {"位置": f"第{n}条"} for n, key in enumerate(policy.notes, 1)},
        "用语": {key: {"原文": text} for key, text in policy.wording.items()},
        "延期": {one.document: {"延至": one.until_date.isoformat(), "说明": one.note} for one in policy.extensions},
    }


def rests_on(citation: Citation, basis: Basis) -> str:
    """What a rule rests on: whether the source says so, and where."""
    return f"{BASIS_NAMES[basis]}：{cited(citation)}"


def cited(citation: Citation) -> str:
    """Source, section, its words, our note."""
    words = f"“{citation.quote}”" if citation.quote else ""
    note = f"（{citation.note}）" if citation.note else ""
    unseen = "（未见官方原文）" if citation.second_hand else ""
    return "，".join(filter(None, (citation.source, citation.section, words))) + note + unseen


def span_text(span: DateSpan) -> str:
    """From when until when; empty where it is open on both sides."""
    begins = f"自{span.from_date.isoformat()}起" if span.from_date else ""
    return begins + (f"至{span.until_date.isoformat()}止" if span.until_date else "")


def _facts(policy: Policy) -> dict[str, str]:
    in_effect = f"{span_text(policy.in_effect)}；{rests_on(policy.in_effect_citation, policy.in_effect_basis)}"
    fresh = f"{policy.freshness_days}个工作日；{rests_on(policy.freshness_citation, policy.freshness_basis)}"
    lasts = policy.validity
    return {
        "名称": policy.title,
        "报告标题": " / ".join(policy.report_title),
        "编号前缀": policy.number_prefix,
        "记录的称谓": policy.record_word,
        "单位的称谓": policy.units_word,
        "文号": policy.document,
        "制定机关": policy.issuer,
        "辖区": f"{policy.jurisdiction} {policy.jurisdiction_name}",
        "施行日期": in_effect,
        "查询期": _window(policy.window),
        "选择领域": _choice(policy.choose_domains),
        "选择查询期": _choice(policy.choose_period),
        "领域的依据": rests_on(policy.domains_citation, policy.domains_basis),
        "所称领域数": str(policy.claimed_domains or ""),
        "附件说明": policy.annex_note,
        "报送期限": fresh,
        "报告有效期": "" if lasts is None else f"{lasts.days}日；{rests_on(lasts.citation, lasts.basis)}",
    }


def _window(window: Window) -> str:
    length = f"近{window.years}年" if window.years is not None else ""
    since = f"{window.since.isoformat()}以来" if window.since else ""
    return f"{length}{since}；{rests_on(window.citation, window.basis)}"


def _choice(choice: Choice) -> str:
    return f"{'可以' if choice.is_offered else '不可以'}；{rests_on(choice.citation, choice.basis)}"


def _served(served: ServedKind) -> dict[str, str]:
    return {
        "名称": VALUE_NAMES.get(str(served.kind), ""),
        "按何种主体": served.as_kind,
        "依据": rests_on(served.citation, served.basis),
    }


def _section(section: OtherSection) -> dict[str, str]:
    return {
        "名称": section.name,
        "记录类型": _kinds((section.kind,)),
        "要求的数据": COVERAGE_NAMES[section.coverage],
        "数源单位": section.units_text,
        "依据": rests_on(section.citation, section.basis),
    }


def _kinds(kinds: Iterable[RecordKind]) -> str:
    return "、".join(VALUE_NAMES.get(str(kind), str(kind)) for kind in kinds)


def _members(
    items: Iterable[Item], code: Callable[[Item], str], words: Callable[[Item], Mapping[str, str]]
) -> dict[str, Mapping[str, str]]:
    return {code(item): words(item) for item in items}
