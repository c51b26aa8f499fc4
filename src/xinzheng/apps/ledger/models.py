"""What the ledger remembers. A row of history names the entry that wrote it; the entry's position dates it.

History refuses UPDATE, DELETE and TRUNCATE. ``RecordHead`` is changed by the merge only, ``Upload`` is a work queue.
The tables a batch fills by the million have no foreign keys: PostgreSQL would check each row at the commit, while
everybody else waits for a position. Their keys come from the same transaction.
"""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.dispute_models import RecordDispute as RecordDispute  # noqa: PLC0414  # one place for all
from xinzheng.apps.ledger.dispute_models import RecordWithdrawal as RecordWithdrawal  # noqa: PLC0414  # one place for all
from xinzheng.apps.ledger.identical_models import IdenticalStretch  # noqa: F401  # Django finds models from here
from xinzheng.apps.ledger.key_models import BatchKey  # noqa: F401  # Django finds models from here
from xinzheng.apps.ledger.map_models import StoredMap
from xinzheng.apps.ledger.upload_models import Upload as Upload  # noqa: PLC0414  # one place for all
from xinzheng.apps.ledger.upload_models import UploadPiece as UploadPiece  # noqa: PLC0414  # one place for all
from xinzheng.core.records import RecordKind

# The setting by which the merge, and nothing else, tells PostgreSQL that it is the merge.
MERGING = "xinzheng.merging"
RECORD_KINDS = [kind.value for kind in RecordKind]
# Lines that may say something the ledger does not hold.
WAITING = Q(status__in=["rejected", "held"])


def _entry(*, is_indexed: bool = True) -> "models.ForeignKey[Entry, Entry]":
    return models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", db_index=is_indexed)


def _column_map() -> "models.ForeignKey[StoredMap | None, StoredMap | None]":
    return models.ForeignKey(StoredMap, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)


class Batch(models.Model):
    """Batch (批次): one file of one unit; its key is that of its entry.

    ``domain`` and ``kind`` are what the file was delivered for; rows may carry their own. ``held`` marks a batch
    that waits for a second officer: its counts tell what would become of its lines. It stays as it is when it is
    confirmed; the batch that books it names it in ``confirms_id``. ``put_forward`` counts the records a snapshot
    lacks. ``wrapped_key`` is the key of the raw file under the key-encryption key.
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")
    unit_id = models.BigIntegerField(db_index=True)
    domain = models.TextField()
    kind = models.TextField()
    mode = models.TextField()
    file_name = models.TextField()
    file_sha256 = models.BinaryField()
    lines = models.BigIntegerField()
    new = models.BigIntegerField()
    changed = models.BigIntegerField()
    identical = models.BigIntegerField()
    rejected = models.BigIntegerField()
    duplicate = models.BigIntegerField()
    put_forward = models.BigIntegerField(default=0)
    held = models.BooleanField(default=False)
    confirms_id = models.BigIntegerField(null=True)
    wrapped_key = models.BinaryField()
    column_map = _column_map()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lines=F("new") + F("changed") + F("identical") + F("rejected") + F("duplicate")),
                name="every_line_accounted_for",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["increment", "snapshot", "correction"]), name="batch_mode_known"
            ),
            models.UniqueConstraint(fields=["confirms_id"], name="one_confirmation_per_batch"),
            models.CheckConstraint(condition=Q(kind__in=RECORD_KINDS), name="batch_kind_known"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RawFile(models.Model):
    """Raw file (原始文件): the file as it came, compressed, in pieces under the batch's key."""

    pk = models.CompositePrimaryKey("entry_id", "seq")
    entry_id = models.BigIntegerField()
    seq = models.IntegerField()
    chunk = models.BinaryField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.seq}"


class Line(models.Model):
    """Line (行): a line of a batch that made no version. Identical ones are kept as ``IdenticalStretch`` now.

    ``version_id`` is, of an identical line, the version it confirms. A held line is one of a held batch that would
    have made a version. ``document_key`` is what a later delivery is recognised by: of a rejected line the normalised
    document number, else the record's natural key; of a held line that key. ``is_sealed``: the line says readably that
    its record is sealed (依法封存), so that it must not be hinted at.
    """

    pk = models.CompositePrimaryKey("entry_id", "line")
    entry_id = models.BigIntegerField()
    line = models.BigIntegerField()
    status = models.TextField()
    subject_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()
    document_key = models.TextField(null=True)
    version_id = models.BigIntegerField(null=True)
    is_sealed = models.BooleanField(default=False, db_default=False)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["identical", "rejected", "duplicate", "held"]), name="line_status_known"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject_id"], condition=WAITING, name="waiting_line_of_subject"),
            models.Index(
                fields=["unit_id", "kind", "document_key"], condition=WAITING, name="waiting_line_of_document"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}:{self.line} {self.status}"


class HoldReason(models.Model):
    """Why a batch was held (暂存原因): a code and what was found, for who confirms it."""

    entry = _entry()
    code = models.TextField()
    message = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.entry_id} {self.code}"


class Defect(models.Model):
    """Defect (质量问题): what is wrong with one field of a line; errors reject the line, warnings keep it."""

    entry_id = models.BigIntegerField()
    line = models.BigIntegerField()
    field = models.TextField()
    code = models.TextField()
    severity = models.TextField()
    message = models.TextField()
    value = models.TextField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["entry_id", "line"], name="defect_of_line")]

    def __str__(self) -> str:
        return f"{self.entry_id}:{self.line} {self.code}"


