"""The unit's inbox of objections (异议办理): what lies with it, one of them, and answering it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.permissions import refusals_to_decide_objection, refusals_to_see_objections
from xinzheng.apps.redress.queries import Listed, rows_of
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, State
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.duties import own_unit
from xinzheng.web.departments.objection_page import case_of, objection_page, refused_page
from xinzheng.web.departments.upholding import uphold_by_form
from xinzheng.web.form_errors import FieldError
from xinzheng.web.objections.acting import UNFIT, Refused, number_in, refused, seen_in, was_done
from xinzheng.web.objections.cases import CaseRow, case_rows
from xinzheng.web.objections.files import files_of, too_much
from xinzheng.web.public.body_size import sized

PAGE = 50
TO_ANSWER = frozenset({State.WITH_UNIT, State.AWAITED})
PAST = "past"
DONE: Mapping[Act, str] = MappingProxyType(
    {
        Act.PROMISE: "已承诺补报；记录入账后自动办结。",
        Act.DISMISS: "已答复：异议不成立。申请人会收到通知。",
        Act.HAND_OVER: "已移交；申请人和接收的单位会收到通知。",
        Act.RETURN: "已退回信用办重新安排。",
    }
)


@require_safe
@signed_in
def unit_objections(request: HttpRequest, account: Account) -> HttpResponse:
    """What lies with the unit, late first; or all it ever had."""
    unit = own_unit(account)
    refuse_if(refusals_to_see_objections(account, unit.id))
    is_past, start = request.GET.get("show") == PAST, number_in(request.GET.get("from", "")) or 0
    own = rows_of(Listed(unit_id=unit.id, states=TO_ANSWER), today())
    rows = rows_of(Listed(unit_id=unit.id, states=None, with_past=True), today()) if is_past else own
    context = {
        "unit": unit,
        "rows": case_rows(rows[start : start + PAGE]),
        "total": len(rows),
        "next": start + PAGE if len(rows) > start + PAGE else None,
        "is_past": is_past,
        "waiting": sum(row.state is State.WITH_UNIT for row in own),
        "promised": sum(row.state is State.AWAITED for row in own),
        "late": sum(row.clock is not None and row.clock.is_over for row in own),
    }
    return render(request, "departments/objections.html", context)


def objections_to_answer(unit_id: int) -> tuple[int, CaseRow | None]:
    """How many wait for the unit's answer, and the most urgent of them: for the unit's desk."""
    rows = rows_of(Listed(unit_id=unit_id, states=TO_ANSWER), today())
    return len(rows), case_rows(rows[:1])[0] if rows else None


@require_safe
@signed_in
def unit_objection(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """One objection; ``way`` opens the form of one way to answer it."""
    return objection_page(request, account, replace(case_of(account, number), way=request.GET.get("way", "")))


def _too_much(request: HttpRequest, _why: str) -> HttpResponse:
    messages.add_message(request, messages.ERROR, too_much(), extra_tags="found")
    return redirect(request.path.removesuffix("/act"))


@sized("XINZHENG_EVIDENCE_TOGETHER_BYTES", _too_much)
@form_on("/department/objections/{number}")
@signed_in
def act(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Do what the form says: uphold in one of its ways, or anything else that is done in one step."""
    case = replace(case_of(account, number), way=request.POST.get("act", ""))
    refuse_if(refusals_to_decide_objection(account, account.unit_id or 0))
    done = next((known for known in DONE if known == case.way), None)
    if done is None:
        return uphold_by_form(request, account, case)
    files, errors = files_of(request)
    if errors:
        at = tuple(FieldError(f"{done}-evidence", error.message) for error in errors)
        return objection_page(request, account, replace(case, answer=Refused(at, UNFIT)))
    reason, unit_id = request.POST.get("reason", ""), number_in(request.POST.get("unit", ""))
    doing = Doing(number, seen_in(request), done, reason=reason, unit_id=unit_id, files=files)
    try:
        take_step(doing, account=account)
    except XinzhengError as error:
        if not was_done(case.view, doing.seen_seq, done, account):
            return refused_page(request, account, case, refused(error, done))
    messages.add_message(request, messages.SUCCESS, DONE[done], extra_tags="none")
    return redirect("department-objection", number=number)
