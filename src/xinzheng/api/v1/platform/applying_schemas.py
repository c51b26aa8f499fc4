"""What is sent to apply for a report and what is answered on the way to it."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from xinzheng.api.v1.schemas import Code, Day

MOST_DOMAINS = 200
FIRM = "91320500MA0000011X"
SubjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=32,
        description="主体：统一社会信用代码，或者 self（本人，限自然人）；不要写身份号码",
        examples=[FIRM],
    ),
]
EXAMPLE: JsonDict = {
    "subject": FIRM,
    "policy": "suzhou-2024",
    "purpose": "financing",
    "receiver_name": "示例银行苏州分行",
    "exceptions_seen": "0123456789abcdef",
}
TAKEN: JsonDict = {
    "id": "155df259-13a5-41a3-ad8e-8697c8b075b8",
    "subject": FIRM,
    "policy": "suzhou-2024",
    "purpose": "financing",
    "receiver_name": "示例银行苏州分行",
    "status": "queued",
    "number": None,
    "message": None,
    "created_at": "2026-11-22T10:43:44Z",
}


class ChoiceAnswer(BaseModel):
    """Something that may be chosen."""

    code: str
    name: str


class PolicyFormAnswer(BaseModel):
    """What can be asked for under one policy, preset as widely as it allows (申请表)."""

    policy: str
    title: str
    document: str = Field(description="文号")
    purposes: list[ChoiceAnswer] = Field(description="用途；第一个是预设的")
    domains: list[ChoiceAnswer] = Field(description="核查的领域")
    may_choose_domains: bool = Field(description="可以只选一部分领域")
    from_date: date = Field(description="最早可以查到这一天")
    to_date: date
    may_choose_period: bool = Field(description="可以自选查询期")
    exceptions: list[str] = Field(description="本报告不能代替的情形：申请前须让主体看到")
    exceptions_seen: str = Field(description="主体看过上述情形后，申请时原样送回；没有这类情形的为空")
    left_today: int | None = Field(description="今天还可以申请几份；null 不限")


class FormsAnswer(BaseModel):
    """The policies a subject can apply under today; its own place's first."""

    subject: str
    name: str = Field(description="主体名称；自然人的已遮盖")
    policies: list[PolicyFormAnswer]


class ApplicationFields(BaseModel):
    """An application (申请). What is left out is asked for as widely as the policy allows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    subject: SubjectName
    policy: Code = Field(description="政策，见 application-forms")
    purpose: Code = Field(description="用途代码，须在政策列出的用途中")
    receiver_name: str = Field("", max_length=100, description="要求提交证明的单位，可以不写；只写单位，不写个人")
    domains: list[Code] | None = Field(
        None, min_length=1, max_length=MOST_DOMAINS, description="只查这些领域；政策允许自选时才能写"
    )
    from_date: Day | None = Field(None, description="查询期第一天；政策允许自选时才能写，与 to_date 同时写")
    to_date: Day | None = Field(None, description="查询期最后一天")
    exceptions_seen: str = Field(
        "", max_length=64, description="主体已经看到本报告不能代替的情形：application-forms 给的同名值，原样送回"
    )

    @model_validator(mode="after")
    def _both_days_or_none(self) -> Self:
        if (self.from_date is None) != (self.to_date is None):
            raise ValueError("from_date 和 to_date 须同时写，或者都不写。")
        if self.from_date is not None and self.to_date is not None and self.from_date > self.to_date:
            raise ValueError("from_date 晚于 to_date，请对调或者改正。")
        return self


class ApplicationAnswer(BaseModel):
    """How far an application is."""

    model_config = ConfigDict(json_schema_extra={"examples": [TAKEN]})

    id: uuid.UUID
    subject: str = Field(description="主体：统一社会信用代码，或者 self")
    policy: str
    purpose: str | None = Field(description="用途代码")
    receiver_name: str
    status: Literal["queued", "deciding", "rehearsing", "signing", "done", "failed"] = Field(
        description="queued 排队，deciding 核查，rehearsing 生成并预检，signing 签名盖章，done 已出具，failed 没有出具"
    )
    number: str | None = Field(description="报告编号，done 才有")
    message: str | None = Field(description="没有出具的原因和办法，failed 才有")
    created_at: datetime
