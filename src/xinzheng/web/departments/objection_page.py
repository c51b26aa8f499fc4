"""The page of one objection before a unit (异议办理页): what it shows, also after something was refused."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.handling import REASON_AT_MOST, moves_for
from xinzheng.apps.redress.permissions import refusals_to_see_objections
from xinzheng.apps.redress.queries import ObjectionView, objection_by_number
from xinzheng.core.objections import Act
from xinzheng.web.departments.correction_form import CorrectionForm, correction_form
from xinzheng.web.departments.duties import own_unit
from xinzheng.web.departments.old_rows import old_rows
from xinzheng.web.departments.upholding_ways import other_forms, ways_to_uphold
from xinzheng.web.form_errors import by_field
from xinzheng.web.objections.acting import NOT_REFUSED, UNKNOWN, Refused, number_in, view_of
from xinzheng.web.objections.cases import RecordNow, case_context, record_now
from xinzheng.web.objections.files import hint


@dataclass(frozen=True, slots=True)
class Case:
    """An objection before a unit (办理中的异议): as it stands, its record, and what was done or goes wrong."""

    view: ObjectionView
    record: RecordNow | None
    answer: Refused = NOT_REFUSED
    way: str = ""
    form: CorrectionForm | None = None


def case_of(account: Account, number: str) -> Case:
    """An objection that lies or lay with the account's own unit. Http404 for all others."""
    unit = own_unit(account)
    view = view_of(number)
    if unit.id not in view.units or refusals_to_see_objections(account, unit.id):
        raise Http404(UNKNOWN)
    return Case(view, record_now(view, unit.id))


def refused_page(request: HttpRequest, account: Account, case: Case, answer: Refused) -> HttpResponse:
    """The page after a refusal: as everything stands now, with what was typed."""
    now = case_of(account, case.view.number)
    row = now.record.row if now.record else None
    form = correction_form(row, request.POST) if case.form is not None and row is not None else case.form
    return objection_page(request, account, replace(now, answer=answer, way=case.way, form=form))


def objection_page(request: HttpRequest, account: Account, case: Case) -> HttpResponse:
    """The page of an objection, with the form of the way chosen."""
    view = case.view
    moves = moves_for(view.possible, objection_by_number(view.number), view.unit_id, account)
    acts = {move.act for move in moves}
    ways = ways_to_uphold(view, case.record) if Act.UPHOLD in acts else []
    forms = other_forms(view, acts)
    way = next((one for one in ways if one.name == case.way), None)
    act_form = next((one for one in forms if one.act == case.way), None)
    row = case.record.row if case.record else None
    columns = case.form or (correction_form(row) if way and way.has_columns and row else None)
    typed = request.POST
    context = case_context(view, case.record) | {
        "ways": ways,
        "forms": forms,
        "way": way,
        "act_form": act_form,
        "columns": columns,
        "is_own": view.unit_id == account.unit_id,
        "may_decide": bool(acts),
        "old_rows": old_rows(view, account.unit_id or 0),
        "responsible": own_unit(account).responsible_officer,
        "reason": typed.get("reason", ""),
        "unit": number_in(typed.get("unit", "")),
        "batch": typed.get("batch", ""),
        "lost": _lost(case, typed.get("reason", "")) if way is None and act_form is None else [],
        "reason_at_most": REASON_AT_MOST,
        "hint": hint(),
        "together": settings.XINZHENG_EVIDENCE_TOGETHER_BYTES,
        "is_conflict": case.answer.is_conflict,
        "errors": case.answer.errors,
        "error_of": by_field(case.answer.errors),
    }
    return render(request, "departments/objection.html", context, status=case.answer.status)


def _lost(case: Case, reason: str) -> list[tuple[str, str]]:
    """What was typed into a form that is no longer offered."""
    changed = [(column.label, column.value) for column in case.form.changed] if case.form else []
    return [*([("理由", reason)] if reason else []), *changed]
