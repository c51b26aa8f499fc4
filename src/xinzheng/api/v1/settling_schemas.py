"""What is sent and answered where something is decided about a delivery."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from xinzheng.api.v1.schemas import NEXT

REASON = r"^[^\x00-\x1f]*$"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=REASON)]


class ReasonFields(BaseModel):
    """Why it is done; it stays for good."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="理由，会一直保存；不写身份号码")


class ExplanationAnswer(BaseModel):
    """A line explained."""

    batch: int = Field(description="批次号")
    line: int
    reason: str
    waiting: int = Field(description="本批还有几行既未更正也未说明")


class BatchWithdrawalAnswer(BaseModel):
    """A batch taken back."""

    batch: int = Field(description="批次号")
    entry: int = Field(description="账本条目编号")
    position: int = Field(description="账本位置")
    reason: str


class DeliveryAnswer(BaseModel):
    """One delivery in the list; all about it is at its own address."""

    id: int
    status: str = Field(description="queued、running、done 或者 failed")
    domain: str
    kind: str
    file_name: str
    created_at: str
    batch: int | None = Field(description="批次号；完成后才有")
    lines: int | None
    rejected: int | None
    held: bool | None = Field(description="是否暂存，等另一名工作人员确认")
    waiting: int | None = Field(description="退回后尚未更正也未说明的行数")
    is_withdrawn: bool | None


class DeliveriesAnswer(BaseModel):
    """A page of deliveries, latest first; ``next`` is the address of the next one, null on the last."""

    batches: list[DeliveryAnswer]
    next: str | None = Field(description=NEXT)
