"""Successions (承继关系) as they stand: what a file is compared with, and how a wrong one is withdrawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.registry.models import Succession, SuccessionRevision
from xinzheng.core.errors import XinzhengError

# Subject, successor, kind: what a succession is known by.
Link: TypeAlias = tuple[int, int, str]

STATES = """
    SELECT s.id, s.subject_id, s.successor_id, s.kind, coalesce(r.is_ended, false),
           CASE WHEN r.id IS NULL THEN s.date ELSE r.date END
    FROM registry_succession s
    LEFT JOIN LATERAL (
        SELECT r.id, r.is_ended, r.date
        FROM registry_successionrevision r JOIN audit_position p ON p.entry_id = r.entry_id
        WHERE r.succession_id = s.id ORDER BY p.position DESC LIMIT 1
    ) r ON true
    WHERE s.subject_id = ANY(%s)
"""

ENDED = """coalesce((
    SELECT r.is_ended FROM registry_successionrevision r JOIN audit_position p ON p.entry_id = r.entry_id
    WHERE r.succession_id = s.id ORDER BY p.position DESC LIMIT 1
), false)"""

# Whom the subjects have become part of, and those in turn; UNION ends at a ring.
ABOVE = f"""
    WITH RECURSIVE above(subject_id, successor_id) AS (
        SELECT s.subject_id, s.successor_id FROM registry_succession s WHERE s.subject_id = ANY(%s) AND NOT {ENDED}
        UNION
        SELECT s.subject_id, s.successor_id
        FROM above a JOIN registry_succession s ON s.subject_id = a.successor_id AND NOT {ENDED}
    )
    SELECT subject_id, successor_id FROM above
"""  # noqa: S608

KIND_NAMES: Mapping[str, str] = MappingProxyType(
    {"renamed": "更名", "merged": "吸收合并", "split": "分立", "branch": "分支机构", "mistyped": "误录代码"}
)


class SuccessionError(XinzhengError):
    """There is no such succession, it is withdrawn already, or no reason is given."""

    code = "succession-unknown"


@dataclass(frozen=True, slots=True)
class SuccessionState:
    """A succession as its latest revision leaves it."""

    id: int
    is_ended: bool
    date: date | None


def succession_states(subject_ids: Iterable[int]) -> dict[Link, SuccessionState]:
    """The successions of these subjects (not those to them)."""
    with connection.cursor() as cursor:
        cursor.execute(STATES, [list(subject_ids)])
        return {
            (subject, successor, kind): SuccessionState(key, ended, day)
            for key, subject, successor, kind, ended, day in cursor.fetchall()
        }


def successors_above(subject_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Every standing succession on the way up from these subjects, as (subject, successor)."""
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, [list(subject_ids)])
        return list(cursor.fetchall())


@transaction.atomic
def withdraw_succession(link: Link, *, reason: str, by: str) -> int:
    """Withdraw a wrong succession (撤销承继关系): nothing is edited, a revision says from when on it no longer holds.

    Returns:
        the position of the withdrawal; what was read at an earlier one stays as it was.

    Raises:
        SuccessionError: ``succession-unknown``, ``succession-ended``, ``reason-missing`` or ``reason-personal``.
    """
    if not reason.strip():
        raise SuccessionError("请写明撤销的理由。", code="reason-missing")
    if IDENTITY_NUMBER.search(reason):
        raise SuccessionError("理由会长期保存，不得写公民身份号码，请删去。", code="reason-personal")
    subject_id, successor_id, kind = link
    # The row is locked so that two withdrawals at once are one and a refusal.
    found = Succession.objects.select_for_update().filter(subject=subject_id, successor=successor_id, kind=kind)
    if not found:
        raise SuccessionError(f"两个主体之间没有登记“{KIND_NAMES.get(kind, kind)}”关系，请核对代码和关系。")
    if succession_states([subject_id])[link].is_ended:
        raise SuccessionError("该承继关系已经撤销，不用再次办理。", code="succession-ended")
    entry = open_entry(kind="succession-withdrawn", by=by, note={"succession": found[0].pk})
    SuccessionRevision.objects.create(entry=entry, succession=found[0], is_ended=True, reason=reason.strip())
    record_event(who=by, action="succession-withdrawn", object_kind="succession", object_id=found[0].pk)
    return take_position(entry)
