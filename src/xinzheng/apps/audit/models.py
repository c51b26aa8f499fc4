"""What is remembered about order and deeds. Nothing here is ever changed or removed."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.log_models import Checkpoint, KeyEvent, LogLeaf, LogNode, LogPlace, LogWaiting

__all__ = [
    "AuditEvent",
    "Checkpoint",
    "Entry",
    "KeyEvent",
    "LogLeaf",
    "LogNode",
    "LogPlace",
    "LogWaiting",
    "Position",
]


class Entry(models.Model):
    """Ledger entry (账本条目): one thing that happened, such as a batch, a statement or a status; written first."""

    kind = models.TextField()
    unit_id = models.BigIntegerField(null=True)
    note = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Position(models.Model):
    """Position (账本位置): the entry's place in the order in which entries became visible; given last."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="place")

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.position)


class AuditEvent(models.Model):
    """Audit event (审计事件): who did what to which object, without personal data."""

    who = models.TextField()
    action = models.TextField()
    object_kind = models.TextField()
    object_id = models.TextField()
    at = models.DateTimeField(db_default=Now())
    details = models.JSONField(default=dict)

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["object_kind", "object_id"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}"
