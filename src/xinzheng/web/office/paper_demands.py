"""What subjects report of bodies that still demand paper certificates; the credit office answers."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.paper_demands import (
    SAID_AT_MOST,
    DemandRow,
    answer_demand,
    answered_demands,
    bodies_reported,
    open_demands,
)
from xinzheng.apps.registry.queries import UnknownSubjectError, subject_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in


@require_safe
@signed_in
def office_paper_demands(request: HttpRequest, account: Account) -> HttpResponse:
    """Open reports with a form each, then those answered."""
    refuse_if(refusals_to_run_the_office(account))
    return _page(request, {}, "")


@form_on("/office/paper-demands")
@signed_in
def answer_paper_demand(request: HttpRequest, account: Account, demand_id: int) -> HttpResponse:
    """Answer one report."""
    refuse_if(refusals_to_run_the_office(account))
    said = request.POST.get("result", "")
    try:
        answer_demand(demand_id, said, by=account.actor)
    except XinzhengError as error:
        if error.code == "unknown-demand":
            raise Http404(error.message) from error
        return _page(request, {demand_id: error.message}, said)
    messages.add_message(request, messages.SUCCESS, "已答复，反映情况的主体可以看到。", extra_tags="none")
    return redirect("office-paper-demands")


def _page(request: HttpRequest, wrong: dict[int, str], said: str) -> HttpResponse:
    waiting, done, position = open_demands(), answered_demands(), head_position()
    known = {row.subject_id: _name(row, position) for row in (*waiting, *done)}
    context = {
        "waiting": [
            (row, known[row.subject_id], wrong.get(row.id, ""), said if row.id in wrong else "") for row in waiting
        ],
        "done": [(row, known[row.subject_id]) for row in done],
        "bodies": bodies_reported(waiting),
        "other_error": "".join(words for key, words in wrong.items() if key not in {row.id for row in waiting}),
        "said_at_most": SAID_AT_MOST,
    }
    return render(request, "office/paper_demands.html", context, status=422 if wrong else 200)


def _name(row: DemandRow, position: int) -> str:
    """The subject as the register shows it: a natural person masked."""
    try:
        subject = subject_at(row.subject_id, position)
    except UnknownSubjectError as error:
        return error.message
    return f"{subject.name}　{subject.identifier}"
