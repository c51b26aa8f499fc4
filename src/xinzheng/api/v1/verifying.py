"""Verifying: by number and code, by QR code, by file, a hundred at once. Public; a key or a token may be shown."""

from http import HTTPStatus
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest
from ninja import File, Router
from ninja.files import UploadedFile

from xinzheng.api.anybody import Anybody, PerVisitor, asked_by
from xinzheng.api.callers import MEBIBYTE, Body, Caller
from xinzheng.api.limits import count
from xinzheng.api.platforms import PlatformCaller
from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.refusals import refuses
from xinzheng.api.v1.verifying_schemas import (
    BatchAnswer,
    BatchFields,
    CodeFields,
    FilesAnswer,
    QrFields,
    VerdictAnswer,
    answer_of,
    file_answer_of,
)
from xinzheng.apps.reports.batch_verification import Asked, verify_batch
from xinzheng.apps.reports.file_verification import FILES_AT_MOST, verify_files
from xinzheng.apps.reports.picture_verification import UNREADABLE, PictureError, is_picture, verify_picture
from xinzheng.apps.reports.verification import verify_code, verify_file, verify_qr_text

KIBIBYTE = 1024
JSON = "application/json"
PDF_MARK = b"%PDF-"
ONE_FILE = Body("multipart/form-data", settings.XINZHENG_PDF_MAX_BYTES + 64 * KIBIBYTE)
PICTURE_HEAD = 16
ONE_PICTURE = Body("multipart/form-data", settings.XINZHENG_PICTURE_MAX_BYTES + 64 * KIBIBYTE)
# A key or a platform's token is welcome, not needed: its looks name who asked, and it may ask more often.
KEY_IF_ANY: dict[str, Any] = {"security": [{}, {"UnitKey": []}, {"PlatformToken": []}]}
TOO_OFTEN = ("too-many-requests", "too-many-wrong-keys")
BATCHES_A_MINUTE = 6
MANY_FILES = Body("multipart/form-data", settings.XINZHENG_VERIFY_FILES_MAX_BYTES + 64 * KIBIBYTE)
# A key may have so many times as many files examined in a minute as an address without one.
WITH_KEY = 3

router = Router(tags=["verify"])


@router.post(
    "/code",
    auth=Anybody(Body(JSON, 4 * KIBIBYTE)),
    throttle=PerVisitor("verify"),
    response=VerdictAnswer,
    operation_id="verifyByCode",
    summary="按编号和核验码核验",
    description="只能查到报告状态：没有提交文件，文件、签名、签发者三项为 null。编号不存在和核验码不对，答复相同。",
    openapi_extra=KEY_IF_ANY,
)
def by_code(request: HttpRequest, fields: CodeFields) -> VerdictAnswer:
    """By number and typed code."""
    return answer_of(verify_code(fields.number, fields.code, asked_by(request)), with_proof=fields.proof)


@router.post(
    "/qr",
    auth=Anybody(Body(JSON, 16 * KIBIBYTE)),
    throttle=PerVisitor("verify"),
    response=VerdictAnswer,
    operation_id="verifyByQr",
    summary="按二维码全文核验",
    description="二维码里的签名同时核对；签名部分写明核验网站，与本站不同的会说明。",
    openapi_extra=KEY_IF_ANY,
)
def by_qr(request: HttpRequest, fields: QrFields) -> VerdictAnswer:
    """By the text of the QR code."""
    return answer_of(verify_qr_text(fields.qr, asked_by(request)), with_proof=fields.proof)


@router.post(
    "/picture",
    auth=Anybody(ONE_PICTURE),
    throttle=PerVisitor("verify"),
    response=VerdictAnswer,
    operation_id="verifyByPicture",
    summary="按拍到二维码的图片核验",
    description="从PNG、JPEG或者WebP图片里读出报告的二维码，其余同按二维码全文核验。图片不超过"
    f"{settings.XINZHENG_PICTURE_MAX_BYTES // MEBIBYTE} MB、5000万像素，读码后不保留；别的二维码不核验，也不打开。",
    openapi_extra=KEY_IF_ANY | refuses({HTTPStatus.TOO_MANY_REQUESTS: (*TOO_OFTEN, "examiner-busy")}),
)
def by_picture(request: HttpRequest, file: File[UploadedFile]) -> VerdictAnswer:
    """By a picture of the QR code."""
    too_large = bool(file.size and file.size > settings.XINZHENG_PICTURE_MAX_BYTES)
    if too_large or not is_picture(file.read(PICTURE_HEAD)):
        code, message = UNREADABLE["too-large" if too_large else "no-picture"]
        raise PictureError(message, code=code)
    return answer_of(verify_picture(cast(BinaryIO, file.file), asked_by(request)).verdict)


