"""Read coverage as it stood at a position: who answers, what they have stated, which rejected or held lines wait."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.statements import Piece, Stated, joined, open_pieces_of
from xinzheng.apps.ledger.states import State, registry_state
from xinzheng.apps.registry.queries import channels_at, responsibilities_at
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

# Whose statement of which batch a waiting line holds back.
HELD_BACK = f"""
    SELECT DISTINCT l.entry_id, u.uscc
    FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id JOIN registry_unit u ON u.id = l.unit_id
    WHERE {PENDING}
"""  # noqa: S608

# A broken line sent again in the same file is still one: sending twice changes nothing. Of one subject the number of
# its document tells as much; lines that name nobody may be several parties of one document.
SAME_LINE = "encode(b.file_sha256, 'hex') || ':' || l.line"
WAITING = f"""
    SELECT l.domain, u.uscc, l.kind, l.is_sealed, count(DISTINCT {{same}})
    FROM ledger_line l JOIN audit_position p ON p.entry_id = l.entry_id JOIN registry_unit u ON u.id = l.unit_id
    JOIN ledger_batch b ON b.entry_id = l.entry_id
    WHERE {{whose}} AND {PENDING} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608
WAITING_OF_SUBJECTS = WAITING.format(
    whose="l.subject_id = ANY(%(subjects)s)", same=f"(l.subject_id, coalesce(l.document_key, {SAME_LINE}))"
)
WAITING_OF_ANYBODY = WAITING.format(whose="l.subject_id IS NULL", same=SAME_LINE)

STATED = f"""
    SELECT s.id, p.position, s.from_date, s.through_date, s.domain, u.uscc, s.kind, s.batch_id, r.uscc,
           EXISTS (SELECT 1 FROM ledger_coveragewithdrawal c JOIN audit_position cp ON cp.entry_id = c.entry_id
                   WHERE c.statement_id = s.id AND cp.position <= %(position)s)
           {{or_its_batch}} {BATCH_IS_WITHDRAWN.format(batch="s.batch_id")}
    FROM ledger_coveragestatement s
    JOIN audit_position p ON p.entry_id = s.entry_id
    JOIN registry_unit u ON u.id = s.unit_id
    LEFT JOIN registry_unit r ON r.id = s.source_unit_id
    LEFT JOIN ledger_batch b ON b.entry_id = s.batch_id
    WHERE p.position <= %(position)s
"""  # noqa: S608
STATEMENTS = STATED.format(or_its_batch="OR coalesce(b.held, false) OR")
# A held batch has not spoken yet: whether it is let in or sent back, it takes nothing away that was covered before.
GIVEN_UP = STATED.format(or_its_batch="OR NOT coalesce(b.held, false) AND")


Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ReturnedStretch:
    """Days of a unit's coverage that were stated by return (数据回流); ``source`` is the code of who did."""

    from_date: date
    through_date: date
    source: str


@dataclass(frozen=True)
class _Spoken:
    """What speaks: the coverage without who answers, and by domain, unit and kind what of it came by return."""

    coverage: Coverage
    returned: Mapping[Key, tuple[ReturnedStretch, ...]]


def coverage_at(policy_id: str, position: int) -> Coverage:
    """Who answers under the policy, what speaks at the position, and the lines that may concern anybody."""
    return _coverage(policy_id, registry_state(position), last_touch(position))


def case_coverage(policy_id: str, subject_ids: Collection[int], position: int) -> Coverage:
    """The coverage one case is decided on: also the rejected and held lines that name these subjects."""
    registry = registry_state(position)
    common = _coverage(policy_id, registry, last_touch(position))
    own = _spread(pending_for(subject_ids, position), registry)
    return replace(common, pending=(*common.pending, *own)) if own else common


def settled_coverage(position: int) -> Coverage:
    """What would speak at the position if every waiting line were settled and every held batch heard.

    Only what was withdrawn is missing then; nobody's responsibilities are in it.
    """
    return _settled(last_touch(position))


@lru_cache(maxsize=16)
def _settled(ledger: State) -> Coverage:
    rows = _rows(GIVEN_UP, {"position": ledger.position})
    spoken = frozenset((domain, unit, kind) for _, _, _, _, domain, unit, kind, *_ in rows)
    return Coverage((), _statements(_pieces(rows, set())), (), spoken)


