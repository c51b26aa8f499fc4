"""Read batches: what became of them, what is wrong in them, and how far a unit's data reaches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.coverage_queries import PENDING, ReturnedStretch, coverage_at, returned_at
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Defect
from xinzheng.apps.ledger.statements import common
from xinzheng.apps.ledger.waiting_queries import Waits, waiting_by_scope
from xinzheng.apps.registry.queries import channels_at

BATCHES = """
    SELECT b.entry_id, b.unit_id, b.domain, b.kind, b.mode, b.file_name, b.lines, b.new, b.changed, b.identical,
           b.rejected, b.duplicate, b.held, b.put_forward, e.recorded_at, s.from_date, s.through_date,
           EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = b.entry_id) AS is_withdrawn,
           encode(b.file_sha256, 'hex') AS file_sha256,
           (SELECT c.entry_id FROM ledger_batch c WHERE c.confirms_id = b.entry_id) AS booked_as
    FROM ledger_batch b
    JOIN audit_entry e ON e.id = b.entry_id
    LEFT JOIN LATERAL (
        SELECT s.from_date, s.through_date FROM ledger_coveragestatement s
        WHERE s.entry_id = b.entry_id AND s.batch_id = b.entry_id LIMIT 1
    ) s ON true
    WHERE (%(batches)s::bigint[] IS NULL OR b.entry_id = ANY(%(batches)s))
    AND (%(unit)s::bigint IS NULL OR b.unit_id = %(unit)s)
    ORDER BY b.entry_id DESC LIMIT %(limit)s
"""

WAITING = f"""
    SELECT l.entry_id, count(*) FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id
    WHERE l.entry_id = ANY(%(batches)s) AND l.status = 'rejected' AND {PENDING} GROUP BY 1
"""  # noqa: S608


@dataclass(frozen=True)
class BatchSummary:
    """A batch as people see it (批次). ``waiting`` counts rejected lines that are neither mended nor explained.

    ``booked_as`` is, of a held batch that was confirmed, the batch that booked it.
    """

    batch: int
    unit_id: int
    domain: str
    kind: str
    mode: str
    file_name: str
    lines: int
    new: int
    changed: int
    identical: int
    rejected: int
    duplicate: int
    held: bool
    put_forward: int
    recorded_at: datetime
    covers_from: date | None
    covers_through: date | None
    is_withdrawn: bool
    file_sha256: str
    booked_as: int | None
    waiting: int = 0


@dataclass(frozen=True)
class DefectLine:
    """One thing wrong with one line (质量问题)."""

    line: int
    field: str
    code: str
    severity: str
    message: str
    value: str | None


@dataclass(frozen=True)
class CoverageState:
    """How far one responsibility of a unit reaches (归集情况): stretches stated, rejected or held lines that wait.

    ``returned`` are those of the days that were stated by return (数据回流). ``served`` names the units whose data this
    one brings; the stretches are then what the data of all of them cover, and it is theirs, not this unit's.
    """

    domain: str
    kind: str
    stretches: tuple[tuple[date, date], ...]
    waiting: int
    returned: tuple[ReturnedStretch, ...] = ()
    served: tuple[str, ...] = ()

    @property
    def through_date(self) -> date | None:
        """The last day stated, or None if the unit never delivered."""
        return self.stretches[-1][1] if self.stretches else None


def batch_summary(batch_id: int) -> BatchSummary:
    """One batch. Raises IntakeError ``unknown-batch``."""
    found = _batches({"batches": [batch_id], "unit": None, "limit": 1})
    if not found:
        raise IntakeError(f"没有编号为{batch_id}的批次，请核对。", code="unknown-batch")
    return found[0]


def batches_of(unit_id: int, limit: int = 50) -> list[BatchSummary]:
    """The unit's latest batches, latest first."""
    return _batches({"batches": None, "unit": unit_id, "limit": limit})


def batch_summaries(batch_ids: Sequence[int]) -> dict[int, BatchSummary]:
    """These batches by number, those there are."""
    found = _batches({"batches": list(batch_ids), "unit": None, "limit": len(batch_ids)})
    return {summary.batch: summary for summary in found}


def _batches(values: dict[str, Any]) -> list[BatchSummary]:
    rows = _rows(BATCHES, values)
    waiting = dict(_rows(WAITING, {"batches": [row[0] for row in rows], "position": head_position()}))
    return [replace(BatchSummary(*row), waiting=waiting.get(row[0], 0)) for row in rows]


def batch_defects(batch_id: int, limit: int | None = 200) -> list[DefectLine]:
    """What is wrong in a batch, by line; at most ``limit``. ``defects_total`` tells how many there are."""
    found = Defect.objects.filter(entry_id=batch_id).order_by("line", "id")
    rows = found.values_list("line", "field", "code", "severity", "message", "value")
    return [DefectLine(*row) for row in rows[:limit]]


def defects_total(batch_id: int) -> int:
    """How many defects a batch has."""
    return Defect.objects.filter(entry_id=batch_id).count()


def coverage_calendar(
    unit_uscc: str, policy_id: str, position: int | None = None, waits: Waits | None = None
) -> list[CoverageState]:
    """How far each responsibility of a unit under a policy reaches; at the head of the ledger unless told.

    Who asks for several policies passes the unit's ``waiting_by_scope``, so that it is asked once.
    """
    position = head_position() if position is None else position
    coverage, returned = coverage_at(policy_id, position), returned_at(position)
    waits, found = waiting_by_scope(unit_uscc, position) if waits is None else waits, []
    for who in coverage.responsibilities:
        if who.unit == unit_uscc:
            stated = coverage.statements_of(who.unit, who.kind, who.domain)
            waiting = waits.get((who.domain, who.kind), 0)
            stretches = tuple((s.from_date, s.through_date) for s in stated)
            by_return = returned.get((who.domain, who.unit, who.kind), ())
            found.append(CoverageState(who.domain, who.kind, stretches, waiting, by_return))
    return found


def return_calendar(unit_uscc: str, policy_id: str, position: int, waits: Waits | None = None) -> list[CoverageState]:
    """How far the data that a unit brings for others reaches under a policy: what all of those units cover.

    ``waits`` as in ``coverage_calendar``.
    """
    coverage, channels = coverage_at(policy_id, position), channels_at(position)
    pairs = {(c.domain, c.kind, c.unit) for c in channels if c.source == unit_uscc}
    served: dict[tuple[str, str], list[str]] = defaultdict(list)
    for who in coverage.responsibilities:
        if (who.domain, who.kind, who.unit) in pairs:
            served[who.domain, who.kind].append(who.unit)
    waits, found = waiting_by_scope(unit_uscc, position) if waits is None else waits, []
    for (domain, kind), units in served.items():
        stated = ([(s.from_date, s.through_date) for s in coverage.statements_of(u, kind, domain)] for u in units)
        waiting = waits.get((domain, kind), 0)
        found.append(CoverageState(domain, kind, tuple(common(stated)), waiting, served=tuple(units)))
    return found


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
