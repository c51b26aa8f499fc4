"""Confirming a held batch (确认暂存批次): another officer than who sent it lets it into the ledger."""

import tempfile
from datetime import date
from pathlib import Path

from django.db import transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import Delivery, Scope
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.intake import BatchResult, take_in_confirmed
from xinzheng.apps.ledger.merge import begin_merging
from xinzheng.apps.ledger.models import Batch, BatchWithdrawal, CoverageStatement
from xinzheng.apps.ledger.raw_files import restore_raw_file
from xinzheng.apps.ledger.taking import Progress
from xinzheng.apps.ledger.withdrawal import withdraw_batch
from xinzheng.apps.registry.queries import units_at


def confirm_batch(*, batch_id: int, by: str, progress: Progress | None = None) -> BatchResult:
    """Book a held batch as a new batch of the same file, scope, mode, statement and column map; one transaction.

    The held batch is withdrawn with it, so that its lines no longer wait. What the unit delivered after the held batch
    stays as it is: its lines of the same records are kept as duplicates. ``progress`` is called with the number of
    lines judged so far.

    Raises:
        IntakeError: ``unknown-batch``, ``batch-not-held``, ``batch-withdrawn-already`` (confirmed or declined before)
            or ``second-officer-needed``; and as for taking a file in.
        RawFileError, KeyFileError: the kept file cannot be read.
    """
    batch = batch_to_confirm(batch_id, by)
    with tempfile.TemporaryDirectory(prefix="xinzheng-held-") as folder:
        file = Path(folder) / "file"
        restore_raw_file(batch, file)
        with transaction.atomic():
            begin_merging()
            # Whoever waited for our turn finds what the one before did.
            batch_to_confirm(batch_id, by)
            result = take_in_confirmed(_delivery(batch, file), by=by, confirms=batch_id, progress=progress)
            # After the new batch: at no position are the lines neither booked nor waiting.
            withdraw_batch(batch_id=batch_id, reason=f"已确认，由批次{result.batch}入账。", by=by)
            details = {"booked": result.batch}
            record_event(who=by, action="batch-confirmed", object_kind="batch", object_id=batch_id, details=details)
    return result


def batch_to_confirm(batch_id: int, by: str) -> Batch:
    """A held batch that waits, and that ``by`` did not send. Raises IntakeError as ``confirm_batch`` does."""
    batch = Batch.objects.filter(pk=batch_id).select_related("entry").first()
    if batch is None:
        raise IntakeError(f"没有编号为{batch_id}的批次，请核对。", code="unknown-batch")
    if not batch.held:
        raise IntakeError(f"批次{batch_id}没有暂存，已经入账，无需确认。", code="batch-not-held")
    booked = Batch.objects.filter(confirms_id=batch_id).first()
    if booked is not None:
        message = f"批次{batch_id}已经确认，由批次{booked.pk}入账，无需再确认。"
        raise IntakeError(message, code="batch-withdrawn-already")
    if BatchWithdrawal.objects.filter(batch=batch).exists():
        message = f"批次{batch_id}已经撤回，不能确认。数据无误的，请重新报送。"
        raise IntakeError(message, code="batch-withdrawn-already")
    if batch.entry.actor == by:
        message = f"批次{batch_id}是您报送的，须由本单位另一名工作人员或者信用办确认。"
        raise IntakeError(message, code="second-officer-needed")
    return batch


def _delivery(batch: Batch, file: Path) -> Delivery:
    scope, covers = scope_of(batch), stated_with(batch)
    return Delivery(file, scope, covers, batch.mode, batch.file_name, map_version=batch.column_map_id)


def scope_of(batch: Batch) -> Scope:
    """For whom and what a batch was delivered."""
    return Scope(units_at(head_position())[batch.unit_id].uscc, batch.domain, batch.kind)


def stated_with(batch: Batch) -> tuple[date, date] | None:
    """What the held batch stated, unless that was taken back meanwhile, also in part: it is then to be stated anew."""
    made = CoverageStatement.objects.filter(entry=batch.entry, batch_id=batch.pk)
    own = None if made.exclude(withdrawals=None).exists() else made.first()
    return None if own is None else (own.from_date, own.through_date)
