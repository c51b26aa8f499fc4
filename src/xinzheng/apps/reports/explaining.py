"""Explaining (说明): every finding of a report with its clause and where that stands, as the report was issued.

What nobody may be told of is not in it: findings that hide are not kept with a report.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.core.decision import CHINA
from xinzheng.core.lifecycle import STATUS_WORDS


@dataclass(frozen=True, slots=True)
class DomainExplanation:
    """A domain's or section's answer as printed, and who did not deliver."""

    code: str
    name: str
    result: str
    text: str
    data_as_of: str | None
    missing_units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingExplanation:
    """A record weighed (逐条认定): what it is, its effect, by which clause, and where and how that is said.

    ``basis`` is ``statute`` where the source says so itself, ``judgement`` where it was inferred; ``note`` then says
    why. ``section`` and ``quote`` are empty where the source has none.
    """

    record: str
    domain: str
    domain_name: str
    document_number: str
    organ: str
    decision_date: str | None
    effect: str
    marks: tuple[str, ...]
    clause: str
    reason: str
    source: str
    section: str
    quote: str
    basis: str
    note: str


@dataclass(frozen=True, slots=True)
class StatusExplanation:
    """A step in a report's life, since when it holds, and why."""

    status: str
    words: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that made a report what it is (报告说明)."""

    number: str
    title: str
    policy: str
    policy_sha256: str
    as_of: str
    position: int
    outcome: str
    conclusion: str
    domains: tuple[DomainExplanation, ...]
    other: tuple[DomainExplanation, ...]
    findings: tuple[FindingExplanation, ...]
    history: tuple[StatusExplanation, ...]


def explain_report(number: str) -> Explanation:
    """Explain a report as it was issued. Raises ``unknown-report``."""
    report = report_by_number(number)
    content = json.loads(bytes(report.content))
    return Explanation(
        number=number,
        title=content["title"][0],
        policy=report.policy_id,
        policy_sha256=content["policy"]["sha256"],
        as_of=content["as_of"],
        position=report.position,
        outcome=report.outcome,
        conclusion=content["conclusion"]["text"],
        domains=tuple(_domain(row) for row in content["domains"]),
        other=tuple(_domain(row) for row in content["other"]),
        findings=tuple(_finding(found) for found in report.findings),
        history=_history(report),
    )


def _domain(row: dict[str, Any]) -> DomainExplanation:
    missing = tuple(row["missing_units"])
    return DomainExplanation(row["code"], row["name"], row["result"], row["text"], row["data_as_of"], missing)


def _finding(found: dict[str, Any]) -> FindingExplanation:
    card = found["card"]
    return FindingExplanation(
        record=found["record"],
        domain=found["domain"],
        domain_name=card["domain_name"],
        document_number=card["document_number"],
        organ=card["organ"],
        decision_date=card["decision_date"],
        effect=found["effect"],
        marks=tuple(found["marks"]),
        clause=found["clause"],
        reason=found["reason"],
        source=found["source"],
        section=found["section"] or "",
        quote=found["quote"] or "",
        basis="statute" if found["is_statute"] else "judgement",
        note=found["note"] or "",
    )


def _history(report: Report) -> tuple[StatusExplanation, ...]:
    events = StatusEvent.objects.filter(report=report).order_by("id")
    return tuple(
        StatusExplanation(e.status, STATUS_WORDS[e.status], (e.effective_at or e.at).astimezone(CHINA), e.reason)
        for e in events
    )
