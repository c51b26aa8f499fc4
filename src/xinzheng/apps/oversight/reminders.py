"""Reminders (催办): on working days, units whose data is late find a notice in the site."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, Max

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.calendar_queries import CoverageCalendar, Key, View, coverage_calendar_of
from xinzheng.apps.oversight.models import Notice
from xinzheng.apps.oversight.scopes import due_date, overseen_policies
from xinzheng.apps.oversight.scoring import scoring
from xinzheng.apps.registry.queries import units_at
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.coverage_calendar import LateScope, Month, Reminder, due_reminders, months_until
from xinzheng.core.workdays import Calendar


@dataclass(frozen=True, slots=True)
class Reminded:
    """How often a responsibility was reminded, and when last."""

    times: int
    last: date


@transaction.atomic
def remind(today: date, by: str, calendar: Calendar | None = None) -> int:
    """Write the notices that are due on the day; how many. Doing it again on the same day writes none.

    Raises CalendarError when the day's year was not announced: nothing is written then.
    """
    calendar = calendar or current_calendar()
    position = head_position()
    late = _late_scopes(today, calendar, position)
    keys = {unit.uscc: unit.id for unit in units_at(position).values()}
    found = due_reminders(today, calendar, late, _recently_reminded(today, late, keys))
    if not found:
        return 0
    entry = open_entry(kind="reminders-sent", by=by, note={"day": today.isoformat(), "notices": len(found)})
    rows = [_notice(reminder, keys[reminder.late.unit], today) for reminder in found]
    for row in rows:
        row.entry = entry
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    details = {"day": today.isoformat(), "notices": len(found)}
    record_event(who=by, action="reminders-sent", object_kind="entry", object_id=entry.pk, details=details)
    take_position(entry)
    return len(found)


def _late_scopes(today: date, calendar: Calendar, position: int) -> list[LateScope]:
    """Each responsibility that is late under some policy, once."""
    months = months_until(Month.of(today), scoring().calendar_months)
    found: dict[tuple[str, str, str], LateScope] = {}
    for policy in overseen_policies(today):
        view = View(position, months, due_date(policy, today, calendar), counts_records=False)
        for row in coverage_calendar_of(policy, view).late_rows:
            if row.late is not None:
                found.setdefault((row.late.unit, row.late.domain, row.late.kind), row.late)
    return list(found.values())


def _recently_reminded(today: date, late: Iterable[LateScope], keys: Mapping[str, int]) -> list[LateScope]:
    since = today - timedelta(days=scoring().repeat_after_days)
    recent = set(Notice.objects.filter(day__gt=since).values_list("unit_id", "domain", "kind"))
    return [scope for scope in late if (keys[scope.unit], scope.domain, scope.kind) in recent]


def _notice(reminder: Reminder, unit_id: int, today: date) -> Notice:
    late = reminder.late
    return Notice(
        day=today,
        unit_id=unit_id,
        domain=late.domain,
        kind=late.kind,
        through_date=late.through,
        due_date=late.due,
        working_days=reminder.working_days,
    )


def reminded(calendar: CoverageCalendar) -> dict[Key, Reminded]:
    """How often each late responsibility of a calendar was reminded in the months shown, and when last."""
    units = {row.scope.unit.id for row in calendar.late_rows}
    counted = Notice.objects.filter(unit_id__in=units, day__gte=calendar.months[0].first)
    rows = counted.values_list("unit_id", "domain", "kind").annotate(Count("id"), Max("day"))
    found = {(unit, domain, kind): Reminded(times, last) for unit, domain, kind, times, last in rows}
    late = {row.scope.key for row in calendar.late_rows}
    return {key: value for key, value in found.items() if key in late}
