"""Completing a prepared report (签发): render, sign, store; resume what a crash left, void what cannot be finished."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.preparing import long_code
from xinzheng.apps.reports.status import lock_report
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus


def complete_report(report: Report, by: str) -> Report:
    """Render, sign and store a prepared report; one that has its file already is left as it is.

    What is rendered was written down when the number was taken, so a second attempt gives the same document.
    Raises ``report-voided`` for one that was given up.
    """
    if ReportDocument.objects.filter(pk=report.pk).exists():
        return report
    _refuse_voided(report)
    signing = ports.signing()
    text = signing.qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    unsigned = ports.renderer().render_report(bytes(report.content), text)
    signer = signing.load_signer(settings.XINZHENG_KEYS / "signing")
    pdf = signing.sign_pdf(unsigned, signer, timezone.now().replace(microsecond=0))
    with transaction.atomic():
        lock_report(report.number)
        if not ReportDocument.objects.filter(pk=report.pk).exists():
            _refuse_voided(report)
            ReportDocument.objects.create(report=report, pdf=pdf, sha256=hashlib.sha256(pdf).digest())
            StatusEvent.objects.create(report=report, status=ReportStatus.IN_FORCE, actor=by)
            record_event(who=by, action="report-issued", object_kind="report", object_id=report.number)
    return report


def _refuse_voided(report: Report) -> None:
    if StatusEvent.objects.filter(report=report, status=ReportStatus.VOIDED).exists():
        raise XinzhengError(f"报告{report.number}没有签发成功，编号已经作废；请重新提交申请。", code="report-voided")


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
    """Complete what a crash left behind; what cannot be completed becomes a visible voided report.

    ``older_than`` leaves alone what is probably being completed at this moment.
    Without the signing key nothing is given up: that is no fault of the reports. One report that breaks unexpectedly
    stays prepared and keeps no other from being completed; its error is raised at the end.
    """
    left = Report.objects.filter(document=None, created_at__lte=timezone.now() - older_than)
    waiting = list(left.exclude(status_events__status=ReportStatus.VOIDED))
    if waiting:
        ports.signing().load_signer(settings.XINZHENG_KEYS / "signing")
    done, broken = [], []
    for report in waiting:
        try:
            complete_report(report, by)
        except XinzhengError as error:
            void_report(report, error.message, by)
        except Exception as error:
            broken.append(error)
            continue
        done.append(report.number)
    if broken:
        raise broken[0]
    return done
