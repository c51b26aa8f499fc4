"""The desk of a unit: what needs doing, deliver, declare a zero return, how far the data reaches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_declare_coverage
from xinzheng.apps.ledger.actions import Scope, declare_coverage
from xinzheng.apps.ledger.queries import batches_of, column_maps_of, delivered_uploads, held_batches, waiting_total
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.delivery_form import SUFFIXES, read_zero_return
from xinzheng.web.departments.duties import Duty, duties_of, own_unit, scope_name
from xinzheng.web.departments.objections import objections_to_answer
from xinzheng.web.form_errors import FieldError, by_field

UPLOADS_SHOWN = 5
BATCHES_SHOWN = 20
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Mistakes:
    """What has to be mended on the desk, and what was filled in."""

    errors: Sequence[FieldError] = ()
    values: dict[str, str] = field(default_factory=dict)


@require_safe
@signed_in
def department(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the desk."""
    unit = own_unit(account)
    return desk_page(request, unit, duties_of(unit), Mistakes())


@form_on("/department")
@signed_in
def zero_return(request: HttpRequest, account: Account) -> HttpResponse:
    """Declare that there are no further records in a period (零报告)."""
    unit = own_unit(account)
    refuse_if(refusals_to_declare_coverage(account, unit.id))
    duties = duties_of(unit)
    filled = read_zero_return(duties, request.POST)
    mistakes = Mistakes(filled.errors, filled_in(request))
    if filled.errors or filled.duty is None or filled.covers is None:
        return desk_page(request, unit, duties, mistakes)
    first, last = filled.covers
    scope = Scope(unit.uscc, filled.duty.domain, filled.duty.kind)
    try:
        result = declare_coverage(scope, from_date=first, through_date=last, by=account.actor)
    except XinzhengError as error:
        return desk_page(request, unit, duties, Mistakes([FieldError("zero-from", error.message)], mistakes.values))
    what = "零报告" if result.is_zero else "覆盖声明"
    said = f"{what}已记录：{filled.duty.label}，{first:%Y-%m-%d}至{last:%Y-%m-%d}。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("department")


def filled_in(request: HttpRequest) -> dict[str, str]:
    """What was filled in, to show it again."""
    return {name: request.POST.get(name, "") for name in request.POST}


def desk_page(request: HttpRequest, unit: RegisteredUnit, duties: list[Duty], mistakes: Mistakes) -> HttpResponse:
    """The desk, also after a mistake in one of its forms."""
    open_duties = [duty for duty in duties if not duty.is_complete]
    batches = batches_of(unit.id, BATCHES_SHOWN)
    kinds = {duty.kind for duty in duties}
    waiting_objections, first_objection = objections_to_answer(unit.id)
    context = {
        "waiting_objections": waiting_objections,
        "first_objection": first_objection,
        "unit": unit,
        "duties": duties,
        "open_duties": open_duties,
        "complete": len(duties) - len(open_duties),
        "waiting_batches": [batch for batch in batches if batch.waiting and not batch.is_withdrawn],
        "held_batches": held_batches(unit.id),
        "waiting_lines": waiting_total(unit.id),
        "batches": [(batch, scope_name(unit, batch.domain, batch.kind)) for batch in batches],
        "uploads": delivered_uploads().filter(unit_uscc=unit.uscc)[:UPLOADS_SHOWN],
        "errors": mistakes.errors,
        "error_of": by_field(mistakes.errors),
        "values": defaultdict(str, mistakes.values),
        "maps": [found for found in column_maps_of(unit.id) if found.kind in kinds],
        "templates": sorted({(duty.kind, duty.kind_name) for duty in duties}),
        "accept": ",".join(SUFFIXES),
        "max_bytes": settings.XINZHENG_BATCH_MAX_BYTES,
        "file_hint": f"CSV、XLSX、XLS或者JSON行，不超过{settings.XINZHENG_BATCH_MAX_BYTES // MEBIBYTE} MB",
    }
    return render(request, "departments/desk.html", context, status=422 if mistakes.errors else 200)
