"""Snapshots (全量快照): what the unit's earlier deliveries held and this one lacks is put forward, never withdrawn."""

from psycopg import sql

from xinzheng.apps.ledger.delivery import Scope
from xinzheng.apps.ledger.merge import Merging
from xinzheng.apps.ledger.staging import execute

# A line of the snapshot that was rejected may be the very record: it is not missing, it is broken.
PUT_FORWARD = sql.SQL("""
    INSERT INTO ledger_putforward (entry_id, record_id, subject_id)
    SELECT %(entry)s, h.record_id, h.subject_id
    FROM ledger_recordhead h
    JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
    WHERE h.unit_id = ANY(%(units)s) AND h.kind = %(kind)s AND v.domain = %(domain)s AND v.is_present
    AND v.batch_id <= %(through)s
    AND (h.unit_id = %(unit)s OR EXISTS (
        SELECT 1 FROM ledger_batch b WHERE b.entry_id = v.batch_id AND b.unit_id = %(unit)s))
    AND NOT EXISTS (
        SELECT 1 FROM {fates} f
        WHERE f.subject_id = h.subject_id AND f.kind = h.kind AND f.record_key = h.record_key)
""")


def put_forward_missing(merging: Merging, scope: Scope) -> int:
    """List the unit's live records of the scope that the snapshot lacks; how many.

    Of the units whose records it brings, only what it brought itself: what they delivered is not in its files.
    A snapshot that was held says nothing of what the unit delivered after it.
    """
    through = merging.confirms or merging.entry_id
    values = merging.values() | {"kind": scope.kind, "domain": scope.domain, "through": through}
    return execute(PUT_FORWARD.format(**merging.names()), values)
