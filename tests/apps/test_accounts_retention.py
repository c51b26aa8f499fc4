"""What is kept no longer than the settings say: letters, sessions, cached limits; each deletion is counted."""

from datetime import date, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from pytest_django import Settings

from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, MandateRequest, Role
from xinzheng.apps.accounts.retention import forget_cached, forget_letters, forget_sessions
from xinzheng.apps.accounts.tasks import keep_no_longer
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return open_account(NewAccount("auditor", "示例甲", Role.AUDITOR), by="test")


def letter(account: Account, days: int) -> MandateRequest:
    """A request of so many days ago with a scan."""
    made = MandateRequest.objects.create(
        account=account, subject_id=1, scopes=["read"], until_date=date(2027, 1, 1), said="示例",
        wrapped_key=b"k", letter_ct=b"c", letter_type="application/pdf",
    )  # fmt: skip
    MandateRequest.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=days))
    return made


def events(action: str) -> list[dict[str, int]]:
    """What was counted."""
    return list(AuditEvent.objects.filter(action=action, who="system").values_list("details", flat=True))


def test_a_letter_s_scan_goes_after_its_days_and_the_request_stays(account: Account, settings: Settings) -> None:
    settings.XINZHENG_KEEP_LETTER_DAYS = 10
    old, young = letter(account, 11), letter(account, 9)
    assert forget_letters() == 1
    assert forget_letters() == 0
    old.refresh_from_db()
    young.refresh_from_db()
    assert (bytes(old.letter_ct), bytes(old.wrapped_key), old.letter_type, old.said) == (b"", b"", "", "")
    assert bytes(young.letter_ct) == b"c"
    assert events("letters-deleted") == [{"count": 1, "days": 10}]


def test_ended_sessions_go_and_where_they_were_from_after_its_days(account: Account, settings: Settings) -> None:
    settings.XINZHENG_KEEP_SESSION_DAYS = 10
    now = timezone.now()
    Session.objects.create(session_key="a", session_data="", expire_date=now - timedelta(minutes=1))
    Session.objects.create(session_key="b", session_data="", expire_date=now + timedelta(hours=1))
    for key, days in (("a", 11), ("b", 9)):
        UserSession.objects.create(
            user=account, session_key=key, ip="203.0.113.0", last_seen_at=now - timedelta(days=days)
        )
    assert forget_sessions() == 2
    assert [s.session_key for s in Session.objects.all()] == [s.session_key for s in UserSession.objects.all()] == ["b"]
    assert events("sessions-deleted") == [{"count": 2, "days": 10}]


def test_what_is_over_in_the_shared_cache_goes(account: Account) -> None:
    caches["default"].set("old", 1, timeout=1)
    caches["default"].set("young", 1, timeout=600)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_sharedcache SET expires = now() - interval '1 minute' WHERE cache_key LIKE '%old'"
        )
    assert forget_cached() == 1
    assert caches["default"].get("young") == 1


def test_all_of_it_is_done_each_night(account: Account, settings: Settings) -> None:
    assert "accounts.keep_no_longer" in app.tasks
    letter(account, settings.XINZHENG_KEEP_LETTER_DAYS + 1)
    Session.objects.create(session_key="a", session_data="", expire_date=timezone.now() - timedelta(minutes=1))
    keep_no_longer(timestamp=0)
    assert len(events("letters-deleted")) == len(events("sessions-deleted")) == 1
