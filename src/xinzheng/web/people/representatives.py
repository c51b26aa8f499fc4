"""Who says to represent a company while the register names another: the credit office looks into it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.mandate_queries import is_for_the_office, open_requests
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_settle_representation
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.people.mandate_rows import request_row


@require_safe
@signed_in
def representatives(request: HttpRequest, account: Account) -> HttpResponse:
    """All who wait, oldest first."""
    refuse_if(refusals_to_settle_representation(account))
    rows = [request_row(asked, account) for asked in open_requests() if is_for_the_office(asked)]
    return render(request, "people/representatives.html", {"rows": rows})
