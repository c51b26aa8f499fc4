"""Confirmations (确认) that wait: the kept file of a held batch is taken in behind the scenes."""

from dataclasses import asdict

from django.db import transaction

from xinzheng.apps.ledger.confirming import batch_to_confirm, scope_of, stated_with
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.uploads import OPEN_STATES, upload_owner


@transaction.atomic
def queue_confirmation(*, batch_id: int, by: str) -> Upload:
    """Have a held batch confirmed; how far it is, and what came of it, stands in the upload.

    While one confirmation of the batch waits or runs there is no second: that one is given.

    Raises:
        IntakeError: ``unknown-batch``, ``batch-not-held``, ``batch-withdrawn-already`` or ``second-officer-needed``.
    """
    from xinzheng.apps.ledger.tasks import run_intake

    batch = batch_to_confirm(batch_id, by)
    from_date, through_date = stated_with(batch) or (None, None)
    upload, is_new = Upload.objects.get_or_create(
        confirms_id=batch_id,
        state__in=OPEN_STATES,
        defaults={
            "by": by,
            "mode": batch.mode,
            "file_name": batch.file_name,
            "from_date": from_date,
            "through_date": through_date,
            "wrapped_key": b"",
            "column_map_id": batch.column_map_id,
            "lines_total": batch.lines,
            **asdict(scope_of(batch)),
        },
    )
    if is_new:
        run_intake.configure(queueing_lock=upload_owner(upload.pk)).defer(upload_id=upload.pk)
    return upload


def confirmation_of(batch_id: int) -> Upload | None:
    """The latest confirmation of a held batch that was queued; None where none was."""
    return Upload.objects.filter(confirms_id=batch_id).order_by("-pk").first()
