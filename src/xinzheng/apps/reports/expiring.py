"""Expiring (过期): where the policy sets how long a report may be used, it expires at the end of its last day."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from xinzheng.apps.reports import packs
from xinzheng.apps.reports.models import Report, StoredInput
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.decision import CHINA, china_date
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus

# The last status holds, and only what is in force expires.
DUE = """
    SELECT s.report_id, s.as_of_date
    FROM reports_report r JOIN reports_reportscope s ON s.report_id = r.number
    WHERE r.pack_id = %(pack)s AND s.as_of_date < %(before)s
      AND %(status)s = (
          SELECT e.status FROM reports_statusevent e WHERE e.report_id = r.number ORDER BY e.id DESC LIMIT 1)
    ORDER BY s.report_id LIMIT 1000
"""


def expire_reports(today: date | None = None, by: str = "system") -> int:
    """Expire what may no longer be used on the day (in China, default today); how many. Safe to run again."""
    day = today or china_date(timezone.now())
    found = 0
    used = Exists(Report.objects.filter(pack=OuterRef("pk")))  # drafts are stored as well
    for digest in StoredInput.objects.filter(used, kind="policy").values_list("sha256", flat=True):
        validity = packs.stored_policy(bytes(digest)).validity
        if validity is not None:
            found += _expire(bytes(digest), timedelta(days=validity.days), day, by)
    return found


def _expire(pack: bytes, lasts: timedelta, day: date, by: str) -> int:
    values: dict[str, Any] = {"pack": pack, "before": day - lasts, "status": str(ReportStatus.IN_FORCE)}
    found = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(DUE, values)
            due = cursor.fetchall()
        expired = sum(_expire_one(number, issued + lasts, by) for number, issued in due)
        found += expired
        if not expired:
            return found


def _expire_one(number: str, last_date: date, by: str) -> int:
    since = datetime.combine(last_date + timedelta(days=1), time(), CHINA)
    try:
        change_status(Report.objects.get(pk=number), ReportStatus.EXPIRED, by, Why(effective_at=since))
    except XinzhengError:
        # Superseded or revoked this very moment.
        return 0
    return 1
