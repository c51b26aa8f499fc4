"""Heads: the latest state of each record, looked up for the rows of a stretch, and moved on."""

import polars as pl
from psycopg import sql

from xinzheng.apps.ledger.staging import array_of, copy_frame, execute, frame_of, rows_of

HEAD = {
    "line": pl.Int64, "head_record": pl.Int64, "head_version": pl.Int64, "head_unit": pl.Int64,
    "head_digest": pl.Binary,
}  # fmt: skip
COLUMNS = ("record_id", "subject_id", "kind", "record_key", "version_id", "payload_sha256", "unit_id")

FIND = sql.SQL("""
    SELECT s.line, h.record_id AS head_record, h.version_id AS head_version, h.unit_id AS head_unit,
           encode(h.payload_sha256, 'hex') AS head_digest
    FROM unnest({lines}, {subjects}, {keys}) AS s (line, subject_id, record_key)
    JOIN ledger_recordhead h
        ON h.subject_id = s.subject_id
        AND hashtextextended(h.kind || h.record_key, 0) = hashtextextended({kind} || s.record_key, 0)
        AND h.kind = {kind} AND h.record_key = s.record_key
""")
CHANGE = sql.SQL("""
    UPDATE ledger_recordhead h SET version_id = f.version_id, payload_sha256 = decode(f.digest, 'hex'), unit_id = f.unit
    FROM unnest({records}, {versions}, {digests}, {units}) AS f (record_id, version_id, digest, unit)
    WHERE h.record_id = f.record_id
""")


def are_there_heads() -> bool:
    """Whether the ledger holds any record at all."""
    return bool(rows_of(sql.SQL("SELECT EXISTS (SELECT 1 FROM ledger_recordhead)"))[0][0])


def find_heads(frame: pl.DataFrame) -> pl.DataFrame:
    """The heads of the records that the good rows speak of, in the shape of ``HEAD``."""
    good = frame.filter(pl.col("status") == "ok").select("line", "kind", "subject_id", "record_key")
    found = [_found(rows, str(kind)) for (kind,), rows in good.group_by("kind", maintain_order=True)]
    return pl.concat(found) if found else pl.DataFrame(schema=HEAD)


def _found(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    statement = FIND.format(
        lines=array_of(rows.get_column("line")),
        subjects=array_of(rows.get_column("subject_id")),
        keys=array_of(rows.get_column("record_key")),
        kind=sql.Literal(kind),
    )
    return frame_of(statement, HEAD)


def write_new_heads(rows: pl.DataFrame) -> None:
    """COPY heads for records that were not there before."""
    copy_frame("ledger_recordhead", rows.select(pl.all().exclude("digest"), payload_sha256="digest"), COLUMNS)


def change_heads(rows: pl.DataFrame) -> None:
    """Move the heads of changed records on."""
    encoded = rows.get_column("digest").bin.encode("hex")
    execute(
        CHANGE.format(
            records=array_of(rows.get_column("record_id")),
            versions=array_of(rows.get_column("version_id")),
            digests=array_of(encoded),
            units=array_of(rows.get_column("unit_id")),
        )
    )
