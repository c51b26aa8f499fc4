"""What the accounts app keeps no longer than its settings say (保存期限): each deletion is counted in an event."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import MandateRequest
from xinzheng.apps.audit.actions import record_event


@transaction.atomic
def forget_letters() -> int:
    """Delete the scans of letters of authorisation after ``XINZHENG_KEEP_LETTER_DAYS``; how many.

    What was asked and what the representative answered stays.
    """
    before = timezone.now() - timedelta(days=settings.XINZHENG_KEEP_LETTER_DAYS)
    old = MandateRequest.objects.filter(created_at__lt=before).exclude(letter_ct=b"")
    deleted = old.update(wrapped_key=b"", letter_ct=b"", letter_type="", said="")
    return _counted("letters-deleted", "letter", deleted, settings.XINZHENG_KEEP_LETTER_DAYS)


@transaction.atomic
def forget_sessions() -> int:
    """Delete sessions that have ended, and where they were from after ``XINZHENG_KEEP_SESSION_DAYS``; how many."""
    now = timezone.now()
    ended, _ = Session.objects.filter(expire_date__lt=now).delete()
    before = now - timedelta(days=settings.XINZHENG_KEEP_SESSION_DAYS)
    noted, _ = UserSession.objects.filter(last_seen_at__lt=before).delete()
    return _counted("sessions-deleted", "session", ended + noted, settings.XINZHENG_KEEP_SESSION_DAYS)


def forget_cached() -> int:
    """Delete what is over in the shared cache: its keys may hold addresses; how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_sharedcache WHERE expires < %s", [timezone.now()])
        return int(cursor.rowcount)


def _counted(action: str, kind: str, count: int, days: int) -> int:
    if count:
        facts = {"count": count, "days": days}
        record_event(who="system", action=action, object_kind="retention", object_id=kind, details=facts)
    return count
