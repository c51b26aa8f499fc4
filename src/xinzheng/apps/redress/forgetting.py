"""What is not kept for ever: the files and words of an objection or a repair (证据和陈述的保存期限)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.redress.models import EvidenceContent, Objection, RepairCase, StepWords
from xinzheng.core.objections import OPEN

CHINA = ZoneInfo("Asia/Shanghai")


@transaction.atomic
def forget_old(today: date) -> int:
    """Delete files and words ``XINZHENG_KEEP_EVIDENCE_DAYS`` after their objection was closed; how many.

    Of a repair it counts from what was said of it last. Digests, acts and reasons stay; safe to run again.
    """
    days = settings.XINZHENG_KEEP_EVIDENCE_DAYS
    before = datetime.combine(today - timedelta(days=days), time(), CHINA)
    closed = Objection.objects.filter(head__changed_at__lt=before).exclude(head__state__in=OPEN)
    silent = RepairCase.objects.filter(made_at__lt=before).exclude(steps__at__gte=before)
    deleted = _forget(closed, silent)
    if deleted:
        facts = {"count": deleted, "days": days}
        record_event(
            who="system", action="evidence-deleted", object_kind="retention", object_id="evidence", details=facts
        )
    return deleted


@transaction.atomic
def forget_of(subject_id: int, *, by: str) -> int:
    """Delete all files and words given for a subject, for who is erased; how many."""
    mine = {"subject_id": subject_id}
    deleted = _forget(Objection.objects.filter(**mine), RepairCase.objects.filter(**mine))
    if deleted:
        about = About(subject_id, details={"count": deleted})
        record_event(who=by, action="evidence-deleted", object_kind="subject", object_id=subject_id, details=about)
    return deleted


def _forget(objections: QuerySet[Objection], repairs: QuerySet[RepairCase]) -> int:
    theirs = Q(evidence__step__objection__in=objections.values("pk")) | Q(evidence__repair__in=repairs.values("pk"))
    files, _ = EvidenceContent.objects.filter(theirs).delete()
    words, _ = StepWords.objects.filter(step__objection__in=objections.values("pk")).delete()
    return files + words
