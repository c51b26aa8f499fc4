"""Who signs for a domain of a unit (责任人): the credit office names them."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import OF_A_UNIT, Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.actions import name_officer
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.officers import named_officers
from xinzheng.apps.oversight.queries import scopes_of
from xinzheng.web.office.choices import Choices, office_choices, quality_page

NOBODY = "0"


@dataclass(frozen=True)
class DomainOfUnit:
    """A domain of a unit, and the account named for it."""

    unit: str
    unit_id: int
    domain: str
    domain_name: str
    officer: str

    @property
    def value(self) -> str:
        """How the form names it."""
        return f"{self.unit_id}|{self.domain}"


@require_http_methods(["GET", "HEAD", "POST"])
@quality_page
def officers(request: HttpRequest, account: Account) -> HttpResponse:
    """Who is named; POST names one, or nobody."""
    choices = office_choices(request, account)
    accounts = {found.pk: found for found in Account.objects.filter(role__in=OF_A_UNIT, is_active=True)}
    rows = _rows(choices, accounts)
    if request.method == "POST":
        said, mark = _name(request, account, rows, accounts)
        messages.add_message(request, messages.SUCCESS, said, extra_tags=mark)
        response = redirect("office-officers")
        response.headers["Location"] += f"?policy={choices.policy.id}"
        return response
    units = {row.unit_id: row.unit for row in rows}
    people = [(a.pk, f"{units[a.unit_id]}　{a.display_name}") for a in accounts.values() if a.unit_id in units]
    return render(request, "office/officers.html", {"choices": choices, "rows": rows, "people": people})


def _rows(choices: Choices, accounts: dict[int, Account]) -> list[DomainOfUnit]:
    named = named_officers()
    found = {}
    for scope in scopes_of(choices.policy, head_position()):
        officer = accounts.get(named.get((scope.unit.id, scope.domain)) or 0)
        row = DomainOfUnit(
            scope.unit.short_name,
            scope.unit.id,
            scope.domain,
            scope.domain_name,
            officer.display_name if officer else "",
        )
        found[row.value] = row
    return list(found.values())


def _name(
    request: HttpRequest, account: Account, rows: list[DomainOfUnit], accounts: dict[int, Account]
) -> tuple[str, str]:
    """What was done, in words, with its mark."""
    row = next((row for row in rows if row.value == request.POST.get("duty")), None)
    chosen = request.POST.get("account", "")
    officer = accounts.get(int(chosen)) if chosen.isascii() and chosen.isdigit() and len(chosen) < 16 else None
    if row is None or (officer is None and chosen != NOBODY):
        return "没有改动：请选择单位的领域和责任人。", "found"
    try:
        name_officer(row.unit_id, row.domain, officer, by=account.actor)
    except OversightError as error:
        return error.message, "found"
    who = officer.display_name if officer else "不指定，由本单位责任人签字"
    return f"{row.unit}，{row.domain_name}：{who}。", "none"
