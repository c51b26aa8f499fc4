"""Apply for a report for whom the platform acts, and follow it."""

import hashlib
import uuid
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Header, Path, Query, Router

from xinzheng.api.callers import Body
from xinzheng.api.platforms import PerPlatform, PlatformCaller, PlatformToken
from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.batches import IDEMPOTENCY_KEY, PROGRESS_ADDRESS
from xinzheng.api.v1.platform.acting import acting_for, own_application, subject_name, subject_named, unfit
from xinzheng.api.v1.platform.applying_schemas import (
    ApplicationAnswer,
    ApplicationFields,
    ChoiceAnswer,
    FormsAnswer,
    PolicyFormAnswer,
    SubjectName,
)
from xinzheng.api.v1.platform.asked import request_of
from xinzheng.api.v1.refusals import refuses
from xinzheng.apps.accounts.idempotency import PlatformRequest, once_for_platform
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_apply
from xinzheng.apps.reports.applications import Applying, submit_application
from xinzheng.apps.reports.daily_limits import DailyLimitError, left_today
from xinzheng.apps.reports.forms import application_form, open_policies, told_of
from xinzheng.apps.reports.models import Application
from xinzheng.core.decision import CHINA, china_date

JSON = Body("application/json", 64 * 1024)
SCOPE = "reports:apply"
TOO_OFTEN = ("too-many-requests", "too-many-wrong-keys", "daily-limit-reached")
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=IDEMPOTENCY_KEY,
        description="调用方自定；没有收到答复时原样重发，得到同一份申请",
    ),
]

router = Router(tags=["platform"])
throttle: list[Any] = [PerPlatform()]


@router.get(
    "/application-forms",
    auth=PlatformToken(),
    throttle=throttle,
    response=FormsAnswer,
    operation_id="readApplicationForms",
    summary="主体今天可以按哪些政策申请，有哪些用途、领域和不能代替的情形",
    description="须代表用户，权限 reports:apply。申请前把 exceptions 给主体看，看过后把 exceptions_seen 随申请送回。",
)
def forms(request: HttpRequest, subject: Annotated[SubjectName, Query()]) -> FormsAnswer:
    """The preset forms of the subject."""
    _, account = acting_for(request, SCOPE)
    subject_id = subject_named(account, subject, refusals_to_apply)
    found = [application_form(policy_id, subject_id) for policy_id, _ in open_policies(subject_id)]
    today = china_date(timezone.now())
    return FormsAnswer(
        subject=subject_name(account, subject_id),
        name=found[0].subject_name if found else "",
        policies=[
            PolicyFormAnswer(
                policy=form.policy_id,
                title=form.policy_title,
                document=form.document,
                purposes=[ChoiceAnswer(code=code, name=name) for code, name, _ in form.purposes],
                domains=[ChoiceAnswer(code=code, name=name) for code, name in form.domains],
                may_choose_domains=form.may_choose_domains,
                from_date=form.from_date,
                to_date=form.to_date,
                may_choose_period=form.may_choose_period,
                exceptions=form.exceptions,
                exceptions_seen=told_of(form),
                left_today=left_today(subject_id, form.policy_id, today),
            )
            for form in found
        ],
    )


@router.post(
    "/applications",
    auth=PlatformToken(JSON),
    throttle=throttle,
    response={202: ApplicationAnswer},
    operation_id="apply",
    summary="申请报告",
    description="须代表用户，权限 reports:apply。收下即答复202，在后台出具；Location 头是进度地址。"
    "同一 Idempotency-Key 原样重发，得到同一份申请；用于内容不同的申请，答复422。"
    "到了每天最多的份数，答复429（daily-limit-reached），Retry-After 头是到明天的秒数。",
    openapi_extra=PROGRESS_ADDRESS | refuses({HTTPStatus.TOO_MANY_REQUESTS: TOO_OFTEN}),
)
def apply(request: HttpRequest, response: HttpResponse, fields: ApplicationFields, key: Key) -> ApplicationAnswer:
    """Have a report made; the same request sent again is the same application."""
    caller, account = acting_for(request, SCOPE)
    subject_id = subject_named(account, fields.subject, refusals_to_apply, "body")
    digest = hashlib.sha256(fields.model_dump_json().encode()).digest()
    made = once_for_platform(
        PlatformRequest(caller.actor, key, digest), lambda: _submitted(caller, account, subject_id, fields)
    )
    response.headers["Location"] = reverse("interface-1:platform-application", args=[made])
    return _answer(account, Application.objects.get(pk=made))


def _submitted(caller: PlatformCaller, account: Account, subject_id: int, fields: ApplicationFields) -> str:
    if fields.policy not in dict(open_policies(subject_id)):
        raise unfit([("policy", "这个主体现在不能按这项政策申请，可以按哪些政策见 application-forms。")])
    form = application_form(fields.policy, subject_id)
    applying = Applying(
        account,
        subject_id,
        fields.policy,
        request_of(form, fields),
        fields.receiver_name,
        client_id=caller.platform.pk,
        told=told_of(form),
    )
    try:
        return str(submit_application(applying, uuid.uuid4()).pk)
    except DailyLimitError as error:
        headers = {"Retry-After": str(_seconds_left_today())}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, error.code, error.message, headers=headers) from error


def _seconds_left_today() -> int:
    """Until the day ends in China."""
    now = timezone.now().astimezone(CHINA)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time.min, CHINA)
    return int((tomorrow - now).total_seconds()) + 1


@router.get(
    "/applications/{uuid:application_id}",
    auth=PlatformToken(),
    throttle=throttle,
    response=ApplicationAnswer,
    operation_id="readApplication",
    summary="查看一份申请的进度",
    description="须代表用户，权限 reports:apply。建议每隔2秒查询一次，一般几秒内出具。",
    url_name="platform-application",
)
def application(request: HttpRequest, application_id: Path[uuid.UUID]) -> ApplicationAnswer:
    """How far an application is."""
    _, account = acting_for(request, SCOPE)
    return _answer(account, own_application(account, application_id, refusals_to_apply))


def _answer(account: Account, found: Application) -> ApplicationAnswer:
    return ApplicationAnswer.model_validate(
        {
            "id": found.pk,
            "subject": subject_name(account, found.subject_id),
            "policy": found.policy_id,
            "purpose": found.request.get("purpose"),
            "receiver_name": found.receiver_name,
            "status": found.state,
            "number": found.number,
            "message": found.message or None,
            "created_at": found.created_at,
        }
    )
