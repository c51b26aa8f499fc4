"""What is sent and answered. Days are written 2026-01-31, moments with their offset."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from xinzheng.apps.ledger.delivery import OTHER_KINDS
from xinzheng.core.records import RecordKind

NEXT = "下一页的地址；最后一页为空"
CODE = r"^[a-z0-9_-]+$"


def _day(value: Any) -> Any:
    """A day written as one; pydantic alone would take numbers and date-times too."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-01-31") else _refuse()
    except ValueError as error:
        raise ValueError("应为日期，形如 2026-01-31。") from error


def _refuse() -> None:
    raise ValueError


Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=date)]
Code = Annotated[str, Field(max_length=64, pattern=CODE)]


class ScopeFields(BaseModel):
    """For what the unit speaks: a kind of record in a domain."""

    model_config = ConfigDict(extra="forbid")

    kind: Code = Field(description="记录类型", json_schema_extra={"enum": [kind.value for kind in RecordKind]})
    domain: Code | None = Field(None, description="领域代码；欠缴、信用修复可以不写")

    @model_validator(mode="after")
    def _domain_is_named(self) -> Self:
        if self.domain is None and self.kind not in OTHER_KINDS:
            raise ValueError("这种记录须写明 domain（领域代码）。")
        return self

    @property
    def domain_code(self) -> str:
        """The domain; that of the kind, for kinds that are their own domain."""
        return self.domain or self.kind


class BatchForm(ScopeFields):
    """The fields beside the file of a delivery."""

    covers_from: Day | None = Field(None, description="同时声明：从这一天起的数据已经完整")
    covers_through: Day | None = Field(None, description="至这一天止；与 covers_from 同时写或者都不写")
    mode: Literal["increment", "snapshot"] = Field("increment", description="increment 增量；snapshot 全量快照")
    map: str | None = Field(
        None,
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00-\x1f]+$",
        description="列对照的名称：系统自带的，或者本单位在工作台保存的；列名是标准格式的不写",
    )

    @model_validator(mode="after")
    def _both_days_or_none(self) -> Self:
        if (self.covers_from is None) != (self.covers_through is None):
            raise ValueError("covers_from 和 covers_through 须同时写，或者都不写。")
        return self

    @property
    def covers(self) -> tuple[date, date] | None:
        """First and last day the delivery is complete for."""
        if self.covers_from is None or self.covers_through is None:
            return None
        return self.covers_from, self.covers_through


class PeriodFields(ScopeFields):
    """A scope and the days spoken for."""

    covers_from: Day = Field(description="第一天")
    covers_through: Day = Field(description="最后一天，不晚于今天")


class StatementFields(PeriodFields):
    """A coverage statement (覆盖声明)."""

    zero_return: bool = Field(
        False, strict=True, description="true：只在这段时间没有本单位有效记录时才声明（零报告），否则拒绝"
    )


class WithdrawalFields(PeriodFields):
    """The withdrawal of what was stated for a period (撤回声明)."""

    reason: str = Field("", max_length=500, pattern=r"^[^\x00-\x1f]*$", description="原因")


class CoverageAnswer(BaseModel):
    """What became of a statement or its withdrawal."""

    entry: int = Field(description="账本条目编号")
    position: int = Field(description="账本位置")
    statements: int = Field(description="声明或者撤回的份数")
    is_zero: bool = Field(description="是否零报告")


class DefectAnswer(BaseModel):
    """One thing wrong with one line (质量问题)."""

    line: int = Field(description="文件中的行号，表头为第1行")
    field: str = Field(description="列名，空为整行")
    code: str
    severity: str = Field(description="error 退回，warning 提醒")
    message: str


class ReasonAnswer(BaseModel):
    """Why a batch is held (暂存原因)."""

    code: str
    message: str


class BatchResultAnswer(BaseModel):
    """What became of the lines; new + changed + identical + rejected + duplicate = lines."""

    batch: int = Field(description="批次号")
    lines: int
    new: int
    changed: int
    identical: int
    rejected: int
    duplicate: int
    held: bool = Field(description="是否暂存，等另一名工作人员确认；暂存的没有入账，各行数是确认以后的去向")
    reasons: list[ReasonAnswer] = Field(description="暂存的原因；没有暂存的为空")
    waiting: int = Field(description="退回后尚未更正也未说明的行数")
    is_withdrawn: bool = Field(description="是否已经撤回")
    defects: list[DefectAnswer] = Field(description="前若干个问题，全部的见 defects 地址")
    defects_total: int


class UploadAnswer(BaseModel):
    """How far a delivery is. ``id`` is the delivery's; the batch has a number of its own once it is done.

    A confirmation is followed in the same way, by an ``id`` of its own.
    """

    id: int
    status: Literal["queued", "running", "done", "failed"]
    unit: str = Field(description="单位的统一社会信用代码")
    domain: str
    kind: str
    mode: str
    map: str | None = Field(description="读取所用列对照的名称")
    file_name: str
    covers_from: date | None
    covers_through: date | None
    created_at: datetime
    lines_done: int = Field(description="已读入的行数")
    message: str | None = Field(description="未能接收的原因和办法")
    confirms: int | None = Field(description="这是确认时，所确认的暂存批次号；报送的为空")
    result: BatchResultAnswer | None = Field(description="处理完成后才有")


class DefectsAnswer(BaseModel):
    """A page of what is wrong; ``next`` is the address of the next one, null on the last."""

    batch: int
    total: int
    defects: list[DefectAnswer]
    next: str | None = Field(description=NEXT)


class Stretch(BaseModel):
    """Days from … through …, both included."""

    covers_from: date
    covers_through: date


class ResponsibilityAnswer(BaseModel):
    """What the unit answers for under a policy, or may deliver for others, and how far the data reaches."""

    policy: str
    domain: str
    domain_name: str
    kind: str
    served: list[str] = Field(
        description="空：由本单位负责；不空：本单位是回流渠道，可以为这些单位报送，写的是它们的统一社会信用代码"
    )
    stated: list[Stretch] = Field(description="已经声明完整的时段；为其他单位报送的，是其中每个单位都完整的时段")
    waiting: int = Field(
        description="等待更正、说明或者确认的行数，回流渠道处可能属于本单位的也在内；不为零时相关批次的声明不生效"
    )
    needed_through: date | None = Field(description="数据今天至少须完整到这一天；工作日历尚未公布的为空")


class ResponsibilitiesAnswer(BaseModel):
    """All that the unit answers for or may deliver for others."""

    unit: str = Field(description="单位的统一社会信用代码")
    responsibilities: list[ResponsibilityAnswer]
