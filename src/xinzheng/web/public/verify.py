"""Verify a report without an account: by number and code, by file, by its QR code as a picture or as text."""

from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST
from xinzheng.apps.reports.looks import PUBLIC
from xinzheng.apps.reports.picture_verification import UNREADABLE, PictureError, is_picture, verify_picture
from xinzheng.apps.reports.verification import Verdict, verify_code, verify_file, verify_link, verify_qr_text
from xinzheng.core.lifecycle import (
    TYPED_LENGTH,
    is_report_number,
    normalise_number,
    normalise_typed_code,
    verification_origin,
)
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.public.body_size import sized
from xinzheng.web.public.verdict_words import explain

NUMBER_LENGTH = 18
QR_TEXT_MAX = 4096
MEBIBYTE = 1024 * 1024
NO_PICTURE = "这不是能读的图片。请用PNG、JPEG或者WebP图片；手里是PDF的，请上传报告文件。"
PDF_MARK = b"%PDF-"
PICTURE_HEAD = 16
# a picture that was just taken, or one that was chosen
PICTURES = ("photo", "picture")
# what can be examined by number and code, by file, by the QR code
COMPARISON = (
    ("文件是否改动", (False, True, False)),
    ("签名是否有效", (False, True, True)),
    ("签发者是否可信", (False, True, True)),
    ("报告状态", (True, True, True)),
    ("透明日志是否收录", (True, True, True)),
)


@dataclass(frozen=True)
class Typed:
    """What was typed as number and code, to be shown again."""

    number: str = ""
    code: str = ""


@dataclass(frozen=True)
class Submitted:
    """What was handed in for checking: the verdict, or what has to be mended."""

    errors: tuple[FieldError, ...] = ()
    verdict: Verdict | None = None
    way: str = ""
    kept: str = ""
    others: int = 0


@never_cache
@sized("XINZHENG_PDF_MAX_BYTES", lambda request, _: _ways(request, _wrong_file(_too_large()), Typed()))
@require_http_methods(["GET", "HEAD", "POST"])
@limited("verify")
def verify(request: HttpRequest) -> HttpResponse:
    """Show the three ways, or the answer; codes travel in the body only, never in an address."""
    if request.method != "POST":
        return _ways(request, Submitted(), Typed())
    check = {"file": _by_file, "picture": _by_picture, "qr": _by_qr_text}.get(request.POST.get("way", ""), _by_code)
    submitted = check(request)
    if submitted.verdict is None:
        return _ways(request, submitted, Typed(request.POST.get("number", ""), request.POST.get("code", "")))
    return _answer(request, submitted.verdict, submitted.way, others=submitted.others)


@never_cache
@require_safe
@limited("verify")
def verify_address(request: HttpRequest, code: str) -> HttpResponse:
    """The address in the QR code. What stands behind # stays in the browser; the page offers to send it, too."""
    # The seal names the host reports are issued for, whatever name this page was reached by.
    address = f"{verification_origin(settings.XINZHENG_HOST)}/v/{code}"
    return _answer(request, verify_link(code, PUBLIC), "link", address)


def _by_code(request: HttpRequest) -> Submitted:
    number = normalise_number(request.POST.get("number", ""))
    code = request.POST.get("code", "")
    errors = tuple(filter(None, (_number_error(number), _code_error(code))))
    if errors:
        return Submitted(errors, kept="你填写的编号和核验码都还在。")
    return Submitted(verdict=verify_code(number, code, PUBLIC), way="code")


def _number_error(number: str) -> FieldError | None:
    error = partial(FieldError, "number")
    if not number:
        return error("请填写报告编号，印在报告首页和末页。")
    if len(number) != NUMBER_LENGTH:
        return error(f"报告编号应为{NUMBER_LENGTH}位，现在是{len(number)}位。请对照报告补全。")
    return None if is_report_number(number) else error("报告编号有一位输错了（校验位不符）。请对照报告再核对。")


