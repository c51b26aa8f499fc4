"""Read the rejected lines that wait for a unit (待本单位处理的退回行), in its own batches and in returned ones."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.coverage_queries import PENDING
from xinzheng.apps.ledger.models import Line

# How many lines wait, by domain and kind.
Waits = dict[tuple[str, str], int]
# After every position there will be.
LATEST = 2**63 - 1

WAITING = f"""
    SELECT l.entry_id, l.line, l.domain, l.kind, l.document_key, e.recorded_at,
           CASE WHEN b.unit_id <> l.unit_id THEN b.unit_id END, count(*) OVER ()
    FROM ledger_line l
    JOIN audit_position p ON p.entry_id = l.entry_id
    JOIN audit_entry e ON e.id = l.entry_id
    JOIN ledger_batch b ON b.entry_id = l.entry_id
    WHERE l.unit_id = %(unit)s AND l.status = 'rejected' AND {PENDING}
    ORDER BY l.entry_id DESC, l.line LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608

TOTAL = f"""
    SELECT count(*) FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id
    WHERE l.unit_id = %(unit)s AND l.status = 'rejected' AND {PENDING}
"""  # noqa: S608

OF_BATCH = f"""
    SELECT 1 FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id
    WHERE l.entry_id = %(batch)s AND l.unit_id = %(unit)s AND l.status = 'rejected' AND {PENDING}
"""  # noqa: S608

# Lines booked under who brought them, in the domains and kinds that this unit's data come through it, ever.
ELSEWHERE = f"""
    SELECT l.unit_id, l.domain, l.kind, count(*)
    FROM (SELECT DISTINCT source_id, domain, kind FROM registry_returnchannel WHERE unit_id = %(unit)s) c
    JOIN ledger_line l ON l.unit_id = c.source_id AND l.domain = c.domain AND l.kind = c.kind
    JOIN audit_position p ON p.entry_id = l.entry_id
    WHERE l.status = 'rejected' AND {PENDING}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608

# Both together, held lines as well: whatever keeps statements of this unit's data back.
BY_SCOPE = f"""
    SELECT l.domain, l.kind, count(*)
    FROM (
        SELECT entry_id, line, domain, kind, status FROM ledger_line
        WHERE unit_id = (SELECT id FROM registry_unit WHERE uscc = %(uscc)s) AND status IN ('rejected', 'held')
        UNION ALL
        SELECT l.entry_id, l.line, l.domain, l.kind, l.status
        FROM (SELECT DISTINCT r.source_id, r.domain, r.kind
              FROM registry_returnchannel r JOIN registry_unit u ON u.id = r.unit_id WHERE u.uscc = %(uscc)s) c
        JOIN ledger_line l ON l.unit_id = c.source_id AND l.domain = c.domain AND l.kind = c.kind
        WHERE l.status IN ('rejected', 'held')
    ) l
    JOIN audit_position p ON p.entry_id = l.entry_id
    WHERE {PENDING}
    GROUP BY 1, 2
"""  # noqa: S608


REASONS = """
    SELECT d.entry_id, d.line, d.field, d.message
    FROM unnest(%(batches)s::bigint[], %(lines)s::bigint[]) AS s (batch, line)
    JOIN ledger_defect d ON d.entry_id = s.batch AND d.line = s.line AND d.severity = 'error'
    ORDER BY d.entry_id, d.line, d.id
"""


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A rejected line that waits (待更正的行): neither mended nor explained.

    ``source_unit_id`` is who brought it by return, None where the unit sent it itself. ``document`` is the normalised
    document number where the kind has one and it could be read. ``reasons`` say what is wrong with it.
    """

    batch: int
    line: int
    domain: str
    kind: str
    document: str
    recorded_at: datetime
    source_unit_id: int | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingElsewhere:
    """Lines that wait at who brings the unit's data, because nobody can tell whose they are."""

    source_unit_id: int
    domain: str
    kind: str
    count: int


def waiting_of(unit_id: int, *, limit: int, offset: int = 0) -> tuple[list[WaitingLine], int]:
    """The unit's waiting lines, the latest batch first, and how many there are in all."""
    values = {"unit": unit_id, "position": LATEST, "limit": limit, "offset": offset}
    rows = _rows(WAITING, values)
    lines = [
        WaitingLine(batch, line, domain, kind, _document(key), at, source)
        for batch, line, domain, kind, key, at, source, _total in rows
    ]
    said = _reasons(lines)
    return [replace(line, reasons=tuple(said[line.batch, line.line])) for line in lines], rows[0][-1] if rows else 0


def waiting_total(unit_id: int) -> int:
    """How many lines wait for the unit."""
    return int(_rows(TOTAL, {"unit": unit_id, "position": LATEST})[0][0])


def waiting_elsewhere(unit_id: int) -> list[WaitingElsewhere]:
    """What waits at the units that bring this one's data, and may concern it."""
    return [WaitingElsewhere(*row) for row in _rows(ELSEWHERE, {"unit": unit_id, "position": LATEST})]


def waiting_by_scope(uscc: str, position: int) -> Waits:
    """By domain and kind, the rejected and held lines that kept a unit's statements back at a position.

    Those that wait at who brings the unit's data count too: they may be its own.
    """
    rows = _rows(BY_SCOPE, {"uscc": uscc, "position": position})
    return {(domain, kind): count for domain, kind, count in rows}


def line_unit(batch_id: int, line: int) -> int | None:
    """The unit that answers for a rejected line; None where the batch has no such line."""
    found = Line.objects.filter(entry_id=batch_id, line=line, status="rejected")
    return found.values_list("unit_id", flat=True).first()


def has_waiting_lines(batch_id: int, unit_id: int) -> bool:
    """Whether lines of a batch wait for a unit."""
    values = {"unit": unit_id, "batch": batch_id, "position": LATEST}
    return bool(_rows(f"SELECT EXISTS ({OF_BATCH})", values)[0][0])


def _reasons(lines: list[WaitingLine]) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    values = {"batches": [line.batch for line in lines], "lines": [line.line for line in lines]}
    for batch, line, field, message in _rows(REASONS, values) if lines else ():
        found[batch, line].append(f"{field}：{message}" if field and field not in message else message)
    return found


def _document(key: str | None) -> str:
    """What a line is recognised by, where that is a document number: a natural key is JSON and names the subject."""
    return "" if key is None or key.startswith("[") else key


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
