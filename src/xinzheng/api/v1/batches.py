"""Deliveries: hand a file in, follow it, fetch what is wrong in it."""

from base64 import b64encode
from http import HTTPStatus
from typing import Annotated

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, Form, Header, Path, Query, Router
from ninja.files import UploadedFile

from xinzheng.api.callers import MEBIBYTE, Body, UnitKey, caller_of
from xinzheng.api.v1.defects import DEFECTS_IN_RESULT, DEFECTS_PER_PAGE, defects_page, first_defects
from xinzheng.api.v1.downloads import downloads
from xinzheng.api.v1.own_batches import own_batch, own_upload, taken
from xinzheng.api.v1.received import check_parts, check_size, digest_of, on_disk
from xinzheng.api.v1.refusals import refuses
from xinzheng.api.v1.schemas import BatchForm, BatchResultAnswer, DefectsAnswer, ReasonAnswer, UploadAnswer
from xinzheng.apps.accounts.idempotency import RepeatableRequest, once
from xinzheng.apps.ledger.actions import Delivery, Scope, fetch_defects_file, fetch_raw_file, queue_upload
from xinzheng.apps.ledger.batch_files import MEDIA_TYPES, UNKNOWN_TYPE
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import batch_summary, defects_total, hold_reasons

# Room for the fields and the marks between the parts.
MULTIPART = Body("multipart/form-data", settings.XINZHENG_BATCH_MAX_BYTES + MEBIBYTE)
IDEMPOTENCY_KEY = r"^[\x21-\x7e]+$"
PROGRESS_ADDRESS = {
    "responses": {202: {"headers": {"Location": {"description": "进度地址", "schema": {"type": "string"}}}}}
}

NOT_DONE = ("batch-not-done", "batch-failed")
UNREADABLE = ("unexpected", "raw-file-unreadable", "key-file-unusable", "key-does-not-fit")
# What a delivery is refused with at once; the rest is told when it is taken in.
DELIVERY_REFUSED = {
    HTTPStatus.FORBIDDEN: ("unit-not-responsible",),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("request-too-large", "file-too-large"),
}
NOT_YET_A_FILE = refuses({HTTPStatus.CONFLICT: NOT_DONE, HTTPStatus.INTERNAL_SERVER_ERROR: UNREADABLE})
NO_OTHER_FIELD = {"requestBody": {"content": {"multipart/form-data": {"schema": {"additionalProperties": False}}}}}

router = Router(tags=["batches"])


@router.post(
    "/batches",
    auth=UnitKey(MULTIPART),
    response={202: UploadAnswer},
    operation_id="queueBatch",
    summary="报送一个文件",
    description="文件收下即答复202，在后台处理；Location 头是进度地址。同一 Idempotency-Key 原样重发，得到同一次报送。",
    openapi_extra=PROGRESS_ADDRESS | NO_OTHER_FIELD | refuses(DELIVERY_REFUSED),
)
def queue_batch(
    request: HttpRequest,
    response: HttpResponse,
    form: Form[BatchForm],
    file: File[UploadedFile],
    idempotency_key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=IDEMPOTENCY_KEY)
    ] = None,
) -> UploadAnswer:
    """Keep the file and have it taken in."""
    check_parts(request)
    check_size(file)
    caller = caller_of(request)

    def queue() -> int:
        with on_disk(file) as path:
            scope = Scope(caller.uscc, form.domain_code, form.kind)
            delivery = Delivery(path, scope, form.covers, form.mode, str(file.name), form.map)
            return queue_upload(delivery, by=caller.actor).pk

    if idempotency_key is None:
        upload_id = queue()
    else:
        upload_id = once(RepeatableRequest(caller.key, idempotency_key, digest_of(form, file)), queue)
    response.headers["Location"] = reverse("interface-1:batch", args=[upload_id])
    return upload_answer(Upload.objects.get(pk=upload_id))