def _code_error(code: str) -> FieldError | None:
    length = len(normalise_typed_code(code))
    if length == TYPED_LENGTH:
        return None
    if length == 0:
        return FieldError("code", "请填写核验码，印在报告末页二维码旁。")
    return FieldError("code", f"核验码应为{TYPED_LENGTH}位，现在是{length}位。请对照报告末页二维码旁的核验码补全。")


def _by_file(request: HttpRequest) -> Submitted:
    uploaded = request.FILES.get("pdf")
    if uploaded is None:
        return _wrong_file("请先选择报告文件。")
    if uploaded.size is None or uploaded.size > settings.XINZHENG_PDF_MAX_BYTES:
        return _wrong_file(_too_large())
    if uploaded.read(len(PDF_MARK)) != PDF_MARK:
        return _wrong_file("这不是PDF文件。请上传收到的报告原文件，不要用截图或者扫描件。")
    return Submitted(verdict=verify_file(cast(BinaryIO, uploaded.file), PUBLIC), way="file")


def _too_large() -> str:
    limit = settings.XINZHENG_PDF_MAX_BYTES // MEBIBYTE
    return f"文件超过{limit} MB，不是本站出具的报告。请换成收到的报告原文件。"


def _wrong_file(message: str) -> Submitted:
    return Submitted((FieldError("pdf", message),), kept="文件没有保存。")


def _by_picture(request: HttpRequest) -> Submitted:
    uploaded = next((file for name in PICTURES if (file := request.FILES.get(name))), None)
    if uploaded is None:
        return _wrong_picture("请先拍照，或者选择一张图片。")
    if not uploaded.size or uploaded.size > settings.XINZHENG_PICTURE_MAX_BYTES:
        return _wrong_picture(UNREADABLE["too-large" if uploaded.size else "no-picture"][1])
    if not is_picture(uploaded.read(PICTURE_HEAD)):
        return _wrong_picture(NO_PICTURE)
    try:
        found = verify_picture(cast(BinaryIO, uploaded.file), PUBLIC)
    except PictureError as error:
        return _wrong_picture(error.message)
    return Submitted(verdict=found.verdict, way="qr", others=found.others)


def _wrong_picture(message: str) -> Submitted:
    return Submitted((FieldError("picture", message),), kept="图片没有保存。")


def _by_qr_text(request: HttpRequest) -> Submitted:
    text = request.POST.get("qr_text", "").strip()
    if not text:
        return Submitted((FieldError("qr_text", "请粘贴扫码得到的完整文字，以 http 开头。"),))
    if len(text) > QR_TEXT_MAX:
        return Submitted((FieldError("qr_text", "粘贴的文字太长，不是报告二维码的内容。请重新扫码再粘贴。"),))
    return Submitted(verdict=verify_qr_text(text, PUBLIC), way="qr")


def _ways(request: HttpRequest, submitted: Submitted, typed: Typed) -> HttpResponse:
    context = {
        "errors": submitted.errors,
        "error_of": by_field(submitted.errors),
        "kept": submitted.kept,
        "number": typed.number,
        "code": typed.code,
        "max_bytes": settings.XINZHENG_PDF_MAX_BYTES,
        "file_hint": f"不超过{settings.XINZHENG_PDF_MAX_BYTES // MEBIBYTE} MB，核对后不保留文件",
        "picture_max_bytes": settings.XINZHENG_PICTURE_MAX_BYTES,
        "comparison": COMPARISON,
        "host": settings.XINZHENG_HOST,
        "batch_at_most": BATCH_AT_MOST,
    }
    return render(request, "public/verify.html", context, status=422 if submitted.errors else 200)


def _answer(request: HttpRequest, verdict: Verdict, way: str, address: str = "", others: int = 0) -> HttpResponse:
    context = {
        "verdict": verdict,
        "answer": explain(verdict, way),
        "way": way,
        "checked_at": timezone.now(),
        "address": address,
        "others": others,
        "host": settings.XINZHENG_HOST,
    }
    return render(request, "public/verdict.html", context)
