"""Verifying (核验): the four facts, each on its own; a fact that was not examined is None."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.issuing import long_code
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import mask_name
from xinzheng.core.lifecycle import ReportStatus, is_report_number, normalise_number, normalise_typed_code, typed_code
from xinzheng.core.subjects import SubjectKind

SECRET_BYTES = 16
NO_DOCUMENT = "未提交文件，未核对内容"
UNKNOWN_NUMBER = "未查询到该编号"
STATUS_NOT_ASKED = "没有读出可信的报告编号，未查询报告状态"
SEAL_DIFFERS = "二维码的签名部分与登记的报告不一致"
CONTENT_DIFFERS = "文件内容与登记的报告不一致"
DISCLAIMER = "以上说明报告真伪和状态，不代表该主体目前有无{record_word}。"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of a verification (核验结果): document intact, signature valid, signer trusted, status, and reasons."""

    intact: bool | None
    signature_valid: bool | None
    signer_trusted: bool | None
    status: str | None
    number: str | None = None
    reasons: list[str] = field(default_factory=list)
    subject_masked: str | None = None
    issued_at: datetime | None = None
    status_at: datetime | None = None
    policy_title: str | None = None
    report_title: str | None = None
    record_word: str = ""
    is_demonstration: bool = False

    @property
    def is_good(self) -> bool:
        """All four facts examined and good."""
        facts = (self.intact, self.signature_valid, self.signer_trusted)
        return all(fact is True for fact in facts) and self.status == ReportStatus.IN_FORCE

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
    words = {
        "in_force": "正常",
        "superseded": "已更正，请以新报告为准",
        "revoked": "已作废",
        "expired": "已过期",
        "prepared": "未生效",
        "voided": "未生效",
    }
    return "报告状态：" + words[status] if status else UNKNOWN_NUMBER


@dataclass(frozen=True, slots=True)
class _Examined:
    """What was found out about a document or code before asking for its status."""

    intact: bool | None = None
    signature_valid: bool | None = None
    signer_trusted: bool | None = None
    reasons: tuple[str, ...] = (NO_DOCUMENT,)


def _unknown(examined: _Examined, number: str | None, reason: str = UNKNOWN_NUMBER) -> Verdict:
    return Verdict(
        examined.intact,
        examined.signature_valid,
        examined.signer_trusted,
        None,
        number,
        [*examined.reasons, reason],
    )


def _known(examined: _Examined, report: Report) -> Verdict:
    """The verdict on a report that is in the register."""
    event = StatusEvent.objects.filter(report=report).latest("id")
    content = json.loads(bytes(report.content))
    reasons = [*examined.reasons, status_words(event.status)]
    if event.status == ReportStatus.REVOKED and event.reason:
        reasons[-1] += f"（{event.reason}）"
    return Verdict(
        examined.intact,
        examined.signature_valid,
        examined.signer_trusted,
        event.status,
        report.number,
        reasons,
        mask_name(content["subject"]["name"], is_person=content["subject"]["kind"] == SubjectKind.NATURAL_PERSON),
        report.as_of,
        event.at,
        content["policy"]["document_title"],
        content["title"][0],
        content["policy"]["record_word"],
        content["demonstration"],
    )


def verify_code(number: str, typed: str) -> Verdict:
    """By number and typed code. A wrong code and an unknown number get the same answer."""
    number = normalise_number(number)
    report = _by_number(number)
    expected = typed_code(bytes(report.secret)) if report else typed_code(bytes(16))
    if not hmac.compare_digest(expected.encode(), normalise_typed_code(typed).encode()) or report is None:
        return _unknown(_Examined(), number, "未查询到该编号，或者核验码不对，请核对后再试")
    return _known(_Examined(), report)


def _by_number(number: str) -> Report | None:
    """The report of a number; what has not the form of one is not asked for: the database takes no such text."""
    return Report.objects.filter(number=number).first() if is_report_number(number) else None


def _by_long_code(code: str) -> Report | None:
    """The report of a long code. The database finds it by a digest-sized random key; the comparison is exact."""
    try:
        secret = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (binascii.Error, ValueError):
        return None
    report = Report.objects.filter(secret=secret).first() if len(secret) == SECRET_BYTES else None
    return report if report and hmac.compare_digest(long_code(bytes(report.secret)), code) else None


def verify_link(code: str) -> Verdict:
    """By the code in the QR address; the document itself was not seen."""
    report = _by_long_code(code)
    return _known(_Examined(), report) if report else _unknown(_Examined(), None)


def verify_qr_text(text: str) -> Verdict:
    """By the whole text of the QR code: its seal must be ours, name this report and carry its digest."""
    signing = ports.signing()
    try:
        host, code, sealed = signing.parse_qr_text(text)
        seal = signing.open_seal(sealed, seal_keys())
    except XinzhengError as error:
        return _unknown(_unopened(error), None, STATUS_NOT_ASKED)
    report = _by_long_code(code)
    if report is None or report.number != seal.number or bytes(report.digest) != seal.digest or host != seal.host:
        return _unknown(_Examined(None, False, None, (NO_DOCUMENT, "签名无效")), seal.number, SEAL_DIFFERS)
    return _known(_Examined(None, True, True, (NO_DOCUMENT, "签名有效", "签发者可信")), report)


def _unopened(error: XinzhengError) -> _Examined:
    """What a seal that did not open tells: without a seal nothing was examined, without its key only the signer."""
    signature, trusted = {"qr-text-invalid": (None, None), "seal-key-unknown": (None, False)}.get(
        error.code, (False, None)
    )
    return _Examined(None, signature, trusted, (NO_DOCUMENT, *_facts_in_words(None, signature, trusted), error.message))


def seal_keys() -> object:
    """The published keys of the seals."""
    return ports.signing().load_seal_public_keys(settings.XINZHENG_KEYS / "signing")


FACT_WORDS = (("文件未改动", "文件已被改动"), ("签名有效", "签名无效"), ("签发者可信", "签发者不可信"))


def _facts_in_words(*facts: bool | None) -> tuple[str, ...]:
    """The facts that were examined, in the fixed words."""
    return tuple(
        words[0] if fact else words[1] for fact, words in zip(facts, FACT_WORDS, strict=True) if fact is not None
    )


def verify_pdf(data: bytes) -> Verdict:
    """By the document: examined byte for byte, then compared with what was issued under its number."""
    signing = ports.signing()
    facts = signing.check_pdf(data, signing.load_demo_trust(settings.XINZHENG_KEYS / "signing"))
    number = _number_in(facts.content)
    report = _by_number(number) if number else None
    differs = report is not None and bytes(report.digest) != hashlib.sha256(facts.content or b"").digest()
    intact = False if differs else facts.intact
    said = _facts_in_words(intact, facts.signature_valid, facts.signer_trusted)
    reasons = (*said, *facts.reasons, *([CONTENT_DIFFERS] if differs else []))
    examined = _Examined(intact, facts.signature_valid, facts.signer_trusted, reasons)
    if report is None:
        return _unknown(examined, number, UNKNOWN_NUMBER if number else STATUS_NOT_ASKED)
    return _known(examined, report)


def _number_in(content: bytes | None) -> str | None:
    try:
        number = json.loads(content or b"")["number"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if isinstance(number, str) and len(number) <= 32 else None
