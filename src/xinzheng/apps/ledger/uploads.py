"""Uploads (上传): a file is kept, encrypted, and taken in behind the scenes while the officer does something else."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.db import connection, connections, transaction
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from xinzheng.apps.ledger.confirming import confirm_batch
from xinzheng.apps.ledger.delivery import Delivery, Scope, answering, check_period
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.intake import BatchResult, take_in
from xinzheng.apps.ledger.map_models import StoredMap
from xinzheng.apps.ledger.maps import chosen_map, kept_version
from xinzheng.apps.ledger.models import Upload, UploadPiece
from xinzheng.apps.ledger.raw_files import open_pieces, seal_file
from xinzheng.apps.ledger.taking import Progress
from xinzheng.apps.registry.keys import new_data_key, unwrap_key, wrap_key
from xinzheng.core.errors import XinzhengError

# With the upload's number: held by whoever takes it in.
UPLOAD_LOCK = 0x75706C64

OPEN_STATES = (Upload.State.QUEUED, Upload.State.RUNNING)
STALE = timedelta(minutes=5)
# Failures that a column map may mend, and how long the file is kept for that.
MAPPABLE_FAILURES = frozenset({"header-missing", "column-missing"})
KEPT_FOR_MAPPING = timedelta(hours=1)
UNEXPECTED = "处理时发生意外，数据没有入账。请稍后重新上传；仍不成功的，请联系管理员。"
NOT_CONFIRMED = "处理时发生意外，没有入账，本批仍然暂存。请稍后重新确认；仍不成功的，请联系管理员。"


@transaction.atomic
def queue_upload(delivery: Delivery, *, by: str) -> Upload:
    """Keep a delivery's file and have it taken in; what is plainly wrong is refused at once.

    Raises:
        IntakeError, CoverageError: as for taking it in; nothing is kept.
    """
    from xinzheng.apps.ledger.tasks import run_intake

    column_map = kept_version(chosen_map(answering(delivery.scope), delivery))
    if delivery.covers is not None:
        check_period(*delivery.covers)
    from_date, through_date = delivery.covers or (None, None)
    key = new_data_key()
    upload = Upload.objects.create(
        by=by,
        mode=delivery.mode,
        file_name=delivery.name,
        from_date=from_date,
        through_date=through_date,
        wrapped_key=b"",
        column_map=column_map,
        **asdict(delivery.scope),
    )
    upload.wrapped_key = wrap_key(key, upload_owner(upload.pk))
    upload.save(update_fields=["wrapped_key"])
    for seq, piece in enumerate(seal_file(delivery.file, key, upload_owner(upload.pk))):
        UploadPiece.objects.create(upload=upload, seq=seq, chunk=piece)
    run_intake.configure(queueing_lock=upload_owner(upload.pk)).defer(upload_id=upload.pk)
    return upload


def requeue_broken_off() -> int:
    """Queue again what a killed worker left behind; how many. One that is still at work is left alone by its lock."""
    from xinzheng.apps.ledger.tasks import run_intake

    stale = timezone.now() - STALE
    queued = 0
    for upload_id in Upload.objects.filter(state__in=OPEN_STATES, created_at__lt=stale).values_list("pk", flat=True):
        with suppress(AlreadyEnqueued):
            run_intake.configure(queueing_lock=upload_owner(upload_id)).defer(upload_id=upload_id)
            queued += 1
    return queued


def take_in_upload(upload_id: int) -> BatchResult | None:
    """Take an upload in, or book the held batch it confirms; its outcome stands in the upload.

    None when it was settled before, or is refused.

    Batch and upload change in one transaction: run twice, or again after a crash, it still makes one batch.
    """
    upload = Upload.objects.get(pk=upload_id)
    if upload.state in (Upload.State.DONE, Upload.State.FAILED):
        return None
    Upload.objects.filter(pk=upload_id).update(state=Upload.State.RUNNING, lines_done=0)
    try:
        return _confirm_once(upload, upload.confirms_id) if upload.confirms_id else _take_file_once(upload)
    except XinzhengError as error:
        _fail(upload_id, error.message, error.code)
        return None
    except Exception:
        _fail(upload_id, NOT_CONFIRMED if upload.confirms_id else UNEXPECTED)
        raise


def _take_file_once(upload: Upload) -> BatchResult | None:
    with tempfile.TemporaryDirectory(prefix="xinzheng-upload-") as folder:
        delivery = _delivery(upload, Path(folder) / "file")
        return _once(upload, lambda progress: take_in(delivery, by=upload.by, progress=progress))


def _confirm_once(upload: Upload, batch_id: int) -> BatchResult | None:
    return _once(upload, lambda progress: confirm_batch(batch_id=batch_id, by=upload.by, progress=progress))


def _once(upload: Upload, take: Callable[[Progress], BatchResult]) -> BatchResult | None:
    with transaction.atomic():
        if not _is_ours(upload.pk):
            return None
        with _telling(upload.pk) as progress:
            result = take(progress)
        settled = Upload.objects.filter(pk=upload.pk, state=Upload.State.RUNNING).update(
            state=Upload.State.DONE, batch_id=result.batch, lines_done=result.lines, lines_total=result.lines
        )
        if not settled:
            raise IntakeError("这份上传已经由另一进程处理。", code="upload-settled")
        UploadPiece.objects.filter(upload=upload).delete()
    return result


def _is_ours(upload_id: int) -> bool:
    """Whether no other process works on the upload; it stays ours until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [UPLOAD_LOCK, upload_id])
        return bool(cursor.fetchone()[0])


