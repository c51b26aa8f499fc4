"""Report that a body still demands paper certificates (某单位仍要求纸质证明), and see what came of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.oversight.paper_demands import SAID_AT_MOST, Demand, demands_of, report_demand
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.subjects.access import own_subject

FIELDS = ("body_name", "purpose", "division", "said")
NAMED = {"办什么事": "purpose", "单位所在地": "division", "情况说明": "said"}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def paper_demands(request: HttpRequest, account: Account) -> HttpResponse:
    """The form and what was reported before; POST reports one."""
    subject_id = own_subject(account, refusals_to_object)
    values = {name: request.POST.get(name, "") for name in FIELDS}
    if request.method != "POST":
        return _page(request, subject_id, values, [])
    try:
        report_demand(Demand(subject_id, **values), by=account.actor)
    except XinzhengError as error:
        return _page(request, subject_id, values, [FieldError(_field(error.message), error.message)])
    messages.add_message(request, messages.SUCCESS, "已经反映，信用办会联系该单位并在这里答复。", extra_tags="none")
    return redirect("paper-demands")


def _field(message: str) -> str:
    return next((field for name, field in NAMED.items() if message.startswith(name)), "body_name")


def _page(request: HttpRequest, subject_id: int, values: dict[str, str], errors: list[FieldError]) -> HttpResponse:
    context = {
        "values": values,
        "errors": errors,
        "error_of": by_field(errors),
        "rows": demands_of(subject_id),
        "said_at_most": SAID_AT_MOST,
    }
    return render(request, "subjects/paper_demands.html", context, status=422 if errors else 200)
