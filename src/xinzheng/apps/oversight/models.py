"""What oversight remembers: published bulletins, reminders, named officers, reconciliations. Nothing is ever changed.

A row names the entry that wrote it; the entry's position dates it.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.oversight.desk_models import Announcement, DayTally, TalliedDay
from xinzheng.apps.oversight.publicity_models import (
    Doubt,
    MajorProblem,
    MajorProblemStep,
    Ruling,
    RulingSignature,
    Suggestion,
    SuggestionAnswer,
    SuggestionWords,
    Training,
)
from xinzheng.apps.oversight.screening_models import ScreenedSubject, Screening, ScreeningPiece, ScreeningWork
from xinzheng.apps.oversight.workshop_models import Proposal, ProposalEnd, ProposalSignature, Simulation
from xinzheng.core.records import RecordKind

__all__ = [
    "Announcement",
    "Bulletin",
    "DayTally",
    "Doubt",
    "MajorProblem",
    "MajorProblemStep",
    "NamedOfficer",
    "Notice",
    "PaperDemand",
    "PaperDemandAnswer",
    "Proposal",
    "ProposalEnd",
    "ProposalSignature",
    "Reconciliation",
    "ReconciliationSignature",
    "Ruling",
    "RulingSignature",
    "ScreenedSubject",
    "Screening",
    "ScreeningPiece",
    "ScreeningWork",
    "Simulation",
    "Suggestion",
    "SuggestionAnswer",
    "SuggestionWords",
    "TalliedDay",
    "Training",
]
RECORD_KINDS = [kind.value for kind in RecordKind]
FIRST_OF_MONTH = Q(month__day=1)


def _entry() -> "models.ForeignKey[Entry, Entry]":
    return models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")


class Bulletin(models.Model):
    """Bulletin (数据质量通报): the figures of a month under a policy, frozen with their digest.

    ``figures`` is canonical JSON (RFC 8785), whose SHA-256 is ``figures_sha256``; ``position`` is what was read.
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    policy_id = models.TextField()
    month = models.DateField()
    position = models.BigIntegerField()
    figures = models.TextField()
    figures_sha256 = models.BinaryField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy_id", "month"], name="one_bulletin_per_month"),
            models.CheckConstraint(condition=FIRST_OF_MONTH, name="bulletin_month_is_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.month:%Y-%m}"


class Notice(models.Model):
    """Reminder in the site (催办通知): data of a responsibility did not reach ``due_date`` on ``day``."""

    entry = _entry()
    day = models.DateField()
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()
    through_date = models.DateField(null=True)
    due_date = models.DateField()
    working_days = models.IntegerField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit_id", "domain", "kind", "day"], name="one_notice_per_day"),
            models.CheckConstraint(condition=Q(kind__in=RECORD_KINDS), name="notice_kind_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["unit_id", "-day"], name="notice_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.domain} {self.day}"


class NamedOfficer(models.Model):
    """Responsible officer of a unit for a domain (责任人): from this entry on this account, or (null) nobody."""

    entry = _entry()
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    account_id = models.BigIntegerField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["unit_id", "domain"], name="officer_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.domain} {self.account_id}"


class Reconciliation(models.Model):
    """Reconciliation by the source (核对): the unit's own list of a month against the platform's copy at a position.

    ``own_count`` and ``own_sha256`` are the unit's, ``count`` and ``sha256`` the platform's; a digest is that of the
    normalised document numbers, sorted, one a line. ``missing`` are those only the unit has, ``surplus`` those only
    the platform has; null where the unit gave a count and a digest alone.
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()
    month = models.DateField()
    position = models.BigIntegerField()
    own_count = models.IntegerField()
    own_sha256 = models.BinaryField()
    count = models.IntegerField()
    sha256 = models.BinaryField()
    missing = models.JSONField(null=True)
    surplus = models.JSONField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(condition=FIRST_OF_MONTH, name="reconciled_month_is_a_month"),
            models.CheckConstraint(condition=Q(own_count__gte=0), name="own_count_not_negative"),
            models.CheckConstraint(condition=Q(kind__in=RECORD_KINDS), name="reconciled_kind_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["unit_id", "-month"], name="reconciliation_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.domain} {self.month:%Y-%m}"

    @property
    def agrees(self) -> bool:
        """Whether both lists are the same."""
        return self.own_count == self.count and bytes(self.own_sha256) == bytes(self.sha256)


class ReconciliationSignature(models.Model):
    """Signature under a reconciliation (签字确认) by the responsible officer; ``note`` explains differences."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    reconciliation = models.OneToOneField(Reconciliation, on_delete=models.PROTECT, related_name="signature")
    account_id = models.BigIntegerField()
    note = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(entry=F("reconciliation")), name="signed_after_it_was_stated")
        ]

    def __str__(self) -> str:
        return f"{self.reconciliation_id} {self.account_id}"


class PaperDemand(models.Model):
    """Paper demanded (仍要求纸质证明): a subject reports a body that does not accept the report."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    subject_id = models.BigIntegerField(db_index=True)
    body_name = models.TextField()
    division = models.TextField(default="")
    purpose = models.TextField(default="")
    said = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.entry_id)


class PaperDemandAnswer(models.Model):
    """What the office did about it (处理结果), told to the subject."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    demand = models.OneToOneField(PaperDemand, on_delete=models.PROTECT, related_name="answer")
    result = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.demand_id)
