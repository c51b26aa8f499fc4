"""Telling others (通知): notices for receivers and platforms, and their delivery by webhook."""

import uuid
from typing import ClassVar, Literal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class Webhook(models.Model):
    """Webhook (回调地址) of a platform's client or of a receiver; the secret is sealed under a data key."""

    client_id = models.TextField(default="")
    receiver = models.ForeignKey("codes.Receiver", on_delete=models.PROTECT, null=True, related_name="webhooks")
    url = models.TextField()
    events = models.JSONField()
    wrapped_key = models.BinaryField()
    secret_ct = models.BinaryField()
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhook_of_one",
                condition=Q(client_id="", receiver__isnull=False) | (~Q(client_id="") & Q(receiver__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Notice(models.Model):
    """Notice (通知): what happened, for one receiver, client, subject, unit or role; body without personal data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    event = models.TextField()
    source = models.TextField()
    receiver = models.ForeignKey(
        "codes.Receiver", on_delete=models.PROTECT, null=True, related_name="notices", db_index=False
    )
    client_id = models.TextField(default="")
    subject_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField(null=True)
    role = models.TextField(default="", db_default="")
    body = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "receiver", "client_id", "subject_id", "unit_id", "role"],
                name="told_once",
                nulls_distinct=False,
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["receiver", "-at"], name="notices_of_receiver"),
            models.Index(fields=["subject_id", "-at"], name="notices_of_subject"),
            models.Index(fields=["client_id", "-at"], name="notices_of_client", condition=~Q(client_id="")),
            models.Index(fields=["unit_id", "-at"], name="notices_of_unit", condition=Q(unit_id__isnull=False)),
            models.Index(fields=["role", "-at"], name="notices_of_role", condition=~Q(role="")),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class NoticeRead(models.Model):
    """An account opened a notice (已读)."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="read", db_index=False)
    account_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "account_id"], name="read_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.account_id}"


class Delivery(models.Model):
    """A notice on its way to a webhook (投递): a work queue with its tries."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    tries = models.IntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    answered = models.IntegerField(null=True)
    said = models.TextField(default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "webhook"], name="one_delivery_per_webhook")]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="deliveries_due", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.webhook_id}"

    @property
    def state(self) -> Literal["waiting", "delivered", "given-up"]:
        """How far it is (投递状态)."""
        if self.done_at is None:
            return "waiting"
        return "delivered" if self.answered is not None and 200 <= self.answered < 300 else "given-up"
