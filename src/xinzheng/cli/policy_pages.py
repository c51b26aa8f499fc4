"""A policy pack as a page of plain text for the terminal, and as plain facts for JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

from xinzheng.adapters.policy_files import condition_text
from xinzheng.core.policy import Basis, Choice, Citation, Clause, DateSpan, Effect, Policy, SectionCoverage

EFFECT_NAMES = {
    Effect.COUNTED: "计入",
    Effect.EXCLUDED: "不计入",
    Effect.LISTED_APART: "另行列示",
    Effect.MARKED: "计入并注明",
    Effect.UNRESOLVED: "待核实",
}
BASIS_NAMES = {Basis.STATUTE: "政策原文", Basis.JUDGEMENT: "系统理解"}


def _span(span: DateSpan) -> str:
    if span.from_date is None and span.until_date is None:
        return "一直适用"
    start = f"自{span.from_date}起" if span.from_date else ""
    return start + (f"至{span.until_date}止" if span.until_date else "")


def citation_lines(citation: Citation, basis: Basis | None, indent: str) -> list[str]:
    """Where a rule stands: basis, source and section, the quotation, the note."""
    kind = f"【{BASIS_NAMES[basis]}】" if basis else ""
    unseen = "（未见官方原文）" if citation.second_hand else ""
    lines = [f"{indent}依据{kind}{citation.source}　{citation.section}".rstrip("　") + unseen]
    lines += [f"{indent}原文：“{citation.quote}”"] if citation.quote else []
    lines += [f"{indent}说明：{citation.note}"] if citation.note else []
    return lines


def _clause_lines(number: int, clause: Clause, policy: Policy) -> list[str]:
    mark = f"，注明“{clause.mark}”" if clause.mark else ""
    hides = "，不列出也不透露" if clause.hides else ""
    dated = "" if clause.in_effect == DateSpan() else f"　{_span(clause.in_effect)}"
    return [
        f"  {number}. {clause.id}　{EFFECT_NAMES[clause.effect]}{mark}{hides}{dated}",
        f"     适用于：{condition_text(clause.condition, policy)}",
        f"     理由：{clause.reason}",
        *citation_lines(clause.citation, clause.basis, "     "),
    ]


def _choice_lines(what: str, choice: Choice) -> list[str]:
    answer = "可以选择" if choice.is_offered else "不提供选择"
    return [f"  {what}：{answer}", *citation_lines(choice.citation, choice.basis, "     ")]


def _window_text(policy: Policy) -> str:
    if policy.window.years is not None:
        return f"核查日以前{policy.window.years}年，首日和核查日都在内"
    return f"自{policy.window.since}起至核查日"


def _head(policy: Policy) -> list[str]:
    until = policy.in_effect.until_date
    lines = [
        f"{policy.title}（{policy.id}）",
        f"文号：{policy.document}　制发：{policy.issuer}　地区：{policy.jurisdiction_name}（{policy.jurisdiction}）",
        f"报告名称：{''.join(policy.report_title)}　编号前缀：{policy.number_prefix}　记录的说法：{policy.record_word}",
        f"政策包摘要：sha256 {policy.sha256}",
        "",
        f"施行：自{policy.in_effect.from_date}起{f'至{until}止' if until else '，没有规定有效期'}",
        *citation_lines(policy.in_effect_citation, policy.in_effect_basis, "     "),
    ]
    return lines + [f"  延期：{e.document}，至{e.until_date}{e.note}" for e in policy.extensions]


def _scope(policy: Policy) -> list[str]:
    lines = ["", "适用主体"]
    for served in policy.subject_kinds:
        as_kind = f"（按{served.as_kind}）" if served.as_kind else ""
        lines += [f"  {policy.wording[f'kind_{served.kind}']}{as_kind}"]
        lines += citation_lines(served.citation, served.basis, "     ")
    lines += ["", f"查询期：{_window_text(policy)}"]
    lines += citation_lines(policy.window.citation, policy.window.basis, "     ")
    lines += ["", "申请人的选择"]
    lines += _choice_lines("领域", policy.choose_domains) + _choice_lines("查询期", policy.choose_period)
    lines += ["", "用途", *_purposes(policy)]
    if policy.exceptions:
        lines += ["", "除外"]
        for exception in policy.exceptions:
            lines += citation_lines(exception, None, "     ")
    return lines


def _purposes(policy: Policy) -> Iterable[str]:
    groups: dict[str, list[str]] = {}
    for purpose in policy.purposes:
        groups.setdefault(purpose.group, []).append(purpose.name)
    return [f"  {group + '：' if group else ''}{'、'.join(names)}" for group, names in groups.items()]


def _domain_lines(policy: Policy) -> list[str]:
    claimed = f"（原文称{policy.claimed_domains}个）" if policy.claimed_domains else ""
    lines = ["", f"领域：{len(policy.domains)}个{claimed}"]
    for number, domain in enumerate(policy.domains, start=1):
        units = f"　{policy.units_word}：{domain.units_text}" if domain.units_text else ""
        lines.append(f"  {number:>2}. {domain.name}（{domain.code}）{units}")
    return lines + citation_lines(policy.domains_citation, policy.domains_basis, "     ")


def _other_lines(policy: Policy) -> list[str]:
    lines = ["", "其他核查信息（一律列出，不影响结论）"] if policy.other else []
    for section in policy.other:
        needed = "最近状态" if section.coverage is SectionCoverage.LATEST else "整个查询期"
        lines.append(
            f"  {section.name}（{section.code}）　{policy.units_word}：{section.units_text}　数据须覆盖{needed}"
        )
        lines += citation_lines(section.citation, section.basis, "     ")
    return lines


def policy_page(policy: Policy) -> str:
    """Everything a legal officer reviews, in plain Chinese text."""
    lines = _head(policy) + _scope(policy) + _domain_lines(policy)
    lines += ["", "条款（依次适用，先符合的先适用）"]
    for number, clause in enumerate(policy.clauses, start=1):
        lines += _clause_lines(number, clause, policy)
    lines += _other_lines(policy)
    lines += ["", f"时效：数据可以晚{policy.freshness_days}个工作日"]
    lines += citation_lines(policy.freshness_citation, policy.freshness_basis, "     ")
    if policy.validity is not None:
        lines += ["", f"报告有效期：出具日以后{policy.validity.days}日"]
        lines += citation_lines(policy.validity.citation, policy.validity.basis, "     ")
    lines += ["", "报告的说明", *(f"  {policy.wording[key]}" for key in policy.notes)]
    lines += ["", "用语", *(f"  {key}：{text}" for key, text in policy.wording.items())]
    lines += [f"\n注意：{text}" for text in policy.warnings]
    return "\n".join(lines)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def policy_facts(policy: Policy) -> dict[str, object]:
    """The pack as plain values; a clause's condition is given in Chinese as ``when``."""
    facts = asdict(policy)
    for clause, own in zip(facts["clauses"], policy.clauses, strict=True):
        clause["when"] = condition_text(own.condition, policy)
        del clause["condition"]
    return {key: _plain(value) for key, value in facts.items()}
