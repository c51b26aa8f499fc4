"""Who acts for whom (代理关系): history; who is bound now is asked of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only

SCOPES = ("apply", "read", "share", "object", "authorise")


class Mandate(models.Model):
    """Mandate (代理关系): the account acts for the subject in ``scopes`` until ``until_date`` (inclusive)."""

    class Basis(models.TextChoices):
        """What it rests on (依据)."""

        SELF = "self", "本人"
        REPRESENTATIVE = "representative", "法定代表人登录"
        LETTER = "letter", "法定代表人确认的授权"
        OPENED = "opened", "开户时绑定"

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="mandates", db_index=False)
    subject_id = models.BigIntegerField()
    basis = models.TextField(choices=Basis.choices)
    scopes = models.JSONField()
    until_date = models.DateField(null=True)
    evidence = models.TextField(default="")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["account", "subject_id"], name="mandates_of_account"),
            models.Index(fields=["subject_id"], name="mandates_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="letter_has_an_end", condition=~Q(basis="letter") | Q(until_date__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.subject_id} {self.basis}"


class MandateEnd(models.Model):
    """A mandate was revoked (撤销授权)."""

    mandate = models.OneToOneField(Mandate, primary_key=True, on_delete=models.PROTECT, related_name="end")
    reason = models.TextField(default="")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.mandate_id)


class MandateRequest(models.Model):
    """Letter of authorisation (授权书) put to the representative; its scan is sealed and deleted after days."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="mandate_requests")
    subject_id = models.BigIntegerField(db_index=True)
    scopes = models.JSONField()
    until_date = models.DateField()
    said = models.TextField(default="")
    wrapped_key = models.BinaryField(default=b"")
    letter_ct = models.BinaryField(default=b"")
    letter_type = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.account_id} {self.subject_id}"


class MandateAnswer(models.Model):
    """What the representative answered (确认或者拒绝)."""

    request = models.OneToOneField(MandateRequest, primary_key=True, on_delete=models.PROTECT, related_name="answer")
    mandate = models.OneToOneField(Mandate, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.request_id)
