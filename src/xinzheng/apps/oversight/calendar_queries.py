"""The coverage calendar (归集日历) of one unit or of all, as at a position of the ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.queries import ReturnedStretch, coverage_at, returned_at
from xinzheng.apps.ledger.record_days import RECORD_DAY
from xinzheng.apps.oversight.scopes import Scope, scopes_of
from xinzheng.core.coverage_calendar import Cell, LateScope, Month, Stated, Stretch, month_cell
from xinzheng.core.policy import Policy

Key = tuple[int, str, str]

# The records that stand at the position, counted by the month they are dated in.
RECORDS = f"""
    SELECT v.unit_id, v.domain, v.kind, to_char(v.day, 'YYYY-MM'), count(*)
    FROM (
        SELECT DISTINCT ON (v.record_id) v.unit_id, v.domain, v.kind, v.is_present,
               {RECORD_DAY} AS day
        FROM ledger_recordversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE p.position <= %(position)s
        ORDER BY v.record_id, p.position DESC
    ) v
    WHERE v.is_present AND v.day BETWEEN %(first)s AND %(last)s
    AND (%(units)s::bigint[] IS NULL OR v.unit_id = ANY(%(units)s))
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608

# Statements that came with a batch and speak only once it is released or its lines are settled.
WITH_BATCHES = """
    SELECT s.unit_id, s.domain, s.kind, s.from_date, s.through_date, b.held
    FROM ledger_coveragestatement s
    JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= %(position)s
    JOIN ledger_batch b ON b.entry_id = s.batch_id
    WHERE (%(units)s::bigint[] IS NULL OR s.unit_id = ANY(%(units)s))
    AND s.through_date >= %(first)s AND s.from_date <= %(last)s
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w JOIN audit_position wp ON wp.entry_id = w.entry_id
                    WHERE w.batch_id = b.entry_id AND wp.position <= %(position)s)
    AND NOT EXISTS (SELECT 1 FROM ledger_coveragewithdrawal c JOIN audit_position cp ON cp.entry_id = c.entry_id
                    WHERE c.statement_id = s.id AND cp.position <= %(position)s)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One responsibility with its months in order; ``returned`` are those of which days were stated by return."""

    scope: Scope
    cells: tuple[Cell, ...]
    late: LateScope | None = None
    returned: frozenset[Month] = frozenset()

    @property
    def is_late(self) -> bool:
        """Whether days are missing that should be there by now."""
        return any(cell.is_late for cell in self.cells)


@dataclass(frozen=True, slots=True)
class CoverageCalendar:
    """Rows and months as at a position; ``due`` is the day that data must reach.

    Without ``counts_records`` its cells say nothing of how many records a month has.
    """

    policy: Policy
    months: tuple[Month, ...]
    due: date
    position: int
    rows: tuple[Row, ...]
    counts_records: bool = True

    @property
    def late_rows(self) -> list[Row]:
        """The rows that lack days."""
        return [row for row in self.rows if row.is_late]

    @property
    def late_units(self) -> int:
        """How many units lack days."""
        return len({row.scope.unit.id for row in self.late_rows})


@dataclass(frozen=True, slots=True)
class View:
    """What of the ledger is looked at: a position, months, the day due, one unit or (None) all.

    Without ``counts_records`` every month has none: counting them reads all versions, and only the heat map shows it.
    """

    position: int
    months: tuple[Month, ...]
    due: date
    unit_id: int | None = None
    counts_records: bool = True

    def values(self) -> dict[str, Any]:
        """For SQL."""
        units = None if self.unit_id is None else [self.unit_id]
        first, last = self.months[0].first, self.months[-1].last
        return {"position": self.position, "units": units, "first": first, "last": last}


def coverage_calendar_of(policy: Policy, view: View) -> CoverageCalendar:
    """What each responsibility under a policy covers month by month."""
    scopes = scopes_of(policy, view.position, view.unit_id)
    stated, records = stated_of(policy, scopes, view), records_by_month(view) if view.counts_records else {}
    returned = returned_at(view.position)
    rows = tuple(
        replace(
            _row(scope, stated[scope.key], records.get(scope.key, {}), view),
            returned=_months_of(returned.get((scope.domain, scope.unit.uscc, scope.kind), ()), view),
        )
        for scope in scopes
    )
    return CoverageCalendar(policy, view.months, view.due, view.position, rows, view.counts_records)


def _months_of(returned: Sequence[ReturnedStretch], view: View) -> frozenset[Month]:
    return frozenset(
        month
        for month in view.months
        if any(s.from_date <= month.last and s.through_date >= month.first for s in returned)
    )


def _row(scope: Scope, stated: Stated, records: Mapping[str, int], view: View) -> Row:
    cells = tuple(month_cell(month, stated, view.due, records.get(str(month), 0)) for month in view.months)
    if not any(cell.is_late for cell in cells):
        return Row(scope, cells)
    through = _reached(stated, view)
    return Row(scope, cells, LateScope(scope.unit.uscc, scope.domain, scope.kind, through, view.due))


def _reached(stated: Stated, view: View) -> date | None:
    """The last day covered without a break from the first month shown; of latest states the last day covered."""
    if stated.is_latest:
        return max((last for _first, last in stated.open), default=None)
    return next((last for first, last in stated.open if first <= view.months[0].first <= last), None)


def stated_of(policy: Policy, scopes: Sequence[Scope], view: View) -> dict[Key, Stated]:
    """The stretches stated of each responsibility: those in effect, held ones, those whose lines wait."""
    coverage = coverage_at(policy.id, view.position)
    held: dict[Key, list[Stretch]] = defaultdict(list)
    blocked: dict[Key, list[Stretch]] = defaultdict(list)
    for unit, domain, kind, first, last, is_held in _rows(WITH_BATCHES, view.values()):
        (held if is_held else blocked)[unit, domain, kind].append((first, last))

    def stated(scope: Scope) -> Stated:
        speaking = coverage.statements_of(scope.unit.uscc, scope.kind, scope.domain)
        stretches = tuple((s.from_date, s.through_date) for s in speaking)
        return Stated(stretches, tuple(held[scope.key]), tuple(blocked[scope.key]), scope.is_latest)

    return {scope.key: stated(scope) for scope in scopes}


def records_by_month(view: View) -> dict[Key, dict[str, int]]:
    """How many live records of each responsibility are dated in each month, such as ``2026-10``."""
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for unit, domain, kind, month, count in _rows(RECORDS, view.values()):
        found[unit, domain, kind][month] = count
    return found


def versions_about() -> int:
    """About how many versions of records there are, as the planner knows it: at once, however many."""
    return int(_rows("SELECT reltuples FROM pg_class WHERE oid = 'ledger_recordversion'::regclass", {})[0][0])


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
