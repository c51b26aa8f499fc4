"""What is remembered of redress: objections and their steps are history; where one stands now is a head for lists.

Words and files of the subject may hold personal data: they are sealed, each under a key of its own, and can be
deleted; that there was a step or a file, and its digest, stays.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.redress.evidence_models import Evidence, EvidenceContent, StepWords
from xinzheng.apps.redress.repair_models import RepairCase, RepairLink, RepairStep
from xinzheng.core.objections import Act, Ground, Party, State
from xinzheng.core.records import RecordKind

__all__ = [
    "Correction",
    "DayNumber",
    "Evidence",
    "EvidenceContent",
    "Objection",
    "ObjectionHead",
    "RepairCase",
    "RepairLink",
    "RepairStep",
    "Step",
    "StepWords",
]
KINDS = [kind.value for kind in RecordKind]


class DayNumber(models.Model):
    """The last serial (流水号) of a prefix on a day in China; locked while a number is taken."""

    prefix = models.TextField()
    day = models.DateField()
    last = models.IntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="redress_number_per_day", fields=["prefix", "day"])]

    def __str__(self) -> str:
        return f"{self.prefix}{self.day:%Y%m%d} {self.last}"


class Objection(models.Model):
    """Objection (异议) as it was lodged; ``key`` is the form's, so that the same form makes one.

    ``record_id`` and ``version_id`` name what is objected to, as the subject saw it; of a missing record there is
    none, but the document number the subject gives, and domain and kind. ``blamed_unit_id`` is who delivered it,
    ``unit_id`` who answers for it. ``report_number`` is the report it was seen in, if any.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    number = models.TextField(unique=True)
    ground = models.TextField(choices=[(g.value, g.value) for g in Ground])
    subject_id = models.BigIntegerField()
    policy_id = models.TextField()
    report_number = models.TextField(default="")
    record_id = models.BigIntegerField(null=True)
    version_id = models.BigIntegerField(null=True)
    domain = models.TextField()
    kind = models.TextField()
    document_number = models.TextField(default="")
    unit_id = models.BigIntegerField(null=True)
    blamed_unit_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField()
    client_id = models.TextField(default="")
    lodged_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["subject_id", "-id"], name="objections_of_subject"),
            models.Index(fields=["subject_id", "record_id"], name="objections_to_record"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="objection_ground_known", condition=Q(ground__in=list(Ground))),
            models.CheckConstraint(name="objection_kind_known", condition=Q(kind__in=KINDS)),
            models.CheckConstraint(
                name="objection_to_a_record_or_none",
                condition=Q(ground="missing", record_id__isnull=True, version_id__isnull=True)
                | (~Q(ground="missing") & Q(record_id__isnull=False, version_id__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Step(models.Model):
    """Step (办理步骤): one act on an objection and the state it led to; ``at`` is the moment the clocks count from.

    ``unit_id`` is the unit it lies with afterwards. ``reason`` is an official's, kept for ever, so without personal
    data; what the subject says is in StepWords. ``entry_id`` is the ledger's entry the step made, if any.
    """

    objection = models.ForeignKey(Objection, on_delete=models.PROTECT, related_name="steps", db_index=False)
    seq = models.IntegerField()
    act = models.TextField(choices=[(a.value, a.value) for a in Act])
    state = models.TextField(choices=[(s.value, s.value) for s in State])
    by = models.TextField(choices=[(p.value, p.value) for p in Party])
    unit_id = models.BigIntegerField(null=True)
    reason_code = models.TextField(default="")
    reason = models.TextField(default="")
    entry_id = models.BigIntegerField(null=True)
    actor = models.TextField()
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_step_at_a_time", fields=["objection", "seq"]),
            models.CheckConstraint(name="step_counted_from_one", condition=Q(seq__gte=1)),
            models.CheckConstraint(name="step_act_known", condition=Q(act__in=list(Act))),
            models.CheckConstraint(name="step_state_known", condition=Q(state__in=list(State))),
            models.CheckConstraint(
                name="step_gives_its_reason",
                condition=~Q(
                    act__in=[
                        "decline",
                        "ask",
                        "hand-over",
                        "return",
                        "uphold",
                        "promise",
                        "dismiss",
                        "remand",
                        "confirm",
                    ]
                )
                | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="step_with_a_unit",
                condition=~Q(state__in=["with-unit", "awaited"]) | Q(unit_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objection_id}.{self.seq} {self.act}"


class ObjectionHead(models.Model):
    """Where an objection stands (办理现状), for lists and for locking; what counts is its steps.

    ``clock_from`` is the day in China its present term is counted from; due days are computed, never stored, because
    a calendar may be announced later.
    """

    objection = models.OneToOneField(Objection, primary_key=True, on_delete=models.PROTECT, related_name="head")
    seq = models.IntegerField()
    state = models.TextField(choices=[(s.value, s.value) for s in State])
    unit_id = models.BigIntegerField(null=True)
    is_disputed = models.BooleanField(default=False)
    clock_from = models.DateField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "clock_from"], name="objections_by_state"),
            models.Index(fields=["unit_id", "state"], name="objections_of_unit", condition=Q(unit_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.objection_id} {self.state}"


class Correction(models.Model):
    """Correction (更正): what an upheld objection did in the ledger; scorecards count it, a sweep watches it.

    ``entry_id`` is the entry from which on the ledger says it (none of what was only taken down from publication).
    ``payload_sha256`` is what the record says since; null where it is gone. ``batch_id`` is the delivery that holds
    the correcting row. ``blamed_unit_id`` delivered what was wrong.
    """

    class What(models.TextChoices):
        """What was done (更正方式)."""

        CHANGED = "changed", "更正内容"
        REMOVED = "removed", "撤下记录"
        REPLACED = "replaced", "撤下并另行报送"
        DELIVERED = "delivered", "补报"
        TAKEN_DOWN = "taken-down", "停止公示"

    step = models.OneToOneField(Step, primary_key=True, on_delete=models.PROTECT, related_name="correction")
    what = models.TextField(choices=What.choices)
    subject_id = models.BigIntegerField()
    record_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField()
    blamed_unit_id = models.BigIntegerField()
    entry_id = models.BigIntegerField(null=True, db_index=True)
    batch_id = models.BigIntegerField(null=True)
    payload_sha256 = models.BinaryField(max_length=32, null=True)
    day = models.DateField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["blamed_unit_id", "day"], name="corrections_of_unit"),
            models.Index(fields=["subject_id", "record_id"], name="corrections_of_record"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="correction_is_in_the_ledger",
                condition=Q(what="taken-down", entry_id__isnull=True)
                | (~Q(what="taken-down") & Q(entry_id__isnull=False)),
            ),
            models.CheckConstraint(
                name="correction_names_its_record", condition=Q(what="taken-down") | Q(record_id__isnull=False)
            ),
            models.CheckConstraint(
                name="removed_says_nothing",
                condition=~Q(what="removed") | Q(payload_sha256__isnull=True, batch_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} {self.what}"
