"""Changing a report's status (报告状态): the only place that does, once there is a document."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log import add_leaf
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import status_leaf
from xinzheng.core.lifecycle import REASON_WORDS, ReportStatus, RevocationReason, check_transition, is_report_number


@dataclass(frozen=True, slots=True)
class Why:
    """Why a status changes (变更原因): in words for subject and office, as a code, by which entry, since when."""

    reason: str = ""
    code: str = ""
    caused_by: int | None = None
    effective_at: datetime | None = None


def change_status(report: Report, status: ReportStatus, by: str, why: Why) -> StatusEvent:
    """Add the event, its leaf and its trace in one transaction.

    Raises ``report-transition-illegal`` where the status may not follow the present one.
    """
    with transaction.atomic():
        lock_report(report.number)
        present = StatusEvent.objects.filter(report=report).latest("id")
        check_transition(ReportStatus(present.status), status)
        now = timezone.now()
        event = StatusEvent.objects.create(
            report=report,
            status=status,
            reason=why.reason,
            reason_code=why.code,
            caused_by=why.caused_by,
            effective_at=why.effective_at,
            actor=by,
            at=now,
        )
        add_leaf(data=status_leaf(bytes(report.digest), status, now), kind="status", object_id=report.number)
        record_event(who=by, action=f"report-{status}", object_kind="report", object_id=report.number)
    return event


def revoke_report(number: str, reason: RevocationReason, by: str) -> StatusEvent:
    """Revoke a report (作废). Raises ``unknown-report``, or ``report-transition-illegal`` where it is so already."""
    report = Report.objects.filter(number=number).first() if is_report_number(number) else None
    if report is None:
        raise XinzhengError(f"没有编号为“{number}”的报告，请核对编号。", code="unknown-report")
    return change_status(report, ReportStatus.REVOKED, by, Why(REASON_WORDS[reason], reason))


def lock_report(number: str) -> None:
    """Let one transaction at a time change a report's status."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"report:{number}"])
