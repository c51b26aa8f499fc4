"""Explaining a rejected line (说明退回行): the responsible officer says why it needs no correction."""

from django.db import transaction
from psycopg import sql

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.mending import PENDING_NOW
from xinzheng.apps.ledger.models import Line, LineResolution
from xinzheng.apps.ledger.reasons import check_reason
from xinzheng.apps.ledger.staging import rows_of

# The same line of the same file, also where that was sent before.
PENDING_ALIKE = sql.SQL("""
    SELECT l.entry_id FROM ledger_line l JOIN ledger_batch b ON b.entry_id = l.entry_id
    WHERE b.file_sha256 = (SELECT file_sha256 FROM ledger_batch WHERE entry_id = %(batch)s)
    AND (l.line, l.status, l.unit_id, l.domain, l.kind) =
        (SELECT line, status, unit_id, domain, kind FROM ledger_line WHERE entry_id = %(batch)s AND line = %(line)s)
    AND {pending} ORDER BY l.entry_id
""").format(pending=PENDING_NOW)


@transaction.atomic
def explain_line(*, batch_id: int, line: int, reason: str, by: str) -> int:
    """Settle a rejected line by an explanation, e.g. that it concerns nobody served here; returns the position.

    It settles the line in every delivery of the same file.

    Raises:
        IntakeError: ``unknown-line`` (the batch has no such line, or it was not rejected), ``line-settled``; and
            as of :func:`~xinzheng.apps.ledger.reasons.check_reason`.
    """
    check_reason(reason, "说明退回行须写明理由。")
    found = Line.objects.filter(entry_id=batch_id, line=line, status="rejected").first()
    if found is None:
        raise IntakeError(f"批次{batch_id}没有第{line}行，或者该行没有被退回，请核对。", code="unknown-line")
    alike = [batch for (batch,) in rows_of(PENDING_ALIKE, {"batch": batch_id, "line": line})]
    if batch_id not in alike:
        raise IntakeError(f"批次{batch_id}第{line}行已经处理，无需再说明。", code="line-settled")
    entry = open_entry(kind="line-explained", by=by, unit_id=found.unit_id, note={"batch": batch_id, "line": line})
    LineResolution.objects.bulk_create(
        LineResolution(entry=entry, batch_id=batch, line=line, how="explained", reason=reason) for batch in alike
    )
    record_event(who=by, action="line-explained", object_kind="batch", object_id=batch_id, details={"line": line})
    return take_position(entry)
