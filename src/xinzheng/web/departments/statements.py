"""What a unit states without a file: a zero return for exactly what is missing, and statements taken back."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_declare_coverage
from xinzheng.apps.ledger.actions import Scope, declare_zero, withdraw_coverage
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.delivery_form import read_withdrawal
from xinzheng.web.departments.desk import Mistakes, desk_page, filled_in
from xinzheng.web.departments.duties import Duty, duties_of, own_unit
from xinzheng.web.form_errors import FieldError

# Where the form stands, and so where one goes back to.
PAGES = {"calendar": "department-calendar"}
NOT_MISSING = "没有补报：这段时间已经补齐，或者刚刚有变化。请看下面最新的情况。"
NO_REASON = "请写明撤回的原因。"


@form_on("/department")
@signed_in
def zero_gap(request: HttpRequest, account: Account) -> HttpResponse:
    """One click: there are no records in a stretch that is missing (零报告)."""
    unit = own_unit(account)
    refuse_if(refusals_to_declare_coverage(account, unit.id))
    duty, first, last = _gap(duties_of(unit), request)
    if duty is None or first is None or last is None:
        messages.add_message(request, messages.ERROR, NOT_MISSING, extra_tags="unver")
    else:
        scope = Scope(unit.uscc, duty.domain, duty.kind)
        try:
            declare_zero(scope, from_date=first, through_date=last, by=account.actor)
        except XinzhengError as error:
            messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        else:
            said = f"零报告已记录：{duty.label}，{first:%Y-%m-%d}至{last:%Y-%m-%d}。"
            messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect(PAGES.get(request.POST.get("back", ""), "department"))


def _gap(duties: list[Duty], request: HttpRequest) -> tuple[Duty | None, date | None, date | None]:
    """The duty and the missing stretch that the form names, if that is missing still."""
    asked = tuple(request.POST.get(name, "") for name in ("from", "through"))
    for duty in duties:
        if duty.scope == request.POST.get("scope"):
            found = [gap for gap in duty.missing if (gap[0].isoformat(), gap[1].isoformat()) == asked]
            return (duty, *found[0]) if found else (duty, None, None)
    return None, None, None


@form_on("/department")
@signed_in
def withdraw(request: HttpRequest, account: Account) -> HttpResponse:
    """Take back what was stated for a period (撤回声明)."""
    unit = own_unit(account)
    refuse_if(refusals_to_declare_coverage(account, unit.id))
    duties = duties_of(unit)
    filled = read_withdrawal(duties, request.POST)
    reason = request.POST.get("withdraw-reason", "").strip()
    errors = [*filled.errors] + ([] if reason else [FieldError("withdraw-reason", NO_REASON)])
    if errors or filled.duty is None or filled.covers is None:
        return desk_page(request, unit, duties, Mistakes(errors, filled_in(request)))
    first, last = filled.covers
    scope = Scope(unit.uscc, filled.duty.domain, filled.duty.kind)
    try:
        withdraw_coverage(scope, from_date=first, through_date=last, by=account.actor, reason=reason)
    except XinzhengError as error:
        field = "withdraw-reason" if "reason" in error.code else "withdraw-from"
        return desk_page(request, unit, duties, Mistakes([FieldError(field, error.message)], filled_in(request)))
    said = f"覆盖声明已撤回：{filled.duty.label}，{first:%Y-%m-%d}至{last:%Y-%m-%d}。报告会写“未能核查”，直到重新声明。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("department")
