"""The register of screenings (名单核查登记) for the auditor: who screened which list, for whom, on what basis."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_read_audit
from xinzheng.apps.oversight.permissions import refusals_to_see_screenings
from xinzheng.apps.oversight.screening_queries import SHOWN, screenings
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.actors import names_of
from xinzheng.web.screening.one import policy_name, stated_facts


@require_safe
@signed_in
def screening_register(request: HttpRequest, account: Account) -> HttpResponse:
    """All screenings, latest first; what was found about whom is not shown here."""
    refuse_if(refusals_to_see_screenings(account))
    before = _moment(request.GET.get("before", ""))
    rows = screenings(before, SHOWN + 1)
    names = names_of({f"account:{row.account_id}" for row in rows})
    policies = {policy_id: policy_name(policy_id) for policy_id in {row.policy_id for row in rows}}
    context = {
        "cards": [
            (row, names[f"account:{row.account_id}"], policies[row.policy_id], stated_facts(row))
            for row in rows[:SHOWN]
        ],
        "next": rows[SHOWN - 1].at.isoformat() if len(rows) > SHOWN else "",
        "is_later": before is not None,
        "may_read_trail": not refusals_to_read_audit(account),
    }
    return render(request, "screening/register.html", context)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if timezone.is_aware(found) else None
