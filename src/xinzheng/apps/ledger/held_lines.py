"""Lines of held batches (暂存的行): kept without a version; and which of them were overtaken when they are booked."""

import polars as pl
from psycopg import sql

from xinzheng.apps.ledger.register_words import line_defects
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame, rows_of

HELD = "held"

# What the unit said after the held batch: versions of later batches, and lines identical to a version.
SPOKEN_SINCE = sql.SQL("""
    SELECT v.id FROM ledger_recordversion v
    WHERE v.id = ANY({versions}::bigint[]) AND v.batch_id > {held}
    UNION
    SELECT l.version_id FROM ledger_identicalline l
    WHERE l.entry_id > {held} AND l.version_id = ANY({versions}::bigint[])
    AND NOT EXISTS (SELECT 1 FROM ledger_batch b WHERE b.entry_id = l.entry_id AND b.held)
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = l.entry_id)
""")


def as_held(decided: pl.DataFrame) -> pl.DataFrame:
    """The rows, those that would have made a version as held ones."""
    would_be = pl.col("fate").is_in(("new", "changed"))
    return decided.with_columns(fate=pl.when(would_be).then(pl.lit(HELD)).otherwise("fate"))


def leave_overtaken(decided: pl.DataFrame, entry_id: int, held: int) -> pl.DataFrame:
    """The rows of a held batch that is booked now: what the unit delivered after it stays, as had it been booked then.

    Overtaken rows are kept as duplicates, each with a note.
    """
    changed = decided.filter((pl.col("fate") == "changed") & pl.col("head_digest").is_not_null())
    if not changed.height:
        return decided
    versions = sql.Literal("{" + changed.get_column("head_version").cast(pl.String).str.join(",").item() + "}")
    found = [row[0] for row in rows_of(SPOKEN_SINCE.format(versions=versions, held=sql.Literal(held)))]
    lines = changed.filter(pl.col("head_version").is_in(found)).get_column("line")
    if not lines.len():
        return decided
    copy_frame("ledger_defect", _notes(lines, entry_id), DEFECT_COLUMNS)
    is_overtaken = pl.col("line").is_in(lines.implode())
    return decided.with_columns(
        fate=pl.when(is_overtaken).then(pl.lit("duplicate")).otherwise("fate"),
        version_id=pl.when(~is_overtaken).then("version_id"),
    )


def _notes(lines: pl.Series, entry_id: int) -> pl.DataFrame:
    return line_defects(lines, "delivered-again-since").with_columns(entry_id=pl.lit(entry_id, pl.Int64))