@router.post(
    "/file",
    auth=Anybody(ONE_FILE),
    throttle=PerVisitor("verify"),
    response=VerdictAnswer,
    operation_id="verifyByFile",
    summary="按报告文件核验",
    description=f"四项都能核对。文件不超过{settings.XINZHENG_PDF_MAX_BYTES // MEBIBYTE} MB，核对后不保留。",
    openapi_extra=KEY_IF_ANY | refuses({HTTPStatus.TOO_MANY_REQUESTS: (*TOO_OFTEN, "examiner-busy")}),
)
def by_file(request: HttpRequest, file: File[UploadedFile]) -> VerdictAnswer:
    """By the document."""
    if not file.size or file.size > settings.XINZHENG_PDF_MAX_BYTES or file.read(len(PDF_MARK)) != PDF_MARK:
        message = "这不是收到的报告原文件：应为PDF，不是截图或者扫描件，也不超过大小限制。"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "file-not-a-report", message)
    return answer_of(verify_file(cast(BinaryIO, file.file), asked_by(request)))


@router.post(
    "/batch",
    auth=Anybody(Body(JSON, 512 * KIBIBYTE)),
    throttle=PerVisitor("verify-batch", BATCHES_A_MINUTE),
    response=BatchAnswer,
    operation_id="verifyBatch",
    summary="批量核验",
    description="一次至多100项，每项写编号和核验码，或者二维码全文；逐项答复，顺序不变，一项有误不影响其他项。",
    openapi_extra=KEY_IF_ANY,
)
def batch(request: HttpRequest, fields: BatchFields) -> BatchAnswer:
    """Up to a hundred at once."""
    items = [Asked(item.number or "", item.code or "", item.qr or "") for item in fields.items]
    verdicts = verify_batch(items, asked_by(request))
    return BatchAnswer.model_construct(answers=[answer_of(verdict) for verdict in verdicts])


@router.post(
    "/batch/files",
    auth=Anybody(MANY_FILES),
    throttle=PerVisitor("verify-batch", BATCHES_A_MINUTE),
    response=FilesAnswer,
    operation_id="verifyFiles",
    summary="批量核验文件",
    description=f"一次至多{FILES_AT_MOST}份报告文件，每份不超过{settings.XINZHENG_PDF_MAX_BYTES // MEBIBYTE} MB，"
    f"合起来不超过{settings.XINZHENG_VERIFY_FILES_MAX_BYTES // MEBIBYTE} MB，核对后不保留；逐份答复，顺序不变，"
    "一份有误不影响其他份。没有核对到的一份，四项都是 null，reasons 写明原因。",
    openapi_extra=KEY_IF_ANY | refuses({HTTPStatus.TOO_MANY_REQUESTS: (*TOO_OFTEN, "too-many-files-a-minute")}),
)
def batch_of_files(request: HttpRequest, files: File[list[UploadedFile]]) -> FilesAnswer:
    """Up to a hundred documents at once."""
    _count_files(request, len(files))
    verdicts = verify_files([cast(BinaryIO, file.file) for file in files], asked_by(request))
    named = zip(verdicts, files, strict=True)
    return FilesAnswer.model_construct(answers=[file_answer_of(verdict, file.name or "") for verdict, file in named])


def _count_files(request: HttpRequest, many: int) -> None:
    """Each file counts as one; ProblemError where the minute has had enough."""
    caller, limit = getattr(request, "auth", None), settings.XINZHENG_VERIFY_FILES_PER_MINUTE
    name = getattr(caller, "address", "")
    if isinstance(caller, Caller):
        limit, name = limit * WITH_KEY, f"key:{caller.key_id}"
    if isinstance(caller, PlatformCaller):
        limit, name = limit * WITH_KEY, f"platform:{caller.platform.pk}"
    used, wait = count(f"verify-files:{name}", many)
    if used > limit:
        message = f"一分钟内最多核验{limit}份文件，这一次没有核验。请在{wait}秒后再试。"
        headers = {"Retry-After": str(wait)}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-files-a-minute", message, headers=headers)
