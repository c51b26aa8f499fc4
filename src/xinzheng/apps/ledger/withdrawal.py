"""Withdrawing a batch (撤回批次): the ledger then says what it would say had the batch never spoken.

For each record whose latest content came from the batch, the latest content that another standing batch delivered
comes back, be it as a version or as a line identical to one; a record nobody else delivered is gone. What the unit
delivered itself comes before what a return brought. The batch's versions stay readable at earlier positions.
"""

from dataclasses import dataclass

from django.db import transaction
from psycopg import sql

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.held_lines import refuse_if_repeated
from xinzheng.apps.ledger.merge import begin_merging
from xinzheng.apps.ledger.models import Batch, BatchWithdrawal
from xinzheng.apps.ledger.reasons import check_reason
from xinzheng.apps.ledger.staging import execute

RESTORE = sql.SQL("""
    CREATE UNLOGGED TABLE {restore} WITH (autovacuum_enabled = off) AS
    WITH shown AS (
        SELECT v.record_id, v.subject_id, v.id AS version_id, v.line, v.unit_id
        FROM ledger_recordversion v
        JOIN ledger_recordhead h ON h.record_id = v.record_id AND h.subject_id = v.subject_id AND h.version_id = v.id
        WHERE v.batch_id = %(batch)s AND v.is_present
    ), contents AS MATERIALIZED (
        SELECT v.id, v.record_id, v.batch_id, v.line, v.unit_id
        FROM shown b JOIN ledger_recordversion v ON v.subject_id = b.subject_id AND v.record_id = b.record_id
        WHERE v.is_present
    ), delivered AS (
        SELECT v.record_id, v.id AS content_id, v.batch_id, v.line, v.unit_id FROM contents v
        UNION ALL
        SELECT v.record_id, v.id, i.entry_id, i.line, i.unit_id
        FROM contents v JOIN ledger_identicalline i ON i.version_id = v.id
    ), latest AS (
        SELECT DISTINCT ON (d.record_id) d.record_id, d.content_id, d.batch_id, d.line, d.unit_id
        FROM delivered d
        JOIN audit_position p ON p.entry_id = d.batch_id
        JOIN ledger_batch o ON o.entry_id = d.batch_id
        JOIN shown s ON s.record_id = d.record_id
        WHERE NOT o.held AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = d.batch_id)
        AND NOT EXISTS (
            SELECT 1 FROM ledger_recordwithdrawal t JOIN audit_position tp ON tp.entry_id = t.entry_id
            WHERE t.subject_id = s.subject_id AND t.record_id = d.record_id AND tp.position > p.position)
        ORDER BY d.record_id, o.unit_id = d.unit_id DESC, p.position DESC, d.content_id DESC
    )
    SELECT b.record_id, b.subject_id, nextval('ledger_recordversion_id_seq') AS version_id,
           coalesce(c.content_id, b.version_id) AS content_id, c.content_id IS NOT NULL AS is_present,
           coalesce(c.batch_id, %(batch)s) AS batch_id, coalesce(c.line, b.line) AS line,
           coalesce(c.unit_id, b.unit_id) AS unit_id
    FROM shown b LEFT JOIN latest c ON c.record_id = b.record_id
""")

CONTENT = """kind, domain, organ_code, organ_name, document_key, decision_date, served_date, procedure, outcome,
    standing, standing_date, repaired_date, sealed, listed_from, listed_through, owing, payload, payload_sha256"""

WRITE_RESTORED = sql.SQL("""
    INSERT INTO ledger_recordversion (
        id, record_id, subject_id, entry_id, batch_id, line, unit_id, is_present, {content})
    SELECT r.version_id, r.record_id, r.subject_id, %(entry)s, r.batch_id, r.line, r.unit_id, r.is_present, {content_of}
    FROM {restore} r JOIN ledger_recordversion v ON v.id = r.content_id AND v.subject_id = r.subject_id
""")

MOVE_HEADS = sql.SQL("""
    UPDATE ledger_recordhead h
    SET version_id = v.id, unit_id = v.unit_id, payload_sha256 = CASE WHEN v.is_present THEN v.payload_sha256 END
    FROM {restore} r JOIN ledger_recordversion v ON v.id = r.version_id AND v.subject_id = r.subject_id
    WHERE h.record_id = r.record_id AND h.subject_id = r.subject_id
""")


# All versions of the records touched, but the content that is shown from now on.
OUT_OF_SIGHT = sql.SQL("""
    SELECT v.id FROM {restore} r
    JOIN ledger_recordversion v ON v.subject_id = r.subject_id AND v.record_id = r.record_id
    WHERE NOT (r.is_present AND r.content_id = v.id)
""")


@dataclass(frozen=True)
class WithdrawalResult:
    """What a withdrawal did: ``restored`` records show other content again, ``gone`` records are there no more."""

    entry: int
    position: int
    restored: int
    gone: int


@transaction.atomic
def withdraw_batch(*, batch_id: int, reason: str, by: str) -> WithdrawalResult:
    """Take a batch back as a whole; its statements cease and its pending lines are gone.

    Raises:
        IntakeError: ``unknown-batch``, ``batch-withdrawn-already``; and as of
            :func:`~xinzheng.apps.ledger.reasons.check_reason` and
            :func:`~xinzheng.apps.ledger.held_lines.refuse_if_repeated`.
    """
    check_reason(reason, "撤回批次须写明原因。")
    begin_merging()
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise IntakeError(f"没有编号为{batch_id}的批次，请核对。", code="unknown-batch")
    if BatchWithdrawal.objects.filter(batch=batch).exists():
        raise IntakeError(f"批次{batch_id}已经撤回。", code="batch-withdrawn-already")
    entry = open_entry(kind="batch-withdrawn", by=by, unit_id=batch.unit_id, note={"batch": batch_id})
    BatchWithdrawal.objects.create(entry=entry, batch=batch, reason=reason)
    restored, gone = _restore(entry, batch_id)
    record_event(who=by, action="batch-withdrawn", object_kind="batch", object_id=batch_id)
    return WithdrawalResult(entry.pk, take_position(entry), restored, gone)


def _restore(entry: Entry, batch_id: int) -> tuple[int, int]:
    restore = sql.Identifier(f"ledger_restore_{entry.pk}")
    execute(RESTORE.format(restore=restore), {"batch": batch_id})
    refuse_if_repeated(OUT_OF_SIGHT.format(restore=restore), settled=batch_id)
    names = [name.strip() for name in CONTENT.split(",")]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    content_of = sql.SQL(", ").join(sql.Identifier("v", name) for name in names)
    statement = WRITE_RESTORED.format(content=columns, content_of=content_of, restore=restore)
    total = execute(statement, {"entry": entry.pk})
    execute(MOVE_HEADS.format(restore=restore))
    gone = execute(sql.SQL("SELECT 1 FROM {restore} WHERE NOT is_present").format(restore=restore))
    execute(sql.SQL("DROP TABLE {restore}").format(restore=restore))
    return total - gone, gone
