"""Decisions and requests as plain values: for the command line, for keeping, for the subject's page."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import rfc8785

from xinzheng.core.coverage import Gap
from xinzheng.core.decision import Decision, DomainResult, OtherResult, Request
from xinzheng.core.policy import Basis, Policy
from xinzheng.core.report import result_sentence, section_word
from xinzheng.core.report_records import record_card
from xinzheng.core.weighing import Finding

Json = dict[str, Any]


def canonical_bytes(content: Mapping[str, object]) -> bytes:
    """The content in the one form that is digested and attached (RFC 8785)."""
    return rfc8785.dumps(cast("Any", content))


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def request_to_json(request: Request) -> Json:
    """The request with every default left open."""
    return {
        "domains": list(request.domains) if request.domains is not None else None,
        "from": _day(request.from_date),
        "to": _day(request.to_date),
        "purpose": request.purpose,
    }


def request_from_json(value: Mapping[str, Any]) -> Request:
    """The request that ``request_to_json`` wrote."""
    return Request(
        tuple(value["domains"]) if value["domains"] is not None else None,
        date.fromisoformat(value["from"]) if value["from"] else None,
        date.fromisoformat(value["to"]) if value["to"] else None,
        value["purpose"],
    )


def _gap(gap: Gap) -> Json:
    return {
        "unit": gap.unit,
        "name": gap.unit_name,
        "kind": gap.kind,
        "reason": str(gap.reason),
        "through": _day(gap.through),
        "lines": gap.lines,
    }


def _result(policy: Policy, result: DomainResult | OtherResult, word: str, found: int) -> Json:
    return {
        "code": result.code,
        "name": result.name,
        "result": str(result.result),
        "text": result_sentence(policy, result, word, found),
        "data_as_of": _day(result.data_as_of),
        "missing_units": sorted({gap.unit_name for gap in result.gaps}),
        "gaps": [_gap(gap) for gap in result.gaps],
    }


def finding_to_json(policy: Policy, finding: Finding) -> Json:
    """One finding with its reason, citation and the record as it would be printed."""
    citation = finding.clause.citation
    names = {d.code: d.name for d in policy.domains}
    return {
        "record": finding.record.id,
        "domain": finding.record.domain,
        "kind": str(finding.record.kind),
        "effect": str(finding.effect),
        "clause": finding.clause.id,
        "marks": list(finding.marks),
        "reason": finding.clause.reason,
        "source": citation.source,
        "section": citation.section,
        "quote": citation.quote,
        "note": citation.note,
        "is_statute": finding.clause.basis is Basis.STATUTE,
        "card": record_card(policy, finding, names.get(finding.record.domain, finding.record.domain)),
    }


def findings_to_json(policy: Policy, decision: Decision) -> list[Json]:
    """All findings but those nobody may be told of."""
    return [finding_to_json(policy, finding) for finding in decision.findings if not finding.hides]


def decision_to_json(policy: Policy, decision: Decision, position: int) -> Json:
    """The answer of ``xinzheng decide --json`` (design §13)."""
    return {
        "outcome": str(decision.outcome),
        "domains": [_result(policy, d, policy.record_word, d.counted) for d in decision.domains],
        "other": [_result(policy, o, section_word(policy, o.code), len(o.records)) for o in decision.other],
        "findings": findings_to_json(policy, decision),
        "policy": {"id": decision.policy_id, "sha256": decision.policy_sha256},
        "as_of": decision.as_of.isoformat(),
        "position": position,
        "period": {"from": _day(decision.period.from_date), "to": _day(decision.period.to_date)},
        "clipped": decision.is_clipped,
    }