class KeyNumber(models.Func):
    """A record's kind and key within a subject as one number of 64 bits (键值): ``hashtextextended``."""

    template = "hashtextextended(%(expressions)s, 0)"
    arg_joiner = " || "
    output_field = models.BigIntegerField()


class RecordHead(models.Model):
    """The latest state of a record, for merging and lists only; deciding never reads it.

    ``payload_sha256`` is null while the record is withdrawn, so that any delivery brings it back.
    """

    record_id = models.BigAutoField(primary_key=True)
    subject_id = models.BigIntegerField()
    kind = models.TextField(db_collation="C")
    record_key = models.TextField(db_collation="C")
    version_id = models.BigIntegerField()
    payload_sha256 = models.BinaryField(null=True)
    unit_id = models.BigIntegerField()

    class Meta:
        triggers: ClassVar = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="merge_only",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Truncate,
                func=f"""
                    IF TG_OP = 'TRUNCATE' OR current_setting('{MERGING}', true) IS DISTINCT FROM 'on' THEN
                        RAISE EXCEPTION 'only the merge may change heads';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        # Kind and key as one number: as texts in the index they would double what a large delivery writes. Two keys of
        # one subject with one number, one chance in 10^19 a pair, would have a delivery refused whole; nothing is ever
        # taken for something else, since who finds a head compares the texts.
        constraints: ClassVar = [
            models.UniqueConstraint("subject_id", KeyNumber("kind", "record_key"), name="one_head_per_record")
        ]

    def __str__(self) -> str:
        return str(self.record_id)


class RecordVersion(models.Model):
    """Version of a record (记录版本): what the ledger says of it from this entry on.

    ``batch_id`` and ``line`` tell where the content was delivered; the same as ``entry_id`` unless a withdrawn batch
    brought an earlier content back. ``payload`` holds every field as delivered, as the canonical JSON text whose
    digest (with the domain before it) is ``payload_sha256``: jsonb would reorder it and cost the merge a third. The
    typed columns are those that decide. ``is_present`` false: the record is gone.
    """

    record_id = models.BigIntegerField()
    subject_id = models.BigIntegerField()
    entry_id = models.BigIntegerField()
    batch_id = models.BigIntegerField()
    line = models.BigIntegerField()
    unit_id = models.BigIntegerField()
    kind = models.TextField()
    domain = models.TextField()
    organ_code = models.TextField(null=True)
    organ_name = models.TextField(null=True)
    document_key = models.TextField(null=True)
    decision_date = models.DateField(null=True)
    served_date = models.DateField(null=True)
    procedure = models.TextField(null=True)
    outcome = models.TextField(null=True)
    standing = models.TextField(null=True)
    standing_date = models.DateField(null=True)
    repaired_date = models.DateField(null=True)
    sealed = models.BooleanField(null=True)
    listed_from = models.DateField(null=True)
    listed_through = models.DateField(null=True)
    owing = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    is_present = models.BooleanField(default=True)
    payload = models.TextField()
    payload_sha256 = models.BinaryField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [
            models.Index(fields=["subject_id", "record_id"], name="version_of_subject"),
            # A batch's rows lie together: block ranges find them, and cost the merge nothing.
            BrinIndex(fields=["batch_id"], name="version_of_batch", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}@{self.entry_id}"


class PutForward(models.Model):
    """Put forward for withdrawal (提请撤下): a live record of the unit that its snapshot lacks."""

    entry = _entry()
    record_id = models.BigIntegerField()
    subject_id = models.BigIntegerField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.entry_id} {self.record_id}"


class CoverageStatement(models.Model):
    """Coverage statement (覆盖声明): the unit's records decided from … through … are complete.

    ``is_zero`` marks a zero return (零报告). ``batch_id`` is the batch it came with, or null. ``source_unit_id`` is who
    made it for the unit by return (数据回流), null where the unit did itself.
    """

    entry = _entry()
    unit_id = models.BigIntegerField()
    domain = models.TextField()
    kind = models.TextField()
    from_date = models.DateField()
    through_date = models.DateField()
    is_zero = models.BooleanField(default=False)
    batch_id = models.BigIntegerField(null=True)
    source_unit_id = models.BigIntegerField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(from_date__lte=F("through_date")), name="statement_not_reversed"),
            models.CheckConstraint(condition=Q(kind__in=RECORD_KINDS), name="statement_kind_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["unit_id", "kind", "domain"], name="statement_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.domain} {self.from_date}–{self.through_date}"


class CoverageWithdrawal(models.Model):
    """Withdrawal of a coverage statement (撤回覆盖声明)."""

    entry = _entry()
    statement = models.ForeignKey(CoverageStatement, on_delete=models.PROTECT, related_name="withdrawals")
    reason = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.statement_id}"


class BatchWithdrawal(models.Model):
    """Withdrawal of a batch (撤回批次): its content no longer speaks, its statement no longer covers."""

    entry = _entry()
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="withdrawals")
    reason = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch"], name="one_withdrawal_per_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id}"


class LineResolution(models.Model):
    """How a rejected line was settled (退回行的处理): mended 更正 by a later batch, or explained 说明 by the officer.

    One that came with a batch ceases when that batch is withdrawn.
    """

    entry = _entry()
    batch_id = models.BigIntegerField()
    line = models.BigIntegerField()
    how = models.TextField()
    reason = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(how__in=["mended", "explained"]), name="resolution_known")
        ]
        indexes: ClassVar = [models.Index(fields=["batch_id", "line"], name="resolution_of_line")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line} {self.how}"
