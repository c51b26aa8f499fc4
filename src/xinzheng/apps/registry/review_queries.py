"""The review queue (待核主体): identifiers that came without standing in the register, and what became of them.

What was delivered under them stands in the ledger, above this app: its tables are read by name, only to be shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.identities import SealedIdentity, names_of, number_of
from xinzheng.apps.registry.models import ReviewDecision
from xinzheng.apps.registry.subject_queries import ERASED
from xinzheng.apps.registry.unit_queries import units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import mask_identifier, mask_name, normalise_identifier
from xinzheng.core.subjects import SubjectKind

OPEN = "open"
STATES: Mapping[str, str] = {OPEN: "待核", **dict(ReviewDecision.Outcome.choices)}
PAGE = 50

ITEMS = """
    SELECT i.subject_id, v.kind, v.name, c.code, e.kind, e.unit_id, e.recorded_at,
           d.outcome, d.reason, d.linked_id, de.actor, de.recorded_at,
           pi.number_hash, pi.wrapped_key, pi.name_ct, pi.number_ct
    FROM registry_reviewitem i
    JOIN audit_entry e ON e.id = i.entry_id
    CROSS JOIN LATERAL (
        SELECT v.kind, v.name FROM registry_subjectversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE v.subject_id = i.subject_id ORDER BY p.position DESC LIMIT 1
    ) v
    LEFT JOIN LATERAL (
        SELECT c.code FROM registry_subjectcode c WHERE c.subject_id = i.subject_id
        ORDER BY c.scheme = 'uscc' DESC, c.id LIMIT 1
    ) c ON true
    LEFT JOIN registry_personidentity pi ON pi.subject_id = i.subject_id
    LEFT JOIN registry_reviewdecision d ON d.item_id = i.subject_id
    LEFT JOIN audit_entry de ON de.id = d.entry_id
    WHERE (%(subject_id)s::bigint IS NULL OR i.subject_id = %(subject_id)s)
        AND (%(state)s::text IS NULL OR coalesce(d.outcome, 'open') = %(state)s)
        AND (%(is_person)s::boolean IS NULL OR coalesce(v.kind = 'natural_person', false) = %(is_person)s)
        AND (%(text)s = '' OR strpos(v.name, %(text)s) > 0 OR starts_with(c.code, %(code)s))
        AND i.subject_id > %(after)s
    ORDER BY i.subject_id LIMIT %(limit)s
"""
COUNTS = """
    SELECT coalesce(d.outcome, 'open'), count(*)
    FROM registry_reviewitem i LEFT JOIN registry_reviewdecision d ON d.item_id = i.subject_id GROUP BY 1
"""
RECORDS = """
    SELECT subject_id, unit_id, count(*) FROM ledger_recordhead
    WHERE subject_id = ANY(%s) AND payload_sha256 IS NOT NULL GROUP BY subject_id, unit_id
"""
# A few hundred versions tell the names; a subject may have more.
NAMES = """
    SELECT DISTINCT s.subject_id, v.payload::jsonb ->> 'subject_name'
    FROM unnest(%s::bigint[]) AS s (subject_id)
    CROSS JOIN LATERAL (
        SELECT payload FROM ledger_recordversion WHERE subject_id = s.subject_id ORDER BY record_id DESC LIMIT 200
    ) v
    WHERE v.payload::jsonb ->> 'subject_name' <> '' ORDER BY 1, 2
