"""What is remembered about order and deeds. Nothing here is ever changed or removed."""

from typing import ClassVar

import pgtrigger
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
    subject_id = models.BigIntegerField(null=True)
    place = models.TextField(default="")

    class Meta:
        triggers: ClassVar = [
            *append_only(),
            pgtrigger.Trigger(
                name="waits_for_its_seal",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="INSERT INTO audit_auditwaiting (event_id) VALUES (NEW.id); RETURN NULL;",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["object_kind", "object_id"]),
            models.Index(fields=["at"]),
            models.Index(fields=["action", "-id"], name="events_by_action"),
            models.Index(fields=["who", "-id"], name="events_by_who"),
            models.Index(
                fields=["subject_id", "-id"], name="events_of_subject", condition=models.Q(subject_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}"


class AuditWaiting(models.Model):
    """An audit event that has no seal yet (待封存): a work queue, filled by trigger."""

    event = models.OneToOneField(
        AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="waiting", db_constraint=False
    )

    def __str__(self) -> str:
        return str(self.event_id)


class AuditSeal(models.Model):
    """Seal (封存) of an audit event: its place in the chain and SHA-256 over the seal before and the event."""

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal", db_constraint=False)
    head = models.BinaryField(max_length=32)

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.index)


class AuditAnchor(models.Model):
    """Anchor (锚定): the head of the chain at ``index`` went into the transparency log as this leaf."""

    index = models.BigIntegerField(primary_key=True)
    head = models.BinaryField(max_length=32)
    leaf_hash = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.index)
