"""Time stamps (时间戳) of issued reports: asked for at once or later, put in place when the file is served."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import DocumentStamp, Report, ReportDocument
from xinzheng.apps.reports.status import lock_report

UNSTAMPED, STAMPED = "report-unstamped", "report-stamped"
# A stamp proves that a signature stood at its time; one that comes later still proves little more than the log does.
WORTH_STAMPING = timedelta(days=30)
MAX_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token (时间戳令牌) that belongs to a file, who gave it and for when, and the file's digest with it in place."""

    token: bytes
    sha256: bytes
    authority: str
    stamped_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: whether anybody is to stamp at all, and the stamp if it came."""

    is_wanted: bool
    stamp: Stamp | None = None


def ask_stamp(pdf: bytes) -> Asked:
    """Ask for a signed file's stamp. An authority that is gone, or answers something else, holds no report up.

    What it answers is put into the file and examined before it is believed.
    """
    try:
        stamper = ports.stamper()
        return Asked(False) if stamper is None else Asked(True, _stamp(pdf, stamper))
    except ports.signing().StampUnavailableError:
        return Asked(True)


def _stamp(pdf: bytes, stamper: Any) -> Stamp:
    signing = ports.signing()
    token = stamper.stamp(signing.stamp_imprint(pdf))
    stamped_at = signing.stamp_time(token)
    if abs(stamped_at - timezone.now()) > MAX_SKEW:
        raise signing.StampUnavailableError("时间戳机构给出的时间与本机相差太多，没有采用。请核对两边的时钟。")
    return Stamp(token, hashlib.sha256(signing.with_token(pdf, token)).digest(), stamper.authority, stamped_at)


def note_stamp(report: Report, asked: Asked, by: str) -> None:
    """Keep the stamp, in the transaction that stores the file; a report without one waits for ``stamp_waiting``."""
    if asked.stamp is not None:
        _keep(report.number, asked.stamp, by)
    elif asked.is_wanted:
        record_event(who=by, action=UNSTAMPED, object_kind="report", object_id=report.number)


def _keep(number: str, stamp: Stamp, by: str) -> None:
    DocumentStamp.objects.create(
        report_id=number,
        token=stamp.token,
        sha256=stamp.sha256,
        authority=stamp.authority,
        stamped_at=stamp.stamped_at,
    )
    record_event(who=by, action=STAMPED, object_kind="report", object_id=number)


def waiting_for_stamp() -> QuerySet[AuditEvent, AuditEvent]:
    """The reports of late that came into force without a stamp, oldest first, as the events that say so."""
    stamped = DocumentStamp.objects.filter(report_id=OuterRef("object_id"))
    since = timezone.now() - WORTH_STAMPING
    late = AuditEvent.objects.filter(action=UNSTAMPED, object_kind="report", at__gte=since)
    return late.filter(~Exists(stamped)).order_by("id")


def stamp_waiting(most: int = 200, by: str = "system") -> int:
    """Ask for the stamps that are missing; how many came. Leaves off as soon as the authority is not there."""
    came = 0
    for number in list(waiting_for_stamp().values_list("object_id", flat=True)[:most]):
        stamp = ask_stamp(bytes(ReportDocument.objects.get(pk=number).pdf)).stamp
        if stamp is None:
            break
        with transaction.atomic():
            lock_report(number)
            if not DocumentStamp.objects.filter(pk=number).exists():
                _keep(number, stamp, by)
        came += 1
    return came


def served_pdf(document: ReportDocument) -> bytes:
    """The report's file as it is served: with its stamp in place, if it has one."""
    pdf = bytes(document.pdf)
    stamp = DocumentStamp.objects.filter(pk=document.pk).first()
    return pdf if stamp is None else bytes(ports.signing().with_token(pdf, bytes(stamp.token)))