@contextmanager
def _telling(upload_id: int) -> Iterator[Progress]:
    """Tell how far it is from a connection of its own: what the delivery's transaction writes nobody sees yet."""
    with ThreadPoolExecutor(1, thread_name_prefix="progress") as pool:

        def tell(lines: int) -> None:
            pool.submit(lambda: Upload.objects.filter(pk=upload_id).update(lines_done=lines))

        try:
            yield tell
        finally:
            # Those of the thread which runs it, not ours.
            pool.submit(connections.close_all)


@contextmanager
def opened_upload(upload: Upload) -> Iterator[Path]:
    """An upload's file, for the moment."""
    with tempfile.TemporaryDirectory(prefix="xinzheng-upload-") as folder:
        _restore(upload, Path(folder) / "file")
        yield Path(folder) / "file"


def is_kept_for_mapping(upload: Upload) -> bool:
    """Whether it failed for its headings, and its file is still there to make a column map for."""
    failed = upload.state == Upload.State.FAILED and upload.failure_code in MAPPABLE_FAILURES
    failed = failed and upload.confirms_id is None
    return failed and upload.failed_at is not None and upload.failed_at > timezone.now() - KEPT_FOR_MAPPING


def queue_again(upload: Upload, column_map: StoredMap, *, by: str) -> None:
    """Have a failed upload, whose file is still there, taken in by a column map; in the caller's transaction.

    Raises IntakeError ``upload-settled`` when somebody did so before.
    """
    from xinzheng.apps.ledger.tasks import run_intake

    failed = Upload.objects.filter(pk=upload.pk, state=Upload.State.FAILED)
    if not failed.update(
        state=Upload.State.QUEUED, by=by, column_map=column_map, message="", failure_code="", failed_at=None
    ):
        raise IntakeError("这份上传已经在处理，请到“最近上传”查看。", code="upload-settled")
    with suppress(AlreadyEnqueued), transaction.atomic():
        run_intake.configure(queueing_lock=upload_owner(upload.pk)).defer(upload_id=upload.pk)


def _restore(upload: Upload, file: Path) -> None:
    key = unwrap_key(bytes(upload.wrapped_key), upload_owner(upload.pk))
    pieces = upload.pieces.order_by("seq").values_list("chunk", flat=True)
    open_pieces((bytes(piece) for piece in pieces.iterator(chunk_size=8)), key, upload_owner(upload.pk), file)


def _delivery(upload: Upload, file: Path) -> Delivery:
    _restore(upload, file)
    scope = Scope(upload.unit_uscc, upload.domain, upload.kind)
    covers = (upload.from_date, upload.through_date) if upload.from_date and upload.through_date else None
    return Delivery(file, scope, covers, upload.mode, upload.file_name, map_version=upload.column_map_id)


def _fail(upload_id: int, message: str, code: str = "unexpected") -> None:
    running = Upload.objects.filter(pk=upload_id, state=Upload.State.RUNNING)
    told = {"message": message, "failure_code": code, "failed_at": timezone.now()}
    if running.update(state=Upload.State.FAILED, **told) and code not in MAPPABLE_FAILURES:
        UploadPiece.objects.filter(upload_id=upload_id).delete()


def upload_owner(upload_id: int) -> str:
    """What the pieces of an upload's file, and its key, are bound to."""
    return f"upload:{upload_id}"
