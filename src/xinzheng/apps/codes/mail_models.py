"""Mail (邮件): where accounts want notices sent, each mail as it was written, and its way to the server."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class MailAddress(models.Model):
    """An account's address for notices (通知邮箱), sealed; deleted when the account says so or is closed.

    ``confirm_digest`` is of the code that was mailed to it; until it is confirmed nothing else is sent there.
    """

    account_id = models.BigIntegerField(primary_key=True)
    wrapped_key = models.BinaryField()
    address_ct = models.BinaryField()
    confirm_digest = models.BinaryField(max_length=32, default=b"")
    confirm_until = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.account_id)


class Mail(models.Model):
    """A mail as it was written (邮件): by a template, without personal data; its id is the message's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    notice = models.ForeignKey("codes.Notice", on_delete=models.PROTECT, related_name="mails")
    account_id = models.BigIntegerField()
    template = models.TextField()
    template_sha256 = models.BinaryField(max_length=32)
    subject_line = models.TextField()
    body = models.TextField()
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(name="one_mail_per_account", fields=["notice", "account_id"])]

    def __str__(self) -> str:
        return str(self.id)


class MailSending(models.Model):
    """A mail on its way (投递): a work queue with its tries; ``said`` is the server's answer without the address."""

    mail = models.OneToOneField(Mail, primary_key=True, on_delete=models.PROTECT, related_name="sending")
    tries = models.IntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    answered = models.IntegerField(null=True)
    said = models.TextField(default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="mails_due", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return str(self.mail_id)
