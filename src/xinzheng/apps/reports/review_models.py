"""What finds the reports that later knowledge may touch, and what waits to be decided again."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only


class ReportScope(models.Model):
    """What a report is about (报告范围), in columns: for finding it without reading its content.

    ``from_date`` to ``to_date`` is the period asked about, ``as_of_date`` the day in China it was decided as of. The
    texts are those that verification shows to whoever has the code. ``domain_count``: how many domains it answers for,
    null for one of the time before they were counted.
    """

    report = models.OneToOneField("reports.Report", primary_key=True, on_delete=models.PROTECT, related_name="scope")
    subject_id = models.BigIntegerField()
    policy_id = models.TextField()
    from_date = models.DateField()
    to_date = models.DateField()
    as_of_date = models.DateField()
    as_of = models.DateTimeField()
    position = models.BigIntegerField()
    masked_name = models.TextField()
    report_title = models.TextField()
    policy_title = models.TextField()
    record_word = models.TextField()
    is_demonstration = models.BooleanField()
    domain_count = models.IntegerField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["policy_id", "report"], name="scope_of_policy")]

    def __str__(self) -> str:
        return str(self.report_id)


class ReportTie(models.Model):
    """A subject whose records a report weighed (涉及主体): its own, or one that it succeeded."""

    pk = models.CompositePrimaryKey("report_id", "subject_id")
    report = models.ForeignKey("reports.Report", on_delete=models.PROTECT, related_name="ties", db_index=False)
    subject_id = models.BigIntegerField(db_index=True)

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.report_id} {self.subject_id}"


class ReportGap(models.Model):
    """A unit's domain and kind that a report had to call not checked (未能核查): later coverage may fill it."""

    pk = models.CompositePrimaryKey("report_id", "unit_id", "domain", "kind")
    report = models.ForeignKey("reports.Report", on_delete=models.PROTECT, related_name="gaps", db_index=False)
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["unit_id", "domain", "kind", "report"], name="gap_of_source")]

    def __str__(self) -> str:
        return f"{self.report_id} {self.domain}"


class ReviewFlag(models.Model):
    """A report that an entry may touch (待复核): decided again behind the pages. A work queue, no history.

    ``entry_id`` is the first entry that may have touched it since it was last decided again, 0 for one of the time
    between its decision and its number. ``waits_since`` is the position at which only waiting lines, or something
    that failed, kept it from being answered.
    """

    report = models.ForeignKey("reports.Report", on_delete=models.PROTECT, related_name="flags")
    entry_id = models.BigIntegerField()
    why = models.TextField()
    flagged_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(default="")
    waits_since = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(decided_at__isnull=True), name="open_flags"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["report"], condition=Q(decided_at__isnull=True), name="one_open_flag_per_report"
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.entry_id}"


class ReviewSweep(models.Model):
    """A statement's change that may touch any report of a period (批量复核), worked off in slices by number."""

    entry_id = models.BigIntegerField()
    policy_id = models.TextField(default="")
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()
    from_date = models.DateField()
    through_date = models.DateField()
    last_number = models.TextField(default="")
    begun_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.entry_id} {self.domain}"


class ReviewCursor(models.Model):
    """Up to which position of the ledger reports were flagged (复核进度); one row."""

    name = models.TextField(primary_key=True)
    position = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} {self.position}"
