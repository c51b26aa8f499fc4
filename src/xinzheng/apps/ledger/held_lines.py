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
    """The rows of a held batch that is booked now: what the unit delivered after it stays, as had it been booked then.

    Overtaken rows are kept as duplicates, each with a note. Raises as ``refuse_if_repeated`` does.
    """
    changed = decided.filter((pl.col("fate") == "changed") & pl.col("head_digest").is_not_null())
    if not changed.height:
        return decided
    versions = sql.Literal("{" + changed.get_column("head_version").cast(pl.String).str.join(",").item() + "}")
    found = [row[0] for row in rows_of(SPOKEN_SINCE.format(versions=versions, held=sql.Literal(held)))]
    lines = changed.filter(pl.col("head_version").is_in(found)).get_column("line")
    refuse_if_repeated(sql.SQL("SELECT unnest({}::bigint[])").format(versions), settled=held)
    if not lines.len():
        return decided
    copy_frame("ledger_defect", _notes(lines, entry_id), DEFECT_COLUMNS)
    is_overtaken = pl.col("line").is_in(lines.implode())
    return decided.with_columns(
        fate=pl.when(is_overtaken).then(pl.lit("duplicate")).otherwise("fate"),
        version_id=pl.when(~is_overtaken).then("version_id"),
    )


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


def _notes(lines: pl.Series, entry_id: int) -> pl.DataFrame:
    return line_defects(lines, "delivered-again-since").with_columns(entry_id=pl.lit(entry_id, pl.Int64))
