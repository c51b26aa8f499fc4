"""The coverage calendar: the office sees all units, a unit its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.ledger.queries import waiver_counts
from xinzheng.apps.oversight.permissions import refusals_to_see_quality
from xinzheng.apps.redress.permissions import refusals_to_take_in_objections
from xinzheng.apps.registry.queries import served_units
from xinzheng.web.access import refuse_if
from xinzheng.web.departments.duties import duties_of
from xinzheng.web.office.choices import overseers_choices, quality_page, unit_choices
from xinzheng.web.office.coverage_now import calendar_now, served_calendar_now
from xinzheng.web.office.heat import by_scope, by_unit, heat_of
from xinzheng.web.office.objections import latest_objections
from xinzheng.web.office.reminders import late_views
from xinzheng.web.office.waivers import overseen_units

LATE_ONLY = "late"
OBJECTIONS_SHOWN = 5


@require_safe
@quality_page
def office_coverage(request: HttpRequest, account: Account) -> HttpResponse:
    """All units month by month; by domain, and only the late ones when asked."""
    choices = overseers_choices(request, account)
    calendar = calendar_now(choices.policy)
    domain, shown = request.GET.get("domain", ""), request.GET.get("show", "")
    rows = [row for row in calendar.rows if domain in ("", row.scope.domain)]
    rows = [row for row in rows if row.is_late or shown != LATE_ONLY]
    may_see = not refusals_to_take_in_objections(account)
    objections, open_objections = latest_objections(OBJECTIONS_SHOWN) if may_see else ([], 0)
    context = {
        "objections": objections,
        "open_objections": open_objections,
        "may_see_objections": may_see,
        "choices": choices,
        "calendar": calendar,
        "domains": dict.fromkeys((row.scope.domain, row.scope.domain_name) for row in calendar.rows),
        "domain": domain,
        "show": shown,
        "heat": heat_of(calendar, rows, "单位", by_unit),
        "explained": sum(waiver_counts(tuple(overseen_units(choices.policy))).values()),
    }
    return render(request, "office/coverage.html", context)


@require_safe
@quality_page
def unit_calendar(request: HttpRequest, account: Account) -> HttpResponse:
    """The own unit month by month; who brings the data of others also sees those, in what it brings."""
    unit, choices = unit_choices(request, account)
    refuse_if(refusals_to_see_quality(account, unit.id))
    served = served_units(unit.id)
    calendar = served_calendar_now(choices.policy, unit.id, served) if served else calendar_now(choices.policy, unit.id)
    heat = heat_of(calendar, calendar.rows, "单位" if served else "领域", by_unit if served else by_scope)
    notices = [view for view in late_views(calendar) if view.day is not None]
    context = {"unit": unit, "choices": choices, "calendar": calendar, "heat": heat, "notices": notices}
    context["lacking"] = [duty for duty in duties_of(unit) if duty.missing]
    return render(request, "office/unit_calendar.html", context)
