"""Read coverage as it stood at a position: who answers, what they have stated, which rejected or held lines wait."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.statements import Stated, joined, open_pieces_of
from xinzheng.apps.ledger.states import State, registry_state
from xinzheng.apps.registry.queries import responsibilities_at
from xinzheng.core.coverage import Coverage, PendingLines, Statement

# Entries that change what is covered or what waits; everything else leaves the kept coverage as it is.
TOUCHING = ("batch", "batch-withdrawn", "coverage-declared", "coverage-withdrawn", "line-explained")

LAST_TOUCH = """
    SELECT p.position, p.entry_id FROM audit_position p JOIN audit_entry e ON e.id = p.entry_id
    WHERE p.position <= %s AND e.kind = ANY(%s) ORDER BY p.position DESC LIMIT 1
"""

BATCH_IS_WITHDRAWN = """EXISTS (
    SELECT 1 FROM ledger_batchwithdrawal w JOIN audit_position wp ON wp.entry_id = w.entry_id
    WHERE w.batch_id = {batch} AND wp.position <= %(position)s)"""

# A settlement that came with a batch ceases with it: the mending line is then gone as well.
PENDING = f"""
    l.status IN ('rejected', 'held') AND p.position <= %(position)s
    AND NOT {BATCH_IS_WITHDRAWN.format(batch="l.entry_id")}
    AND NOT EXISTS (
        SELECT 1 FROM ledger_lineresolution r JOIN audit_position rp ON rp.entry_id = r.entry_id
        WHERE r.batch_id = l.entry_id AND r.line = l.line AND rp.position <= %(position)s
        AND NOT {BATCH_IS_WITHDRAWN.format(batch="r.entry_id")})
"""  # noqa: S608

PENDING_LINES = f"""
    SELECT l.entry_id, l.subject_id IS NULL, l.domain, u.uscc, l.kind, count(*)
    FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id JOIN registry_unit u ON u.id = l.unit_id
    WHERE {PENDING} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608

PENDING_OF_SUBJECTS = f"""
    SELECT l.domain, u.uscc, l.kind, count(*)
    FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id JOIN registry_unit u ON u.id = l.unit_id
    WHERE l.subject_id = ANY(%(subjects)s) AND {PENDING} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608

STATEMENTS = f"""
    SELECT s.id, p.position, s.from_date, s.through_date, s.domain, u.uscc, s.kind, s.batch_id,
           EXISTS (SELECT 1 FROM ledger_coveragewithdrawal c JOIN audit_position cp ON cp.entry_id = c.entry_id
                   WHERE c.statement_id = s.id AND cp.position <= %(position)s)
           OR coalesce(b.held, false) OR {BATCH_IS_WITHDRAWN.format(batch="s.batch_id")}
    FROM ledger_coveragestatement s
    JOIN audit_position p ON p.entry_id = s.entry_id
    JOIN registry_unit u ON u.id = s.unit_id
    LEFT JOIN ledger_batch b ON b.entry_id = s.batch_id
    WHERE p.position <= %(position)s
"""  # noqa: S608


def coverage_at(policy_id: str, position: int) -> Coverage:
    """Who answers under the policy, what speaks at the position, and the lines that may concern anybody."""
    return _coverage(policy_id, registry_state(position), last_touch(position))


def case_coverage(policy_id: str, subject_ids: Collection[int], position: int) -> Coverage:
    """The coverage one case is decided on: also the rejected and held lines that name these subjects."""
    common = coverage_at(policy_id, position)
    own = pending_for(subject_ids, position)
    return replace(common, pending=(*common.pending, *own)) if own else common


def pending_for(subject_ids: Collection[int], position: int) -> tuple[PendingLines, ...]:
    """The rejected and held lines that name these subjects and were not settled at the position."""
    rows = _rows(PENDING_OF_SUBJECTS, {"subjects": list(subject_ids), "position": position})
    return tuple(PendingLines(domain, unit, kind, count) for domain, unit, kind, count in rows)


def last_touch(position: int) -> State:
    """The last position, up to the one given, at which coverage or waiting lines may have changed."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_TOUCH, [position, list(TOUCHING)])
        return State(*(cursor.fetchone() or (0, 0)))


@lru_cache(maxsize=64)
def _coverage(policy_id: str, registry: State, ledger: State) -> Coverage:
    return replace(_spoken(ledger), responsibilities=responsibilities_at(policy_id, registry.position))


@lru_cache(maxsize=16)
def _spoken(ledger: State) -> Coverage:
    at = {"position": ledger.position}
    waiting = _rows(PENDING_LINES, at)
    blocked = {row[0] for row in waiting}
    rows = _rows(STATEMENTS, at)
    anybody: dict[tuple[str, str, str], int] = defaultdict(int)
    for _batch, is_anybody, domain, unit, kind, count in waiting:
        if is_anybody:
            anybody[domain, unit, kind] += count
    pending = (PendingLines(*key, count, names_subject=False) for key, count in sorted(anybody.items()))
    spoken = frozenset((domain, unit, kind) for _, _, _, _, domain, unit, kind, *_ in rows)
    return Coverage((), _statements(rows, blocked), tuple(pending), spoken)


def _statements(rows: Iterable[tuple[Any, ...]], blocked: set[int]) -> tuple[Statement, ...]:
    scopes: dict[tuple[str, str, str], list[Stated]] = defaultdict(list)
    for key, position, first, last, domain, unit, kind, batch, is_withdrawn in rows:
        is_open = not is_withdrawn and batch not in blocked
        scopes[domain, unit, kind].append(Stated(key, position, first, last, is_open))
    return tuple(
        Statement(*scope, first, last)
        for scope, stated in sorted(scopes.items())
        for first, last in joined((p.from_date, p.through_date) for p in open_pieces_of(stated))
    )


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
