"""Held batches (暂存批次) of all units, for the credit office to confirm or decline."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import held_batches
from xinzheng.apps.registry.queries import units_at
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.departments.duties import scope_name
from xinzheng.web.office.choices import office_choices


@require_safe
@signed_in
def office_held(request: HttpRequest, account: Account) -> HttpResponse:
    """What waits, the longest first."""
    refuse_if(refusals_to_run_the_office(account))
    units = units_at(head_position())
    waiting = held_batches()
    rows = [(held, units[held.unit_id], scope_name(units[held.unit_id], held.domain, held.kind)) for held in waiting]
    return render(request, "office/held.html", {"choices": office_choices(request, account), "rows": rows})
