"""The coverage calendar as the ledger stands now."""

from collections.abc import Iterable
from dataclasses import replace

from django.utils import timezone

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.calendar_queries import versions_about
from xinzheng.apps.oversight.queries import CoverageCalendar, View, coverage_calendar_of, due_date, scoring
from xinzheng.apps.registry.queries import ServedUnit
from xinzheng.core.coverage_calendar import Month, months_until
from xinzheng.core.policy import Policy

# Counting the records of each month reads all their versions: beyond this many a page would wait seconds for it.
MOST_COUNTED = 1_000_000


def calendar_now(policy: Policy, unit_id: int | None = None) -> CoverageCalendar:
    """The calendar of the latest months as the ledger stands; of a large ledger without how many records there are."""
    today = timezone.localdate()
    months = months_until(Month.of(today), scoring().calendar_months)
    counts = versions_about() <= MOST_COUNTED
    view = View(head_position(), months, due_date(policy, today), unit_id, counts_records=counts)
    return coverage_calendar_of(policy, view)


def served_calendar_now(policy: Policy, unit_id: int, served: Iterable[ServedUnit]) -> CoverageCalendar:
    """The same of a unit that brings the data of others (数据回流): its own, and of theirs what it brings."""
    calendar = calendar_now(policy)
    brought = {(unit.unit_id, unit.domain, unit.kind) for unit in served}
    rows = (row for row in calendar.rows if row.scope.unit.id == unit_id or row.scope.key in brought)
    return replace(calendar, rows=tuple(rows))