"""


class ReviewError(XinzhengError):
    """An item of the review queue is not there, was decided, or cannot be decided like this."""

    code = "review-unknown"


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which items: in what state (None: any), persons or not (None: both), a part of the name or start of the code."""

    state: str | None = OPEN
    is_person: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What was decided (处理结果), by whom and when."""

    outcome: str
    reason: str
    linked_id: int | None
    by: str
    at: datetime

    @property
    def words(self) -> str:
        """The outcome in Chinese."""
        return STATES[self.outcome]


@dataclass(frozen=True, slots=True)
class ReviewSubject:
    """An item of the review queue (待核主体); identifier and names of a person are masked.

    ``units``: names of the units that delivered it; ``records``: how many records stand under it now.
    """

    subject_id: int
    identifier: str
    is_person: bool
    kind: str | None
    names: tuple[str, ...]
    units: tuple[str, ...]
    records: int
    came_with: str
    seen_at: datetime
    outcome: ReviewOutcome | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.outcome is None


@dataclass(frozen=True)
class _Delivered:
    """What the ledger has under some subjects."""

    units: dict[int, set[int]] = field(default_factory=dict)
    records: dict[int, int] = field(default_factory=dict)
    names: dict[int, list[str]] = field(default_factory=dict)


def review_queue(limit: int = PAGE, after: int = 0, chosen: ReviewFilter | None = None) -> list[ReviewSubject]:
    """The items after the one with this key, oldest first; four queries, however many there are."""
    wanted = chosen or ReviewFilter()
    text = wanted.text.strip()
    return _items(
        subject_id=None, state=wanted.state, is_person=wanted.is_person, text=text, after=after, limit=limit
    )  # fmt: skip


def review_item(subject_id: int) -> ReviewSubject:
    """One item, decided or not.

    Raises:
        ReviewError: ``review-unknown``.
    """
    found = _items(subject_id=subject_id, state=None, is_person=None, text="", after=-1, limit=1)
    if not found:
        raise ReviewError("待核主体中没有这一项，请核对编号。")
    return found[0]


def review_counts() -> dict[str, int]:
    """How many items are in each state of :data:`STATES`."""
    return dict.fromkeys(STATES, 0) | {str(state): int(count) for state, count in _rows(COUNTS, [])}


def _items(**wanted: Any) -> list[ReviewSubject]:
    rows = _rows(ITEMS, wanted | {"code": normalise_identifier(wanted["text"])})
    delivered = _delivered([row[0] for row in rows])
    units = {key: unit.short_name for key, unit in units_at(head_position()).items()} if rows else {}
    return [_item(row, delivered, units) for row in rows]


def _item(row: tuple[Any, ...], delivered: _Delivered, units: Mapping[int, str]) -> ReviewSubject:
    key, kind, name, code, came_with, unit_id, seen_at, outcome, reason, linked, by, at, *sealed = row
    is_person = kind == SubjectKind.NATURAL_PERSON
    names = dict.fromkeys(part for part in (name, *delivered.names.get(key, ())) if part)
    identifier = code or ""
    if is_person:
        identifier, names = _masked(key, sealed)
    of_units = delivered.units.get(key, set()) | ({unit_id} if unit_id is not None else set())
    return ReviewSubject(
        subject_id=key,
        identifier=identifier,
        is_person=is_person,
        kind=kind,
        names=tuple(names),
        units=tuple(sorted(units.get(unit, str(unit)) for unit in of_units)),
        records=delivered.records.get(key, 0),
        came_with=came_with,
        seen_at=seen_at,
        outcome=None if outcome is None else ReviewOutcome(outcome, reason, linked, by, at),
    )


def _masked(subject_id: int, sealed: list[Any]) -> tuple[str, dict[str, None]]:
    if sealed[0] is None:
        return ERASED, {}
    identity = SealedIdentity(*map(bytes, sealed))
    names = dict.fromkeys(mask_name(since.name) for since in names_of(subject_id, identity) if since.name)
    return mask_identifier(number_of(subject_id, identity)), names


def _delivered(subject_ids: list[int]) -> _Delivered:
    found = _Delivered()
    if not subject_ids or not _ledger_is_there():
        return found
    for subject_id, unit_id, count in _rows(RECORDS, [subject_ids]):
        found.units.setdefault(subject_id, set()).add(unit_id)
        found.records[subject_id] = found.records.get(subject_id, 0) + count
    for subject_id, name in _rows(NAMES, [subject_ids]):
        found.names.setdefault(subject_id, []).append(name)
    return found


def _ledger_is_there() -> bool:
    [(there,)] = _rows("SELECT to_regclass('ledger_recordhead') IS NOT NULL", [])
    return bool(there)


def _rows(statement: str, values: Mapping[str, Any] | Iterable[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values if isinstance(values, Mapping) else list(values))
        return list(cursor.fetchall())
