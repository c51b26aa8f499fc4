"""What the ledger knows of objections: which records are disputed, and which were taken out by an upheld one."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.models import Entry


class RecordDispute(models.Model):
    """Dispute (异议标注): from this entry on the record is under an objection, or (``is_open`` false) no longer.

    ``reference`` is the objection's number. Deciding reads the latest at its position, so that replay sees the same.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    record_id = models.BigIntegerField()
    subject_id = models.BigIntegerField()
    is_open = models.BooleanField()
    reference = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["subject_id", "record_id"], name="dispute_of_record")]

    def __str__(self) -> str:
        return f"{self.record_id} {self.is_open}"


class RecordWithdrawal(models.Model):
    """Withdrawal of one record (撤下记录): its unit takes back what was never this subject's, or never was.

    Not the withdrawal of a penalty (撤销), which is a standing that a unit delivers. Contents delivered before it
    never come back by themselves, also not when a later batch is withdrawn.
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    record_id = models.BigIntegerField()
    subject_id = models.BigIntegerField()
    unit_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    reason = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["subject_id", "record_id"], name="withdrawal_of_record")]
        constraints: ClassVar = [models.CheckConstraint(name="withdrawal_says_why", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return str(self.record_id)
