"""Read the audit trail (查询审计记录): by who, what, about whom and when, newest first; and how its chain stands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from xinzheng.apps.audit.models import AuditAnchor, AuditEvent, AuditWaiting
from xinzheng.apps.audit.seal_check import CHECKED
from xinzheng.apps.audit.seals import chain_head


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; what is None does not matter. ``until`` is exclusive.

    ``through``: further names under which ``who`` acts, as platforms do for an account.
    """

    who: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """An audit event (审计事件) as it is shown; ``place_in_chain`` and ``head`` are None until it is sealed."""

    id: int
    at: datetime
    who: str
    action: str
    object_kind: str
    object_id: str
    subject_id: int | None
    place: str
    details: Mapping[str, Any]
    place_in_chain: int | None
    head: bytes | None


@dataclass(frozen=True, slots=True)
class TrailState:
    """How the trail stands (审计链状况): what is sealed, waits, is anchored, and what the last check found."""

    count: int
    head: bytes
    waiting: int
    anchored: int
    anchored_at: datetime | None
    checked_at: datetime | None
    faults: int


COMPARED = {"since": "at__gte", "until": "at__lt"}
FIELDS = (
    "id", "at", "who", "action", "object_kind", "object_id", "subject_id", "place", "details",
    "seal__index", "seal__head",
)  # fmt: skip


def events(asked: EventFilter, before: int | None, limit: int) -> list[EventRow]:
    """The newest such events, below number ``before`` where it is given: the last of one page begins the next."""
    wanted = {COMPARED.get(name, name): value for name, value in asdict(asked).items() if value is not None}
    if through := wanted.pop("through"):
        wanted["who__in"] = (wanted.pop("who"), *through)
    if before is not None:
        wanted["id__lt"] = before
    found = AuditEvent.objects.filter(**wanted).order_by("-id").values_list(*FIELDS)[:limit]
    return [_row(members) for members in found]


def trail_state() -> TrailState:
    """What the chain's rows say, and the check of last night; nothing is computed anew."""
    end, last = chain_head(), AuditAnchor.objects.order_by("-index").first()
    check = AuditEvent.objects.filter(action=CHECKED).order_by("-id").first()
    return TrailState(
        count=end.count,
        head=end.head,
        waiting=AuditWaiting.objects.count(),
        anchored=last.index if last else 0,
        anchored_at=last.at if last else None,
        checked_at=check.at if check else None,
        faults=int(check.details["faults"]) if check else 0,
    )


def _row(members: Sequence[Any]) -> EventRow:
    *known, head = members
    return EventRow(*[*known, bytes(head) if head else None])
