"""Verify up to a hundred reports at once: a line for each, with its number and code or the text of its QR code."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST, Asked, verify_batch
from xinzheng.apps.reports.looks import PUBLIC
from xinzheng.apps.reports.verification import Verdict
from xinzheng.core.lifecycle import TYPED_LENGTH, is_report_number, normalise_number, normalise_typed_code
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.public.verdict_words import BAD, GOOD, OPEN, explain

BATCHES_A_MINUTE = 6
TOLD_AT_MOST = 10
QR_TEXT_MAX = 4096
LINES = "lines"


@dataclass(frozen=True)
class Row:
    """One of the answers: what it is about, its mark and words, what else is to be known."""

    number: str
    subject: str
    mark: str
    words: str
    reason: str


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("verify-batch", BATCHES_A_MINUTE)
def verify_many(request: HttpRequest) -> HttpResponse:
    """Show the form, or an answer for each line."""
    text = request.POST.get(LINES, "")
    if request.method != "POST":
        return _form(request, text, ())
    numbered = [(at, line.strip()) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    errors = _errors(numbered)
    if errors:
        return _form(request, text, errors)
    lines = [line for _, line in numbered]
    verdicts = verify_batch([_asked(line) for line in lines], PUBLIC)
    return _answers(request, [_row(verdict, line) for verdict, line in zip(verdicts, lines, strict=True)], verdicts)


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
    return Row(number, verdict.subject_masked or "", shown.mark, shown.words, reason)


def _form(request: HttpRequest, text: str, errors: Sequence[FieldError]) -> HttpResponse:
    context = {
        "errors": errors,
        "error_of": by_field(errors[:1]),
        "kept": "你填写的内容都还在。",
        "text": text,
        "at_most": BATCH_AT_MOST,
    }
    return render(request, "public/verify_batch.html", context, status=422 if errors else 200)


def _answers(request: HttpRequest, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> HttpResponse:
    good = sum(row.mark == GOOD for row in rows)
    marks = {row.mark for row in rows}
    context = {
        "rows": rows,
        "good": good,
        "wanting": len(rows) - good,
        "mark": BAD if BAD in marks else OPEN if OPEN in marks else GOOD,
        "disclaimer": _disclaimer(verdicts),
        "checked_at": timezone.now(),
        "is_demonstration": any(verdict.is_demonstration for verdict in verdicts),
    }
    return render(request, "public/verify_batch_answers.html", context)


def _disclaimer(verdicts: Sequence[Verdict]) -> str:
    """The fixed sentence in the word of the reports' decree; in the general one where there are several."""
    said = {verdict.disclaimer for verdict in verdicts if verdict.record_word}
    return said.pop() if len(said) == 1 else Verdict(None, None, None, None).disclaimer
