"""The auditor's page (审计记录): who did what when, filtered, page by page; and files of it to take away."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_read_audit
from xinzheng.apps.audit.action_words import ACTION_WORDS, OBJECT_WORDS, action_words, object_words
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.event_queries import EventRow, events, trail_state
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.audit.actors import names_of
from xinzheng.web.audit.files import MOST_IN_A_WORKBOOK, XLSX, csv_lines, workbook_of
from xinzheng.web.audit.filters import Asked, read_filter
from xinzheng.web.form_errors import by_field

PAGE = 50
ADDRESS = "/audit"
MANY = f"符合条件的超过{MOST_IN_A_WORKBOOK:,}条，表格放不下。请缩小范围，或者导出CSV。"


@dataclass(frozen=True)
class ShownEvent:
    """An event as the page shows it."""

    row: EventRow
    who: str
    action: str
    object: str
    details: str


@require_safe
@signed_in
def trail(request: HttpRequest, account: Account) -> HttpResponse:
    """The newest events that fit, and how the chain stands."""
    refuse_if(refusals_to_read_audit(account))
    asked, before = read_filter(request.GET), _number(request.GET.get("before", ""))
    found = [] if asked.errors else events(asked.filter, before, PAGE + 1)
    context = {
        "state": trail_state(),
        "rows": _shown(found[:PAGE]),
        "next": _address(asked, before=found[PAGE - 1].id) if len(found) > PAGE else None,
        "first": _address(asked) if before is not None else None,
        "asked": asked,
        "values": asked.values,
        "actions": _sorted(ACTION_WORDS),
        "kinds": _sorted(OBJECT_WORDS),
        "errors": asked.errors,
        "error_of": by_field(asked.errors),
    }
    return render(request, "audit/trail.html", context, status=422 if asked.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def trail_csv(request: HttpRequest, account: Account) -> HttpResponseBase:
    """All events that fit as CSV, as they are read; who opens the address by hand goes to the page."""
    refuse_if(refusals_to_read_audit(account))
    asked = read_filter(request.POST)
    if request.method != "POST" or asked.errors:
        return HttpResponseRedirect(_address(asked))
    response = StreamingHttpResponse(
        csv_lines(asked.filter, _exported(account, asked, "csv")), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def trail_workbook(request: HttpRequest, account: Account) -> HttpResponseBase:
    """The events that fit as XLSX, unless they are too many for one."""
    refuse_if(refusals_to_read_audit(account))
    asked = read_filter(request.POST)
    if request.method != "POST" or asked.errors:
        return HttpResponseRedirect(_address(asked))
    found = events(asked.filter, None, MOST_IN_A_WORKBOOK + 1)
    if len(found) > MOST_IN_A_WORKBOOK:
        messages.add_message(request, messages.ERROR, MANY, extra_tags="found")
        return HttpResponseRedirect(_address(asked))
    _exported(account, asked, "xlsx")
    response = HttpResponse(workbook_of(found), content_type=XLSX)
    response.headers["Content-Disposition"] = 'attachment; filename="audit.xlsx"'
    return response


def _exported(account: Account, asked: Asked, form: str) -> int:
    """That somebody took events away is an event; its number, above all that the file may hold."""
    said = asdict(asked.filter)
    del said["through"]  # follows from who
    wanted = {name: str(value) for name, value in said.items() if value is not None}
    with transaction.atomic():
        return record_event(
            who=account.actor, action="audit-exported", object_kind="audit", object_id=form, details=wanted
        )


def _shown(rows: Sequence[EventRow]) -> list[ShownEvent]:
    names = names_of(row.who for row in rows)
    return [
        ShownEvent(row, names[row.who], action_words(row.action), object_words(row.object_kind), _facts(row))
        for row in rows
    ]


def _facts(row: EventRow) -> str:
    plain = (
        f"{name}：{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in row.details.items()
    )
    return "；".join(plain)


def _address(asked: Asked, **more: int) -> str:
    query = urlencode({name: value for name, value in asked.values.items() if value} | more)
    return f"{ADDRESS}?{query}" if query else ADDRESS


def _sorted(words: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(words.items(), key=lambda pair: pair[1].encode("gb18030"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
