"""Verify up to a hundred reports at once: by files, or by lines of number and code or the text of a QR code."""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST, Asked, verify_batch
from xinzheng.apps.reports.file_verification import FILES_AT_MOST
from xinzheng.apps.reports.looks import PUBLIC
from xinzheng.apps.reports.verification import Verdict
from xinzheng.core.lifecycle import TYPED_LENGTH, is_report_number, normalise_number, normalise_typed_code
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.public.batch_answers import Row, answers, answers_table
from xinzheng.web.public.body_size import sized
from xinzheng.web.public.file_batch import FILES, MEBIBYTE, FilesError, refusal, verify_handed_in
from xinzheng.web.public.verdict_words import BAD, GOOD, explain

BATCHES_A_MINUTE = 6
TOLD_AT_MOST = 10
QR_TEXT_MAX = 4096
LINES = "lines"


@never_cache
@limited("verify-batch", BATCHES_A_MINUTE)
@sized("XINZHENG_VERIFY_FILES_MAX_BYTES", lambda request, why: _form(request, "", (FieldError(FILES, refusal(why)),)))
@require_http_methods(["GET", "HEAD", "POST"])
def verify_many(request: HttpRequest) -> HttpResponse:
    """Show the forms, or an answer for each line or file."""
    if request.method != "POST":
        return _form(request, "", ())
    if request.POST.get("way") != FILES:
        return _by_lines(request)
    try:
        return verify_handed_in(request)
    except FilesError as error:
        return _form(request, "", (FieldError(FILES, str(error)),))


@never_cache
@require_POST
@limited("verify-table")
def verify_many_table(request: HttpRequest) -> HttpResponse:
    """The answers as XLSX; what holds after two hours has to be asked for anew."""
    return answers_table(request.POST.get("table", "")) or redirect("verify-batch")


def _by_lines(request: HttpRequest) -> HttpResponse:
    text = request.POST.get(LINES, "")
    numbered = [(at, line.strip()) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    errors = _errors(numbered)
    if errors:
        return _form(request, text, errors)
    lines = [line for _, line in numbered]
    verdicts = verify_batch([_asked(line) for line in lines], PUBLIC)
    rows = [_row(verdict, line) for verdict, line in zip(verdicts, lines, strict=True)]
    return answers(request, rows, verdicts, "public/verify_batch_answers.html")


def _errors(lines: Sequence[tuple[int, str]]) -> tuple[FieldError, ...]:
    if not lines:
        return (FieldError(LINES, "请填写要核验的报告，一行一份。"),)
    if len(lines) > BATCH_AT_MOST:
        return (FieldError(LINES, f"一次至多核验{BATCH_AT_MOST}份，现在是{len(lines)}行。请分几次核验。"),)
    wrong = [f"第{at}行：{said}" for at, line in lines if (said := _line_error(line))]
    more = f"还有{len(wrong) - TOLD_AT_MOST}行也要改正。" if len(wrong) > TOLD_AT_MOST else ""
    return tuple(FieldError(LINES, said) for said in [*wrong[:TOLD_AT_MOST], *filter(None, [more])])


def _line_error(line: str) -> str:
    """What has to be mended in a line; empty where it can be asked."""
    asked = _asked(line)
    if asked.qr:
        return "太长，不是报告二维码的内容。" if len(asked.qr) > QR_TEXT_MAX else ""
    if not is_report_number(normalise_number(asked.number)):
        return "报告编号应为18位，末位是校验位；请对照报告核对。"
    if len(normalise_typed_code(asked.code)) != TYPED_LENGTH:
        return f"编号后面请写{TYPED_LENGTH}位核验码，中间空一格。"
    return ""


def _asked(line: str) -> Asked:
    if line.lower().startswith(("http://", "https://")):
        return Asked(qr=line)
    number, _, code = line.replace("，", " ").replace(",", " ").replace("\t", " ").partition(" ")
    return Asked(number, code)


def _row(verdict: Verdict, line: str) -> Row:
    is_qr = line.lower().startswith("http")
    answer = explain(verdict, "qr" if is_qr else "code")
    *document, status = answer.facts
    seal = [fact for fact in document if fact.mark == BAD]
    shown = seal[0] if seal else status
    reason = verdict.warning or (shown.reason if seal or shown.mark != GOOD else "")
    number = verdict.number or ("二维码" if is_qr else line)
    subject = verdict.subject_masked or ""
    return Row(number, verdict.number or "", subject, shown.mark, shown.words, reason, answer.facts, answer.log)


def _form(request: HttpRequest, text: str, errors: Sequence[FieldError]) -> HttpResponse:
    context = {
        "errors": errors,
        "error_of": by_field(errors[:1]),
        "kept": "文件没有保存。" if any(error.field == FILES for error in errors) else "你填写的内容都还在。",
        "text": text,
        "at_most": BATCH_AT_MOST,
        "max_bytes": settings.XINZHENG_VERIFY_FILES_MAX_BYTES,
        "file_hint": _file_hint(),
    }
    return render(request, "public/verify_batch.html", context, status=422 if errors else 200)


def _file_hint() -> str:
    each, together = (
        size // MEBIBYTE for size in (settings.XINZHENG_PDF_MAX_BYTES, settings.XINZHENG_VERIFY_FILES_MAX_BYTES)
    )
    return f"至多{FILES_AT_MOST}份，每份不超过{each} MB，合起来不超过{together} MB；核对后不保留"
