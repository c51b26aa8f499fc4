"""The monthly bulletin (数据质量通报): drafts before, the frozen one after; as page, on paper, as a workbook."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.oversight.actions import publish_bulletin
from xinzheng.apps.oversight.bulletin_files import (
    HEAD,
    bulletin_pdf,
    bulletin_workbook,
    notes_of,
    summary_of,
    title_of,
    words_of,
)
from xinzheng.apps.oversight.bulletins import (
    BulletinView,
    draft_bulletin,
    published_bulletin,
    published_months,
    refusals_to_publish_month,
)
from xinzheng.apps.oversight.permissions import refusals_to_publish
from xinzheng.apps.oversight.queries import latest_complete_month
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if
from xinzheng.web.office.choices import in_words, overseers_choices, quality_page, read_month

MONTHS_LISTED = 12
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@quality_page
def bulletins(request: HttpRequest, account: Account) -> HttpResponse:
    """The latest months, published or not."""
    choices = overseers_choices(request, account)
    published = set(published_months(choices.policy.id))
    last = latest_complete_month(today_in_china())
    months = [last.plus(-n) for n in range(MONTHS_LISTED)]
    rows = [(str(month), in_words(month), month in published) for month in months]
    return render(request, "office/bulletins.html", {"choices": choices, "rows": rows, "published": len(published)})


@require_http_methods(["GET", "HEAD", "POST"])
@quality_page
def bulletin(request: HttpRequest, account: Account, month: str) -> HttpResponse:
    """Show the month's bulletin, or its draft; POST publishes it."""
    choices, found = overseers_choices(request, account), read_month(month)
    if request.method == "POST":
        return _publish(request, account, choices.policy, found)
    view = _bulletin(choices.policy, found)
    context = {
        "choices": choices,
        "month": str(found),
        "bulletin": view,
        "title": title_of(view),
        "summary": summary_of(view),
        "notes": notes_of(view),
        "head": HEAD,
        "words": words_of(view),
        "may_publish": not refusals_to_publish(account),
        "refusals": refusals_to_publish_month(choices.policy, found) if view.is_draft else [],
    }
    return render(request, "office/bulletin.html", context)


@require_safe
@quality_page
def bulletin_paper(request: HttpRequest, account: Account, month: str) -> HttpResponse:
    """The bulletin as PDF."""
    return _file(request, account, month, ("pdf", "application/pdf", bulletin_pdf))


@require_safe
@quality_page
def bulletin_table(request: HttpRequest, account: Account, month: str) -> HttpResponse:
    """The bulletin's table as XLSX."""
    return _file(request, account, month, ("xlsx", XLSX, bulletin_workbook))


def _file(
    request: HttpRequest, account: Account, month: str, form: tuple[str, str, Callable[[BulletinView], bytes]]
) -> HttpResponse:
    suffix, content_type, write = form
    choices, found = overseers_choices(request, account), read_month(month)
    view = _bulletin(choices.policy, found)
    response = HttpResponse(write(view), content_type=content_type)
    state = "-draft" if view.is_draft else ""
    name = f"bulletin-{choices.policy.id}-{found}{state}.{suffix}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _bulletin(policy: Policy, month: Month) -> BulletinView:
    return published_bulletin(policy.id, month) or draft_bulletin(policy.id, month)


def _publish(request: HttpRequest, account: Account, policy: Policy, month: Month) -> HttpResponse:
    refuse_if(refusals_to_publish(account))
    try:
        publish_bulletin(month, account.actor, policy.id)
        messages.add_message(request, messages.SUCCESS, f"{in_words(month)}的通报已发布，不再改动。", extra_tags="none")
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    response = redirect("office-bulletin", month=str(month))
    response.headers["Location"] += f"?policy={policy.id}"
    return response
