"""One screening: how far it is, its answer, its files; and calling it off."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.permissions import refusals_to_screen
from xinzheng.apps.oversight.screening import STATED, ScreeningError, call_off
from xinzheng.apps.oversight.screening_queries import (
    ScreeningRow,
    csv_of,
    reasons_csv_of,
    screening_of,
    shown_rows,
    workbook_of,
)
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.public.batch_answers import XLSX

CSVS: Mapping[str, Callable[..., Iterator[bytes]]] = {"csv": csv_of, "reasons.csv": reasons_csv_of}
FILES = {"xlsx": "result", "csv": "result", "reasons.csv": "reasons"}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def screening(request: HttpRequest, account: Account, screening_id: uuid.UUID) -> HttpResponse:
    """The screening as it stands; asked for its part only, the whole page loads anew when it is over. POST ends it."""
    found = _found(account, screening_id)
    if request.method == "POST":
        done = call_off(screening_id, account=account)
        said = "已取消，没有保存结果。" if done else "已经结束，不能取消。"
        messages.add_message(request, messages.INFO, said, extra_tags="info")
        return HttpResponseRedirect(f"/office/screenings/{screening_id}")
    is_part = bool(getattr(request, "htmx", False))
    if not found.is_under_way and is_part:
        return HttpResponseClientRefresh()
    context: dict[str, Any] = {"row": found, "stated": stated_facts(found), "policy": policy_name(found.policy_id)}
    if not found.is_done:
        return render(request, "screening/part.html" if is_part else "screening/under_way.html", context)
    context["rows"] = shown_rows(screening_id, account=account) if found.is_kept else []
    context["more"] = sum(n for mark, n in found.marks.items() if mark != "clear") > len(context["rows"])
    return render(request, "screening/done.html", context)


@require_safe
@signed_in
def screening_file(
    request: HttpRequest,  # noqa: ARG001  every view takes it
    account: Account,
    screening_id: uuid.UUID,
    form: str,
) -> HttpResponseBase:
    """The answer to take away: ``xlsx``, ``csv`` or ``reasons.csv``; each time is an event."""
    found = _found(account, screening_id)
    if form not in FILES:
        raise Http404("没有这种格式。")
    try:
        if form == "xlsx":
            response: HttpResponseBase = HttpResponse(workbook_of(screening_id, account=account), content_type=XLSX)
        else:
            lines = CSVS[form](screening_id, account=account)
            response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    except ScreeningError as error:
        raise Http404(error.message) from error
    name = f"screening-{timezone.localtime(found.at):%Y%m%d-%H%M%S}-{FILES[form]}.{form.rpartition('.')[2]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def stated_facts(row: ScreeningRow) -> list[tuple[str, str]]:
    """What was stated, in the form's words."""
    return [(words, str(getattr(row, name))) for name, words in STATED.items()]


def policy_name(policy_id: str) -> str:
    """The policy's title; its number where there is none any more."""
    try:
        return current_policy(policy_id).title
    except RefusedError:
        return policy_id


def _found(account: Account, screening_id: uuid.UUID) -> ScreeningRow:
    refuse_if(refusals_to_screen(account))
    found = screening_of(screening_id)
    if found is None:
        raise Http404("没有这次核查。")
    return found
