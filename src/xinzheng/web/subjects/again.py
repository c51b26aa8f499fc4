"""Ask for a report again with the same scope (再次出具)."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.reports.forms import application_form, open_policies
from xinzheng.web.access import signed_in
from xinzheng.web.subjects.access import own_subject
from xinzheng.web.subjects.apply import Shown, form_page
from xinzheng.web.subjects.request_form import Asked, values_of, within
from xinzheng.web.subjects.same_scope import closed_choices, own_report

CLOSED = "这份报告所依据的政策现在不能申请，不能按同样的范围再次出具。"


@require_safe
@signed_in
def again(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """The form filled in as the report was asked for; nothing is submitted by opening it."""
    subject_id = own_subject(account)
    report = own_report(number, subject_id)
    if report is None:
        raise Http404("本主体没有这份报告。")
    offered = open_policies(subject_id)
    if report.policy_id not in dict(offered):
        messages.add_message(request, messages.WARNING, CLOSED, extra_tags="unver")
        return redirect("reports")
    form = application_form(report.policy_id, subject_id)
    asked = Asked(within(form, report.request), uuid.uuid4(), (), values_of(form, report.request), again_of=number)
    return form_page(
        request, Shown(subject_id, form, offered, asked, changed=tuple(closed_choices(form, report.request)))
    )
