"""What is remembered of 一码通: consents and looks are history; what is shown on a screen is a work table."""

import uuid
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.codes.mail_models import Mail, MailAddress, MailSending
from xinzheng.apps.codes.receiver_models import BatchCheck, Receiver, ReceiverDecision, Subscription, SubscriptionEnd
from xinzheng.apps.codes.webhook_models import Delivery, Notice, NoticeRead, Webhook

__all__ = [
    "BatchCheck",
    "Delivery",
    "Mail",
    "MailAddress",
    "MailSending",
    "Notice",
    "NoticeRead",
    "Receiver",
    "ReceiverDecision",
    "ShareCode",
    "ShareEnd",
    "ShownCode",
    "Subscription",
    "SubscriptionEnd",
    "View",
    "ViewDetail",
    "Webhook",
]


class ShareCode(models.Model):
    """Share code (亮码): the subject's consent that a report's content is looked at; bound to purpose and time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    report_number = models.TextField(db_index=True)
    subject_id = models.BigIntegerField()
    purpose = models.TextField()
    purpose_name = models.TextField()
    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, null=True, related_name="+")
    receiver_name = models.TextField(default="")
    views_allowed = models.IntegerField()
    expires_at = models.DateTimeField()
    may_subscribe = models.BooleanField(default=False)
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["subject_id", "-created_at"], name="shares_of_subject")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="share_views_within", condition=Q(views_allowed__gte=1, views_allowed__lte=1000)
            ),
            models.CheckConstraint(name="share_expires_later", condition=Q(expires_at__gt=models.F("created_at"))),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ShareEnd(models.Model):
    """A share code was taken back (收回); one that ran out has no row."""

    share = models.OneToOneField(ShareCode, primary_key=True, on_delete=models.PROTECT, related_name="end")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.share_id)


class ShownCode(models.Model):
    """What stands in a QR code (出示的码): only digests; a row for each renewal, deleted a day after ``good_until``."""

    class Form(models.TextChoices):
        """How it is shown (出示方式)."""

        SCREEN = "screen", "屏幕"
        PAPER = "paper", "打印"

    share = models.ForeignKey(ShareCode, on_delete=models.PROTECT, related_name="shown", db_index=False)
    form = models.TextField(choices=Form.choices)
    digest = models.BinaryField(max_length=32, unique=True)
    typed_digest = models.BinaryField(max_length=32, unique=True)
    good_until = models.DateTimeField()
    shown_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["share", "-id"], name="newest_shown"),
            models.Index(fields=["good_until"], name="shown_until"),
        ]

    def __str__(self) -> str:
        return f"{self.share_id} {self.form}"


class View(models.Model):
    """View (查看记录): the content was shown; counted against ``views_allowed``. No personal data: see ViewDetail."""

    class Way(models.TextChoices):
        """How the content was reached (查看方式)."""

        SCAN = "scan", "扫码"
        TYPED = "typed", "输入"
        API = "api", "接口"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    share = models.ForeignKey(ShareCode, on_delete=models.PROTECT, related_name="views", db_index=False)
    way = models.TextField(choices=Way.choices)
    receiver = models.ForeignKey(Receiver, on_delete=models.PROTECT, null=True, related_name="views", db_index=False)
    account_id = models.BigIntegerField(null=True)
    client_id = models.TextField(default="")
    status = models.TextField()
    open_until = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["share", "at"], name="views_of_share"),
            models.Index(fields=["receiver", "-at"], name="views_of_receiver", condition=Q(receiver__isnull=False)),
            BrinIndex(fields=["at"], name="views_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ViewDetail(models.Model):
    """Who said they looked, for what, from where (coarse); deleted when XINZHENG_KEEP_VIEW_DAYS are over."""

    view = models.OneToOneField(View, primary_key=True, on_delete=models.PROTECT, related_name="detail")
    body_name = models.TextField()
    purpose_name = models.TextField()
    place = models.TextField()
    device = models.TextField()
    at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return str(self.view_id)
