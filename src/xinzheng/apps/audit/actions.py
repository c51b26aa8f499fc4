"""Write entries, positions and audit events, inside the caller's transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.core.errors import XinzhengError

# Constant of the one lock under which positions are given; nothing else may lock it.
POSITION_LOCK = 0x706F736974696F6E

TAKE_POSITION = """
    INSERT INTO audit_position (position, entry_id)
    SELECT coalesce(max(position), 0) + 1, %s FROM audit_position
    RETURNING position
"""
WRITE_EVENT = """
    INSERT INTO audit_auditevent (who, action, object_kind, object_id, details, subject_id, place)
    VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s) RETURNING id
"""


@dataclass(frozen=True)
class About:
    """Details of an event that is a subject's own affair, so that it may be told: its key in the registry.

    ``place``: from where it was done, coarse.
    """

    subject_id: int | None
    place: str = ""
    details: Mapping[str, Any] | None = None


class PersonalDataError(XinzhengError):
    """A text for the audit trail holds an identity number."""

    code = "personal-data-in-audit"


def open_entry(*, kind: str, by: str, unit_id: int | None = None, note: Mapping[str, Any] | None = None) -> Entry:
    """Write the entry that rows of this transaction refer to.

    Args:
        kind: what happens, kebab-case, e.g. ``batch``, ``coverage-declared``.
        by: who does it: ``account:<id>``, ``command-line`` or ``system``; never a person's name.
        unit_id: the unit it happens for.
        note: small JSON facts, without personal data.

    The entry is visible to nobody before ``take_position`` and the commit; both belong into the same transaction.
    """
    _require_transaction()
    return Entry.objects.create(kind=kind, actor=by, unit_id=unit_id, note=_clean(note))


def take_position(entry: Entry) -> int:
    """Give the entry its place and return it; call this last, just before the transaction commits.

    The lock is held until the commit, so that whoever gets the next position commits later: positions become visible
    in their order and without gaps, and a reader who sees position P sees all that happened up to P.
    A reader's "latest version of each record with position <= P" therefore never changes afterwards.

    Raises:
        TransactionManagementError: outside a transaction the lock would be gone before the row is visible.
    """
    _require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [POSITION_LOCK])
        # A statement of its own: its snapshot is taken after the lock, so it sees the row of the one before.
        cursor.execute(TAKE_POSITION, [entry.pk])
        (position,) = cursor.fetchone()
    return int(position)


def check_constraints_now() -> None:
    """Check what is checked at the commit: whoever took a position would let everybody else wait for it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def record_event(
    *,
    who: str,
    action: str,
    object_kind: str,
    object_id: object,
    details: Mapping[str, Any] | About | None = None,
) -> int:
    """Write who did what to which object, in the caller's transaction, so that neither exists without the other.

    Returns:
        the event's number.

    Args:
        who: ``account:<id>``, ``command-line``, ``system`` or ``public``.
        action: kebab-case verb phrase, e.g. ``report-issued``.
        object_kind: what the object is, e.g. ``report``.
        object_id: its surrogate key or public number, never a name or an identity number.
        details: small JSON facts, without personal data; of a subject's affair, About.

    Raises:
        PersonalDataError: an identity number is in what shall be written.
    """
    about = details if isinstance(details, About) else About(None, details=details)
    facts = json.dumps(dict(about.details or {}), ensure_ascii=False)
    object_key = str(object_id)
    for text in (who, object_key, about.place, facts):
        _clean_text(text)
    values = [who, action, object_kind, object_key, facts, about.subject_id, about.place]
    # Of all that is done this is done most often; a model would cost as much again as the row itself.
    with connection.cursor() as cursor:
        cursor.execute(WRITE_EVENT, values)
        (number,) = cursor.fetchone()
    return int(number)


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("entries and positions need a transaction around them")


def _clean(facts: Mapping[str, Any] | None) -> dict[str, Any]:
    found = dict(facts or {})
    _clean_text(json.dumps(found, ensure_ascii=False, default=str))
    return found


def _clean_text(text: str) -> str:
    if IDENTITY_NUMBER.search(text):
        raise PersonalDataError("审计记录和账本说明中不得出现身份号码；请改用内部编号。")
    return text
