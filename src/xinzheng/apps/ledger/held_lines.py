"""Lines of held batches (暂存的行): kept without a version; and which of them were overtaken when they are booked."""

import polars as pl
from psycopg import sql

from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.register_words import line_defects
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame, rows_of

HELD = "held"

# What was said after the held batch: versions of later batches, and lines identical to a version. A batch that was
# held itself spoke when it came, not when it was confirmed.
SPOKEN_SINCE = sql.SQL("""
    SELECT v.id FROM ledger_recordversion v JOIN ledger_batch b ON b.entry_id = v.batch_id
    WHERE v.id = ANY({versions}::bigint[]) AND coalesce(b.confirms_id, b.entry_id) > {held}
    UNION
    SELECT l.version_id FROM ledger_identicalline l JOIN ledger_batch b ON b.entry_id = l.entry_id
    WHERE l.entry_id > {held} AND l.version_id = ANY({versions}::bigint[])
    AND coalesce(b.confirms_id, b.entry_id) > {held} AND NOT b.held
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = l.entry_id)
""")

# Records that were taken out after the held batch had come (撤下记录), among those with these heads.
WITHDRAWN_SINCE = sql.SQL("""
    SELECT h.version_id FROM ledger_recordhead h
    JOIN ledger_recordwithdrawal t ON t.subject_id = h.subject_id AND t.record_id = h.record_id
    WHERE h.payload_sha256 IS NULL AND t.entry_id > {held}
    AND (h.record_id, h.subject_id) IN (SELECT * FROM unnest({records}::bigint[], {subjects}::bigint[]))
""")

REPEATED = sql.SQL("""
    SELECT b.entry_id FROM ledger_batch b JOIN ledger_identicalline i ON i.entry_id = b.entry_id
    WHERE b.held AND b.entry_id <> {settled} AND i.version_id IN ({versions})
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = b.entry_id)
    ORDER BY b.entry_id LIMIT 1
""")


def as_held(decided: pl.DataFrame) -> pl.DataFrame:
    """The rows, those that would have made a version as held ones."""
    would_be = pl.col("fate").is_in(("new", "changed"))
    return decided.with_columns(fate=pl.when(would_be).then(pl.lit(HELD)).otherwise("fate"))


def leave_overtaken(decided: pl.DataFrame, entry_id: int, held: int) -> pl.DataFrame:
    """The rows of a held batch that is booked now: what the unit said after it stays, as had it been booked then.

    Overtaken rows are kept as duplicates, each with a note. Raises as ``refuse_if_repeated`` does.
    """
    changed = decided.filter(pl.col("fate") == "changed")
    is_live = pl.col("head_digest").is_not_null()
    again = _delivered_since(changed.filter(is_live), held)
    out = _withdrawn_since(changed.filter(~is_live), held)
    noted = [
        line_defects(lines, code)
        for lines, code in ((again, "delivered-again-since"), (out, "withdrawn-since"))
        if lines.len()
    ]
    if not noted:
        return decided
    copy_frame("ledger_defect", pl.concat(noted).with_columns(entry_id=pl.lit(entry_id, pl.Int64)), DEFECT_COLUMNS)
    is_overtaken = pl.col("line").is_in(pl.concat([again, out]).implode())
    return decided.with_columns(
        fate=pl.when(is_overtaken).then(pl.lit("duplicate")).otherwise("fate"),
        version_id=pl.when(~is_overtaken).then("version_id"),
    )


def _delivered_since(changed: pl.DataFrame, held: int) -> pl.Series:
    """The lines whose records the unit delivered again after the held batch."""
    if not changed.height:
        return changed.get_column("line")
    versions = _array(changed, "head_version")
    found = [row[0] for row in rows_of(SPOKEN_SINCE.format(versions=versions, held=sql.Literal(held)))]
    lines = changed.filter(pl.col("head_version").is_in(found)).get_column("line")
    refuse_if_repeated(sql.SQL("SELECT unnest({}::bigint[])").format(versions), settled=held)
    return lines


def _withdrawn_since(gone: pl.DataFrame, held: int) -> pl.Series:
    """The lines whose records were taken out after the held batch."""
    if not gone.height:
        return gone.get_column("line")
    records, subjects = _array(gone, "head_record"), _array(gone, "subject_id")
    found = rows_of(WITHDRAWN_SINCE.format(records=records, subjects=subjects, held=sql.Literal(held)))
    return gone.filter(pl.col("head_version").is_in([row[0] for row in found])).get_column("line")


def _array(rows: pl.DataFrame, column: str) -> sql.Literal:
    return sql.Literal("{" + rows.get_column(column).cast(pl.String).str.join(",").item() + "}")


def refuse_if_repeated(versions: sql.Composable, *, settled: int) -> None:
    """Refuse to take versions out of sight that a waiting held batch, other than ``settled``, has lines identical to.

    Such a line waits for nobody's word while the ledger says the same; without it, it would be unheard.

    Raises:
        IntakeError: ``held-batch-waits``.
    """
    found = rows_of(REPEATED.format(versions=versions, settled=sql.Literal(settled)))
    if found:
        said = f"批次{found[0][0]}暂存待确认，其中有与本批相同的记录。请先确认或者撤回批次{found[0][0]}，再处理本批。"
        raise IntakeError(said, code="held-batch-waits", batch=found[0][0])
