"""What platforms are answered about reports, and about who looked at them."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

InPath = Annotated[str, Field(description="报告编号，18位")]
Number = Annotated[str, Field(max_length=64, description="报告编号，18位")]
Status = Literal["prepared", "in_force", "superseded", "revoked", "expired", "voided"]
STATUSES = "报告状态：in_force 正常，superseded 已更正，revoked 已作废，expired 已过期，prepared、voided 未生效"
NUMBER = "SZ2026112200000015"
LISTED: JsonDict = {
    "subject": "91320500MA0000011X",
    "reports": [
        {
            "number": NUMBER,
            "policy": "suzhou-2024",
            "policy_title": "苏州市专用信用报告代替企业无违法证明实施方案（试行）",
            "report_title": "专用信用报告",
            "as_of": "2026-11-22T10:43:45Z",
            "outcome": "not_verifiable",
            "conclusion": "报告上的核查结论原文",
            "purpose": "融资",
            "status": "in_force",
        }
    ],
    "next": None,
}
VIEWED: JsonDict = {
    "number": NUMBER,
    "views": [
        {
            "at": "2026-11-22T11:02:10Z",
            "who": "示例银行苏州分行",
            "known_by": "自己填写，没有核实",
            "purpose": "融资",
            "place": "网络 203.0.113.*",
            "device": "手机",
            "way": "扫码",
            "code": "583b8328-eb43-409f-a173-799c94385935",
        }
    ],
    "verifications": [
        {"at": "2026-11-22T11:05:00Z", "who": "接入平台：苏商通", "way": "批量核验", "status": "in_force"}
    ],
    "verifications_total": 1,
}


class ReportRowAnswer(BaseModel):
    """A report in the list."""

    number: str
    policy: str
    policy_title: str
    report_title: str
    as_of: datetime = Field(description="核查的时点")
    outcome: Literal["clear", "not_clear", "not_verifiable"] = Field(
        description="clear 未查询到，not_clear 查询到，not_verifiable 有未能核查的领域"
    )
    conclusion: str = Field(description="核查结论，报告上的原文")
    purpose: str | None = Field(description="用途名称")
    status: Status = Field(description=STATUSES)


class ReportsAnswer(BaseModel):
    """A page of reports, newest first; ``next`` is the address of the next one, null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    subject: str = Field(description="主体：统一社会信用代码，或者 self")
    reports: list[ReportRowAnswer]
    next: str | None = Field(description="下一页的地址；最后一页为空")


class StatusEventAnswer(BaseModel):
    """A step in a report's life."""

    at: datetime
    status: Status
    words: str
    reason: str


class FindingAnswer(BaseModel):
    """A record that was weighed, and why it counts or does not (逐条认定); not in the document."""

    effect: Literal["counted", "marked", "excluded", "listed_apart", "unresolved"]
    title: str
    domain_name: str
    facts: dict[str, str]
    sentence: str
    citation: str


class ReportAnswer(BaseModel):
    """One report as its subject sees it."""

    number: str
    subject: str
    policy: str
    outcome: Literal["clear", "not_clear", "not_verifiable"]
    status: Status = Field(description=STATUSES)
    status_words: str
    status_events: list[StatusEventAnswer] = Field(description="最新的在前")
    has_file: bool = Field(description="签名文件已经生成，可以下载")
    content: dict[str, Any] = Field(description="报告内容，与签名文件所附的 JSON 相同")
    findings: list[FindingAnswer] = Field(description="逐条认定，只给主体看，不在文件里")


class ViewAnswer(BaseModel):
    """Somebody saw the content (查看记录)."""

    at: datetime
    who: str = Field(description="谁看的：自报的单位，或者核实过的单位")
    known_by: str = Field(description="怎样知道是谁")
    purpose: str
    place: str = Field(description="大致位置")
    device: str
    way: str
    code: uuid.UUID | None = Field(description="亮码的编号；依职责查看的为空")


class LookAnswer(BaseModel):
    """Somebody asked whether the report holds, without its content (核验记录)."""

    at: datetime
    who: str
    way: str
    status: Status = Field(description="答复的报告状态")


class ViewsAnswer(BaseModel):
    """Who saw the content and who verified, newest first: at most a hundred and fifty."""

    model_config = ConfigDict(json_schema_extra={"examples": [VIEWED]})

    number: str
    views: list[ViewAnswer]
    verifications: list[LookAnswer]
    verifications_total: int
