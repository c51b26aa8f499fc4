"""What is remembered of reports (报告): what they were decided by, their content, their files, their status."""

import uuid
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.reports.look_models import Look
from xinzheng.apps.reports.pack_models import PackExtension, PackPublication
from xinzheng.apps.reports.review_models import (
    ReportGap,
    ReportScope,
    ReportTie,
    ReviewCursor,
    ReviewFlag,
    ReviewSweep,
)
from xinzheng.core.lifecycle import ReportStatus

__all__ = [
    "Application",
    "ApplicationState",
    "DayCounter",
    "DocumentStamp",
    "Look",
    "PackExtension",
    "PackPublication",
    "Report",
    "ReportDocument",
    "ReportGap",
    "ReportScope",
    "ReportTie",
    "ReviewCursor",
    "ReviewFlag",
    "ReviewSweep",
    "StatusEvent",
    "StoredInput",
]


class StoredInput(models.Model):
    """What a decision used besides the ledger (核查依据): a policy pack or a calendar, kept under its digest."""

    sha256 = models.BinaryField(primary_key=True, max_length=32)
    kind = models.TextField()
    name = models.TextField()
    body = models.JSONField()
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class DayCounter(models.Model):
    """The last serial (流水号) of a prefix on a day in China; locked while a report takes its number."""

    prefix = models.TextField()
    day = models.DateField()
    last = models.IntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="counter_per_day", fields=["prefix", "day"])]

    def __str__(self) -> str:
        return f"{self.prefix} {self.day} {self.last}"


class Report(models.Model):
    """An issued report (报告) as numbered: everything needed to render it again, byte for byte, and to replay it.

    ``content`` is the canonical JSON, ``digest`` its SHA-256, ``cose`` the seal in the QR code, ``secret`` the 128
    random bits of the code, ``findings`` what the subject is told of every record weighed.
    """

    number = models.TextField(primary_key=True)
    idempotency_key = models.UUIDField(unique=True)
    subject_id = models.BigIntegerField(db_index=True)
    policy_id = models.TextField()
    pack = models.ForeignKey(StoredInput, on_delete=models.PROTECT, related_name="+")
    calendar = models.ForeignKey(StoredInput, on_delete=models.PROTECT, related_name="+")
    setting = models.JSONField()
    position = models.BigIntegerField()
    as_of = models.DateTimeField()
    request = models.JSONField()
    outcome = models.TextField()
    findings = models.JSONField()
    secret = models.BinaryField(max_length=16)
    content = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    cose = models.BinaryField()
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(name="report_secret_unique", fields=["secret"])]

    def __str__(self) -> str:
        return self.number


class ReportDocument(models.Model):
    """The signed file (报告文件) of a report."""

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.PROTECT, related_name="document")
    pdf = models.BinaryField()
    sha256 = models.BinaryField(max_length=32)
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.report_id)


class DocumentStamp(models.Model):
    """The time stamp (时间戳, RFC 3161) of a signature: the token, and the digest of the file with it in place.

    ``authority`` is the common name of who stamped, ``stamped_at`` its word. A report without a row is not stamped yet.
    """

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.PROTECT, related_name="stamp")
    token = models.BinaryField()
    sha256 = models.BinaryField(max_length=32)
    authority = models.TextField()
    stamped_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.report_id)


class StatusEvent(models.Model):
    """A change of a report's status (报告状态); the last one holds.

    ``reason_code`` says why in general (see :mod:`xinzheng.core.lifecycle`), ``caused_by`` is the ledger entry that
    did, ``effective_at`` since when the status holds (null: since ``at``).
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="status_events")
    status = models.TextField(choices=[(s.value, s.value) for s in ReportStatus])
    reason = models.TextField(blank=True)
    reason_code = models.TextField(default="")
    caused_by = models.BigIntegerField(null=True)
    effective_at = models.DateTimeField(null=True)
    actor = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(name="status_once", fields=["report", "status"])]
        indexes: ClassVar = [
            models.Index(
                name="ended_reports",
                fields=["id"],
                condition=models.Q(status__in=["superseded", "revoked", "expired"]),
            ),
            # Rows lie in the order of their moments: block ranges find those of a day, and cost the writer nothing.
            BrinIndex(fields=["at"], name="status_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.status}"


class ApplicationState(models.TextChoices):
    """How far an application (申请) has come."""

    QUEUED = "queued", "等待办理"
    DECIDING = "deciding", "正在核查"
    REHEARSING = "rehearsing", "正在预检"
    SIGNING = "signing", "正在签发"
    DONE = "done", "已出具"
    FAILED = "failed", "未能出具"


class Application(models.Model):
    """An application (申请) made on a page; its id is the idempotency key of the report."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    subject_id = models.BigIntegerField(db_index=True)
    policy_id = models.TextField()
    request = models.JSONField()
    state = models.TextField(choices=ApplicationState.choices, default=ApplicationState.QUEUED)
    message = models.TextField(blank=True)
    number = models.TextField(null=True)
    receiver_name = models.TextField(default="")
    again_of = models.TextField(default="")
    client_id = models.TextField(default="")
    account_id = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_id", "policy_id", "-created_at"], name="applications_of_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"
