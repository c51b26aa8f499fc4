"""The credit office reads what people suggest and complain of, and answers it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.permissions import refusals_to_answer_suggestions
from xinzheng.apps.oversight.suggestions import (
    ANSWER_AT_MOST,
    LISTED_AT_MOST,
    QUESTION_AT_MOST,
    Answer,
    answer,
    answered,
    waiting,
    waiting_since,
)
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.objections.acting import number_in


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def office_suggestions(request: HttpRequest, account: Account) -> HttpResponse:
    """What waits for an answer with a form each, then what was answered; POST answers one."""
    refuse_if(refusals_to_answer_suggestions(account))
    if request.method != "POST":
        return _page(request, "", "", Answer(""))
    number = request.POST.get("number", "")[:40]
    given = Answer(
        request.POST.get("answer", ""), request.POST.get("question", ""), request.POST.get("public") == "yes"
    )
    try:
        answer(number.replace("\0", ""), given, by=account.actor)
    except XinzhengError as error:
        if error.code == "unknown-suggestion":
            raise Http404(error.message) from error
        return _page(request, number, error.message, given)
    said = "已答复，并公开在意见建议页。" if given.is_public else "已答复。提出的人凭编号和查询码可以看到。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("office-suggestions")


def _page(request: HttpRequest, number: str, error: str, given: Answer) -> HttpResponse:
    start = number_in(request.GET.get("from", "")) or 0
    rows = waiting(start)
    is_all = not start and len(rows) < LISTED_AT_MOST
    total, oldest = (len(rows), rows[0].at if rows else None) if is_all else waiting_since()
    context = {
        "total": total,
        "oldest": oldest,
        "start": start,
        "next": start + LISTED_AT_MOST if total > start + LISTED_AT_MOST else None,
        "waiting": [
            (row, error if row.number == number else "", given if row.number == number else Answer("")) for row in rows
        ],
        "done": answered(),
        "other_error": error if number not in {row.number for row in rows} else "",
        "answer_at_most": ANSWER_AT_MOST,
        "question_at_most": QUESTION_AT_MOST,
    }
    return render(request, "publicity/office_suggestions.html", context, status=422 if error else 200)
