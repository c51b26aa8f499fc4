"""Whether the log tells of every report what the register tells (报告与日志核对), and nothing else."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log import add_leaf
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.trusting import current_trust
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import issued_leaf, status_leaf
from xinzheng.core.lifecycle import ReportStatus

# A leaf and its row are written together; what a signature and a stamp take lies between their times.
APART = timedelta(minutes=10)
LOGGED = (ReportStatus.IN_FORCE, ReportStatus.SUPERSEDED, ReportStatus.REVOKED, ReportStatus.EXPIRED)

# Every leaf of a report beside the event it should tell, each missing the other at times.
COMPARED = """
    WITH told AS (
        SELECT leaf.id, leaf.object_id, convert_from(leaf.data, 'UTF8')::jsonb AS said,
            CASE leaf.kind WHEN 'issued' THEN %(in_force)s
                ELSE convert_from(leaf.data, 'UTF8')::jsonb ->> 'status' END AS status
        FROM audit_logleaf leaf WHERE leaf.kind IN ('issued', 'status')
    ), happened AS (
        SELECT event.id, event.report_id, event.status, event.at, report.digest
        FROM reports_statusevent event JOIN reports_report report ON report.number = event.report_id
        WHERE event.status = ANY(%(logged)s)
    )
    SELECT coalesce(happened.report_id, told.object_id), coalesce(happened.status, told.status),
        happened.id IS NULL, told.id IS NULL,
        encode(happened.digest, 'hex') = told.said ->> 'digest',
        abs(extract(epoch FROM happened.at - (told.said ->> 'at')::timestamptz)) <= %(seconds)s
    FROM happened FULL JOIN told ON told.object_id = happened.report_id AND told.status = happened.status
    WHERE happened.id IS NULL OR told.id IS NULL OR encode(happened.digest, 'hex') <> told.said ->> 'digest'
        OR abs(extract(epoch FROM happened.at - (told.said ->> 'at')::timestamptz)) > %(seconds)s
    ORDER BY 1, 2
"""
FILES = """
    SELECT document.report_id, document.pdf, convert_from(leaf.data, 'UTF8')::jsonb ->> 'file'
    FROM reports_reportdocument document
    JOIN audit_logleaf leaf ON leaf.object_id = document.report_id AND leaf.kind = 'issued'
    WHERE document.report_id > %s ORDER BY document.report_id LIMIT %s
"""
FILES_AT_ONCE = 50
UNLOGGED = """
    SELECT event.id FROM reports_statusevent event
    WHERE event.status = ANY(%(logged)s) AND NOT EXISTS (
        SELECT 1 FROM audit_logleaf leaf WHERE leaf.object_id = event.report_id
        AND CASE leaf.kind WHEN 'issued' THEN event.status = %(in_force)s
            ELSE leaf.kind = 'status' AND convert_from(leaf.data, 'UTF8')::jsonb ->> 'status' = event.status END
    ) ORDER BY event.id
"""
VALUES: dict[str, str | float | list[str] | None] = {
    "in_force": str(ReportStatus.IN_FORCE),
    "logged": [str(status) for status in LOGGED],
    "seconds": APART.total_seconds(),
}


def check_reports() -> list[str]:
    """In Chinese, what log and register do not say alike: back-dated, withdrawn in silence, or never logged."""
    with connection.cursor() as cursor:
        cursor.execute(COMPARED, VALUES)
        return [_said(*row) for row in cursor.fetchall()]


def check_files() -> list[str]:
    """In Chinese, which stored files are not those that the log tells of; reads every file."""
    faults, last = [], ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(FILES, [last, FILES_AT_ONCE])
            rows = cursor.fetchall()
        faults += [f"报告{number}：存档的文件与日志所记不同。" for number, pdf, file in rows if _signed(pdf) != file]
        if len(rows) < FILES_AT_ONCE:
            return faults
        last = rows[-1][0]


def _signed(pdf: memoryview) -> str | None:
    try:
        digest: bytes = ports.signing().signed_digest(bytes(pdf))
    except XinzhengError:
        return None
    return digest.hex()


def add_missing_leaves(by: str) -> int:
    """Log what was issued or changed before there was a log; how many leaves. Their places tell when they came."""
    with connection.cursor() as cursor:
        cursor.execute(UNLOGGED, VALUES)
        ids = [event_id for (event_id,) in cursor.fetchall()]
    for event_id in ids:
        _add_leaf_of(event_id, by)
    return len(ids)


def _said(number: str, status: str, has_no_event: bool, has_no_leaf: bool, *same: bool | None) -> str:
    what = f"报告{number}（{status}）"
    if has_no_event:
        return f"{what}：日志里有，登记里没有，登记被改动过。"
    if has_no_leaf:
        return f"{what}：登记里有，日志里没有；日志启用之前的，请运行 xinzheng log add-missing。"
    return f"{what}：日志与登记的{'时间' if same[0] else '摘要'}不同。"


def _add_leaf_of(event_id: int, by: str) -> None:
    event = StatusEvent.objects.select_related("report").get(pk=event_id)
    report, status = event.report, ReportStatus(event.status)
    kind, data = _leaf(report, status, event.at)
    with transaction.atomic():
        add_leaf(data=data, kind=kind, object_id=report.number)
        record_event(who=by, action="report-logged-late", object_kind="report", object_id=report.number)


def _leaf(report: Report, status: ReportStatus, at: datetime) -> tuple[str, bytes]:
    if status is not ReportStatus.IN_FORCE:
        return "status", status_leaf(bytes(report.digest), status, at)
    signing, pdf = ports.signing(), bytes(report.document.pdf)
    # The time in the signature, so that who has the file finds the leaf.
    signed_at = signing.check_pdf(pdf, current_trust()).signed_at or at
    return "issued", issued_leaf(bytes(report.digest), signing.signed_digest(pdf), signed_at)
