"""The merge: staged rows become versions, heads and lines, by plain statements over whole sets.

The fate of every line is decided and kept in a second unlogged table, which also holds the keys the new rows get;
then heads, lines and conflicts are written from it. Versions come from the rows themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from xinzheng.apps.ledger.models import MERGING
from xinzheng.apps.ledger.staging import execute, rows_of

# Only one merge at a time: two would not see each other's heads. Readers and reports never ask for it.
INTAKE_LOCK = 0x696E74616B65

FATES = ("new", "changed", "identical", "rejected", "duplicate")
ACCEPTED = ("new", "changed", "identical")


@dataclass(frozen=True)
class Merging:
    """What one merge works on: its entry, the unit, and the tables of this transaction.

    ``stretch`` holds the fates of what is staged; ``fates`` those of all lines, where ``keeps_fates`` asks for them.
    """

    entry_id: int
    unit_id: int
    keeps_fates: bool

    def names(self) -> Mapping[str, sql.Identifier]:
        """The tables' names for composing statements."""
        return {
            "staging": sql.Identifier(self.staging),
            "stretch": sql.Identifier(f"ledger_fates_{self.entry_id}_stretch"),
            "fates": sql.Identifier(f"ledger_fates_{self.entry_id}"),
        }

    @property
    def staging(self) -> str:
        """The name of the table of staged lines."""
        return f"ledger_staging_{self.entry_id}"

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


CREATE_FATES = sql.SQL("""
    CREATE UNLOGGED TABLE {table} (
        line bigint, kind text, domain text, subject_id bigint, record_key text, match_key text,
        digest bytea, fate text, is_conflict boolean, head_version bigint, record_id bigint, version_id bigint
    ) WITH (autovacuum_enabled = off)
""")

# OFFSET 0 keeps PostgreSQL from pulling the inner select up, which would decide the fate once per mention.
# Of the lines with one key the last wins. A withdrawn record (no digest) is brought back by whoever delivers it; a
# live one of another unit is not overwritten: the line is kept as rejected until the two have agreed.
DECIDE_FATES = sql.SQL("""
    INSERT INTO {stretch}
    SELECT line, kind, domain, subject_id, record_key, coalesce(document_key, record_key), digest, fate, is_conflict,
           head_version,
           CASE fate WHEN 'new' THEN line + %(record_offset)s
                     WHEN 'changed' THEN record_id WHEN 'identical' THEN record_id END,
           CASE WHEN fate IN ('new', 'changed') THEN line + %(version_offset)s END
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
        FROM (SELECT * FROM {staging} ORDER BY subject_id) s
        LEFT JOIN ledger_recordhead h
            ON s.status = 'ok' AND h.subject_id = s.subject_id AND h.kind = s.kind AND h.record_key = s.record_key
        OFFSET 0
    ) judged
""")

# In the order of the unique index: a million entries go in side by side, not all over it.
WRITE_NEW_HEADS = sql.SQL("""
    INSERT INTO ledger_recordhead (record_id, subject_id, kind, record_key, version_id, payload_sha256, unit_id)
    SELECT record_id, subject_id, kind, record_key, version_id, digest, %(unit)s
    FROM {stretch} WHERE fate = 'new'
    ORDER BY subject_id
""")

WRITE_CHANGED_HEADS = sql.SQL("""
    UPDATE ledger_recordhead h SET version_id = f.version_id, payload_sha256 = f.digest, unit_id = %(unit)s
    FROM {stretch} f
    WHERE f.fate = 'changed' AND h.record_id = f.record_id AND h.subject_id = f.subject_id
""")

WRITE_LINES = sql.SQL("""
    INSERT INTO ledger_line (entry_id, line, status, subject_id, unit_id, domain, kind, document_key, version_id)
    SELECT %(entry)s, line, fate, subject_id, %(unit)s, domain, kind, CASE fate WHEN 'rejected' THEN match_key END,
           CASE fate WHEN 'identical' THEN head_version END
    FROM {stretch} WHERE version_id IS NULL ORDER BY line
""")

CONFLICT = "库内已有其他单位报送的同一记录，内容不同，本行未入账。请与该单位核对；本行无误的，由责任人说明。"
WRITE_CONFLICTS = sql.SQL("""
    INSERT INTO ledger_defect (entry_id, line, field, code, severity, message, value)
    SELECT %(entry)s, line, '', 'conflict', 'error', %(conflict)s, NULL FROM {stretch} WHERE is_conflict
""")

COUNT_FATES = sql.SQL("SELECT fate, count(*) FROM {stretch} GROUP BY fate")
KEEP_FATES = sql.SQL("INSERT INTO {fates} SELECT * FROM {stretch}")
DROP = sql.SQL("DROP TABLE {fates}, {stretch}, {staging}")

# Nobody else draws from these sequences while we hold the lock: keys are line numbers from here on, with gaps.
RESERVE_KEYS = sql.SQL("""
    SELECT setval('ledger_recordhead_record_id_seq', r.next + span.last - span.first) - span.last,
           setval('ledger_recordversion_id_seq', v.next + span.last - span.first) - span.last
    FROM (SELECT min(line) AS first, max(line) AS last FROM {staging}) span,
         (SELECT nextval('ledger_recordhead_record_id_seq') AS next) r,
         (SELECT nextval('ledger_recordversion_id_seq') AS next) v
""")


def create_fates(merging: Merging) -> None:
    """Make the tables of fates."""
    names = merging.names()
    for table in ("stretch", "fates"):
        execute(CREATE_FATES.format(table=names[table]))


def look_heads_up(*, one_by_one: bool) -> None:
    """How heads are found: one by one for a stretch; reading all there are would cost more, once per stretch."""
    joins = sql.SQL("SET LOCAL enable_hashjoin = {0}; SET LOCAL enable_mergejoin = {0}")
    execute(joins.format(sql.SQL("off" if one_by_one else "on")))


def count_staged(merging: Merging) -> None:
    """Tell PostgreSQL's planner what is staged; for a stretch it is not worth it."""
    execute(sql.SQL("ANALYZE {staging}").format(**merging.names()))


def decide_fates(merging: Merging) -> None:
    """Decide what becomes of every staged line, and which keys it gets."""
    names = merging.names()
    ((record_offset, version_offset),) = rows_of(RESERVE_KEYS.format(**names))
    offsets = {"record_offset": record_offset, "version_offset": version_offset}
    execute(DECIDE_FATES.format(**names), merging.values() | offsets)


def write_heads_and_lines(merging: Merging) -> dict[str, int]:
    """Write heads, lines without version and conflicts of what was decided; how many lines met which fate."""
    names, values = merging.names(), merging.values()
    counts = dict.fromkeys(FATES, 0) | dict(rows_of(COUNT_FATES.format(**names)))
    if counts["new"]:
        execute(WRITE_NEW_HEADS.format(**names), values)
    if counts["changed"]:
        execute(WRITE_CHANGED_HEADS.format(**names), values)
    if counts["identical"] or counts["rejected"] or counts["duplicate"]:
        execute(WRITE_LINES.format(**names), values)
        execute(WRITE_CONFLICTS.format(**names), values | {"conflict": CONFLICT})
    return counts


def clear_staged(merging: Merging) -> None:
    """Make room for the next stretch."""
    names = merging.names()
    if merging.keeps_fates:
        execute(KEEP_FATES.format(**names))
    execute(sql.SQL("TRUNCATE {staging}, {stretch}").format(**names))


def drop_tables(merging: Merging) -> None:
    """Drop what the merge worked on; a failed transaction does so by itself."""
    execute(DROP.format(**merging.names()))
