"""Repair (信用修复): what was prepared for 信用中国, and which repair record belongs to which penalty."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class RepairCase(models.Model):
    """Hand-over data of a repair (修复申请移交): what the guidance said on the day, by which dated rules.

    ``rules`` and ``rules_sha256`` name the rule set and the file it stood in; ``guidance`` is what was computed
    (class, first and last day of publication, earliest day, what is still to do), canonical JSON.
    """

    number = models.TextField(unique=True)
    subject_id = models.BigIntegerField()
    record_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    rules = models.TextField()
    rules_sha256 = models.BinaryField(max_length=32)
    guidance = models.TextField()
    account_id = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["subject_id", "record_id"], name="repairs_of_record")]

    def __str__(self) -> str:
        return self.number


class RepairStep(models.Model):
    """What became of it (办理进展), as the subject or the unit says; only a repair record repairs."""

    class Said(models.TextChoices):
        """What is said (进展)."""

        HANDED_OVER = "handed-over", "已向“信用中国”提交"
        ACCEPTED = "accepted", "已受理"
        REFUSED = "refused", "不予受理或者不予修复"
        GIVEN_UP = "given-up", "不再申请"

    case = models.ForeignKey(RepairCase, on_delete=models.PROTECT, related_name="steps")
    seq = models.IntegerField()
    said = models.TextField(choices=Said.choices)
    reason = models.TextField(default="")
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_repair_step_at_a_time", fields=["case", "seq"]),
            models.CheckConstraint(name="repair_refused_says_why", condition=~Q(said="refused") | ~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}.{self.seq} {self.said}"


class RepairLink(models.Model):
    """A repair record and the penalty it repairs (修复对应处罚), as found at a position of the ledger."""

    subject_id = models.BigIntegerField()
    repair_record_id = models.BigIntegerField()
    penalty_record_id = models.BigIntegerField()
    repaired_date = models.DateField()
    position = models.BigIntegerField()
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_link_per_pair",
                fields=["subject_id", "repair_record_id", "penalty_record_id", "repaired_date"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.repair_record_id} {self.penalty_record_id}"
