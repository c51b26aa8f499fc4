"""Check the chain of audit events (核查审计链): every event against its seal, and the anchors against the log."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.models import AuditSeal, AuditWaiting
from xinzheng.apps.audit.seals import ANCHOR_KIND, chain_head, chained_events
from xinzheng.core.audit_chain import NO_HEAD, NotedHead, event_bytes, next_head
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import AuditLeaf, read_leaf
from xinzheng.core.merkle import leaf_hash

logger = logging.getLogger(__name__)
CHECKED = "audit-checked"
AT_ONCE = 10_000
FAULTS_TOLD = 20

SEALED = "SELECT index, event_id, head FROM audit_auditseal WHERE index > %s AND index <= %s ORDER BY index"
LOST = """
    SELECT count(*), min(event.id) FROM audit_auditevent event
    WHERE NOT EXISTS (SELECT 1 FROM audit_auditseal seal WHERE seal.event_id = event.id)
    AND NOT EXISTS (SELECT 1 FROM audit_auditwaiting waiting WHERE waiting.event_id = event.id)
"""
QUEUED_WRONGLY = """
    SELECT count(*) FROM audit_auditwaiting waiting
    WHERE NOT EXISTS (SELECT 1 FROM audit_auditevent event WHERE event.id = waiting.event_id)
    OR EXISTS (SELECT 1 FROM audit_auditseal seal WHERE seal.event_id = waiting.event_id)
"""
# Each anchor beside its leaf and the seal it speaks of; each may be missing.
ANCHORS = """
    SELECT anchor.index, anchor.head, leaf.data, leaf.leaf_hash, seal.head
    FROM audit_auditanchor anchor
    FULL JOIN (SELECT data, leaf_hash FROM audit_logleaf WHERE kind = %s) leaf ON leaf.leaf_hash = anchor.leaf_hash
    LEFT JOIN audit_auditseal seal ON seal.index = anchor.index
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What was found (核查结果): how much is sealed and anchored, and in Chinese what does not fit.

    ``anchored`` is the greatest number of events whose head stands in the log; 0 before the first.
    """

    count: int
    head: bytes
    anchored: int
    waiting: int
    faults: tuple[str, ...]


def check_chain() -> ChainFacts:
    """Compute the chain again, as far as it reached when the check began; sealing goes on meanwhile."""
    end = chain_head()
    anchors = list(_anchors())
    faults = [*_faults_of_seals(end.count), *_faults_of_queue()]
    faults += [fault for row in anchors for fault in _faults_of_anchor(row)]
    anchored = max((index for index, *_ in anchors if index is not None), default=0)
    if len(faults) > FAULTS_TOLD:
        faults[FAULTS_TOLD:] = [f"此外还有{len(faults) - FAULTS_TOLD}处不符。"]
    return ChainFacts(end.count, end.head, anchored, AuditWaiting.objects.count(), tuple(faults))


def note_check() -> ChainFacts:
    """Check the chain, and write what was found into the trail itself, so that a page can say when and how it stood."""
    found = check_chain()
    for fault in found.faults:
        logger.error(fault)
    with transaction.atomic():
        details = {"head": found.head.hex(), "anchored": found.anchored, "faults": len(found.faults)}
        record_event(who="system", action=CHECKED, object_kind="audit", object_id=found.count, details=details)
    return found


def faults_of_noted(noted: Sequence[NotedHead]) -> list[str]:
    """In Chinese, which heads that somebody wrote down are not those of the chain."""
    stored = dict(AuditSeal.objects.filter(index__in=[one.count for one in noted]).values_list("index", "head"))
    return [
        f"第{one.count}条的链值与另行记下的不同，或者没有这一条：审计链被改写。"
        for one in noted
        if bytes(stored.get(one.count, b"")) != one.head
    ]


def _faults_of_seals(count: int) -> Iterator[str]:
    """Each seal is weighed against the one before as it is stored: a changed event is told once, at its own place."""
    head, done = NO_HEAD, 0
    while done < count:
        upto = min(done + AT_ONCE, count)
        rows = _rows(SEALED, [done, upto])
        events = chained_events([event_id for _, event_id, _ in rows])
        for index, event_id, stored in rows:
            event = events.get(event_id)
            if index != done + 1:
                yield f"审计链第{done}条之后缺{index - done - 1}条封存：封存被移走。"
            if event is None:
                yield f"审计链第{index}条：审计记录{event_id}不见了，记录被移走。"
            elif next_head(head, event_bytes(event)) != bytes(stored) and index == done + 1:
                yield f"审计链第{index}条：审计记录{event_id}与封存时不同，记录或者封存被改动过。"
            head, done = bytes(stored), index
        done = max(done, upto)


def _faults_of_queue() -> Iterator[str]:
    ((lost, first),) = _rows(LOST, [])
    if lost:
        yield f"有{lost}条审计记录（自编号{first}起）既没有封存，也不在等待封存：触发器或者等待清单被动过。"
    ((wrong,),) = _rows(QUEUED_WRONGLY, [])
    if wrong:
        yield f"等待封存的清单里有{wrong}条没有对应的记录，或者已经封存：清单被动过。"


def _anchors() -> list[tuple[Any, ...]]:
    return _rows(ANCHORS, [ANCHOR_KIND])


def _faults_of_anchor(row: tuple[Any, ...]) -> Iterator[str]:
    index, head, data, data_hash, sealed = row
    if index is None:
        yield "透明日志里有一条审计记录的锚定，锚定清单里没有：清单被动过。"
        return
    if data is None:
        yield f"审计记录{index}条时的锚定不在透明日志里：日志或者锚定被动过。"
    if sealed is None:
        yield f"审计链比锚定时短：当时有{index}条。"
        return
    if bytes(head) != bytes(sealed):
        yield f"审计记录{index}条时的链值与锚定时不同：审计链被改写。"
    if data is not None and not _says(bytes(data), bytes(data_hash), (index, bytes(sealed))):
        yield f"审计记录{index}条时的链值与透明日志所记不同：审计链被改写。"


def _says(data: bytes, data_hash: bytes, expected: tuple[int, bytes]) -> bool:
    try:
        told = read_leaf(data)
    except XinzhengError:
        return False
    return isinstance(told, AuditLeaf) and (told.count, told.head) == expected and leaf_hash(data) == data_hash


def _rows(query: str, values: list[int | str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
