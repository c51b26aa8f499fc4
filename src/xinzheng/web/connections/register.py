"""The register of everything that is connected (接入登记), read only: each kind is looked after on its own page."""

from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight.connected import SHOWN_AT_MOST, Connected, connected
from xinzheng.apps.oversight.permissions import refusals_to_see_connections
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.templatetags.pages import day, moment

NEVER = "没有用过"


@require_safe
@signed_in
def connections(request: HttpRequest, account: Account) -> HttpResponse:
    """All sections, or with ``show=needing`` what somebody should look at."""
    refuse_if(refusals_to_see_connections(account))
    needing_only = request.GET.get("show") == "needing"
    sections = connected(timezone.now())
    shown = [
        (one, [(row, _used(row)) for row in one.rows if row.needs or not needing_only], _place(one.place, account))
        for one in sections
    ]
    context = {
        "sections": [one for one in shown if one[1] or not needing_only],
        "in_use": sum(one.in_use for one in sections),
        "needing": sum(one.needing for one in sections),
        "needing_only": needing_only,
        "at_most": SHOWN_AT_MOST,
    }
    return render(request, "connections/register.html", context)


def _used(row: Connected) -> str:
    at: datetime | date | None = row.used_at
    if at is None:
        return NEVER
    return moment(at, "no") if isinstance(at, datetime) else day(at)


def _place(place: str, account: Account) -> str:
    """Where it is looked after, for whom that page is."""
    is_administration = place.startswith("/administration/")
    return place if is_administration == (account.role == Role.SYSTEM_ADMINISTRATOR) else ""
