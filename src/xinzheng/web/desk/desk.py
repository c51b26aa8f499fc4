"""The desk (运行情况): what waits today, the figures of any range, coverage, clocks; as a workbook; the system."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.desk_figures import Figures, figures
from xinzheng.apps.oversight.desk_files import desk_workbook
from xinzheng.apps.oversight.desk_words import ENDS, NOTES, TITLES
from xinzheng.apps.oversight.health import Check, State, checks, worst
from xinzheng.apps.oversight.permissions import (
    refusals_to_see_all_quality,
    refusals_to_see_desk,
    refusals_to_see_system,
)
from xinzheng.apps.oversight.queries import CoverageCalendar, View, coverage_calendar_of, due_date, scoring
from xinzheng.core.coverage_calendar import Month, months_until
from xinzheng.core.decision import china_date
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.desk.asked import Asked, asked_of
from xinzheng.web.desk.drawing import charts_of
from xinzheng.web.desk.heat import overview
from xinzheng.web.desk.today import duties_of
from xinzheng.web.form_errors import by_field
from xinzheng.web.objections.cases import case_rows
from xinzheng.web.office.bulletins import XLSX
from xinzheng.web.office.choices import quality_page
from xinzheng.web.office.reminders import late_views

SHOWN = 8


@require_safe
@quality_page
def desk(request: HttpRequest, account: Account) -> HttpResponse:
    """Everything at a glance; of the latest twelve months unless asked otherwise."""
    refuse_if(refusals_to_see_desk(account))
    now = timezone.now()
    asked = asked_of(request, china_date(now))
    found, calendars = figures(asked.range, asked.policy_id, now), _calendars(asked)
    duties = duties_of(account, calendars, now)
    late = [view for calendar in calendars for view in late_views(calendar)]
    worst_covered = max((c for c in calendars if c.rows), key=lambda c: len(c.late_rows), default=None)
    context = {
        "now": now,
        "asked": asked,
        "found": found,
        "today": _today(found),
        "totals": _totals(found),
        "ended": [(ENDS.get(key, key), count) for key, count in found.by_key("ended").items()],
        "charts": charts_of(found, asked.domains),
        "duties": duties,
        "worst": worst(duties.health) if duties.health else None,
        "calendars": [calendar for calendar in calendars if calendar.rows],
        "calendar": worst_covered,
        "heat": overview(worst_covered, asked.group) if worst_covered is not None else None,
        "late": late[:SHOWN],
        "late_more": max(len(late) - SHOWN, 0),
        "objections": case_rows(duties.objections[:SHOWN]),
        "held": duties.held[:SHOWN],
        "may_see_quality": not refusals_to_see_all_quality(account),
        "errors": asked.errors,
        "error_of": by_field(asked.errors),
        "notes": NOTES,
    }
    return render(request, "desk/desk.html", context, status=422 if asked.errors else 200)


def _calendars(asked: Asked) -> list[CoverageCalendar]:
    """Coverage of the chosen policy, or of all; records are not counted."""
    chosen = [asked.policy] if asked.policy else asked.policies
    return [_calendar(policy, asked.today) for policy in chosen]


def _calendar(policy: Policy, today: date) -> CoverageCalendar:
    months = months_until(Month.of(today), scoring().calendar_months)
    return coverage_calendar_of(policy, View(head_position(), months, due_date(policy, today), counts_records=False))


def _today(found: Figures) -> list[tuple[str, int, str]]:
    """What happened since midnight."""
    shown = ("issued", "replaced", "looks", "views", "ended")
    return [(TITLES[figure][0], found.today_total(figure), TITLES[figure][1]) for figure in shown]


def _totals(found: Figures) -> list[tuple[str, str, str]]:
    """What happened in the range."""
    issued, lacking = found.total("issued"), found.total("lacking")
    share = f"{100 * lacking / issued:.1f}" if issued else "—"
    shown = ("issued", "replaced", "looks", "views")
    counts = [(TITLES[figure][0], f"{found.total(figure):,}", TITLES[figure][1]) for figure in shown]
    return [*counts, (TITLES["lacking"][0], share, "%" if issued else "")]


@require_safe
@signed_in
def desk_table(request: HttpRequest, account: Account) -> HttpResponse:
    """The figures of the range as a workbook; who took which away is in the audit trail."""
    refuse_if(refusals_to_see_desk(account))
    now = timezone.now()
    asked = asked_of(request, china_date(now))
    if asked.errors:
        # The page says what is wrong with the days, where they can be mended.
        return redirect(f"{reverse('office')}?{request.GET.urlencode()}")
    found = figures(asked.range, asked.policy_id, now)
    _note_export(account, asked)
    named = {policy.id: policy.jurisdiction_name for policy in asked.policies}
    response = HttpResponse(desk_workbook(found, named, asked.domains, now), content_type=XLSX)
    name = f"desk-{asked.range.first:%Y%m%d}-{asked.range.last:%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@transaction.atomic
def _note_export(account: Account, asked: Asked) -> None:
    told = {"from": asked.range.first.isoformat(), "to": asked.range.last.isoformat(), "policy": asked.policy_id}
    record_event(who=account.actor, action="desk-exported", object_kind="desk", object_id="figures", details=told)


@require_safe
@signed_in
def system(request: HttpRequest, account: Account) -> HttpResponse:
    """What the system says of itself, what is wrong first."""
    refuse_if(refusals_to_see_system(account))
    now = timezone.now()
    found = checks(now)
    wrong = [check for check in found if check.state is not State.OK]
    context = {"now": now, "checks": _pressing_first(found), "wrong": wrong, "worst": worst(found)}
    return render(request, "desk/system.html", context)


def _pressing_first(found: Sequence[Check]) -> list[Check]:
    order = (State.BAD, State.UNKNOWN, State.WARNING, State.OK)
    return sorted(found, key=lambda check: order.index(check.state))
