"""How often a subject may apply in a day (每日申请次数), by policy: the setting ``XINZHENG_DAILY_LIMITS``.

A pack does not hold it: how busy an installation may get is its operator's affair, and no policy's.
"""

import zlib
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from xinzheng.apps.reports.models import Application, ApplicationState
from xinzheng.core.decision import CHINA
from xinzheng.core.errors import XinzhengError

# The first half of the lock's key; the second is made of subject and policy. Nothing else may lock under it.
DAY_LOCK = 0x6461796C


class DailyLimitError(XinzhengError):
    """The subject has applied as often under this policy as it may in a day."""

    code = "daily-limit-reached"


def daily_limit(policy_id: str) -> int | None:
    """How many applications a subject may make in a day under the policy; None when there is no limit."""
    found: int | None = settings.XINZHENG_DAILY_LIMITS.get(policy_id)
    return found


def left_today(subject_id: int, policy_id: str, day: date) -> int | None:
    """How many applications the subject has left on this day in China; None when there is no limit.

    Failed ones do not count: nothing came of them.
    """
    limit = daily_limit(policy_id)
    return None if limit is None else max(limit - _made(subject_id, policy_id, day).count(), 0)


def keep_within_limit(application: Application, day: date) -> None:
    """Hold the subject's day until the transaction ends and refuse an application that would go over the limit.

    The application itself does not count, so that the same one sent twice at once is one.

    Raises:
        DailyLimitError: the limit is reached.
    """
    limit = daily_limit(application.policy_id)
    if limit is None:
        return
    with connection.cursor() as cursor:
        half = zlib.crc32(f"{application.subject_id} {application.policy_id}".encode()) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [DAY_LOCK, half])
    if _made(application.subject_id, application.policy_id, day).exclude(pk=application.pk).count() >= limit:
        raise DailyLimitError(
            f"今天已经申请{limit}份，是按这项政策每天最多的份数。已出具的报告在“我的报告”里，可以直接使用；"
            "需要新的报告，请明天再申请。"
        )


def _made(subject_id: int, policy_id: str, day: date) -> "QuerySet[Application]":
    start = datetime.combine(day, time.min, CHINA)
    made = Application.objects.filter(
        subject_id=subject_id, policy_id=policy_id, created_at__gte=start, created_at__lt=start + timedelta(days=1)
    )
    return made.exclude(state=ApplicationState.FAILED)
