"""Receivers (要求提交证明的单位), what they ask to be told, and their batch checks."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class Receiver(models.Model):
    """Receiver (要求提交证明的单位) as it registered itself; the last decision holds. Its name can be corrected."""

    uscc = models.TextField(unique=True)
    name = models.TextField()
    kind = models.TextField(choices=[(k, k) for k in ("bank", "broker", "tenderer", "office", "other")])
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only("id", "uscc", "kind", "created_by", "created_at")

    def __str__(self) -> str:
        return self.uscc


class ReceiverDecision(models.Model):
    """The office's decision on a receiver (核实)."""

    class State(models.TextChoices):
        """What was decided (核实结果)."""

        VERIFIED = "verified", "已核实"
        REFUSED = "refused", "不予通过"
        SUSPENDED = "suspended", "已停用"

    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, related_name="decisions")
    state = models.TextField(choices=State.choices)
    reason = models.TextField(default="")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.receiver_id} {self.state}"


class Subscription(models.Model):
    """Subscription (订阅): a receiver is told when this report stops being in force; consented with a share code."""

    report_number = models.TextField()
    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, related_name="subscriptions")
    share_id = models.UUIDField()
    until = models.DateField()
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report_number", "receiver", "share_id"], name="one_subscription_per_share")
        ]

    def __str__(self) -> str:
        return f"{self.report_number} {self.receiver_id}"


class SubscriptionEnd(models.Model):
    """A subscription was ended by the receiver, or with the subject's consent taken back."""

    subscription = models.OneToOneField(Subscription, primary_key=True, on_delete=models.PROTECT, related_name="end")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.subscription_id)


class BatchCheck(models.Model):
    """A file of reports to verify (批量核验) and its answer, encrypted under a key of its own; deleted after days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, related_name="batch_checks")
    account_id = models.BigIntegerField()
    file_name = models.TextField()
    wrapped_key = models.BinaryField()
    asked_ct = models.BinaryField()
    answer_ct = models.BinaryField(null=True)
    lines = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    state = models.TextField(choices=[(s, s) for s in ("queued", "running", "done", "failed")], default="queued")
    message = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="batch_check_done_within", condition=Q(done__lte=models.F("lines")))
        ]

    def __str__(self) -> str:
        return str(self.id)
