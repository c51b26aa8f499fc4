"""Reading reports: lists, one report as its subject sees it, its file."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from xinzheng.apps.reports.models import Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.apps.reports.stamping import served_pdf
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import STATUS_WORDS as STATUS_WORDS  # noqa: PLC0414  # the pages read it here
from xinzheng.core.sentences import spoken_date

EFFECT_WORDS = {
    "counted": "计入",
    "marked": "计入",
    "excluded": "没有计入",
    "listed_apart": "单独列示",
    "unresolved": "待核实",
}
EFFECT_SENTENCES = {
    "counted": "这条记录计入，因为{reason}。",
    "marked": "这条记录计入，并且注明，因为{reason}。",
    "excluded": "这条记录没有计入，因为{reason}。",
    "listed_apart": "这条记录没有计入，单独列在这里，因为{reason}。",
    "unresolved": "这条记录待核实，因为{reason}。",
}


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report in a list."""

    number: str
    policy_id: str
    policy_title: str
    report_title: str
    as_of: datetime
    outcome: str
    conclusion: str
    purpose: str
    status: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as its subject reads it (逐条认定); ``record`` and ``clause`` are for links, not to be read."""

    effect: str
    effect_word: str
    title: str
    domain_name: str
    facts: list[tuple[str, str]]
    sentence: str
    quote: str
    note: str
    citation: str
    is_statute: bool
    marks: list[str]
    record: int
    clause: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """A step in a report's life."""

    at: datetime
    status: str
    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """One report as its subject sees it; ``pack`` is the digest of the pack it was decided by."""

    number: str
    subject_id: int
    policy_id: str
    content: dict[str, Any]
    outcome: str
    status: str
    status_words: str
    status_events: list[StatusView]
    findings: list[FindingView]
    has_document: bool
    pack: bytes


def _with_status() -> QuerySet[Report, Report]:
    last = StatusEvent.objects.filter(report=OuterRef("pk")).order_by("-id").values("status")[:1]
    return Report.objects.annotate(status=Subquery(last))


def reports_of(subject_id: int) -> list[ReportRow]:
    """A subject's reports, newest first."""
    return [_report_row(report) for report in _with_status().filter(subject_id=subject_id).order_by("-created_at")]


def reports_before(subject_id: int, before: str | None, limit: int) -> list[ReportRow]:
    """A page of a subject's reports, newest first: those made before the one with this number, or the newest.

    Raises ``unknown-report`` where the subject has no report of this number.
    """
    found = _with_status().filter(subject_id=subject_id)
    if before is not None:
        last = report_by_number(before)
        if last.subject_id != subject_id:
            raise XinzhengError(f"没有编号为“{before}”的报告，请核对编号。", code="unknown-report")
        earlier = Q(created_at__lt=last.created_at)
        found = found.filter(earlier | Q(created_at=last.created_at, number__lt=last.number))
    return [_report_row(report) for report in found.order_by("-created_at", "-number")[:limit]]


def _report_row(report: Report) -> ReportRow:
    content = json.loads(bytes(report.content))
    return ReportRow(
        report.number,
        report.policy_id,
        content["policy"]["document_title"],
        content["title"][0],
        report.as_of,
        report.outcome,
        content["conclusion"]["text"],
        content["scope"]["purpose"],
        report.status,  # type: ignore[attr-defined]  # annotated
    )


def current_status(number: str) -> str:
    """The status of a report by its last event."""
    return str(StatusEvent.objects.filter(report_id=number).latest("id").status)


def _finding_view(finding: dict[str, Any]) -> FindingView:
    card = finding["card"]
    labelled = (
        ("处罚机关", card["organ"]),
        ("决定书文号", card["document_number"]),
        ("决定日期", spoken_date(date.fromisoformat(card["decision_date"])) if card["decision_date"] else None),
        ("处罚程序", card["procedure"]),
        ("处罚类别", card["category"]),
        ("处罚内容", card["content"]),
        ("处罚状态", card["standing"]),
    )
    return FindingView(
        finding["effect"],
        EFFECT_WORDS[finding["effect"]],
        card["violation"] or card["document_number"],
        card["domain_name"],
        [(label, value) for label, value in labelled if value],
        EFFECT_SENTENCES[finding["effect"]].format(reason=finding["reason"]),
        finding["quote"],
        finding["note"],
        "，".join(part for part in (finding["source"], finding["section"]) if part),
        finding["is_statute"],
        finding["marks"],
        int(finding["record"]),
        finding["clause"],
    )


def report_view(number: str) -> ReportView:
    """Everything the subject may see of a report. Raises ``unknown-report``."""
    report = report_by_number(number)
    events = [
        StatusView(e.at, e.status, STATUS_WORDS[e.status], e.reason) for e in report.status_events.order_by("-id")
    ]
    return ReportView(
        number,
        report.subject_id,
        report.policy_id,
        json.loads(bytes(report.content)),
        report.outcome,
        events[0].status,
        events[0].words,
        events,
        [_finding_view(finding) for finding in report.findings],
        ReportDocument.objects.filter(pk=number).exists(),
        bytes(report.pack_id),
    )


def report_pdf(number: str) -> bytes:
    """The signed file, stamped once it is. Raises ``unknown-report``, or ``report-not-finished`` while it has none."""
    report = report_by_number(number)
    document = ReportDocument.objects.filter(report=report).first()
    if document is None:
        raise XinzhengError("报告正在签发，文件尚未生成，请稍后再试。", code="report-not-finished")
    return served_pdf(document)
