"""Read what was explained (说明): rejected lines that a responsible officer settled by a reason."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

WAIVERS = """
    SELECT r.id, r.batch_id, r.line, l.unit_id, l.domain, l.kind, r.reason, e.actor, e.recorded_at,
           ARRAY(SELECT d.message FROM ledger_defect d
                 WHERE d.entry_id = r.batch_id AND d.line = r.line AND d.severity = 'error' ORDER BY d.id) AS problems,
           EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = r.batch_id) AS is_withdrawn
    FROM ledger_lineresolution r
    JOIN audit_entry e ON e.id = r.entry_id
    JOIN ledger_line l ON l.entry_id = r.batch_id AND l.line = r.line
    WHERE r.how = 'explained' AND l.unit_id = ANY(%(units)s)
    AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
    AND (%(first)s::date IS NULL
         OR (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s)
    ORDER BY r.id DESC LIMIT %(limit)s
"""

PER_UNIT = """
    SELECT l.unit_id, count(*)
    FROM ledger_lineresolution r JOIN ledger_line l ON l.entry_id = r.batch_id AND l.line = r.line
    WHERE r.how = 'explained' AND l.unit_id = ANY(%(units)s) GROUP BY 1
"""


@dataclass(frozen=True)
class Waiver:
    """A rejected line that was explained (说明). ``problems`` are why it was rejected, ``actor`` who explained it."""

    id: int
    batch: int
    line: int
    unit_id: int
    domain: str
    kind: str
    reason: str
    actor: str
    explained_at: datetime
    problems: list[str]
    is_withdrawn: bool


@dataclass(frozen=True)
class WaiverFilter:
    """Which are asked for: of these units, explained from the first to the last of ``days``, older than ``before``."""

    unit_ids: tuple[int, ...]
    days: tuple[date, date] | None = None
    before: int | None = None


def waivers(chosen: WaiverFilter, limit: int) -> list[Waiver]:
    """The latest that fit, latest first."""
    first, last = chosen.days or (None, None)
    values = {"units": list(chosen.unit_ids), "before": chosen.before, "first": first, "last": last, "limit": limit}
    return [Waiver(*row) for row in _rows(WAIVERS, values)]


def waiver_counts(unit_ids: tuple[int, ...]) -> dict[int, int]:
    """How many lines of each of these units were explained; units without any are left out."""
    return dict(_rows(PER_UNIT, {"units": list(unit_ids)}))


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
