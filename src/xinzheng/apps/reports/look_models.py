"""Who looked at reports; kept beside them and never in the way of the answer."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class Look(models.Model):
    """Look (查看记录): a report was verified, by ``way`` (code, link, qr, file, batch), and this was its status.

    ``by`` is ``public``, or ``key:``, ``client:`` or ``receiver:`` and the number of an interface's key, a platform, a
    receiver: strangers are not recorded as persons.
    """

    report_number = models.TextField()
    way = models.TextField()
    by = models.TextField()
    status = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["report_number", "at"], name="looks_of_report"),
            # Rows lie in the order of their moments; a b-tree would cost every verification.
            BrinIndex(fields=["at"], name="looks_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.pk}"
