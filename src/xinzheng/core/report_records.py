"""Records as a report prints them (记录卡片): labels come from the packs, values from the ledger."""

from collections.abc import Mapping
from datetime import date

from xinzheng.core.conditions import Equals
from xinzheng.core.policy import Clause, Effect, Policy
from xinzheng.core.records import Procedure, Record, Standing
from xinzheng.core.sentences import say, spoken_date
from xinzheng.core.weighing import Finding

Card = dict[str, object]
DISPUTED = Equals("disputed", value=True)


def _text(content: Mapping[str, str | None], key: str) -> str | None:
    return content.get(key) or None


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def standing_text(policy: Policy, record: Record) -> str:
    """The standing of a decision (处罚状态), with the day it changed."""
    if record.standing is None:
        return policy.wording["standing_unknown"]
    words = policy.wording[f"standing_{record.standing}"]
    if record.standing is not Standing.IN_FORCE and record.standing_date is not None:
        return words + policy.wording["standing_since"].format(日期=spoken_date(record.standing_date))
    return words


def procedure_text(policy: Policy, procedure: Procedure | None) -> str:
    """The procedure (处罚程序); an unknown one is said to be unknown."""
    return policy.wording[f"procedure_{procedure or 'unknown'}"]


def clause_label(clause: Clause) -> str:
    """Where a clause stands, short."""
    return clause.citation.section or clause.citation.source


def finding_text(policy: Policy, finding: Finding) -> str:
    """本报告认定: effect, marks, reason, and where that stands."""
    marks = "".join(say(policy, "finding_mark", 注明=mark) for mark in finding.marks)
    effect = policy.wording[f"finding_{finding.effect}"].format(记录=policy.record_word)
    return f"{effect}{marks}：{finding.clause.reason}（{clause_label(finding.clause)}）"


def record_card(policy: Policy, finding: Finding, domain_name: str) -> Card:
    """One counted record in full."""
    record, content = finding.record, finding.record.content
    return {
        "kind": str(record.kind),
        "domain": record.domain,
        "domain_name": domain_name,
        "document_number": _text(content, "document_number") or policy.wording["unknown"],
        "decision_date": _day(record.window_date),
        "organ": _text(content, "organ_name") or policy.wording["unknown"],
        "procedure": procedure_text(policy, record.procedure),
        "violation": _text(content, "violation"),
        "category": _text(content, "category"),
        "facts": _text(content, "facts"),
        "basis": _text(content, "basis"),
        "content": _text(content, "content"),
        "fine": _text(content, "fine"),
        "confiscation": _text(content, "confiscation"),
        "standing": standing_text(policy, record),
        "source": _text(content, "source_name") or policy.wording["unknown"],
        "marks": list(finding.marks),
        "finding": finding_text(policy, finding),
    }


def dispute_note(policy: Policy, record: Record, day: date) -> Card:
    """What other information notes of a record under an objection (异议处理中), in the policy's own word; else nothing.

    A policy of before there were such marks notes nothing, so that its reports replay.
    """
    if not record.disputed:
        return {}
    marks = (c.mark for c in policy.clauses_on(day) if c.effect is Effect.MARKED and c.condition == DISPUTED)
    return {"note": mark} if (mark := next(marks, None)) else {}


def arrears_row(record: Record) -> Card:
    """One state of arrears (欠缴信息); amounts in 元 as the source gives them."""
    content = record.content
    return {
        "insurance": _text(content, "insurance"),
        "agency": _text(content, "organ_name"),
        "from": _text(content, "period_from"),
        "to": _text(content, "period_through"),
        "due": _money(_text(content, "due")),
        "paid": _money(_text(content, "paid")),
        "owing": _money(_text(content, "owing")),
    }


def _money(text: str | None) -> str | None:
    if text is None:
        return None
    whole, _, cents = text.partition(".")
    return f"{int(whole):,}.{(cents + '00')[:2]}" if whole.lstrip("-").isdigit() else text


def repair_card(policy: Policy, record: Record, finding: Finding | None) -> Card:
    """One repair (信用修复记录): the repaired penalty where the ledger has it, else what the repair itself says."""
    content = record.content
    if finding is None:
        reason = say(policy, "repair_without_penalty")
    else:
        key = "repair_apart" if finding.effect is Effect.LISTED_APART else "repair_counted"
        reason = say(policy, key, 依据=finding.clause.reason)
    return {
        "document_number": _text(content, "document_number")
        or _text(content, "repaired_document_number")
        or policy.wording["unknown"],
        "organ": _text(content, "organ_name") or policy.wording["unknown"],
        "decision_date": _day(record.decision_date),
        "repaired_date": _day(record.repaired_date),
        "category": _text(content, "category"),
        "fine": _text(content, "fine"),
        "reason": reason,
    }
