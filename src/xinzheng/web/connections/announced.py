"""Which announcements stand (在用的公告), remembered by each web process for some seconds: every page shows them.

Asking the database for every page would cost a statement each; who announces something sees it at once all the same,
for his own process asks anew.
"""

import time
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error
from django.utils import timezone

from xinzheng.apps.oversight.announcements import shown, standing_until
from xinzheng.apps.oversight.desk_models import Announcement

log = structlog.get_logger(__name__)


class Remembered:
    """What the database said last, and when by this process's clock."""

    def __init__(self) -> None:
        self.standing: tuple[Announcement, ...] = ()
        self.asked_at: float | None = None

    def standing_now(self, now: datetime) -> tuple[Announcement, ...]:
        """What stands, asked anew when that is due; what stood last where the database does not answer."""
        age = settings.XINZHENG_ANNOUNCED_SECONDS
        if self.asked_at is None or time.monotonic() - self.asked_at > age:
            self.asked_at = time.monotonic()
            try:
                self.standing = standing_until(now)
            except Error as error:
                log.warning("announcements-not-read", error=type(error).__name__)
        return self.standing

    def forget(self) -> None:
        """Ask anew the next time."""
        self.asked_at = None


REMEMBERED = Remembered()


def announcements_for(role: str | None) -> list[Announcement]:
    """What whoever has this role, or none, is to see now on every page."""
    now = timezone.now()
    return shown(REMEMBERED.standing_now(now), role, now)
