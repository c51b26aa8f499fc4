"""The coverage calendar as the ledger stands now."""

from django.utils import timezone

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.queries import CoverageCalendar, View, coverage_calendar_of, due_date, scoring
from xinzheng.core.coverage_calendar import Month, months_until
from xinzheng.core.policy import Policy


def calendar_now(policy: Policy, unit_id: int | None = None) -> CoverageCalendar:
    """The calendar of the latest months as the ledger stands."""
    today = timezone.localdate()
    months = months_until(Month.of(today), scoring().calendar_months)
    return coverage_calendar_of(policy, View(head_position(), months, due_date(policy, today), unit_id))
