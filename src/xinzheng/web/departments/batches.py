"""A batch as its unit sees it: the sum, what to correct and how, the lines to download, explanations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import (
    refusals_to_answer_for_lines,
    refusals_to_run_the_office,
    refusals_to_submit,
    refusals_to_withdraw,
)
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import explain_line, fetch_defects_file, fetch_raw_file, withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, LineResolution
from xinzheng.apps.ledger.queries import (
    BatchSummary,
    DefectLine,
    batch_defects,
    batch_map_name,
    batch_summary,
    defects_total,
    line_unit,
)
from xinzheng.apps.registry.queries import units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.duties import scope_name
from xinzheng.web.departments.held_view import held_view
from xinzheng.web.form_errors import FieldError, by_field

READ_AT_MOST = 5000
SHOWN_AT_MOST = 200
WHOLE_LINE = "整行"
NOT_YOURS = "只有数源单位和信用办可以查看批次。"
SEVERITIES = {"error": "退回", "warning": "提醒"}


@dataclass(frozen=True)
class State:
    """What the batch amounts to: its mark, one sentence, what follows from it."""

    mark: str
    sentence: str
    consequence: str


CONFIRMING = State(
    "unver", "本批正在确认入账。", "完成之前没有入账，本批的覆盖声明不生效；所涉主体的这个领域写“未能核查”。"
)


@require_safe
@signed_in
def batch(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """Show one batch; the rows can be filtered by level and field."""
    return batch_page(request, account, readable_batch(account, batch_id), [])


def batch_page(
    request: HttpRequest, account: Account, found: BatchSummary, errors: Sequence[FieldError]
) -> HttpResponse:
    """The page of a batch, also after a mistake in one of its forms."""
    batch_id, unit = found.batch, units_at(head_position())[found.unit_id]
    held = held_view(found, account)
    defects = batch_defects(batch_id, READ_AT_MOST)
    severity, field = request.GET.get("severity", ""), request.GET.get("field", "")
    chosen = [d for d in defects if severity in ("", d.severity) and field in ("", d.field or WHOLE_LINE)]
    context = {
        "batch": found,
        "state": CONFIRMING if held and held.is_being_confirmed else state_of(found),
        "held": held,
        "is_own": account.unit_id == found.unit_id,
        "unit": unit,
        "scope_name": scope_name(unit, found.domain, found.kind),
        "map_name": batch_map_name(batch_id),
        "accepted": found.new + found.changed + found.identical,
        "defects": [(defect, SEVERITIES.get(defect.severity, "提醒")) for defect in chosen[:SHOWN_AT_MOST]],
        "chosen": len(chosen),
        "total": defects_total(batch_id),
        "read_at_most": READ_AT_MOST,
        "severity": severity,
        "field": field,
        "severities": _severities(defects),
        "fields": sorted({defect.field or WHOLE_LINE for defect in defects}),
        "explained": LineResolution.objects.filter(batch_id=batch_id, how="explained")
        .select_related("entry")
        .order_by("line")[:SHOWN_AT_MOST],
        "may_withdraw": not (found.is_withdrawn or found.held or refusals_to_withdraw(account, found.unit_id)),
        "may_explain": found.waiting > 0 and not refusals_to_answer_for_lines(account, found.unit_id),
        "errors": errors,
        "error_of": by_field(errors),
        "values": defaultdict(str, request.POST.dict()),
    }
    return render(request, "departments/batch.html", context, status=422 if errors else 200)


@require_safe
@signed_in
def defects_csv(request: HttpRequest, account: Account, batch_id: int) -> HttpResponseBase:
    """The lines to correct with their original columns and what is wrong."""
    _own_batch(account, batch_id)
    try:
        content = fetch_defects_file(batch_id=batch_id, by=account.actor)
    except XinzhengError as error:
        return _not_fetched(request, batch_id, error)
    name = f"batch-{batch_id}-defects.csv"
    return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


@require_safe
@signed_in
def raw_file(request: HttpRequest, account: Account, batch_id: int) -> HttpResponseBase:
    """The file as it was delivered."""
    _own_batch(account, batch_id)
    try:
        kept = fetch_raw_file(batch_id=batch_id, by=account.actor)
    except XinzhengError as error:
        return _not_fetched(request, batch_id, error)
    return FileResponse(kept.content, as_attachment=True, filename=kept.name, content_type=kept.media_type)


def _not_fetched(request: HttpRequest, batch_id: int, error: XinzhengError) -> HttpResponse:
    messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    return redirect("department-batch", batch_id=batch_id)


@form_on("/department/batches/{batch_id}")
@signed_in
def explain(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """The responsible officer explains a rejected line, so that the batch can carry its statement."""
    found = _own_batch(account, batch_id)
    refuse_if(refusals_to_answer_for_lines(account, found.unit_id))
    line, reason = request.POST.get("line", ""), request.POST.get("reason", "").strip()
    # In a file brought for others each line is its own unit's to explain.
    answering = line_unit(batch_id, int(line)) if line.isdecimal() else None
    if answering is not None:
        refuse_if(refusals_to_answer_for_lines(account, answering))
    if not line.isdecimal() or not reason or "\0" in reason:
        messages.add_message(request, messages.ERROR, "请写明行号和说明。没有保存。", extra_tags="found")
        return redirect("department-batch", batch_id=batch_id)
    try:
        explain_line(batch_id=batch_id, line=int(line), reason=reason, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        messages.add_message(request, messages.SUCCESS, f"第{line}行的说明已记录。", extra_tags="none")
    return redirect("department-batch", batch_id=batch_id)


@form_on("/department/batches/{batch_id}")
@signed_in
def withdraw(request: HttpRequest, account: Account, batch_id: int) -> HttpResponse:
    """The responsible officer takes the whole batch back."""
    found = _own_batch(account, batch_id)
    refuse_if(refusals_to_withdraw(account, found.unit_id))
    try:
        result = withdraw_batch(batch_id=batch_id, reason=request.POST.get("reason", "").strip(), by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        said = f"本批已撤回：{result.gone}条记录不再入账，{result.restored}条恢复为之前的内容。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("department-batch", batch_id=batch_id)


def state_of(found: BatchSummary) -> State:
    """What a batch amounts to."""
    if found.booked_as is not None:
        return State("info", f"本批已确认，由批次{found.booked_as}入账。", "各行和覆盖声明以那一批为准。")
    if found.is_withdrawn:
        return State("unver", "本批已撤回。", "本批的内容和覆盖声明都不再生效。")
    if found.held:
        said = "确认之前没有入账，本批的覆盖声明不生效；所涉主体的这个领域写“未能核查”。"
        return State("unver", "本批已暂存，等另一名工作人员确认。", said)
    if found.waiting:
        return State(
            "unver",
            f"{found.waiting}行退回，等待改正。",
            "改正后重新报送，或者由责任人说明之前，本批的覆盖声明不生效；能认出主体的，该主体的这个领域写“未能核查”。",
        )
    consequence = "退回的行都已改正或者说明。" if found.rejected else "没有退回的行。"
    return State("info", "本批已全部处理。", consequence)


def readable_batch(account: Account, batch_id: int) -> BatchSummary:
    """A batch whose page this account may open: its unit's officers and, to confirm held ones, the credit office.

    Raises:
        Http404: there is no such batch.
        PermissionDenied: it is another unit's.
    """
    if account.role == Role.OFFICE_OPERATOR:
        refuse_if(refusals_to_run_the_office(account))
        return _batch(batch_id)
    return _own_batch(account, batch_id)


def refuse_reading(account: Account, batch_id: int) -> None:
    """Refuse whom ``readable_batch`` refuses, without reading what became of the lines."""
    if account.role == Role.OFFICE_OPERATOR:
        refuse_if(refusals_to_run_the_office(account))
        return
    unit_id = Batch.objects.filter(pk=batch_id).values_list("unit_id", flat=True).first()
    if account.unit_id is None or unit_id is None:
        raise PermissionDenied(NOT_YOURS)
    refuse_if(refusals_to_submit(account, unit_id))


def _own_batch(account: Account, batch_id: int) -> BatchSummary:
    if account.unit_id is None:
        raise PermissionDenied(NOT_YOURS)
    found = _batch(batch_id)
    refuse_if(refusals_to_submit(account, found.unit_id))
    return found


def _batch(batch_id: int) -> BatchSummary:
    try:
        return batch_summary(batch_id)
    except IntakeError as error:
        raise Http404(error.message) from error


def _severities(defects: Sequence[DefectLine]) -> list[tuple[str, str, int]]:
    counts = {code: sum(defect.severity == code for defect in defects) for code in SEVERITIES}
    return [(code, word, counts[code]) for code, word in SEVERITIES.items()]
