"""Versions: the rows whose fate is a version go straight into the history, once, with the keys of the merge."""

from collections.abc import Iterable, Iterator

import polars as pl
from psycopg import sql

from xinzheng.apps.ledger.merge import Merging
from xinzheng.apps.ledger.staging import copy_frames, rows_of

# What of a row a version is made of; the rest of a version's columns come from the merge.
CONTENT = (
    "line", "subject_id", "kind", "domain", "organ_code", "organ_name", "document_key", "decision_date", "served_date",
    "procedure", "outcome", "standing", "standing_date", "repaired_date", "sealed", "listed_from", "listed_through",
    "owing", "payload", "digest",
)  # fmt: skip
COLUMNS = (
    "id", "record_id", "entry_id", "batch_id", "unit_id", "is_present", *CONTENT[:-1], "payload_sha256",
)  # fmt: skip

# Where keys stop following line after line: between two such lines, they are counted on. A new file has one.
BREAKS = sql.SQL("""
    SELECT line, version_id, record_id
    FROM (
        SELECT line, version_id, record_id, version, record,
               lag(version) OVER by_line AS version_before, lag(record) OVER by_line AS record_before
        FROM (
            SELECT line, version_id, record_id, version_id - line AS version,
                   CASE WHEN version_id IS NOT NULL THEN record_id - line END AS record
            FROM {stretch}
        ) f
        WINDOW by_line AS (ORDER BY line)
    ) compared
    WHERE version IS DISTINCT FROM version_before OR record IS DISTINCT FROM record_before
    ORDER BY line
""")


def write_versions(merging: Merging, frames: Iterable[pl.DataFrame]) -> None:
    """COPY a version for every line of the frames whose fate has one."""
    schema = dict.fromkeys(("first", "version", "record"), pl.Int64)
    found = rows_of(BREAKS.format(**merging.names()))
    breaks = pl.DataFrame(found, schema=schema, orient="row").set_sorted("first")
    if breaks.get_column("version").count():
        copy_frames("ledger_recordversion", _versions(merging, frames, breaks), COLUMNS)


def _versions(merging: Merging, frames: Iterable[pl.DataFrame], breaks: pl.DataFrame) -> Iterator[pl.DataFrame]:
    offset = pl.col("line") - pl.col("first")
    for frame in frames:
        found = frame.set_sorted("line").join_asof(breaks, left_on="line", right_on="first")
        yield found.filter(pl.col("version").is_not_null()).with_columns(
            id=pl.col("version") + offset,
            record_id=pl.col("record") + offset,
            entry_id=pl.lit(merging.entry_id),
            batch_id=pl.lit(merging.entry_id),
            unit_id=pl.lit(merging.unit_id),
            is_present=pl.lit(value=True),
            payload_sha256="digest",
        )
