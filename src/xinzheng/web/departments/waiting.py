"""Rejected lines that wait for a unit (待本单位处理的退回行): its own batches' and those brought by return."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_answer_for_lines
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import explain_line, fetch_defects_file
from xinzheng.apps.ledger.queries import WaitingLine, has_waiting_lines, line_unit, waiting_elsewhere, waiting_of
from xinzheng.apps.registry.queries import RegisteredUnit, units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.duties import own_unit, scope_names
from xinzheng.web.form_errors import FieldError, by_field

PAGE = "/department/waiting"
SHOWN_AT_ONCE = 50
LONGEST_NUMBER = 18


@dataclass(frozen=True)
class WaitingView:
    """A waiting line in words: what it is about and, if it was brought by return, by whom."""

    line: WaitingLine
    scope_name: str
    source_name: str


@require_safe
@signed_in
def waiting(request: HttpRequest, account: Account) -> HttpResponse:
    """Show what waits, the latest batch first; a line's own link fills the form below in."""
    chosen = {name: request.GET.get(name, "") for name in ("batch", "line", "reason")}
    return _page(request, account, chosen)


@form_on(PAGE)
@signed_in
def explain(request: HttpRequest, account: Account) -> HttpResponse:
    """The responsible officer of the line's unit explains it, whoever brought the batch."""
    filled = {name: request.POST.get(name, "").strip() for name in ("batch", "line", "reason")}
    errors = [*_unread(filled, "batch", "批次"), *_unread(filled, "line", "行号")]
    if not filled["reason"] or "\0" in filled["reason"]:
        errors.append(FieldError("reason", "请写明为什么不用改正。没有保存。"))
    if errors:
        return _page(request, account, filled, errors)
    batch, line = int(filled["batch"]), int(filled["line"])
    answering = line_unit(batch, line)
    refuse_if(refusals_to_answer_for_lines(account, own_unit(account).id if answering is None else answering))
    try:
        explain_line(batch_id=batch, line=line, reason=filled["reason"], by=account.actor)
    except XinzhengError as error:
        return _page(request, account, filled, [FieldError("line", error.message)])
    messages.add_message(request, messages.SUCCESS, f"批次{batch}第{line}行的说明已记录。", extra_tags="none")
    return redirect("department-waiting")


@require_safe
@signed_in
def waiting_csv(request: HttpRequest, account: Account, batch_id: int) -> HttpResponseBase:
    """The unit's own lines of a batch with their original columns and what is wrong, whoever brought it."""
    unit = own_unit(account)
    if not has_waiting_lines(batch_id, unit.id):
        raise Http404("这个批次没有需要本单位处理的行。")
    try:
        content = fetch_defects_file(batch_id=batch_id, by=account.actor, unit_id=unit.id)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect("department-waiting")
    name = f"batch-{batch_id}-lines.csv"
    return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def _unread(filled: Mapping[str, str], field: str, word: str) -> list[FieldError]:
    text = filled[field]
    is_read = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return [] if is_read else [FieldError(field, f"请填写{word}，只填数字。")]


def _page(
    request: HttpRequest, account: Account, values: Mapping[str, str], errors: Sequence[FieldError] = ()
) -> HttpResponse:
    unit = own_unit(account)
    lines, total = waiting_of(unit.id, limit=SHOWN_AT_ONCE)
    elsewhere = waiting_elsewhere(unit.id)
    sources = [line.source_unit_id for line in lines] + [found.source_unit_id for found in elsewhere]
    names = _names(sources)
    scopes = scope_names(unit, {*((w.domain, w.kind) for w in lines), *((w.domain, w.kind) for w in elsewhere)})
    context = {
        "unit": unit,
        "lines": [
            WaitingView(line, scopes[line.domain, line.kind], names.get(line.source_unit_id, "")) for line in lines
        ],
        "total": total,
        "batches": sorted({line.batch for line in lines}, reverse=True),
        "elsewhere": [(e, scopes[e.domain, e.kind], names.get(e.source_unit_id, "")) for e in elsewhere],
        "may_explain": not refusals_to_answer_for_lines(account, unit.id),
        "errors": errors,
        "error_of": by_field(errors),
        "values": defaultdict(str, values),
    }
    return render(request, "departments/waiting.html", context, status=422 if errors else 200)


def _names(sources: Sequence[int | None]) -> dict[int | None, str]:
    if not any(sources):
        return {}
    units: Mapping[int, RegisteredUnit] = units_at(head_position())
    return {source: units[source].short_name for source in sources if source is not None}
