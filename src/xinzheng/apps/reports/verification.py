"""Verifying (核验): the four facts, each on its own; a fact that was not examined is None.

Whoever is told a status has shown the code, the QR code's seal, or the file itself; each telling is recorded as a look.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Collection
from typing import Any, BinaryIO

from django.conf import settings

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.looks import COMMAND_LINE, record_look
from xinzheng.apps.reports.registered import Registered, by_numbers, by_secrets, file_digests
from xinzheng.apps.reports.trusting import current_trust, examined, seal_keys
from xinzheng.apps.reports.verdicts import (
    NO_DOCUMENT,
    UNKNOWN_NUMBER,
    DocumentFacts,
    Verdict,
    facts_in_words,
    status_words,
)
from xinzheng.core.decision import china_date
from xinzheng.core.errors import XinzhengError
from xinzheng.core.hosts import shown_host
from xinzheng.core.lifecycle import (
    ReportStatus,
    general_reason,
    is_report_number,
    normalise_number,
    normalise_typed_code,
    typed_code,
)
from xinzheng.core.sentences import spoken_date

__all__ = ["NO_DOCUMENT", "Verdict", "verify_code", "verify_file", "verify_link", "verify_pdf", "verify_qr_text"]

SECRET_BYTES = 16
NOBODYS_SECRET = bytes(SECRET_BYTES)
STATUS_NOT_ASKED = "没有读出可信的报告编号，未查询报告状态"
WRONG_CODE = "未查询到该编号，或者核验码不对，请核对后再试"
SEAL_DIFFERS = "二维码的签名部分与登记的报告不一致"
ADDRESS_DIFFERS = "二维码打开的是 {host}，签名部分写明的核验网站是 {signed}：这张码被改过，不要打开"
OTHER_HOST = "这张码写明的核验网站是 {host}，不是本站"
CONTENT_DIFFERS = "文件内容与登记的报告不一致"
FILE_DIFFERS = "文件与登记的签发文件不是逐字节相同"
LOGGED_BEFORE = "签名证书后来被吊销，或者密钥公布失密；透明日志证明报告签发在先。"
CHUNK = 1024 * 1024


def verify_code(number: str, typed: str, by: str = COMMAND_LINE) -> Verdict:
    """By number and typed code. A wrong code and an unknown number get the same answer."""
    number = normalise_number(number)
    # What has not the form of a number is not asked for: the database takes no such text.
    found = by_numbers([number]) if is_report_number(number) else {}
    verdict = code_verdict(number, typed, found.get(number))
    return _looked(verdict, "code", by)


def code_verdict(number: str, typed: str, report: Registered | None) -> Verdict:
    """The answer to a number and a typed code, once the register was asked."""
    expected = typed_code(report.secret if report else NOBODYS_SECRET)
    if not hmac.compare_digest(expected.encode(), normalise_typed_code(typed).encode()) or report is None:
        return unknown(DocumentFacts(), number, WRONG_CODE)
    return known(DocumentFacts(), report)


def verify_link(code: str, by: str = COMMAND_LINE) -> Verdict:
    """By the code in the QR address; the document itself was not seen."""
    secret = secret_of(code)
    report = by_secrets([secret]).get(secret) if secret else None
    return _looked(known(DocumentFacts(), report) if report else unknown(DocumentFacts(), None), "link", by)


def verify_qr_text(text: str, by: str = COMMAND_LINE) -> Verdict:
    """By the whole text of the QR code: its seal must be ours, name this report and carry its digest."""
    secret = secret_in_qr_text(text)
    found = by_secrets([secret]) if secret else {}
    return _looked(qr_verdict(text, found.get(secret or b"")), "qr", by)


def secret_of(code: str) -> bytes | None:
    """The random bits that a long code stands for, or None where it is no such code in its one spelling."""
    try:
        secret = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (binascii.Error, ValueError):
        return None
    spelled = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return secret if len(secret) == SECRET_BYTES and hmac.compare_digest(spelled, code) else None


def secret_in_qr_text(text: str) -> bytes | None:
    """The random bits in the text of a QR code, or None where it is not of the form of ours."""
    try:
        return secret_of(ports.signing().parse_qr_text(text)[1])
    except XinzhengError:
        return None


def qr_verdict(text: str, report: Registered | None, keys: Any = None) -> Verdict:
    """The answer to the text of a QR code, once the register was asked for its code."""
    host = shown_host(text.strip())
    warning = OTHER_HOST.format(host=host) if host and host != settings.XINZHENG_HOST else ""
    signing = ports.signing()
    try:
        written, _, sealed = signing.parse_qr_text(text)
        seal = signing.open_seal(sealed, seal_keys() if keys is None else keys)
    except XinzhengError as error:
        return unknown(_unopened(error, host, warning), None, STATUS_NOT_ASKED)
    if written != seal.host:
        warning = ADDRESS_DIFFERS.format(host=written, signed=seal.host)
        return unknown(_sealed(False, None, seal.host, warning), None, STATUS_NOT_ASKED)
    if report is None and warning:
        # Made with a key of ours, for a site that is not this one: no register here can confirm who used the key.
        return unknown(_sealed(True, None, host, warning), seal.number)
    if report is None or report.number != seal.number or report.digest != seal.digest:
        return unknown(_sealed(False, None, host, warning), seal.number, SEAL_DIFFERS)
    return known(_sealed(True, True, host, warning), report)


def _sealed(signature: bool | None, trusted: bool | None, host: str | None, *said: str) -> DocumentFacts:
    """What a QR code tells: the signature in it and who made it; ``said`` begins with the warning about its host."""
    reasons = (NO_DOCUMENT, *facts_in_words(None, signature, trusted), *filter(None, said))
    return DocumentFacts(None, signature, trusted, reasons, host=host, warning=said[0])


def _unopened(error: XinzhengError, host: str | None, warning: str) -> DocumentFacts:
    """What a seal that did not open tells: without a seal nothing was examined, without its key only the signer."""
    signature, trusted = {"qr-text-invalid": (None, None), "seal-key-unknown": (None, False)}.get(
        error.code, (False, None)
    )
    return _sealed(signature, trusted, host, warning, error.message)


def verify_pdf(data: bytes, by: str = COMMAND_LINE) -> Verdict:
    """By the document in hand, examined in this process, then compared with what was issued under its number."""
    facts = ports.signing().check_pdf(data, current_trust())
    return _looked(_from_register(facts, hashlib.sha256(data).digest()), "file", by)


def verify_file(source: BinaryIO, by: str = COMMAND_LINE) -> Verdict:
    """By a stranger's file, examined in a bounded process of its own; ``source`` is open for reading and seeking."""
    return _looked(_from_register(examined(source), sha256_of(source)), "file", by)


