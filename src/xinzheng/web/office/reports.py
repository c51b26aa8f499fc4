"""Issued reports after they were issued, for the credit office: what was superseded, what waits; and revoking one."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.reports.review_queries import OfficeReport, office_report, review_state, status_changes
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import REASON_WORDS, RevocationReason, normalise_number
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.office.choices import office_choices

PAGE = 50


@require_safe
@signed_in
def office_reports(request: HttpRequest, account: Account) -> HttpResponse:
    """Reports that are no longer in force, newest first; a number asked for opens that report."""
    refuse_if(refusals_to_run_the_office(account))
    asked = normalise_number(request.GET.get("number", ""))
    errors: list[FieldError] = []
    if asked:
        try:
            return HttpResponseRedirect(f"/office/reports/{office_report(asked).number}")
        except XinzhengError as error:
            errors = [FieldError("number", error.message)]
    before = _number(request.GET.get("before", ""))
    found = status_changes(PAGE + 1, before)
    context = {
        "choices": office_choices(request, account),
        "state": review_state(),
        "rows": found[:PAGE],
        "next": found[PAGE - 1].id if len(found) > PAGE else None,
        "is_later": before is not None,
        "number": asked,
        "errors": errors,
        "error_of": by_field(errors),
    }
    return render(request, "office/reports.html", context, status=422 if errors else 200)


@require_safe
@signed_in
def office_one_report(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """One report's history, and revoking it."""
    refuse_if(refusals_to_run_the_office(account))
    return _page(request, _report(number), [])


@require_POST
@signed_in
def revoke(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Revoke and show the report again."""
    refuse_if(refusals_to_run_the_office(account))
    report = _report(number)
    reason, typed = request.POST.get("reason", ""), normalise_number(request.POST.get("number", ""))
    errors = []
    if reason not in set(RevocationReason):
        errors.append(FieldError("reason", "请选择作废的原因。"))
    if typed != report.number:
        errors.append(FieldError("number", "与本报告的编号不一致，请照报告编号输入。"))
    if errors:
        return _page(request, report, errors)
    try:
        revoke_report(report.number, RevocationReason(reason), account.actor)
    except XinzhengError as error:
        return _page(request, _report(number), [FieldError("reason", error.message)])
    messages.add_message(request, messages.SUCCESS, "报告已作废，核验时即刻显示。", extra_tags="none")
    return HttpResponseRedirect(f"/office/reports/{report.number}")


def _report(number: str) -> OfficeReport:
    try:
        return office_report(number)
    except XinzhengError as error:
        raise Http404(error.message) from None


def _page(request: HttpRequest, report: OfficeReport, errors: list[FieldError]) -> HttpResponse:
    context = {
        "report": report,
        "reasons": [(str(reason), REASON_WORDS[reason]) for reason in RevocationReason],
        "errors": errors,
        "error_of": by_field(errors),
        "values": {"reason": "", "number": ""} | request.POST.dict(),
    }
    return render(request, "office/report.html", context, status=422 if errors else 200)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
