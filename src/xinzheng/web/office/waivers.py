"""Lines that responsible officers explained instead of correcting them (说明): the credit office sees every one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, ApiKey, Role
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import Waiver, WaiverFilter, waiver_counts, waivers
from xinzheng.apps.oversight.queries import scopes_of
from xinzheng.apps.registry.queries import RegisteredUnit, units_at
from xinzheng.core.policy import Policy
from xinzheng.web.office.choices import in_words, months_to_choose, office_choices, quality_page, read_month
from xinzheng.web.office.heat import kind_name

PAGE = 50


@dataclass(frozen=True)
class WaiverView:
    """An explained line in words; ``who`` is a role, not a person."""

    found: Waiver
    unit: str
    name: str
    who: str


@require_safe
@quality_page
def office_waivers(request: HttpRequest, account: Account) -> HttpResponse:
    """All of them, by unit and month of explanation, a page at a time."""
    choices = office_choices(request, account)
    units = overseen_units(choices.policy)
    counts = waiver_counts(tuple(units))
    month_text, unit_text = request.GET.get("month", ""), request.GET.get("unit", "")
    month = read_month(month_text) if month_text else None
    chosen = WaiverFilter(
        tuple(unit for unit in units if unit_text in ("", str(unit))),
        (month.first, month.last) if month else None,
        _number(request.GET.get("before", "")),
    )
    found = waivers(chosen, PAGE + 1)
    context = {
        "choices": choices,
        "rows": _views(found[:PAGE], units, choices.policy),
        "next": found[PAGE - 1].id if len(found) > PAGE else None,
        "is_later": chosen.before is not None,
        "total": sum(counts.values()),
        "counts": sorted(((unit, units[unit].short_name, n) for unit, n in counts.items()), key=lambda row: -row[2]),
        "unit": unit_text,
        "month": month_text,
        "months": [(str(month), in_words(month)) for month in months_to_choose()],
    }
    return render(request, "office/waivers.html", context)


def overseen_units(policy: Policy) -> dict[int, RegisteredUnit]:
    """The units of the policy's place, and whoever else answers under it, by key."""
    position = head_position()
    own = {unit.id: unit for unit in units_at(position).values() if unit.jurisdiction == policy.jurisdiction}
    return own | {scope.unit.id: scope.unit for scope in scopes_of(policy, position)}


def _views(found: Sequence[Waiver], units: Mapping[int, RegisteredUnit], policy: Policy) -> list[WaiverView]:
    names = {section.code: section.name for section in policy.other} | {d.code: d.name for d in policy.domains}
    who = _roles({waiver.actor for waiver in found})
    return [
        WaiverView(
            waiver,
            units[waiver.unit_id].short_name,
            f"{names.get(waiver.domain, waiver.domain)}，{kind_name(waiver.kind)}",
            who.get(waiver.actor, "命令行"),
        )
        for waiver in found
    ]


def _roles(actors: set[str]) -> dict[str, str]:
    """By actor, the role in which it was done."""
    numbers = {actor: actor.partition(":") for actor in actors}
    accounts = [int(key) for kind, _, key in numbers.values() if kind == "account"]
    keys = [int(key) for kind, _, key in numbers.values() if kind == "api-key"]
    roles = {f"account:{pk}": str(Role(role).label) for pk, role in _of_accounts(accounts)}
    return roles | {
        f"api-key:{pk}": "责任人的接口密钥" for pk in ApiKey.objects.filter(pk__in=keys).values_list("pk", flat=True)
    }


def _of_accounts(keys: list[int]) -> list[tuple[int, str]]:
    return list(Account.objects.filter(pk__in=keys).values_list("pk", "role"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
