"""What is not kept for ever: codes once shown, and what strangers said of themselves."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.models import ShownCode, ViewDetail

SHOWN_KEPT = timedelta(days=1)


def forget_shown_codes() -> int:
    """Delete the digests of codes that were good for the last time a day ago; how many."""
    deleted, _ = ShownCode.objects.filter(good_until__lt=timezone.now() - SHOWN_KEPT).delete()
    return deleted


@transaction.atomic
def forget_view_details() -> int:
    """Delete who looked, for what and from where once ``XINZHENG_KEEP_VIEW_DAYS`` are over; how many.

    That somebody looked, when and by which share stays.
    """
    before = timezone.now() - timedelta(days=settings.XINZHENG_KEEP_VIEW_DAYS)
    deleted, _ = ViewDetail.objects.filter(at__lt=before).delete()
    if deleted:
        facts = {"count": deleted, "days": settings.XINZHENG_KEEP_VIEW_DAYS}
        record_event(
            who="system", action="view-details-deleted", object_kind="retention", object_id="view", details=facts
        )
    return deleted
