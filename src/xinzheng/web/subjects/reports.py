"""A subject's reports: the list, one report with every finding and its reason, the signed file."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import (
    refusals_to_object,
    refusals_to_read_report,
    refusals_to_see_reports,
    refusals_to_see_views,
    refusals_to_share,
)
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.batch_queries import receiver_names
from xinzheng.apps.codes.view_queries import ViewRow, looks_on_duty, views_of
from xinzheng.apps.redress.queries import open_on
from xinzheng.apps.reports.look_queries import looks_of
from xinzheng.apps.reports.models import Application, ApplicationState
from xinzheng.apps.reports.queries import (
    STATUS_WORDS,
    FindingView,
    ReportView,
    StatusView,
    report_pdf,
    report_view,
    reports_of,
)
from xinzheng.apps.reports.registered import by_numbers
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.codes.visitors import place_of
from xinzheng.web.subjects.access import own_subject

OUTCOME_MARKS = {"clear": "none", "not_clear": "found", "not_verifiable": "unver"}


@require_safe
@signed_in
def reports(request: HttpRequest, account: Account) -> HttpResponse:
    """List the subject's reports, newest first, and applications still under way."""
    subject_id = own_subject(account, refusals_to_see_reports)
    under_way = Application.objects.filter(subject_id=subject_id).exclude(state=ApplicationState.DONE)
    rows = [(row, STATUS_WORDS[row.status]) for row in reports_of(subject_id)]
    context = {"rows": rows, "under_way": under_way.order_by("-created_at")[:10]}
    return render(request, "subjects/reports.html", context)


@require_safe
@signed_in
def report(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Show one report with its conclusion first, then every domain and every finding."""
    view = _readable(account, number)
    if account.role != Role.SUBJECT_AGENT:
        _record_read(request, account, view, "report-read")
    content = view.content
    results = [row["result"] for row in content["domains"]]
    registered, seen = by_numbers([number]).get(number), looks_of(number, receiver_names)
    context = {
        "view": view,
        "may_object": not refusals_to_object(account, view.subject_id),
        "open_objections": open_on(view.subject_id),
        "may_share": not refusals_to_share(account, view.subject_id),
        "viewers": _viewers(account, view),
        "looks": [(look, STATUS_WORDS[look.status]) for look in seen.newest],
        "looks_total": seen.total,
        "log": registered.log if registered else None,
        "stamped_at": registered.stamped_at if registered else None,
        "content": content,
        "mark": OUTCOME_MARKS[view.outcome],
        "tally": [
            (state, results.count(state))
            for state in ("records_found", "not_verifiable", "none_found")
            if state in results
        ],
        "events": [(event.at, _said(event), event.reason) for event in view.status_events],
        "finding_counts": _counts(view.findings),
    }
    return render(request, "subjects/report.html", context)


@require_safe
@signed_in
def report_file(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """The signed file."""
    view = _readable(account, number)
    try:
        data = report_pdf(number)
    except XinzhengError as error:
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("report", number=number)
    _record_read(request, account, view, "report-downloaded")
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    return response


def _record_read(request: HttpRequest, account: Account, view: ReportView, action: str) -> None:
    """Write down who read a report; who is not the subject's own agent is listed for the subject, too."""
    about = About(view.subject_id, place_of(request))
    record_event(who=account.actor, action=action, object_kind="report", object_id=view.number, details=about)


def _viewers(account: Account, view: ReportView) -> list[ViewRow]:
    """Who saw the content: by share code, and on duty; newest first."""
    if refusals_to_see_views(account, view.subject_id):
        return []
    rows = views_of(number=view.number) + looks_on_duty(view.number)
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _readable(account: Account, number: str) -> ReportView:
    try:
        view = report_view(number)
    except XinzhengError as error:
        raise Http404(error.message) from error
    refuse_if(refusals_to_read_report(account, view.subject_id))
    return view


def _said(event: StatusView) -> str:
    if event.status == ReportStatus.PREPARED:
        return "取得编号，等待签发"
    return f"签发，状态：{event.words}" if event.status == ReportStatus.IN_FORCE else f"状态：{event.words}"


def _counts(findings: Sequence[FindingView]) -> str:
    words = [finding.effect_word for finding in findings]
    return "，".join(f"{word}{words.count(word)}条" for word in dict.fromkeys(words))
