"""Share a report by code for whom the platform acts: set terms, show a code that renews itself, take it back."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Header, Path, Router

from xinzheng.api.callers import Body
from xinzheng.api.platforms import PerPlatform, PlatformCaller, PlatformToken
from xinzheng.api.v1.batches import IDEMPOTENCY_KEY
from xinzheng.api.v1.platform.acting import acting_for, own_report, own_share, unfit
from xinzheng.api.v1.platform.code_schemas import ShareAnswer, ShownAnswer, TermsFields
from xinzheng.api.v1.platform.report_schemas import InPath
from xinzheng.api.v1.refusals import refuses
from xinzheng.apps.accounts.idempotency import PlatformRequest, once_for_platform
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_share
from xinzheng.apps.codes.models import Receiver, ShownCode
from xinzheng.apps.codes.sharing import Terms, show, take_back
from xinzheng.apps.codes.sharing import share as share_it
from xinzheng.apps.codes.view_queries import ShareRow
from xinzheng.core.errors import XinzhengError
from xinzheng.core.share_codes import spaced

JSON = Body("application/json", 16 * 1024)
SCOPE = "codes"
# Where an app says which field of its own is wrong.
FIELD_OF = {"period": "hours", "views": "views", "purpose": "purpose", "receiver_name": "receiver"}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=IDEMPOTENCY_KEY,
        description="可以不写；写了的，原样重发得到同一个亮码",
    ),
]
LOCATION: dict[str, Any] = {
    "responses": {201: {"headers": {"Location": {"description": "亮码的地址", "schema": {"type": "string"}}}}}
}

router = Router(tags=["platform"])
throttle: list[Any] = [PerPlatform()]


@dataclass(frozen=True)
class Sharing:
    """Who shares which report on which terms, through which platform."""

    caller: PlatformCaller
    account: Account
    number: str
    fields: TermsFields


@router.post(
    "/reports/{number}/codes",
    auth=PlatformToken(JSON),
    throttle=throttle,
    response={201: ShareAnswer},
    operation_id="shareReport",
    summary="设一个亮码：同意别人按这些条件看报告内容",
    description="须代表用户，权限 codes。条件由主体决定，设了不能改；要改的，收回后另设。码由 shown 取得。"
    "报告状态不是正常的，答复409（report-not-in-force）。",
    openapi_extra=LOCATION | refuses({HTTPStatus.CONFLICT: ("report-not-in-force",)}),
)
def share(
    request: HttpRequest, response: HttpResponse, number: Path[InPath], fields: TermsFields, key: Key = None
) -> ShareAnswer:
    """Consent that the content is looked at."""
    caller, account = acting_for(request, SCOPE)
    own_report(account, number, refusals_to_share)
    sharing = Sharing(caller, account, number, fields)
    made = _shared(sharing) if key is None else _shared_once(sharing, key)
    response.headers["Location"] = reverse("interface-1:platform-code", args=[made])
    return _answer(own_share(account, uuid.UUID(made), refusals_to_share)[0])


def _shared_once(sharing: Sharing, key: str) -> str:
    said = f"{sharing.number} {sharing.fields.model_dump_json()}"
    request = PlatformRequest(sharing.caller.actor, key, hashlib.sha256(said.encode()).digest())
    return once_for_platform(request, lambda: _shared(sharing))


def _shared(sharing: Sharing) -> str:
    try:
        made = share_it(sharing.account, sharing.number, _terms(sharing.fields), by=sharing.caller.actor)
    except XinzhengError as error:
        if error.code == "body-name-invalid":
            raise unfit([("receiver_name", error.message)]) from error
        if error.code == "share-refused":
            field = FIELD_OF.get(str(error.context.get("field")), "body")
            raise unfit([(field, error.message)]) from error
        raise
    return str(made.pk)


def _terms(fields: TermsFields) -> Terms:
    until = timezone.now() + timedelta(hours=fields.hours)
    if fields.receiver is None:
        return Terms(fields.purpose, until, fields.views, fields.receiver_name)
    receiver_id = Receiver.objects.filter(uscc=fields.receiver).values_list("pk", flat=True).first()
    # No receiver has the number nought: an unknown one is refused like one that is not verified.
    return Terms(fields.purpose, until, fields.views, "", receiver_id or 0, fields.may_subscribe)


@router.get(
    "/codes/{uuid:code_id}",
    auth=PlatformToken(),
    throttle=throttle,
    response=ShareAnswer,
    operation_id="readCode",
    summary="查看一个亮码还能不能看、看了几次",
    description="须代表用户，权限 codes。",
    url_name="platform-code",
)
def read_code(request: HttpRequest, code_id: Path[uuid.UUID]) -> ShareAnswer:
    """A share as it stands."""
    _, account = acting_for(request, SCOPE)
    return _answer(own_share(account, code_id, refusals_to_share)[0])


@router.delete(
    "/codes/{uuid:code_id}",
    auth=PlatformToken(),
    throttle=throttle,
    response={204: None},
    operation_id="takeBackCode",
    summary="收回一个亮码：所有码和已打开的页面马上不能再看",
    description="须代表用户，权限 codes。已经收回的，再收回一次答复不变。",
)
def take_code_back(request: HttpRequest, code_id: Path[uuid.UUID]) -> None:
    """Take a share back; who does it twice is answered the same."""
    caller, account = acting_for(request, SCOPE)
    own_share(account, code_id, refusals_to_share)
    try:
        take_back(code_id, by=caller.actor)
    except XinzhengError as error:
        if error.code != "share-over":
            raise


@router.post(
    "/codes/{uuid:code_id}/shown",
    auth=PlatformToken(),
    throttle=throttle,
    response={201: ShownAnswer},
    operation_id="showCode",
    summary="取一个新的码，画成二维码给对方扫",
    description="须代表用户，权限 codes。每次得到的码都不同，每隔 renew_after_seconds 秒取一次；旧码再过30秒失效。"
    "已经收回、过期或者用完的，答复409（share-over）。",
    openapi_extra=refuses({HTTPStatus.CONFLICT: ("share-over", "report-not-in-force")}),
)
def show_code(request: HttpRequest, code_id: Path[uuid.UUID]) -> ShownAnswer:
    """A fresh code for the screen."""
    caller, account = acting_for(request, SCOPE)
    own_share(account, code_id, refusals_to_share)
    shown = show(code_id, ShownCode.Form.SCREEN, by=caller.actor)
    return ShownAnswer(
        address=f"{settings.XINZHENG_ORIGIN}/s/{shown.secret}",
        typed=spaced(shown.typed),
        good_until=shown.good_until,
        renew_after_seconds=settings.XINZHENG_SHARE_SECONDS,
    )


def _answer(row: ShareRow) -> ShareAnswer:
    return ShareAnswer.model_validate(
        {
            "id": row.id,
            "number": row.number,
            "purpose_name": row.purpose_name,
            "receiver_name": row.receiver_name,
            "views_allowed": row.views_allowed,
            "views_used": row.used,
            "expires_at": row.expires_at,
            "created_at": row.created_at,
            "state": row.state,
        }
    )
