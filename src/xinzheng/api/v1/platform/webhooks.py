"""Have notices posted to the platform's own address (回调): register, look, try, change the secret, end."""

from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Path, Router

from xinzheng.api.callers import Body
from xinzheng.api.limits import count
from xinzheng.api.platforms import PerPlatform, PlatformToken, platform_caller, require
from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.platform.webhook_schemas import (
    MadeWebhookAnswer,
    NewSecretAnswer,
    TriedAnswer,
    WebhookAnswer,
    WebhookDeliveryAnswer,
    WebhookDetailAnswer,
    WebhookFields,
    WebhooksAnswer,
)
from xinzheng.api.v1.refusals import refuses
from xinzheng.apps.codes.models import Delivery, Webhook
from xinzheng.apps.codes.webhook_calls import try_webhook
from xinzheng.apps.codes.webhooks import (
    Owner,
    deliveries_of,
    end_webhook,
    register_webhook,
    rotate_webhook_secret,
    webhook_of,
    webhooks_of,
)

JSON = Body("application/json", 16 * 1024)
SCOPE = "webhooks"
TESTS_A_MINUTE = 6
FOR_ITSELF = "平台用自己的令牌，权限 webhooks。"
LOCATION: dict[str, Any] = {
    "responses": {201: {"headers": {"Location": {"description": "回调的地址", "schema": {"type": "string"}}}}}
}
Number = Annotated[int, Path(ge=0, description="回调编号")]

router = Router(tags=["platform"])
throttle: list[Any] = [PerPlatform()]


@router.get(
    "/webhooks",
    auth=PlatformToken(),
    throttle=throttle,
    response=WebhooksAnswer,
    operation_id="listWebhooks",
    summary="列出在用的回调",
    description=FOR_ITSELF,
)
def listed(request: HttpRequest) -> WebhooksAnswer:
    """The platform's webhooks."""
    owner, _ = _owner(request)
    return WebhooksAnswer(webhooks=[WebhookAnswer(**_facts(webhook)) for webhook in webhooks_of(owner)])


@router.post(
    "/webhooks",
    auth=PlatformToken(JSON),
    throttle=throttle,
    response={201: MadeWebhookAnswer},
    operation_id="registerWebhook",
    summary="登记回调：有通知时发到这个地址",
    description=f"{FOR_ITSELF}密钥只在答复里出现一次。至多5个；同一地址不能登记两次。只发登记以后的通知。",
    openapi_extra=LOCATION
    | refuses(
        {
            HTTPStatus.CONFLICT: ("webhook-exists", "too-many-webhooks"),
            HTTPStatus.UNPROCESSABLE_ENTITY: ("webhook-address-refused",),
        }
    ),
)
def register(request: HttpRequest, response: HttpResponse, fields: WebhookFields) -> MadeWebhookAnswer:
    """A webhook with its secret."""
    owner, actor = _owner(request)
    made = register_webhook(owner, fields.url, fields.events, by=actor)
    response.headers["Location"] = reverse("interface-1:platform-webhook", args=[made.webhook.pk])
    return MadeWebhookAnswer(**_facts(made.webhook), secret=made.secret)


@router.get(
    "/webhooks/{int:webhook_id}",
    auth=PlatformToken(),
    throttle=throttle,
    response=WebhookDetailAnswer,
    operation_id="readWebhook",
    summary="查看一个回调和最近的投递",
    description=FOR_ITSELF,
    url_name="platform-webhook",
)
def detail(request: HttpRequest, webhook_id: Number) -> WebhookDetailAnswer:
    """A webhook with what was sent to it of late."""
    found = webhook_of(_owner(request)[0], webhook_id)
    return WebhookDetailAnswer(**_facts(found), deliveries=[_delivery(one) for one in deliveries_of(found)])


@router.post(
    "/webhooks/{int:webhook_id}/test",
    auth=PlatformToken(),
    throttle=throttle,
    response=TriedAnswer,
    operation_id="tryWebhook",
    summary="试发一次（webhook-test），等对方应答",
    description=f"{FOR_ITSELF}每分钟{TESTS_A_MINUTE}次，多了答复429（too-many-test-calls）。失败不重发。",
    openapi_extra=refuses({HTTPStatus.TOO_MANY_REQUESTS: ("too-many-test-calls", "too-many-requests")}),
)
def attempt(request: HttpRequest, webhook_id: Number) -> TriedAnswer:
    """One call that says it is a test."""
    owner, actor = _owner(request)
    webhook_of(owner, webhook_id)
    used, wait = count(f"webhook-test:{owner.client_id}")
    if used > TESTS_A_MINUTE:
        message = f"试发太频繁，请在{wait}秒后再试。"
        headers = {"Retry-After": str(wait)}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-test-calls", message, headers=headers)
    outcome = try_webhook(owner, webhook_id, by=actor)
    return TriedAnswer(delivered=outcome.is_good, answered=outcome.status, message=outcome.said or None)


@router.post(
    "/webhooks/{int:webhook_id}/secret",
    auth=PlatformToken(),
    throttle=throttle,
    response=NewSecretAnswer,
    operation_id="rotateWebhookSecret",
    summary="更换回调密钥",
    description=f"{FOR_ITSELF}以后24小时，每个回调带新旧两个签名；再换一次，更早的密钥立即停用。",
)
def rotate(request: HttpRequest, webhook_id: Number) -> NewSecretAnswer:
    """A fresh secret."""
    owner, actor = _owner(request)
    made = rotate_webhook_secret(owner, webhook_id, by=actor)
    return NewSecretAnswer.model_validate({"secret": made.secret, "former_until": made.former_until})


@router.delete(
    "/webhooks/{int:webhook_id}",
    auth=PlatformToken(),
    throttle=throttle,
    response={204: None},
    operation_id="endWebhook",
    summary="停用回调：不再发送，等着发的也不发",
    description=f"{FOR_ITSELF}不能恢复，需要时另行登记。",
)
def end(request: HttpRequest, webhook_id: Number) -> None:
    """Nothing is posted there any more."""
    owner, actor = _owner(request)
    end_webhook(owner, webhook_id, by=actor)


def _owner(request: HttpRequest) -> tuple[Owner, str]:
    """The platform as the owner of webhooks, and how events name it.

    Raises ProblemError: ``scope-missing``; ``own-token-required`` with a token that acts for a person.
    """
    caller = platform_caller(request)
    require(caller, SCOPE)
    if caller.account is not None:
        message = "回调由平台自己设置；请用平台自己的令牌（client_credentials），不要用代表用户的令牌。"
        raise ProblemError(HTTPStatus.FORBIDDEN, "own-token-required", message)
    return Owner(caller.platform.pk), caller.actor


def _facts(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "events": webhook.events,
        "created_at": webhook.created_at,
        "failing_since": webhook.failing_since,
    }


def _delivery(one: Delivery) -> WebhookDeliveryAnswer:
    return WebhookDeliveryAnswer(
        notice=one.notice_id,
        event=one.notice.event,
        noticed_at=one.notice.at,
        status=one.state,
        tries=one.tries,
        answered=one.answered,
        message=one.said or None,
        next_try_at=one.due_at,
        settled_at=one.done_at,
    )
