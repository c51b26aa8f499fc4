"""What is decided about a delivery afterwards: a line explained, the batch taken back, a held one confirmed."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Path, Router

from xinzheng.api.callers import Body, Caller, UnitKey, caller_of
from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.batches import NOT_DONE, PROGRESS_ADDRESS, upload_answer
from xinzheng.api.v1.own_batches import own_batch, own_upload, taken
from xinzheng.api.v1.refusals import refuses
from xinzheng.api.v1.schemas import UploadAnswer
from xinzheng.api.v1.settling_schemas import (
    BatchWithdrawalAnswer,
    ExplanationAnswer,
    ReasonFields,
)
from xinzheng.apps.accounts.permissions import refusals_to_answer_by_key
from xinzheng.apps.ledger.actions import explain_line, queue_confirmation, withdraw_batch
from xinzheng.apps.ledger.models import BatchWithdrawal, Line, LineResolution, Upload
from xinzheng.apps.ledger.queries import batch_summary, booked_as, confirmation_of

JSON = Body("application/json", 64 * 1024)
BEHIND_THE_SCENES = "收下即答复202，在后台入账；Location 头是进度地址。重发不会再入账一次。"
KEY_NEEDED = "responsible-key-needed"
RESPONSIBLE = "须用责任人的密钥。同样的请求重发，答复不变。"

router = Router(tags=["batches"])


@router.post(
    "/batches/{int:upload_id}/lines/{int:line}/explanation",
    auth=UnitKey(JSON),
    response={201: ExplanationAnswer},
    operation_id="explainLine",
    summary="说明一行退回的数据为什么不用改正",
    description=RESPONSIBLE,
    openapi_extra=refuses(
        {
            HTTPStatus.FORBIDDEN: (KEY_NEEDED,),
            HTTPStatus.NOT_FOUND: ("unknown-batch", "unknown-line"),
            HTTPStatus.CONFLICT: (*NOT_DONE, "line-settled", "batch-withdrawn-already"),
        }
    ),
)
def explain(request: HttpRequest, upload_id: Path[int], line: Path[int], given: ReasonFields) -> ExplanationAnswer:
    """Settle a rejected line of the unit's own by an explanation."""
    caller = _responsible(request)
    batch_id = own_batch(caller, upload_id)
    if not Line.objects.filter(entry_id=batch_id, line=line, unit_id=caller.unit_id, status="rejected").exists():
        raise Http404
    if _explanation(batch_id, line) != given.reason:
        explain_line(batch_id=batch_id, line=line, reason=given.reason, by=caller.actor)
    return ExplanationAnswer(batch=batch_id, line=line, reason=given.reason, waiting=batch_summary(batch_id).waiting)


def _explanation(batch_id: int, line: int) -> str | None:
    found = LineResolution.objects.filter(batch_id=batch_id, line=line, how="explained").order_by("-id").first()
    return None if found is None else found.reason


@router.post(
    "/batches/{int:upload_id}/withdrawal",
    auth=UnitKey(JSON),
    response={201: BatchWithdrawalAnswer},
    operation_id="withdrawBatch",
    summary="撤回一次报送：内容和覆盖声明不再生效，不能恢复",
    description=RESPONSIBLE,
    openapi_extra=refuses(
        {
            HTTPStatus.FORBIDDEN: (KEY_NEEDED,),
            HTTPStatus.NOT_FOUND: ("unknown-batch",),
            HTTPStatus.CONFLICT: (*NOT_DONE, "batch-withdrawn-already", "held-batch-waits"),
        }
    ),
)
def withdraw(request: HttpRequest, upload_id: Path[int], given: ReasonFields) -> BatchWithdrawalAnswer:
    """Take the whole batch back."""
    caller = _responsible(request)
    batch_id = own_batch(caller, upload_id)
    found = BatchWithdrawal.objects.filter(batch_id=batch_id).select_related("entry__place").first()
    if found is None or found.reason != given.reason:
        withdraw_batch(batch_id=batch_id, reason=given.reason, by=caller.actor)
        found = BatchWithdrawal.objects.select_related("entry__place").get(batch_id=batch_id)
    place = found.entry.place.position
    return BatchWithdrawalAnswer(batch=batch_id, entry=found.entry_id, position=place, reason=found.reason)


@router.post(
    "/batches/{int:upload_id}/confirmation",
    auth=UnitKey(),
    response={202: UploadAnswer},
    operation_id="confirmBatch",
    summary="确认一次暂存的报送，使它入账",
    description=f"须用责任人的密钥，并且不是报送时用的那一个。{BEHIND_THE_SCENES}",
    openapi_extra=PROGRESS_ADDRESS
    | refuses(
        {
            HTTPStatus.FORBIDDEN: (KEY_NEEDED, "second-officer-needed"),
            HTTPStatus.NOT_FOUND: ("unknown-batch",),
            HTTPStatus.CONFLICT: (*NOT_DONE, "batch-not-held", "batch-withdrawn-already"),
        }
    ),
)
def confirm(request: HttpRequest, response: HttpResponse, upload_id: Path[int]) -> UploadAnswer:
    """Have a held batch booked; the booked one has a number of its own."""
    caller = _responsible(request)
    found = _confirmation(own_upload(caller, upload_id), caller)
    response.headers["Location"] = reverse("interface-1:batch", args=[found.pk])
    return upload_answer(found)


def _confirmation(upload: Upload, caller: Caller) -> Upload:
    """The one there is, unless it failed, or a new one; of a batch that was booked otherwise the delivery itself."""
    batch_id = upload.batch_id or taken(upload)
    if booked_as(batch_id) is None:
        return queue_confirmation(batch_id=batch_id, by=caller.actor)
    found = confirmation_of(batch_id)
    return found if found is not None and found.state == Upload.State.DONE else upload


def _responsible(request: HttpRequest) -> Caller:
    """The caller, once it is sure that its key acts for the responsible officer."""
    caller = caller_of(request)
    refusals = refusals_to_answer_by_key(caller.key)
    if refusals:
        raise ProblemError(HTTPStatus.FORBIDDEN, KEY_NEEDED, "；".join(refusals))
    return caller