def sha256_of(source: BinaryIO) -> bytes:
    """The digest of the whole file."""
    digest = hashlib.sha256()
    source.seek(0)
    while piece := source.read(CHUNK):
        digest.update(piece)
    return digest.digest()


def _from_register(facts: Any, file_digest: bytes) -> Verdict:
    number = number_in(facts.content)
    report = by_numbers([number]).get(number) if number else None
    return document_verdict(facts, file_digest, report)


def document_verdict(
    facts: Any,
    file_digest: bytes,
    report: Registered | None,
    given_out: Callable[[str], Collection[bytes]] = file_digests,
) -> Verdict:
    """The answer to a file that was examined, once the register was asked for the number in it.

    A status is told to whoever holds the registered content, which has the code in it, or a file we signed. Anything
    else a stranger may have made around a number that was guessed: known or not, it is answered the same.
    ``given_out`` tells the digests of a report's files.
    """
    number = number_in(facts.content)
    if number is None:
        return unknown(_examined(facts), None, STATUS_NOT_ASKED)
    is_registered = report is not None and report.digest == hashlib.sha256(facts.content).digest()
    is_ours = bool(facts.intact and facts.signature_valid and facts.signer_trusted)
    if not is_registered and not is_ours:
        return unknown(_examined(facts, CONTENT_DIFFERS), number, STATUS_NOT_ASKED)
    if report is None:
        return unknown(_examined(facts), number)
    if not is_registered:
        return known(_examined(facts, CONTENT_DIFFERS), report)
    return known(_compared(facts, report, lambda: file_digest in given_out(report.number)), report)


