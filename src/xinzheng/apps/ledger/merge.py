"""The merge: staged rows become versions, heads and lines, by plain statements over whole sets.

First the fate of every line is decided and kept in a second unlogged table, which also holds the keys the new rows
will get; then heads, lines and conflicts are written from it. Versions come from the rows parked meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from xinzheng.apps.ledger.models import MERGING
from xinzheng.apps.ledger.staging import execute

# Only one merge at a time: two would not see each other's heads. Readers and reports never ask for it.
INTAKE_LOCK = 0x696E74616B65

FATES = ("new", "changed", "identical", "rejected", "duplicate")
ACCEPTED = ("new", "changed", "identical")


@dataclass(frozen=True)
class Merging:
    """What one merge works on: its entry, the unit, the two tables of this transaction."""

    entry_id: int
    unit_id: int
    staging: str
    fates: str

    def names(self) -> Mapping[str, sql.Identifier]:
        """The tables' names for composing statements."""
        return {"staging": sql.Identifier(self.staging), "fates": sql.Identifier(self.fates)}

    def values(self) -> dict[str, Any]:
        """The values every statement takes."""
        return {"entry": self.entry_id, "unit": self.unit_id}


def begin_merging() -> None:
    """Wait for our turn, and prepare the transaction for large sets. Both end with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_connection_check_interval = '2s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INTAKE_LOCK])
        cursor.execute("SELECT set_config(%s, 'on', true)", [MERGING])
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")


# OFFSET 0 keeps PostgreSQL from pulling the inner select up, which would decide the fate once per mention.
# Of the lines with one key the last wins. A withdrawn record (no digest) is brought back by whoever delivers it; a
# live one of another unit is not overwritten: the line is kept as rejected until the two have agreed.
DECIDE_FATES = sql.SQL("""
    CREATE UNLOGGED TABLE {fates} WITH (autovacuum_enabled = off) AS
    SELECT line, kind, domain, subject_id, record_key, coalesce(document_key, record_key) AS match_key, digest, fate,
           is_conflict, head_version,
           CASE fate WHEN 'new' THEN nextval('ledger_recordhead_record_id_seq')
                     WHEN 'changed' THEN record_id WHEN 'identical' THEN record_id END AS record_id,
           CASE WHEN fate IN ('new', 'changed') THEN nextval('ledger_recordversion_id_seq') END AS version_id
    FROM (
        SELECT s.line, s.kind, s.domain, s.subject_id, s.record_key, s.document_key, s.digest, h.record_id,
               h.version_id AS head_version,
               s.status = 'ok' AND h.unit_id <> %(unit)s AND h.payload_sha256 <> s.digest AS is_conflict,
               CASE WHEN s.status <> 'ok' THEN s.status
                    WHEN h.record_id IS NULL THEN 'new'
                    WHEN h.payload_sha256 IS NULL THEN 'changed'
                    WHEN h.payload_sha256 = s.digest THEN 'identical'
                    WHEN h.unit_id <> %(unit)s THEN 'rejected'
                    ELSE 'changed' END AS fate
        FROM {staging} s
        LEFT JOIN ledger_recordhead h
            ON s.status = 'ok' AND h.subject_id = s.subject_id AND h.kind = s.kind AND h.record_key = s.record_key
        OFFSET 0
    ) judged
""")

# In the order of the unique index: a million entries go in side by side, not all over it.
WRITE_NEW_HEADS = sql.SQL("""
    INSERT INTO ledger_recordhead (record_id, subject_id, kind, record_key, version_id, payload_sha256, unit_id)
    SELECT record_id, subject_id, kind, record_key, version_id, digest, %(unit)s FROM {fates} WHERE fate = 'new'
    ORDER BY subject_id
""")

WRITE_CHANGED_HEADS = sql.SQL("""
    UPDATE ledger_recordhead h SET version_id = f.version_id, payload_sha256 = f.digest, unit_id = %(unit)s
    FROM {fates} f WHERE f.fate = 'changed' AND h.record_id = f.record_id AND h.subject_id = f.subject_id
""")

WRITE_LINES = sql.SQL("""
    INSERT INTO ledger_line (entry_id, line, status, subject_id, unit_id, domain, kind, document_key, version_id)
    SELECT %(entry)s, line, fate, subject_id, %(unit)s, domain, kind, CASE fate WHEN 'rejected' THEN match_key END,
           CASE fate WHEN 'identical' THEN head_version END
    FROM {fates} WHERE version_id IS NULL
""")

CONFLICT = "库内已有其他单位报送的同一记录，内容不同，本行未入账。请与该单位核对；本行无误的，由责任人说明。"
WRITE_CONFLICTS = sql.SQL("""
    INSERT INTO ledger_defect (entry_id, line, field, code, severity, message, value)
    SELECT %(entry)s, line, '', 'conflict', 'error', %(conflict)s, NULL FROM {fates} WHERE is_conflict
""")

COUNT_FATES = sql.SQL("SELECT fate, count(*) FROM {fates} GROUP BY fate")
DROP = sql.SQL("DROP TABLE {fates}, {staging}")


def decide_fates(merging: Merging) -> dict[str, int]:
    """Decide what becomes of every staged line, and which keys it gets; how many lines met which fate."""
    names, values = merging.names(), merging.values()
    execute(sql.SQL("ANALYZE {staging}").format(**names))
    execute(DECIDE_FATES.format(**names), values)
    execute(sql.SQL("ANALYZE {fates}").format(**names))
    return _counts(merging)


def write_heads_and_lines(merging: Merging, counts: Mapping[str, int]) -> None:
    """Write heads, lines and conflicts by the fates decided."""
    names, values = merging.names(), merging.values()
    if counts["new"]:
        execute(WRITE_NEW_HEADS.format(**names), values)
    if counts["changed"]:
        execute(WRITE_CHANGED_HEADS.format(**names), values)
    if counts["identical"] or counts["rejected"] or counts["duplicate"]:
        execute(WRITE_LINES.format(**names), values)
        execute(WRITE_CONFLICTS.format(**names), values | {"conflict": CONFLICT})


def _counts(merging: Merging) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FATES.format(**merging.names()).as_string(None))
        found = dict(cursor.fetchall())
    return {fate: int(found.get(fate, 0)) for fate in FATES}


def drop_tables(merging: Merging) -> None:
    """Drop what the merge worked on; a failed transaction does so by itself."""
    execute(DROP.format(**merging.names()))
