"""Explaining a rejected line (说明退回行): the responsible officer says why it needs no correction."""

from django.db import connection, transaction
from psycopg import sql

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.mending import PENDING_NOW
from xinzheng.apps.ledger.models import Line, LineResolution
from xinzheng.apps.ledger.reasons import check_reason

IS_PENDING = sql.SQL(
    "SELECT EXISTS (SELECT 1 FROM ledger_line l WHERE l.entry_id = %s AND l.line = %s AND {pending})"
).format(pending=PENDING_NOW)


@transaction.atomic
def explain_line(*, batch_id: int, line: int, reason: str, by: str) -> int:
    """Settle a rejected line by an explanation, e.g. that it concerns nobody served here; returns the position.

    Raises:
        IntakeError: ``unknown-line`` (the batch has no such line, or it was not rejected), ``line-settled``; and
            as of :func:`~xinzheng.apps.ledger.reasons.check_reason`.
    """
    check_reason(reason, "说明退回行须写明理由。")
    found = Line.objects.filter(entry_id=batch_id, line=line, status="rejected").first()
    if found is None:
        raise IntakeError(f"批次{batch_id}没有第{line}行，或者该行没有被退回，请核对。", code="unknown-line")
    if not _is_pending(batch_id, line):
        raise IntakeError(f"批次{batch_id}第{line}行已经处理，无需再说明。", code="line-settled")
    entry = open_entry(kind="line-explained", by=by, unit_id=found.unit_id, note={"batch": batch_id, "line": line})
    LineResolution.objects.create(entry=entry, batch_id=batch_id, line=line, how="explained", reason=reason)
    record_event(who=by, action="line-explained", object_kind="batch", object_id=batch_id, details={"line": line})
    return take_position(entry)


def _is_pending(batch_id: int, line: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IS_PENDING.as_string(None), [batch_id, line])
        return bool(cursor.fetchone()[0])
