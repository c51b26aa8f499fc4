"""Take the audit trail away (导出审计记录): sealed events line by line, to be checked anywhere; never all at once."""

from typing import IO, Any

from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.seals import EVENT_COLUMNS, chain_head
from xinzheng.core.audit_chain import ChainedEvent, export_line

AT_ONCE = 5_000
SEALED = f"""
    SELECT seal.index, seal.head, {EVENT_COLUMNS}
    FROM audit_auditseal seal JOIN audit_auditevent event ON event.id = seal.event_id
    WHERE seal.index > %s AND seal.index <= %s ORDER BY seal.index LIMIT %s
"""  # noqa: S608  columns of ours


def export_sealed(file: IO[str], *, after: int, by: str) -> int:
    """Write what is sealed after place ``after``, as far as the chain reaches now; how many events."""
    end, last, count = chain_head().count, after, 0
    with transaction.atomic():
        details = {"form": "jsonl", "after": after}
        record_event(who=by, action="audit-exported", object_kind="audit", object_id=end, details=details)
    while rows := _rows(last, end):
        for index, head, *members in rows:
            file.write(export_line(index, ChainedEvent(*members), bytes(head)) + "\n")
        last, count = rows[-1][0], count + len(rows)
    return count


def _rows(after: int, end: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SEALED, [after, end, AT_ONCE])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
