"""What is sent to have notices posted to an address, and what is answered."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Event = Literal[
    "report-not-in-force",
    "application-done",
    "objection-accepted",
    "objection-declined",
    "objection-more-asked",
    "objection-lapsed",
    "objection-handed-over",
    "objection-returned",
    "objection-upheld",
    "objection-promised",
    "objection-delivered",
    "objection-dismissed",
    "objection-remanded",
    "objection-confirmed",
]
EXAMPLE: JsonDict = {"url": "https://hooks.example.cn/xinzheng", "events": ["report-not-in-force"]}
SHOWN_ONCE = "密钥，whsec_ 后面是 Base64；只在这里出现一次，请立即存好"


class WebhookFields(BaseModel):
    """A webhook to be registered (登记回调)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    url: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^https://[!-~]+$")] = Field(
        description="公网上的 https 地址，端口443或者8443；不带用户名、#，不能写个人信息"
    )
    events: Annotated[list[Event], Field(min_length=1, max_length=20)] = Field(
        description="report-not-in-force：订阅的报告、平台代为申请的报告不再有效；application-done：平台代为提交的申请"
        "有了结果；objection- 开头的：平台代为提出的异议到了新的环节"
    )


class WebhookAnswer(BaseModel):
    """A webhook in use."""

    id: int
    url: str
    events: list[str]
    created_at: datetime
    failing_since: datetime | None = Field(description="从这时起有通知一直没有送到；送到一次即为空")


class WebhooksAnswer(BaseModel):
    """The platform's webhooks in use, oldest first; five at the most."""

    webhooks: list[WebhookAnswer]


class MadeWebhookAnswer(WebhookAnswer):
    """A webhook just registered."""

    secret: str = Field(description=SHOWN_ONCE)


class NewSecretAnswer(BaseModel):
    """A secret in place of the one before."""

    secret: str = Field(description=SHOWN_ONCE)
    former_until: datetime = Field(description="到这时为止，每个回调同时带原密钥的签名")


class WebhookDeliveryAnswer(BaseModel):
    """How far a notice is on its way to a webhook."""

    notice: uuid.UUID = Field(description="通知编号，即 webhook-id 头；重发时不变")
    event: str
    noticed_at: datetime = Field(description="通知的时间")
    status: Literal["waiting", "delivered", "given-up"] = Field(description="还要发、已送到、不再发")
    tries: int = Field(description="已发几次")
    answered: int | None = Field(description="最近一次对方应答的状态码；没有应答的为空")
    message: str | None = Field(description="没有送到的原因")
    next_try_at: datetime | None = Field(description="下一次发送的时间；不再发的为空")
    settled_at: datetime | None = Field(description="送到、或者决定不再发的时间")


class WebhookDetailAnswer(WebhookAnswer):
    """A webhook with its last deliveries, latest first."""

    deliveries: list[WebhookDeliveryAnswer] = Field(description="最近20个")


class TriedAnswer(BaseModel):
    """What came of a test call."""

    delivered: bool = Field(description="对方应答2xx为 true")
    answered: int | None = Field(description="对方应答的状态码；没有应答的为空")
    message: str | None = Field(description="没有送到的原因")
