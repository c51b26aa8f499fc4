"""Scores of all units in a month (评分), counted in SQL as at a position of the ledger."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from xinzheng.apps.oversight.calendar_queries import View, coverage_calendar_of
from xinzheng.apps.oversight.objection_figures import corrections_by_unit
from xinzheng.apps.oversight.scopes import Scope, due_date, scopes_of
from xinzheng.apps.oversight.scoring import scoring
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.coverage_calendar import Cell, Month
from xinzheng.core.policy import Policy
from xinzheng.core.quality import Counts, days_counted, ranks, score, trend
from xinzheng.core.workdays import Calendar

# Of the records that stand at the position and were decided in the month: the day each first came, against its limit.
IN_TIME = """
    WITH known AS (
        SELECT v.record_id, v.unit_id, v.domain, v.kind, v.decision_date, v.is_present, p.position,
               (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS came
        FROM ledger_recordversion v
        JOIN audit_position p ON p.entry_id = v.entry_id AND p.position <= %(position)s
        JOIN audit_entry e ON e.id = v.entry_id
        WHERE v.record_id IN (
            SELECT record_id FROM ledger_recordversion WHERE decision_date BETWEEN %(first)s AND %(last)s)
    ), latest AS (
        SELECT DISTINCT ON (record_id) record_id, unit_id, domain, kind, decision_date, is_present
        FROM known ORDER BY record_id, position DESC
    ), came AS (SELECT record_id, min(came) AS came FROM known GROUP BY record_id)
    SELECT l.unit_id, count(*), count(*) FILTER (WHERE c.came <= t.through)
    FROM latest l JOIN came c USING (record_id)
    JOIN unnest(%(days)s::date[], %(limits)s::date[]) t(day, through) ON t.day = l.decision_date
    JOIN unnest(%(units)s::bigint[], %(domains)s::text[], %(kinds)s::text[]) s(unit_id, domain, kind)
        ON s.unit_id = l.unit_id AND s.domain = l.domain AND s.kind = l.kind
    WHERE l.is_present
    GROUP BY l.unit_id
"""

# Files that came in the month, whatever became of them: a withdrawn one was sent all the same. A held one counts
# once it is confirmed, for that takes it in anew. What corrects one record after an objection is no file of theirs.
LINES = """
    SELECT b.unit_id, sum(b.lines)::bigint, sum(b.rejected)::bigint
    FROM ledger_batch b
    JOIN audit_position p ON p.entry_id = b.entry_id AND p.position <= %(position)s
    JOIN audit_entry e ON e.id = b.entry_id
    JOIN unnest(%(units)s::bigint[], %(domains)s::text[], %(kinds)s::text[]) s(unit_id, domain, kind)
        ON s.unit_id = b.unit_id AND s.domain = b.domain AND s.kind = b.kind
    WHERE NOT b.held AND b.mode <> 'correction'
        AND (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s
    GROUP BY b.unit_id
"""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A unit's score in a month (评分卡); ``trend`` is the change since the month before."""

    unit: RegisteredUnit
    counts: Counts
    score: Decimal | None
    rank: int | None = None
    trend: Decimal | None = None


def scorecards(policy: Policy, month: Month, position: int, today: date) -> list[Scorecard]:
    """All units' scores under a policy, best first, those without a score last.

    Raises CalendarError when a limit of working days lies in a year that was not announced.
    """
    before = {card.unit.id: card.score for card in _cards(policy, month.plus(-1), position, today)}
    cards = _cards(policy, month, position, today)
    place = ranks({str(card.unit.id): card.score for card in cards})
    ranked = [
        replace(card, rank=place[str(card.unit.id)], trend=trend(card.score, before.get(card.unit.id)))
        for card in cards
    ]
    return sorted(ranked, key=lambda card: (card.rank is None, card.rank or 0, card.unit.uscc))


def score_history(
    policy: Policy, unit_id: int, last: Month, position: int, today: date
) -> list[tuple[Month, Scorecard | None]]:
    """A unit's scores of the latest months in order, without ranks; None where it answered for nothing."""
    found = []
    for count in range(1 - scoring().trend_months, 1):
        month = last.plus(count)
        cards = _cards(policy, month, position, today)
        found.append((month, next((card for card in cards if card.unit.id == unit_id), None)))
    return found


def _cards(policy: Policy, month: Month, position: int, today: date) -> list[Scorecard]:
    scopes = scopes_of(policy, position)
    days = _days(policy, month, position, today)
    values = _values(scopes, month, position) | _limits(policy, month, today)
    in_time = {unit: (records, timely) for unit, records, timely in _rows(IN_TIME, values)}
    lines = {unit: (total, rejected) for unit, total, rejected in _rows(LINES, values)}
    corrected = corrections_by_unit(month, position, [scope.key for scope in scopes])
    weights = scoring().weights
    cards = []
    for unit in {scope.unit.id: scope.unit for scope in scopes}.values():
        counts = Counts(
            *days[unit.id], *in_time.get(unit.id, (0, 0)), *lines.get(unit.id, (0, 0)), corrected.get(unit.id, 0)
        )
        cards.append(Scorecard(unit, counts, score(counts, weights)))
    return cards


def _days(policy: Policy, month: Month, position: int, today: date) -> dict[int, tuple[int, int]]:
    """Days due and covered of each unit; the month as it had to be by today."""
    calendar = coverage_calendar_of(policy, View(position, (month,), due_date(policy, today), counts_records=False))
    cells: dict[int, list[Cell]] = defaultdict(list)
    for row in calendar.rows:
        cells[row.scope.unit.id] += row.cells
    return {unit: days_counted(found) for unit, found in cells.items()}


def _values(scopes: list[Scope], month: Month, position: int) -> dict[str, Any]:
    keys = [scope.key for scope in scopes]
    units, domains, kinds = ([key[n] for key in keys] for n in range(3))
    period = {"first": month.first, "last": month.last}
    return {"position": position, "units": units, "domains": domains, "kinds": kinds} | period


def _limits(policy: Policy, month: Month, today: date) -> dict[str, list[date]]:
    """For each day of the month that has been, the last day on which a decision of it is delivered in time."""
    calendar: Calendar = current_calendar()
    days = [day for day in month.days() if day <= today]
    return {"days": days, "limits": [calendar.plus_working_days(day, policy.freshness_days) for day in days]}


def latest_complete_month(today: date) -> Month:
    """The month before this one."""
    return Month.of(today.replace(day=1) - timedelta(days=1))


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