def _compared(facts: Any, report: Registered, was_given_out: Callable[[], bool]) -> DocumentFacts:
    """The facts about a file with the registered content: it has to be the file that was given out, byte for byte."""
    is_lifted = facts.signer_trusted is False and _is_older_than_revocation(facts, report)
    if facts.signer_trusted is False and not is_lifted:
        return _examined(facts)
    if not was_given_out():
        return _examined(facts, FILE_DIFFERS)
    return _examined(facts.proved_older(LOGGED_BEFORE) if is_lifted else facts)


def _is_older_than_revocation(facts: Any, report: Registered) -> bool:
    """Whether the log had the report before its signer's key ceased to count: what a missing stamp leaves open."""
    sealed_at = report.log.since if report.log is not None and report.log.included else None
    if sealed_at is None or facts.provable_before is None:
        return False
    return bool(facts.intact and facts.signature_valid and sealed_at < facts.provable_before)


def _examined(facts: Any, difference: str = "") -> DocumentFacts:
    """The facts found in the file; a difference from the register makes it not intact."""
    intact = False if difference else facts.intact
    said = facts_in_words(intact, facts.signature_valid, facts.signer_trusted)
    reasons = (*said, *facts.reasons, *filter(None, [difference]))
    return DocumentFacts(intact, facts.signature_valid, facts.signer_trusted, reasons, facts.stamped_at)


def number_in(content: bytes | None) -> str | None:
    """The number of the report that a file's content names, if it is one."""
    try:
        number = json.loads(content or b"")["number"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if isinstance(number, str) and is_report_number(number) else None


def unknown(found: DocumentFacts, number: str | None, reason: str = UNKNOWN_NUMBER) -> Verdict:
    """The answer where no report's status is told."""
    facts = (found.intact, found.signature_valid, found.signer_trusted)
    return Verdict(*facts, None, number, [*found.reasons, reason], host=found.host, warning=found.warning)


def known(found: DocumentFacts, report: Registered) -> Verdict:
    """The answer about a report that is in the register."""
    why = _general_why(report)
    return Verdict(
        intact=found.intact,
        signature_valid=found.signature_valid,
        signer_trusted=found.signer_trusted,
        status=report.status,
        number=report.number,
        reasons=[*found.reasons, *_status_reasons(report, why)],
        subject_masked=report.shown.masked_name,
        issued_at=report.issued_at,
        since=report.since,
        why=why,
        policy_title=report.shown.policy_title,
        report_title=report.shown.report_title,
        record_word=report.shown.record_word,
        is_demonstration=report.shown.is_demonstration,
        log=report.log,
        stamped_at=found.stamped_at or report.stamped_at,
        host=found.host,
        warning=found.warning,
    )


def _general_why(report: Registered) -> str:
    """Why the status holds, in general words: a stranger learns nothing of what a new report would say."""
    general = general_reason(report.reason_code)
    return general or (report.reason if report.status == ReportStatus.REVOKED else "")


def _status_reasons(report: Registered, why: str) -> list[str]:
    """The status in its fixed words; where it is not in force since when, and why as far as anybody may know."""
    words = status_words(report.status)
    if report.status in (ReportStatus.IN_FORCE, ReportStatus.PREPARED):
        return [words]
    since = f"自{spoken_date(china_date(report.since))}起"
    if report.status == ReportStatus.REVOKED and why:
        return [f"{words}（{why}）", f"{since}。"]
    return [words, f"{since}；{why}。" if why else f"{since}。"]


def _looked(verdict: Verdict, way: str, by: str) -> Verdict:
    """Record the look where a status was told; what led to nothing leaves no trace of anybody's report."""
    if verdict.status is not None and verdict.number is not None:
        record_look(verdict.number, way, by, verdict.status)
    return verdict
