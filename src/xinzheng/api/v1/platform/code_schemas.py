"""What is sent to share a report by code and what is answered."""

import uuid
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from xinzheng.api.v1.schemas import Code
from xinzheng.apps.codes.sharing import MOST_VIEWS

MOST_HOURS = 24 * 366
EXAMPLE: JsonDict = {"purpose": "financing", "hours": 1, "views": 3, "receiver_name": "示例银行苏州分行"}
SHARED: JsonDict = {
    "id": "583b8328-eb43-409f-a173-799c94385935",
    "number": "SZ2026112200000015",
    "purpose_name": "融资",
    "receiver_name": "示例银行苏州分行",
    "views_allowed": 3,
    "views_used": 0,
    "expires_at": "2026-11-22T11:43:47Z",
    "created_at": "2026-11-22T10:43:47Z",
    "state": "active",
}
SHOWN: JsonDict = {
    "address": "https://report.example.cn/s/AAAAAAAAAAAAAAAAAAAAAA",
    "typed": "0000 0000 0000",
    "good_until": "2026-11-22T10:45:17Z",
    "renew_after_seconds": 60,
}


class TermsFields(BaseModel):
    """What the subject consents to (亮码条件): for what, to whom, how long, how many times."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    purpose: Code = Field(description="用途代码，须在报告所依据的政策列出的用途中")
    hours: int = Field(1, strict=True, ge=1, le=MOST_HOURS, description="从现在起几小时；最长由运行单位设置，一般30天")
    views: int = Field(3, strict=True, ge=1, le=MOST_VIEWS, description="可以看几次")
    receiver_name: str = Field("", max_length=100, description="只给这个单位看：单位全称；不写的，谁拿到都能看")
    receiver: str | None = Field(
        None, min_length=18, max_length=18, description="只给这个核实过的单位看：统一社会信用代码；须用该单位的账户看"
    )
    may_subscribe: bool = Field(
        False, strict=True, description="true：同意 receiver 订阅报告状态；写了 receiver 才能写"
    )

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        if self.receiver is not None and self.receiver_name:
            raise ValueError("receiver 和 receiver_name 只写一个。")
        if self.may_subscribe and self.receiver is None:
            raise ValueError("同意订阅的，须写明 receiver（核实过的单位）。")
        return self


class ShareAnswer(BaseModel):
    """A share as its subject sees it (亮码)."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHARED]})

    id: uuid.UUID
    number: str = Field(description="报告编号")
    purpose_name: str
    receiver_name: str
    views_allowed: int
    views_used: int
    expires_at: datetime
    created_at: datetime
    state: Literal["active", "taken_back", "late", "used_up"] = Field(
        description="active 可以看，taken_back 已收回，late 已过期，used_up 次数已用完"
    )


class ShownAnswer(BaseModel):
    """A fresh code (出示的码); kept nowhere, so that it is answered this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    address: str = Field(description="画进二维码的地址；别处不要保存")
    typed: str = Field(description="12位码，扫不了的输入它")
    good_until: datetime = Field(description="这个码的失效时间")
    renew_after_seconds: int = Field(description="几秒后换新；换新后旧码再过30秒失效")
