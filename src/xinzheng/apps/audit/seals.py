"""Sealing audit events (审计封存): each gets its place in a chain, behind whoever wrote it, and nobody waits for that.

The chain's head goes into the transparency log now and then: from then on not even the operator can tell another story.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.audit.log import add_leaf
from xinzheng.apps.audit.models import AuditAnchor, AuditSeal
from xinzheng.core.audit_chain import NO_HEAD, ChainedEvent, event_bytes, next_head
from xinzheng.core.leaves import audit_leaf
from xinzheng.core.merkle import leaf_hash

# Constant of the lock under which events are sealed; nothing else may lock it.
CHAIN_LOCK = 0x6175647365616C
MOST_AT_ONCE = 20_000
ANCHORED_EVERY = timedelta(minutes=10)
ANCHOR_KIND = "audit-head"

WAITING = "SELECT event_id FROM audit_auditwaiting ORDER BY event_id LIMIT %s"
# By their numbers alone: a join would leave the planner the choice to read the whole trail for a few of its events.
EVENTS = """
    SELECT id, who, action, object_kind, object_id, at, details::text, subject_id, place
    FROM audit_auditevent WHERE id = ANY(%s)
"""
WRITE_SEALS = "COPY audit_auditseal (index, event_id, head) FROM STDIN (FORMAT BINARY)"


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The chain's end (链值): how many events are sealed, and the newest seal."""

    count: int = 0
    head: bytes = NO_HEAD


def chain_head() -> ChainHead:
    """As far as the chain reaches now."""
    newest = AuditSeal.objects.order_by("-index").values_list("index", "head").first()
    return ChainHead(newest[0], bytes(newest[1])) if newest else ChainHead()


def chained_events(ids: Sequence[int]) -> dict[int, ChainedEvent]:
    """Those of the events that there are, by number: what the database holds, not what it was once given."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [list(ids)])
        return {row[0]: ChainedEvent(*row) for row in cursor.fetchall()}


def seal_events(at: datetime) -> int:
    """Seal every event that waits, in the order of their numbers, and anchor the head when it is due.

    One whose transaction commits later is sealed the next time. Returns how many there are in the chain then.
    """
    while True:
        with transaction.atomic():
            head, count = _seal_stretch()
            if count < MOST_AT_ONCE:
                anchor(head, at)
                return head.count


def anchor(head: ChainHead, at: datetime) -> None:
    """Put the head into the log, unless it stands there or another was put there a moment ago."""
    last = AuditAnchor.objects.order_by("-index").first()
    if head.count == 0 or (last is not None and (last.index >= head.count or last.at > at - ANCHORED_EVERY)):
        return
    data = audit_leaf(head.count, head.head, at)
    add_leaf(data=data, kind=ANCHOR_KIND, object_id=str(head.count))
    AuditAnchor.objects.create(index=head.count, head=head.head, leaf_hash=leaf_hash(data), at=at)


def _seal_stretch() -> tuple[ChainHead, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        # Statements of their own: their snapshots are taken after the lock, so they see what the sealer before left.
        before = chain_head()
        cursor.execute(WAITING, [MOST_AT_ONCE])
        found = chained_events([event_id for (event_id,) in cursor.fetchall()])
        events = [found[event_id] for event_id in sorted(found)]
        if not events:
            return before, 0
        seals = list(_seals(before, events))
        with cursor.copy(WRITE_SEALS) as copy:
            copy.set_types(("int8", "int8", "bytea"))
            for seal in seals:
                copy.write_row(seal)
        cursor.execute("DELETE FROM audit_auditwaiting WHERE event_id = ANY(%s)", [[event.id for event in events]])
    index, _, head = seals[-1]
    return ChainHead(index, head), len(events)


def _seals(before: ChainHead, events: Sequence[ChainedEvent]) -> Iterator[tuple[int, int, Any]]:
    head = before.head
    for index, event in enumerate(events, before.count + 1):
        head = next_head(head, event_bytes(event))
        yield index, event.id, head
