"""What a verification answers (核验结果): facts apart, each with its words; a fact that was not examined is None."""

from dataclasses import dataclass, field
from datetime import datetime

from xinzheng.core.lifecycle import STATUS_WORDS, ReportStatus

NO_DOCUMENT = "未提交文件，未核对内容"
UNKNOWN_NUMBER = "未查询到该编号"
DISCLAIMER = "以上说明报告真伪和状态，不代表该主体目前有无{record_word}。"
FACT_WORDS = (("文件未改动", "文件已被改动"), ("签名有效", "签名无效"), ("签发者可信", "签发者不可信"))


@dataclass(frozen=True, slots=True)
class LogFact:
    """Whether the report stands in the transparency log (透明日志收录).

    ``included``: True with its ``index`` and the time ``since`` when a signed checkpoint covers it; None while it
    waits for the next checkpoint; False when it should be there and is not.
    """

    included: bool | None
    index: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What was found out about a document or code before its register entry was asked for."""

    intact: bool | None = None
    signature_valid: bool | None = None
    signer_trusted: bool | None = None
    reasons: tuple[str, ...] = (NO_DOCUMENT,)
    stamped_at: datetime | None = None
    host: str | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of a verification: document intact, signature valid, signer trusted, status, and reasons.

    ``log`` is a fact beside the four. ``since`` is since when the status holds, ``why`` the reason in general words.
    ``host`` is the site a QR code names, where one was read; ``warning`` says where it is not this one.
    ``stamped_at`` is the word of a time-stamping authority.
    """

    intact: bool | None
    signature_valid: bool | None
    signer_trusted: bool | None
    status: str | None
    number: str | None = None
    reasons: list[str] = field(default_factory=list)
    subject_masked: str | None = None
    issued_at: datetime | None = None
    since: datetime | None = None
    why: str = ""
    policy_title: str | None = None
    report_title: str | None = None
    record_word: str = ""
    is_demonstration: bool = False
    log: LogFact | None = None
    stamped_at: datetime | None = None
    host: str | None = None
    warning: str = ""

    @property
    def is_good(self) -> bool:
        """All four facts examined and good."""
        facts = (self.intact, self.signature_valid, self.signer_trusted)
        return all(fact is True for fact in facts) and self.status == ReportStatus.IN_FORCE

    @property
    def is_bad(self) -> bool:
        """A fact was examined and found wanting."""
        return False in (self.intact, self.signature_valid, self.signer_trusted)

    @property
    def status_words(self) -> str:
        """The status in words (报告状态)."""
        return status_words(self.status)

    @property
    def disclaimer(self) -> str:
        """What the answer does not mean."""
        return DISCLAIMER.format(record_word=self.record_word or "违法违规记录")


def status_words(status: str | None) -> str:
    """报告状态 in the fixed words."""
    return "报告状态：" + STATUS_WORDS[status] if status else UNKNOWN_NUMBER


def facts_in_words(*facts: bool | None) -> tuple[str, ...]:
    """Document intact, signature valid, signer trusted, as far as examined, in the fixed words."""
    return tuple(
        words[0] if fact else words[1] for fact, words in zip(facts, FACT_WORDS, strict=True) if fact is not None
    )
