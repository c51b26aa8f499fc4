"""The unit's deliveries, latest first, a page at a time."""

from typing import Annotated, Literal

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localtime
from ninja import Query

from xinzheng.api.callers import UnitKey, caller_of
from xinzheng.api.v1.batches import router
from xinzheng.api.v1.own_batches import booked_batches
from xinzheng.api.v1.settling_schemas import DeliveriesAnswer, DeliveryAnswer
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import BatchSummary, batch_summaries

MOST = 200
LARGEST_KEY = 2**63 - 1

__all__ = ["router"]


@router.get(
    "/batches",
    auth=UnitKey(),
    response=DeliveriesAnswer,
    operation_id="listBatches",
    summary="逐页列出本单位的报送",
    url_name="batches",
)
def list_batches(
    request: HttpRequest,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_KEY, description="上一页 next 中的位置")] = None,
    status: Annotated[
        Literal["queued", "running", "done", "failed"] | None, Query(description="只列这种状态的")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> DeliveriesAnswer:
    """What came over the interface and the workspace."""
    found = Upload.objects.filter(unit_uscc=caller_of(request).uscc, confirms_id=None).order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    if status is not None:
        found = found.filter(state=status)
    rows = list(found[: limit + 1])
    page = rows[:limit]
    held = booked_batches([row.batch_id for row in page if row.batch_id is not None])
    standing = {row.pk: held.get(row.batch_id, row.batch_id) for row in page if row.batch_id is not None}
    batches = batch_summaries(list(standing.values()))
    following = None
    if len(rows) > limit:
        only = f"&status={status}" if status else ""
        following = f"{reverse('interface-1:batches')}?before={page[-1].pk}&limit={limit}{only}"
    return DeliveriesAnswer(
        batches=[_delivery(row, batches.get(standing.get(row.pk, 0))) for row in page], next=following
    )


def _delivery(row: Upload, batch: BatchSummary | None) -> DeliveryAnswer:
    return DeliveryAnswer(
        id=row.pk,
        status=row.state,
        domain=row.domain,
        kind=row.kind,
        file_name=row.file_name,
        created_at=localtime(row.created_at).isoformat(timespec="seconds"),
        batch=batch.batch if batch else None,
        lines=batch.lines if batch else None,
        rejected=batch.rejected if batch else None,
        held=batch.held if batch else None,
        waiting=batch.waiting if batch else None,
        is_withdrawn=batch.is_withdrawn if batch else None,
    )
