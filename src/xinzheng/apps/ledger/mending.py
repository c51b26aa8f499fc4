"""Settling rejected lines (退回行) and held ones: a later delivery of the same unit mends them.

A line whose subject could be read is mended by an accepted line of the same kind, document and subject. One whose
subject could not be read is mended by an accepted line of the same kind and document, but only one that the broken
batch did not hold itself (a decision may name several parties), and one such line mends one broken line. A held line
is settled by an accepted line of the very same record, whatever it says: the later word counts.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.merge import ACCEPTED, Merging
from xinzheng.apps.ledger.models import LineResolution

# Rejected or held, of a batch that stands, and settled by nobody whose own batch stands.
PENDING_NOW = sql.SQL("""
    l.status IN ('rejected', 'held')
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = l.entry_id)
    AND NOT EXISTS (
        SELECT 1 FROM ledger_lineresolution r WHERE r.batch_id = l.entry_id AND r.line = l.line
        AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = r.entry_id))
""")

# A return mends what it broke itself, by a row of the same unit; what the unit itself sent, only the unit.
MAY_MEND = sql.SQL("""(l.unit_id = %(unit)s OR (f.unit_id = l.unit_id AND EXISTS (
        SELECT 1 FROM ledger_batch b WHERE b.entry_id = l.entry_id AND b.unit_id = %(unit)s)))""")

ANY_PENDING = sql.SQL("""
    SELECT EXISTS (
        SELECT 1 FROM ledger_line l WHERE l.unit_id = ANY(%(units)s) AND l.entry_id <> %(entry)s AND {pending})
""").format(pending=PENDING_NOW)

NAMED = sql.SQL("""
    SELECT l.entry_id, l.line FROM ledger_line l
    WHERE l.unit_id = ANY(%(units)s) AND l.entry_id < %(through)s AND l.subject_id IS NOT NULL AND {pending}
    AND EXISTS (
        SELECT 1 FROM {fates} f WHERE f.fate = ANY(%(accepted)s) AND f.kind = l.kind AND f.subject_id = l.subject_id
        AND {may_mend}
        AND CASE l.status WHEN 'held' THEN f.record_key ELSE f.match_key END = l.document_key)
""")

UNREADABLE = sql.SQL("""
    SELECT l.entry_id, l.line, f.line
    FROM ledger_line l
    JOIN {fates} f ON f.fate = ANY(%(accepted)s) AND f.kind = l.kind AND f.match_key = l.document_key
    WHERE l.unit_id = ANY(%(units)s) AND l.entry_id < %(through)s AND l.subject_id IS NULL AND {pending}
    AND {may_mend}
    AND NOT EXISTS (
        SELECT 1 FROM ledger_recordversion v
        WHERE v.subject_id = f.subject_id AND v.record_id = f.record_id AND v.batch_id = l.entry_id)
    AND NOT EXISTS (
        SELECT 1 FROM ledger_recordversion v WHERE v.subject_id = f.subject_id AND v.record_id = f.record_id AND (
            EXISTS (SELECT 1 FROM ledger_line i WHERE i.entry_id = l.entry_id AND i.version_id = v.id)
            OR EXISTS (
                SELECT 1 FROM ledger_identicalstretch i WHERE i.entry_id = l.entry_id AND v.id = ANY(i.version_ids))))
    AND NOT EXISTS (
        SELECT 1 FROM ledger_line h
        WHERE h.entry_id = l.entry_id AND h.status = 'held' AND h.subject_id = f.subject_id AND h.kind = f.kind
        AND h.document_key = f.record_key)
    ORDER BY l.entry_id, l.line, f.line
""")


def are_lines_pending(unit_ids: Sequence[int], entry: Entry) -> bool:
    """Whether earlier rejected or held lines of these units wait to be mended."""
    return bool(_rows(ANY_PENDING, {"units": list(unit_ids), "entry": entry.pk})[0][0])


def mend_lines(entry: Entry, merging: Merging) -> int:
    """Record which earlier rejected or held lines of the unit this delivery mends; how many.

    A batch that books a held one says what was said then: it mends none of the lines that came with or after that.
    """
    if not merging.keeps_fates:
        return 0
    through = merging.confirms or merging.entry_id
    values = merging.values() | {"accepted": list(ACCEPTED), "through": through}
    names = {"pending": PENDING_NOW, "may_mend": MAY_MEND, **merging.names()}
    mended = [(batch, line) for batch, line in _rows(NAMED.format(**names), values)]
    found = _rows(UNREADABLE.format(**names), values)
    mended += pair_up((batch, line, mending) for batch, line, mending in found)
    LineResolution.objects.bulk_create(
        (LineResolution(entry=entry, batch_id=batch, line=line, how="mended") for batch, line in mended),
        batch_size=1000,
    )
    return len(mended)


def pair_up(broken: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Which broken lines (batch, line) are mended when each mending line mends one of a batch's lines only."""
    used: set[tuple[int, int]] = set()
    mended: dict[tuple[int, int], int] = {}
    for batch, line, mending in broken:
        if (batch, line) not in mended and (batch, mending) not in used:
            mended[batch, line] = mending
            used.add((batch, mending))
    return list(mended)


def _rows(statement: sql.Composable, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), values)
        return list(cursor.fetchall())
