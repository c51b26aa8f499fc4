"""Heads: the latest state of each record, looked up for the rows of a stretch, and moved on."""

from io import BytesIO

import polars as pl
from django.db import connection
from psycopg import sql

from xinzheng.apps.ledger.staging import copy_frame, execute, rows_of

HEAD = {
    "line": pl.Int64, "head_record": pl.Int64, "head_version": pl.Int64, "head_unit": pl.Int64,
    "head_digest": pl.Binary,
}  # fmt: skip
COLUMNS = ("record_id", "subject_id", "kind", "record_key", "version_id", "payload_sha256", "unit_id")
# Between keys in one text: a natural key is JSON, where it cannot stand.
BETWEEN = "\x01"

FIND = sql.SQL("""
    COPY (
        SELECT s.line, h.record_id, h.version_id, h.unit_id, encode(h.payload_sha256, 'hex')
        FROM unnest({lines}::bigint[], {subjects}::bigint[], string_to_array({keys}, chr(1)))
            AS s (line, subject_id, record_key)
        JOIN ledger_recordhead h
            ON h.subject_id = s.subject_id AND h.kind = {kind} AND h.record_key = s.record_key
    ) TO STDOUT
""")
CHANGE = sql.SQL("""
    UPDATE ledger_recordhead h SET version_id = f.version_id, payload_sha256 = decode(f.digest, 'hex'), unit_id = f.unit
    FROM unnest({records}::bigint[], {versions}::bigint[], {digests}::text[], {units}::bigint[])
        AS f (record_id, version_id, digest, unit)
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
        lines=_array(rows, "line"),
        subjects=_array(rows, "subject_id"),
        keys=sql.Literal(rows.get_column("record_key").str.join(BETWEEN).item()),
        kind=sql.Literal(kind),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        text = b"".join(copy)
    schema = HEAD | {"head_digest": pl.String}
    if not text:
        return pl.DataFrame(schema=HEAD)
    found = pl.read_csv(
        BytesIO(text), has_header=False, schema=schema, separator="\t", quote_char=None, null_values=r"\N"
    )
    return found.with_columns(pl.col("head_digest").str.decode("hex"))


def write_new_heads(rows: pl.DataFrame) -> None:
    """COPY heads for records that were not there before."""
    copy_frame("ledger_recordhead", rows.select(pl.all().exclude("digest"), payload_sha256="digest"), COLUMNS)


def change_heads(rows: pl.DataFrame) -> None:
    """Move the heads of changed records on."""
    encoded = rows.with_columns(pl.col("digest").bin.encode("hex"))
    execute(
        CHANGE.format(
            records=_array(rows, "record_id"),
            versions=_array(rows, "version_id"),
            digests=_array(encoded, "digest"),
            units=_array(rows, "unit_id"),
        )
    )


def _array(rows: pl.DataFrame, column: str) -> sql.Literal:
    """A column of numbers or hexadecimal digits as the text of an array."""
    return sql.Literal("{" + rows.get_column(column).cast(pl.String).str.join(",").item() + "}")
