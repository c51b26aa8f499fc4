"""What the platform is told (通知): of its receiver's subscriptions, and about itself; kept, so that none is missed."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from xinzheng.api.platforms import PerPlatform, PlatformToken, platform_caller, require
from xinzheng.api.v1.platform.acting import unfit
from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.codes.receivers import objections

MOST = 200
TOLD: JsonDict = {
    "notices": [
        {
            "id": "0b7e5c9e-2f4b-4c55-8a9f-6f7f0c1f4d11",
            "event": "report-not-in-force",
            "at": "2026-11-22T12:00:03Z",
            "body": {"number": "SZ2026112200000015", "status": "superseded", "since": "2026-11-22T12:00:00+00:00"},
        }
    ],
    "next": None,
}

router = Router(tags=["platform"])
throttle: list[Any] = [PerPlatform()]


class NoticeAnswer(BaseModel):
    """One notice; the same as is posted to a webhook."""

    id: uuid.UUID
    event: str = Field(description="发生了什么")
    at: datetime
    body: dict[str, Any] = Field(description="内容，没有个人信息")


class NoticesAnswer(BaseModel):
    """A page of notices, newest first; ``next`` is the address of the next one, null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [TOLD]})

    notices: list[NoticeAnswer]
    next: str | None = Field(description="下一页的地址；最后一页为空")


@router.get(
    "/notices",
    auth=PlatformToken(),
    throttle=throttle,
    response=NoticesAnswer,
    operation_id="listNotices",
    summary="逐页取回给平台、给平台所属单位的通知",
    description="权限 notices。最新的在前；没有收到回调的，从这里补取。",
    url_name="platform-notices",
)
def notices(
    request: HttpRequest,
    before: Annotated[uuid.UUID | None, Query(description="上一页 next 中的位置")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> NoticesAnswer:
    """A page of the platform's notices."""
    caller = platform_caller(request)
    require(caller, "notices")
    own = _notices_of(caller.platform)
    found = own
    if before is not None:
        last = own.filter(pk=before).first()
        if last is None:
            raise unfit([("before", "不是上一页 next 中的位置。")], "query")
        found = own.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    rows = list(found.order_by("-at", "-id")[: limit + 1])
    following = None
    if len(rows) > limit:
        following = f"{reverse('interface-1:platform-notices')}?before={rows[limit - 1].pk}&limit={limit}"
    platform_id = caller.platform.pk
    record_event(who=caller.actor, action="notices-listed", object_kind="platform", object_id=platform_id)
    answers = [NoticeAnswer(id=row.pk, event=row.event, at=row.at, body=row.body) for row in rows[:limit]]
    return NoticesAnswer(notices=answers, next=following)


def _notices_of(platform: Platform) -> QuerySet[Notice]:
    wanted = Q(client_id=platform.pk)
    if platform.receiver_id is not None and not objections(platform.receiver_id):
        wanted |= Q(receiver_id=platform.receiver_id)
    return Notice.objects.filter(wanted)
