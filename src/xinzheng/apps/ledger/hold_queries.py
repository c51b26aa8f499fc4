"""Read held batches (暂存批次): which wait, why, who sent them, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.models import Batch, HoldReason
from xinzheng.core.floors import Reason

WAITING = """
    SELECT b.entry_id, b.unit_id, b.domain, b.kind, b.file_name, b.lines, e.recorded_at, e.actor,
           array_agg(r.message ORDER BY r.id),
           EXISTS (SELECT 1 FROM ledger_upload u WHERE u.confirms_id = b.entry_id AND u.state IN ('queued', 'running'))
    FROM ledger_batch b
    JOIN audit_entry e ON e.id = b.entry_id
    JOIN ledger_holdreason r ON r.entry_id = b.entry_id
    WHERE b.held AND (%(unit)s::bigint IS NULL OR b.unit_id = %(unit)s)
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = b.entry_id)
    GROUP BY b.entry_id, e.id ORDER BY b.entry_id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """A held batch that waits for a second officer. ``submitted_by`` is an actor, never a name.

    ``is_being_confirmed``: one did so, and its file waits to be taken in or is.
    """

    batch: int
    unit_id: int
    domain: str
    kind: str
    file_name: str
    lines: int
    recorded_at: datetime
    submitted_by: str
    reasons: Sequence[str]
    is_being_confirmed: bool


def held_batches(unit_id: int | None = None, limit: int = 200) -> list[HeldBatch]:
    """What waits for confirmation, of one unit or of all; the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"unit": unit_id, "limit": limit})
        return [HeldBatch(*row) for row in cursor.fetchall()]


def hold_reasons(batch_id: int) -> tuple[Reason, ...]:
    """Why a batch was held; empty for one that was not."""
    found = HoldReason.objects.filter(entry_id=batch_id).order_by("id")
    return tuple(Reason(code, message) for code, message in found.values_list("code", "message"))


def submitter_of(batch_id: int) -> str:
    """Who delivered a batch, as an actor; empty where there is no such batch."""
    return Entry.objects.filter(pk=batch_id, kind="batch").values_list("actor", flat=True).first() or ""


def booked_as(batch_id: int) -> int | None:
    """The batch by which a held one was booked when it was confirmed; None while it waits, or was declined."""
    return Batch.objects.filter(confirms_id=batch_id).values_list("pk", flat=True).first()
