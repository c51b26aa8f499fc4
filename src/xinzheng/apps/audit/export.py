"""Take the audit trail away (导出审计记录): sealed events line by line, to be checked anywhere; never all at once."""

from typing import IO, Any

from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.seals import chain_head, chained_events
from xinzheng.core.audit_chain import export_line

AT_ONCE = 5_000
SEALED = """
    SELECT index, event_id, head FROM audit_auditseal WHERE index > %s AND index <= %s ORDER BY index LIMIT %s
"""


def export_sealed(file: IO[str], *, after: int, by: str) -> int:
    """Write what is sealed after place ``after``, as far as the chain reaches now; how many events."""
    end, last, count = chain_head().count, after, 0
    with transaction.atomic():
        details = {"form": "jsonl", "after": after}
        record_event(who=by, action="audit-exported", object_kind="audit", object_id=end, details=details)
    while rows := _rows(last, end):
        events = chained_events([event_id for _, event_id, _ in rows])
        for index, event_id, head in rows:
            file.write(export_line(index, events[event_id], bytes(head)) + "\n")
        last, count = rows[-1][0], count + len(rows)
    return count


def _rows(after: int, end: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SEALED, [after, end, AT_ONCE])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
