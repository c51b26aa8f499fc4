"""Reading shares and views: what the subject sees of its codes and of everybody who looked."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import ShareCode, View, ViewDetail

FORGOTTEN = "已按保存期限删除"
SAID, SIGNED_IN, VERIFIED = "自己填写，没有核实", "本站账户", "已核实的单位"
ON_DUTY = {"report-read": "查看内容", "report-downloaded": "下载文件"}


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One look at a report's content (查看记录): when, who and how that is known, for what, from where, how."""

    at: datetime
    who: str
    known_by: str
    purpose: str
    place: str
    device: str
    way: str
    share_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share as its subject sees it: its terms, how often it was used, and whether it still opens anything."""

    id: uuid.UUID
    number: str
    purpose_name: str
    receiver_name: str
    views_allowed: int
    used: int
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None
    is_bound: bool = False
    may_subscribe: bool = False

    @property
    def left(self) -> int:
        """How many looks are left."""
        return max(0, self.views_allowed - self.used)

    @property
    def state(self) -> str:
        """active, taken_back, late or used_up."""
        if self.ended_at is not None:
            return "taken_back"
        if self.expires_at <= timezone.now():
            return "late"
        return "active" if self.left else "used_up"

    @property
    def words(self) -> str:
        """The state in words."""
        return {"active": "可以看", "taken_back": "已收回", "late": "已过期", "used_up": "次数已用完"}[self.state]


def share_row(share_id: uuid.UUID) -> tuple[ShareRow, int] | None:
    """A share, and the subject it is of; None where there is none."""
    found = _counted(ShareCode.objects.filter(pk=share_id)).first()
    return (_share_row(found), found.subject_id) if found else None


def shares_of(number: str) -> list[ShareRow]:
    """A report's shares, newest first."""
    return [_share_row(found) for found in _counted(ShareCode.objects.filter(report_number=number))]


def shares_of_subject(subject_id: int, at_most: int = 100) -> list[ShareRow]:
    """A subject's shares, newest first."""
    return [_share_row(found) for found in _counted(ShareCode.objects.filter(subject_id=subject_id))[:at_most]]


def _counted(found: QuerySet[ShareCode]) -> QuerySet[ShareCode]:
    return found.select_related("end").annotate(used=Count("views")).order_by("-created_at", "-id")


def _share_row(found: ShareCode) -> ShareRow:
    end = getattr(found, "end", None)
    return ShareRow(
        found.pk,
        found.report_number,
        found.purpose_name,
        found.receiver_name,
        found.views_allowed,
        found.used,  # type: ignore[attr-defined]  # annotated
        found.expires_at,
        found.created_at,
        end.at if end is not None else None,
        found.receiver_id is not None,
        found.may_subscribe,
    )


def views_of(
    *, share_id: uuid.UUID | None = None, number: str = "", receiver_id: int | None = None, at_most: int = 100
) -> list[ViewRow]:
    """Looks of a share, at a report, or by a receiver (one of the three), newest first."""
    wanted = Q(share_id=share_id) if share_id else Q(receiver_id=receiver_id) if receiver_id else Q()
    if number:
        wanted &= Q(share__report_number=number)
    if not wanted:
        raise ValueError("name a share, a report or a receiver")
    found = list(View.objects.filter(wanted).select_related("detail").order_by("-at")[:at_most])
    return [_view_row(view) for view in found]


def _view_row(view: View) -> ViewRow:
    detail: ViewDetail | None = getattr(view, "detail", None)
    known = VERIFIED if view.receiver_id is not None else SIGNED_IN if view.account_id is not None else SAID
    way = View.Way(view.way).label
    if detail is None:
        return ViewRow(view.at, FORGOTTEN, known, "", "", "", way, view.share_id)
    return ViewRow(
        view.at, detail.body_name, known, detail.purpose_name, detail.place, detail.device, way, view.share_id
    )


def looks_on_duty(number: str, at_most: int = 50) -> list[ViewRow]:
    """Looks of the office and the auditor at a report's content, newest first: by office, not by person."""
    events = AuditEvent.objects.filter(object_kind="report", object_id=number, action__in=ON_DUTY)
    rows = list(events.order_by("-id")[:at_most])
    roles = _roles(row.who for row in rows)
    return [
        ViewRow(row.at, roles[row.who].label, "履行职责", ON_DUTY[row.action], row.place, "", "")
        for row in rows
        if row.who in roles and roles[row.who] != Role.SUBJECT_AGENT
    ]


def _roles(actors: Iterable[str]) -> dict[str, Role]:
    keys = {int(actor.partition(":")[2]): actor for actor in actors if actor.startswith("account:")}
    found = Account.objects.filter(pk__in=keys).values_list("pk", "role") if keys else ()
    return {keys[key]: Role(role) for key, role in found}
