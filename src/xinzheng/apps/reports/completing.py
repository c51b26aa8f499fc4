"""Completing a prepared report (签发): render, sign, stamp, store; resume what was left, void what cannot be."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from psycopg import Cursor

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log import add_leaf
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.preparing import long_code
from xinzheng.apps.reports.stamping import ask_stamp, note_stamp
from xinzheng.apps.reports.status import lock_report
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import issued_leaf
from xinzheng.core.lifecycle import ReportStatus

# What no second attempt can mend: the content itself cannot be set. Everything else may pass.
FINAL = frozenset({"content-invalid", "glyph-missing", "render-failed"})
STORE_FILE = "INSERT INTO reports_reportdocument (report_id, pdf, sha256) VALUES (%s, %b, %b)"


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A report's file as signed, and the time that stands in the signature."""

    pdf: bytes
    signed_at: datetime


def complete_report(report: Report, by: str, pdf: bytes | None = None) -> Report:
    """Render, sign and store a prepared report; one that has its file already is left as it is.

    ``pdf``: the report as it was rehearsed a moment ago. Without it, it is rendered from what was written down when the
    number was taken, which gives the same bytes.
    Raises ``report-voided`` for one that was given up, ``signing-unavailable`` while the key is out of reach.
    """
    if pdf is None and _is_finished(report):
        return report
    signed = _sign(pdf or _render(report))
    asked = ask_stamp(signed.pdf)
    with transaction.atomic():
        lock_report(report.number)
        if not _is_finished(report):
            _store(report, signed, by)
            note_stamp(report, asked, by)
    return report


def _render(report: Report) -> bytes:
    text = ports.signing().qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    _rehearse_with_other_faces(report, text)
    pdf: bytes = ports.renderer().render_report(bytes(report.content), text, ports.fonts())
    return pdf


def _sign(pdf: bytes) -> SignedFile:
    keyring, now = ports.keyring(), timezone.now().replace(microsecond=0)
    return SignedFile(ports.signing().sign_pdf(pdf, keyring.signer, now, keyring.evidence(now)), now)


def _rehearse_with_other_faces(report: Report, text: str) -> None:
    """A report that was prepared with other faces than there are now is read back once more.

    Raises ``faces-changed`` if these cannot show it: the faces of then may come back, so nothing is given up.
    """
    if report.setting.get("faces") in (None, ports.faces()):
        return
    try:
        ports.renderer().rehearse(bytes(report.content), text, ports.fonts())
    except XinzhengError as error:
        words = f"报告{report.number}准备时所用的字体与现在的不同，现在的字体不能排印：{error.message}"
        raise XinzhengError(words, code="faces-changed") from error


def _store(report: Report, signed: SignedFile, by: str) -> None:
    _store_file(report.number, signed.pdf)
    StatusEvent.objects.create(report=report, status=ReportStatus.IN_FORCE, actor=by)
    leaf = issued_leaf(bytes(report.digest), ports.signing().signed_digest(signed.pdf), signed.signed_at)
    add_leaf(data=leaf, kind="issued", object_id=report.number)
    record_event(who=by, action="report-issued", object_kind="report", object_id=report.number)


def _store_file(number: str, pdf: bytes) -> None:
    """Write the file as it is; Django would send it as a text of twice its length."""
    with connection.wrap_database_errors:
        Cursor(connection.connection).execute(STORE_FILE, (number, pdf, hashlib.sha256(pdf).digest()))


def _is_finished(report: Report) -> bool:
    """Whether it is in force already; raises ``report-voided`` for one that was given up."""
    known = set(StatusEvent.objects.filter(report=report).values_list("status", flat=True))
    if ReportStatus.VOIDED in known:
        raise XinzhengError(f"报告{report.number}没有签发成功，编号已经作废；请重新提交申请。", code="report-voided")
    return ReportStatus.IN_FORCE in known


def void_report(report: Report, reason: str, by: str) -> None:
    """Give up a prepared report in plain sight; one that was completed meanwhile stays in force."""
    with transaction.atomic():
        lock_report(report.number)
        finished = ReportDocument.objects.filter(pk=report.pk).exists()
        voided = StatusEvent.objects.filter(report=report, status=ReportStatus.VOIDED).exists()
        if not finished and not voided:
            StatusEvent.objects.create(report=report, status=ReportStatus.VOIDED, reason=reason, actor=by)
            record_event(who=by, action="report-voided", object_kind="report", object_id=report.number)


def resume_prepared(by: str = "system", older_than: timedelta = timedelta(0)) -> list[str]:
    """Complete what was left prepared; one whose content cannot be set becomes a visible voided report.

    ``older_than`` leaves alone what is probably being completed at this moment.
    Anything else that goes wrong may pass and gives nothing up: a key store that is gone, a full disk, a lost
    database. Such reports stay prepared and keep no other from being completed; the first error is raised at the end.
    """
    left = Report.objects.filter(document=None, created_at__lte=timezone.now() - older_than)
    waiting = list(left.exclude(status_events__status=ReportStatus.VOIDED).order_by("created_at"))
    if waiting:
        ports.keyring().ready(timezone.now())
    done, broken = [], []
    for report in waiting:
        try:
            complete_report(report, by)
        except Exception as error:
            if isinstance(error, XinzhengError) and error.code in FINAL:
                void_report(report, error.message, by)
            else:
                broken.append(error)
        else:
            done.append(report.number)
    if broken:
        raise broken[0]
    return done
