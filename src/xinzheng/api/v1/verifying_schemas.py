"""What is sent to verify a report, and the answer: four facts and the log, each on its own."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xinzheng.apps.audit.log_queries import proofs_about
from xinzheng.apps.reports.verdicts import Verdict
from xinzheng.core.inclusion import proof_document
from xinzheng.core.lifecycle import ReportStatus

BATCH_AT_MOST = 100
Number = Annotated[str, Field(max_length=64, description="报告编号，18位")]
TypedCode = Annotated[str, Field(max_length=64, description="核验码，12位，不分大小写")]
WithProof = Annotated[bool, Field(strict=True, description="true：答复里附收录证明")]
QrText = Annotated[str, Field(max_length=4096, description="扫二维码得到的全文，含 # 以后的部分")]


class CodeFields(BaseModel):
    """A report by what is printed on it to be typed."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    code: TypedCode
    proof: WithProof = False


class QrFields(BaseModel):
    """A report by its QR code."""

    model_config = ConfigDict(extra="forbid")

    qr: QrText
    proof: WithProof = False


def _told(*names: str) -> dict[str, Any]:
    """That these are told, and nothing else is."""
    types = {name: {"type": "string" if name in names else "null"} for name in ("number", "code", "qr")}
    return {"required": list(names), "properties": types}


class BatchItem(BaseModel):
    """One of a batch: by number and code, or by the text of its QR code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"oneOf": [_told("number", "code"), _told("qr")]})

    number: Number | None = None
    code: TypedCode | None = None
    qr: QrText | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_code = self.number is not None and self.code is not None
        if by_code == (self.qr is not None) or (self.number is None) != (self.code is None):
            raise ValueError("每项写 number 和 code，或者只写 qr。")
        return self


class BatchFields(BaseModel):
    """Up to a hundred reports."""

    model_config = ConfigDict(extra="forbid")

    items: list[BatchItem] = Field(min_length=1, max_length=BATCH_AT_MOST, description=f"1至{BATCH_AT_MOST}项")


class LogAnswer(BaseModel):
    """Whether the report stands in the transparency log (透明日志)."""

    included: bool | None = Field(description="true 已收录；null 等待下一个检查点；false 应当收录而没有")
    index: int | None = Field(description="序号")
    since: datetime | None = Field(description="最早覆盖它的检查点的时间")


class VerdictAnswer(BaseModel):
    """The facts apart; null is a fact that was not examined, never one that is false."""

    intact: bool | None = Field(description="文件未改动")
    signature_valid: bool | None = Field(description="签名有效")
    signer_trusted: bool | None = Field(description="签发者可信")
    status: str | None = Field(
        description="报告状态：in_force 正常，superseded 已更正，revoked 已作废，expired 已过期，"
        "prepared、voided 未生效；null 未查询到",
        json_schema_extra={"enum": [*(status.value for status in ReportStatus), None]},
    )
    is_good: bool = Field(description="四项都已核对而且都好")
    since: datetime | None = Field(description="自何时起是这一状态")
    why: str = Field(description="状态变更的一般原因")
    log: LogAnswer | None
    number: str | None
    subject_masked: str | None = Field(description="主体名称，已遮盖")
    issued_at: datetime | None
    stamped_at: datetime | None = Field(description="时间戳所载的时间")
    report_title: str | None
    policy_title: str | None
    is_demonstration: bool = Field(description="演示文件，无证明效力")
    host: str | None = Field(description="二维码写明的核验网站；须与所访问的网站相同")
    reasons: list[str]
    disclaimer: str
    proof: dict[str, Any] | None = Field(
        None, description="收录证明（xinzheng.proof/1）：要求了而且已经收录才有；可以用 xinzheng log verify 验证"
    )


class BatchAnswer(BaseModel):
    """An answer for each item, in the order they were sent."""

    answers: list[VerdictAnswer]


class FileAnswer(VerdictAnswer):
    """The answer about one file of several."""

    file_name: str = Field(description="文件名，与送来的相同")


class FilesAnswer(BaseModel):
    """An answer for each file, in the order they were sent."""

    answers: list[FileAnswer]


def file_answer_of(verdict: Verdict, file_name: str) -> FileAnswer:
    """The verdict on a file as it is answered."""
    return FileAnswer.model_construct(**vars(answer_of(verdict)), file_name=file_name)


def answer_of(verdict: Verdict, *, with_proof: bool = False) -> VerdictAnswer:
    """The verdict as it is answered. Nothing of it comes from outside: it is not checked again."""
    log = verdict.log
    return VerdictAnswer.model_construct(
        intact=verdict.intact,
        signature_valid=verdict.signature_valid,
        signer_trusted=verdict.signer_trusted,
        status=verdict.status,
        is_good=verdict.is_good,
        since=verdict.since,
        why=verdict.why,
        log=None if log is None else LogAnswer.model_construct(included=log.included, index=log.index, since=log.since),
        number=verdict.number,
        subject_masked=verdict.subject_masked,
        issued_at=verdict.issued_at,
        stamped_at=verdict.stamped_at,
        report_title=verdict.report_title,
        policy_title=verdict.policy_title,
        is_demonstration=verdict.is_demonstration,
        host=verdict.host,
        reasons=verdict.reasons,
        disclaimer=verdict.disclaimer,
        proof=_proof(verdict) if with_proof else None,
    )


def _proof(verdict: Verdict) -> dict[str, Any] | None:
    """That the report and each change of its status stand in the log; only for whoever was told the status."""
    if verdict.number is None or verdict.status is None:
        return None
    proofs = proofs_about(verdict.number)
    return proof_document(proofs[0].note, [proof.inclusion for proof in proofs]) if proofs else None