def returned_at(position: int) -> Mapping[Key, tuple[ReturnedStretch, ...]]:
    """What of the coverage at a position came by return, by domain, unit and kind."""
    return _spoken(last_touch(position)).returned


def pending_for(subject_ids: Collection[int], position: int) -> tuple[PendingLines, ...]:
    """The rejected and held lines that name these subjects and were not settled at the position."""
    rows = _rows(WAITING_OF_SUBJECTS, {"subjects": list(subject_ids), "position": position})
    return tuple(PendingLines(domain, unit, kind, count, sealed=sealed) for domain, unit, kind, sealed, count in rows)


def last_touch(position: int) -> State:
    """The last position, up to the one given, at which coverage or waiting lines may have changed."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_TOUCH, [position, list(TOUCHING)])
        return State(*(cursor.fetchone() or (0, 0)))


@lru_cache(maxsize=64)
def _coverage(policy_id: str, registry: State, ledger: State) -> Coverage:
    spoken = _spoken(ledger).coverage
    answering = responsibilities_at(policy_id, registry.position)
    return replace(spoken, responsibilities=answering, pending=_spread(spoken.pending, registry))


def _spread(pending: tuple[PendingLines, ...], registry: State) -> tuple[PendingLines, ...]:
    """The lines, and those that wait under who brings records of others for each unit whose they may be.

    A channel that was ended meanwhile counts: what came through it then may still be anybody's it served.
    """
    served = _served(registry) if pending else {}
    more = (replace(p, unit=unit) for p in pending for unit in served.get((p.domain, p.unit, p.kind), ()))
    return (*pending, *more)


@lru_cache(maxsize=16)
def _served(registry: State) -> Mapping[Key, tuple[str, ...]]:
    found: dict[Key, dict[str, None]] = defaultdict(dict)
    for channel in channels_at(registry.position, with_ended=True):
        found[channel.domain, channel.source, channel.kind][channel.unit] = None
    return {key: tuple(units) for key, units in found.items()}


@lru_cache(maxsize=16)
def _spoken(ledger: State) -> _Spoken:
    at = {"position": ledger.position}
    blocked: set[tuple[int, str]] = set(_rows(HELD_BACK, at))
    rows = _rows(STATEMENTS, at)
    anybody: dict[Key, int] = defaultdict(int)
    for domain, unit, kind, _sealed, count in _rows(WAITING_OF_ANYBODY, at):
        anybody[domain, unit, kind] += count
    pending = (PendingLines(*key, count, names_subject=False) for key, count in sorted(anybody.items()))
    spoken = frozenset((domain, unit, kind) for _, _, _, _, domain, unit, kind, *_ in rows)
    pieces = _pieces(rows, blocked)
    sources = {row[0]: row[8] for row in rows if row[8] is not None}
    returned = {
        scope: tuple(ReturnedStretch(p.from_date, p.through_date, sources[p.statement]) for p in by_return)
        for scope, found in pieces.items()
        if (by_return := [piece for piece in found if piece.statement in sources])
    }
    return _Spoken(Coverage((), _statements(pieces), tuple(pending), spoken), returned)


def _pieces(rows: Iterable[tuple[Any, ...]], blocked: set[tuple[int, str]]) -> dict[Key, list[Piece]]:
    """What speaks, by domain, unit and kind.

    A line that waits holds back what its batch said of the line's unit; one booked under who brought it, all of it.
    """
    scopes: dict[Key, list[Stated]] = defaultdict(list)
    for key, position, first, last, domain, unit, kind, batch, source, is_withdrawn in rows:
        is_open = not is_withdrawn and (batch, unit) not in blocked and (batch, source) not in blocked
        scopes[domain, unit, kind].append(Stated(key, position, first, last, is_open, source is not None))
    return {scope: open_pieces_of(stated) for scope, stated in sorted(scopes.items())}


def _statements(pieces: Mapping[Key, list[Piece]]) -> tuple[Statement, ...]:
    return tuple(
        Statement(*scope, first, last)
        for scope, found in pieces.items()
        for first, last in joined((piece.from_date, piece.through_date) for piece in found)
    )


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
