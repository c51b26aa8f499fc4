"""Reconciliation by the source (核对): a unit compares its list, the responsible officer signs, the office sees all."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import Scope as LedgerScope
from xinzheng.apps.oversight.actions import OwnList, own_list, own_summary, reconcile, sign_reconciliation
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Reconciliation
from xinzheng.apps.oversight.permissions import refusals_to_reconcile, refusals_to_sign
from xinzheng.apps.oversight.queries import Scope, scopes_of
from xinzheng.apps.oversight.reconciling import RECONCILED_KINDS, reconciliations
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import refuse_if
from xinzheng.web.departments.duties import own_unit
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.office.choices import (
    asked_month,
    in_words,
    months_to_choose,
    office_choices,
    quality_page,
    read_month,
    unit_choices,
)
from xinzheng.web.office.heat import kind_name

MOST_BYTES = 4 * 1024 * 1024
SHOWN_AT_MOST = 50
FIELD_OF_CODE = {"digest-invalid": "digest", "count-invalid": "count", "month-not-over": "month"}


@dataclass(frozen=True)
class ReconciliationView:
    """A reconciliation in words; ``may_sign`` for who looks."""

    found: Reconciliation
    month: str
    name: str
    unit: str
    missing: Sequence[str]
    surplus: Sequence[str]
    is_signed: bool
    note: str
    may_sign: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@quality_page
def unit_reconciliation(request: HttpRequest, account: Account) -> HttpResponse:
    """The own unit's reconciliations; POST compares a list."""
    unit, choices = unit_choices(request, account)
    refuse_if(refusals_to_reconcile(account, unit.id))
    scopes = _reconciled(scopes_of(choices.policy, head_position(), unit.id))
    errors: list[FieldError] = []
    if request.method == "POST":
        errors = _compare(request, account, scopes)
        if not errors:
            return redirect("department-reconciliation")
    found = reconciliations(months_to_choose(), unit.id)
    context = {
        "unit": unit,
        "scopes": [(f"{scope.domain}|{scope.kind}", _name(scope)) for scope in scopes],
        "months": [(str(month), in_words(month)) for month in months_to_choose()[1:13]],
        "rows": [_view(row, scopes, account) for row in found],
        "errors": errors,
        "error_of": by_field(errors),
        "values": {key: request.POST.get(key, "") for key in ("scope", "month", "count", "digest")},
    }
    return render(request, "office/unit_reconciliation.html", context, status=422 if errors else 200)


@require_POST
@quality_page
def sign(request: HttpRequest, account: Account, reconciliation_id: int) -> HttpResponse:
    """Sign a reconciliation of the own unit."""
    unit = own_unit(account)
    found = Reconciliation.objects.filter(pk=reconciliation_id, unit_id=unit.id).first()
    if found is None:
        raise Http404("本单位没有这次核对。")
    refuse_if(refusals_to_sign(account, unit.id, found.domain))
    try:
        sign_reconciliation(found, account, request.POST.get("note", ""))
        messages.add_message(request, messages.SUCCESS, "已签字确认。", extra_tags="none")
    except OversightError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    return redirect("department-reconciliation")


@require_safe
@quality_page
def office_reconciliations(request: HttpRequest, account: Account) -> HttpResponse:
    """Every responsibility of a month: agreed, different, signed, or nothing stated."""
    choices, month = office_choices(request, account), asked_month(request)
    scopes = _reconciled(scopes_of(choices.policy, head_position()))
    latest: dict[tuple[int, str, str], Reconciliation] = {}
    for row in reconciliations([month]):
        latest.setdefault((row.unit_id, row.domain, row.kind), row)
    stated = [_view(latest[scope.key], [scope], account) for scope in scopes if scope.key in latest]
    context = {
        "choices": choices,
        "month": month,
        "month_words": in_words(month),
        "months": [(str(found), in_words(found)) for found in months_to_choose()[1:]],
        "rows": stated,
        "different": sum(not view.found.agrees for view in stated),
        "unsigned": sum(not view.is_signed for view in stated),
        "silent": [(scope.unit.short_name, _name(scope)) for scope in scopes if scope.key not in latest],
        "total": len(scopes),
    }
    return render(request, "office/reconciliations.html", context)


def _reconciled(scopes: Sequence[Scope]) -> list[Scope]:
    """The responsibilities that have document numbers to compare."""
    return [scope for scope in scopes if scope.kind in RECONCILED_KINDS]


def _compare(request: HttpRequest, account: Account, scopes: Sequence[Scope]) -> list[FieldError]:
    chosen = next((s for s in scopes if f"{s.domain}|{s.kind}" == request.POST.get("scope")), None)
    if chosen is None:
        return [FieldError("scope", "请选择领域和数据种类。")]
    try:
        month = read_month(request.POST.get("month", ""))
    except Http404:
        return [FieldError("month", "请选择要核对的月份。")]
    try:
        own = _own(request)
        found = reconcile(LedgerScope(chosen.unit.uscc, chosen.domain, chosen.kind), month, own, by=account.actor)
    except XinzhengError as error:
        return [FieldError(FIELD_OF_CODE.get(error.code, "file"), error.message)]
    said = "两边一致，请责任人签字。" if found.agrees else "两边不一致，差异见下，请核实后由责任人签字。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none" if found.agrees else "unver")
    return []


def _own(request: HttpRequest) -> OwnList:
    """What the unit handed in: a list of document numbers, or a count and a digest."""
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        return own_list(_text(file).splitlines())
    count = request.POST.get("count", "").strip()
    if not count and not request.POST.get("digest", "").strip():
        raise OversightError("请选择文号清单，或者填写件数和摘要值。", code="list-missing")
    if not count.isascii() or not count.isdigit() or len(count) > 9:
        raise OversightError("件数应为整数，请核对。", code="count-invalid")
    return own_summary(int(count), request.POST.get("digest", ""))


def _text(file: "UploadedFile[bytes]") -> str:
    if file.size is None or file.size > MOST_BYTES:
        raise OversightError(f"清单超过{MOST_BYTES // 1024 // 1024} MB，请核对是否选错文件。", code="list-too-long")
    data = file.read()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return str(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise OversightError("清单不是UTF-8或者GB 18030编码的文本，请另存为文本文件后再试。", code="list-unreadable")


def _view(found: Reconciliation, scopes: Sequence[Scope], account: Account) -> ReconciliationView:
    scope = next((s for s in scopes if s.key == (found.unit_id, found.domain, found.kind)), None)
    signature = getattr(found, "signature", None)
    return ReconciliationView(
        found=found,
        month=f"{found.month.year}年{found.month.month}月",
        name=_name(scope) if scope else f"{found.domain}，{kind_name(found.kind)}",
        unit=scope.unit.short_name if scope else "",
        missing=(found.missing or [])[:SHOWN_AT_MOST],
        surplus=(found.surplus or [])[:SHOWN_AT_MOST],
        is_signed=signature is not None,
        note=signature.note if signature is not None else "",
        may_sign=signature is None and not refusals_to_sign(account, found.unit_id, found.domain),
    )


def _name(scope: Scope) -> str:
    return f"{scope.domain_name}，{kind_name(scope.kind)}"
