"""The caller's own deliveries and the batches they became; another unit's are not there."""

from collections.abc import Sequence
from http import HTTPStatus

from django.http import Http404

from xinzheng.api.callers import Caller
from xinzheng.api.problems import ProblemError
from xinzheng.apps.ledger.models import Batch, Upload
from xinzheng.apps.ledger.queries import booked_as


def own_upload(caller: Caller, upload_id: int) -> Upload:
    """A delivery of the caller's unit. Raises Http404, also for another unit's."""
    found = Upload.objects.filter(pk=upload_id, unit_uscc=caller.uscc).first()
    if found is None:
        raise Http404
    return found


def taken(upload: Upload) -> int:
    """The batch a delivery became; where that was held and confirmed, the booked one.

    Raises:
        ProblemError: there is none, or none yet.
    """
    if upload.batch_id is not None:
        return booked_as(upload.batch_id) or upload.batch_id
    if upload.state == Upload.State.FAILED:
        raise ProblemError(HTTPStatus.CONFLICT, "batch-failed", f"这次报送没有入账：{upload.message}")
    raise ProblemError(HTTPStatus.CONFLICT, "batch-not-done", "这次报送还在处理，完成后才能办理。")


def own_batch(caller: Caller, upload_id: int) -> int:
    """The batch that a delivery of the caller's unit became."""
    return taken(own_upload(caller, upload_id))


def booked_batches(batch_ids: Sequence[int]) -> dict[int, int]:
    """By held batch, the one that booked it; for those that were confirmed."""
    found = Batch.objects.filter(confirms_id__in=batch_ids).values_list("confirms_id", "pk")
    return {held: booked for held, booked in found if held is not None}