@router.get(
    "/batches/{int:upload_id}",
    auth=UnitKey(),
    response=UploadAnswer,
    operation_id="readBatch",
    summary="查看一次报送的进度和结果",
    url_name="batch",
)
def read_batch(request: HttpRequest, upload_id: Path[int]) -> UploadAnswer:
    """How far the delivery is, and what became of it."""
    return upload_answer(own_upload(caller_of(request), upload_id))


@router.get(
    "/batches/{int:upload_id}/defects",
    auth=UnitKey(),
    response=DefectsAnswer,
    operation_id="listDefects",
    summary="逐页取回一次报送的问题",
    url_name="batch-defects",
    openapi_extra=refuses({HTTPStatus.CONFLICT: NOT_DONE}),
)
def list_defects(
    request: HttpRequest,
    upload_id: Path[int],
    after: Annotated[str | None, Query(pattern=r"^\d{1,18}-\d{1,18}$", description="上一页 next 中的位置")] = None,
    limit: Annotated[int, Query(ge=1, le=DEFECTS_PER_PAGE)] = 200,
) -> DefectsAnswer:
    """What is wrong, by line, a page at a time."""
    batch_id = own_batch(caller_of(request), upload_id)
    address = reverse("interface-1:batch-defects", args=[upload_id])
    return defects_page(batch_id, address, after, limit)


@router.get(
    "/batches/{int:upload_id}/defects.csv",
    auth=UnitKey(),
    operation_id="downloadDefects",
    summary="下载要更正的行（原来的列加问题说明）",
    openapi_extra=downloads("CSV（UTF-8）", "text/csv") | NOT_YET_A_FILE,
)
def download_defects(request: HttpRequest, upload_id: Path[int]) -> FileResponse:
    """The lines to correct, as a file for a spreadsheet."""
    caller = caller_of(request)
    batch_id = own_batch(caller, upload_id)
    content = fetch_defects_file(batch_id=batch_id, by=caller.actor)
    name = f"batch-{batch_id}-defects.csv"
    return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


@router.get(
    "/batches/{int:upload_id}/file",
    auth=UnitKey(),
    operation_id="downloadFile",
    summary="下载报送时的原始文件",
    description="与报送时逐字节相同；Repr-Digest 头是它的 SHA-256。",
    openapi_extra=downloads("原始文件", *MEDIA_TYPES.values(), UNKNOWN_TYPE, has_digest=True) | NOT_YET_A_FILE,
)
def download_file(request: HttpRequest, upload_id: Path[int]) -> FileResponse:
    """The file as it was delivered."""
    caller = caller_of(request)
    kept = fetch_raw_file(batch_id=own_batch(caller, upload_id), by=caller.actor)
    response = FileResponse(kept.content, as_attachment=True, filename=kept.name, content_type=kept.media_type)
    response.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(kept.sha256)).decode()}:"
    return response


def upload_answer(upload: Upload) -> UploadAnswer:
    """How far a delivery, or a confirmation, is."""
    return UploadAnswer.model_validate(
        {
            "id": upload.pk,
            "status": upload.state,
            "unit": upload.unit_uscc,
            "domain": upload.domain,
            "kind": upload.kind,
            "mode": upload.mode,
            "map": None if upload.column_map is None else upload.column_map.name,
            "file_name": upload.file_name,
            "covers_from": upload.from_date,
            "covers_through": upload.through_date,
            "created_at": upload.created_at,
            "lines_done": upload.lines_done,
            "message": upload.message or None,
            "confirms": upload.confirms_id,
            "result": None if upload.batch_id is None else _result(taken(upload)),
        }
    )


def _result(batch_id: int) -> BatchResultAnswer:
    found = batch_summary(batch_id)
    return BatchResultAnswer(
        batch=batch_id,
        lines=found.lines,
        new=found.new,
        changed=found.changed,
        identical=found.identical,
        rejected=found.rejected,
        duplicate=found.duplicate,
        held=found.held,
        reasons=[ReasonAnswer(code=reason.code, message=reason.message) for reason in hold_reasons(batch_id)],
        waiting=found.waiting,
        is_withdrawn=found.is_withdrawn,
        defects=first_defects(batch_id, DEFECTS_IN_RESULT),
        defects_total=defects_total(batch_id),
    )
