"""The chain of audit events (审计链): each seal is SHA-256 over 0x02, the seal before it, and the event's own bytes.

An event's bytes are RFC 8785 of an object of texts and whole numbers. ``details`` stands in it as the text the
database keeps, not as an object, so that no reader has to agree with another on how a number is written.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

NO_HEAD = bytes(32)
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An audit event (审计事件) as it is sealed; ``details`` is JSON text, ``at`` is aware."""

    id: int
    who: str
    action: str
    object_kind: str
    object_id: str
    at: datetime
    details: str
    subject_id: int | None
    place: str


@dataclass(frozen=True, slots=True)
class NotedHead:
    """A head that somebody wrote down (另记的链值): with ``count`` events the chain had this seal last."""

    count: int
    head: bytes


@dataclass(frozen=True, slots=True)
class CheckedLines:
    """What was found in an exported trail: its first and last place, the last seal, and in Chinese what is wrong."""

    first: int
    last: int
    head: bytes
    faults: tuple[str, ...]


def event_bytes(event: ChainedEvent) -> bytes:
    """The bytes that are sealed: one text for one event, whoever writes it."""
    members = {
        "action": event.action,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "details": event.details,
        "id": event.id,
        "object_id": event.object_id,
        "object_kind": event.object_kind,
        "place": event.place,
        "subject_id": event.subject_id,
        "who": event.who,
    }
    return CANONICAL(members).encode()


def next_head(head: bytes, data: bytes) -> bytes:
    """The seal of an event with these bytes after the seal ``head``; before the first stands ``NO_HEAD``.

    0x02 tells it from the log's leaves (0x00) and nodes (0x01).
    """
    return sha256(b"\2" + head + data).digest()


def export_line(index: int, event: ChainedEvent, head: bytes) -> str:
    """A sealed event as one line of an exported trail, without its end."""
    return f'{{"event":{event_bytes(event).decode()},"head":"{head.hex()}","index":{index}}}'


def check_lines(lines: Iterable[str], noted: Sequence[NotedHead] = ()) -> CheckedLines:
    """Compute the chain of an exported trail again; of a trail that begins later the first seal is taken as it is."""
    wanted = {one.count: one.head for one in noted}
    first, last, head, faults = 0, 0, NO_HEAD, []
    for number, line in enumerate(lines, 1):
        found = _read_line(line)
        if found is None:
            faults.append(f"第{number}行读不出。")
            break
        index, data, stored = found
        if first and index != last + 1:
            faults.append(f"第{number}行不连续：上一条是第{last}条，这一条是第{index}条。")
        elif (first or index == 1) and next_head(head, data) != stored:
            faults.append(f"第{number}行与链值不符，记录被改动过。")
        if wanted.pop(index, stored) != stored:
            faults.append(f"第{index}条的链值与另行记下的不同，审计链被改写。")
        first, last, head = first or index, index, stored
    faults += [f"文件里没有第{count}条，没有核对另行记下的链值。" for count in wanted]
    return CheckedLines(first, last, head, tuple(faults))


def _read_line(line: str) -> tuple[int, bytes, bytes] | None:
    try:
        told = json.loads(line)
        data = CANONICAL(told["event"]).encode()
        return int(told["index"]), data, bytes.fromhex(told["head"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
