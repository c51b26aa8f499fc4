"""What is found out about a report without the site: facts, each on its own; what could not be examined is None."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from xinzheng.adapters.offline.published import OfflineKeys
from xinzheng.adapters.signing import ReportSeal, SealError, open_seal, parse_qr_text, signed_digest
from xinzheng.adapters.signing.examiner import examine
from xinzheng.adapters.signing.key_ends import ends_of
from xinzheng.adapters.transparency.audit import open_proof
from xinzheng.core.errors import XinzhengError
from xinzheng.core.hosts import shown_host
from xinzheng.core.leaves import Leaf, read_leaf
from xinzheng.core.lifecycle import STATUS_WORDS, ReportStatus

NO_LOG_KEY = "公布的密钥里没有透明日志的公钥，没有核对收录证明。"
LOG_KEY_LOST = "透明日志的密钥已经公布失密，没有核对收录证明。"
OTHER_LOG_KEY = "收录证明的检查点由另一把日志密钥签署，没有核对收录证明。"
NO_DIGEST = "没有读出报告内容，没有核对收录证明。"
OTHER_PROOF = "收录证明不是这份报告的。"
SEAL_LOST = "二维码的签章密钥已经公布失密或者停用，单凭二维码不能认定来源。"
SEAL_HOST = "二维码的网址与签名里写明的网站不是同一个，不要打开这个网址。"


@dataclass(frozen=True)
class OfflineFacts:
    """What was found without the site (离线核验结果). The status is not among it: nobody off line knows it.

    ``content`` is the SHA-256 of the report's content, ``file`` that of the signed bytes; ``host`` is the site a QR
    code names. ``stamped_at`` is the word of a time-stamping authority. ``in_log``: the log holds the report;
    ``log_status`` is the newest change of its status that a proof tells of.
    """

    intact: bool | None = None
    signature_valid: bool | None = None
    signer_trusted: bool | None = None
    number: str | None = None
    reasons: tuple[str, ...] = ()
    content: bytes | None = None
    file: bytes | None = None
    host: str | None = None
    stamped_at: datetime | None = None
    in_log: bool | None = None
    log_status: ReportStatus | None = None

    @property
    def is_genuine(self) -> bool:
        """The file, its signature and its signer are all in order."""
        return self.intact is True and self.signature_valid is True and self.signer_trusted is True

    def saying(self, *reasons: str) -> "OfflineFacts":
        """The same with further reasons."""
        return replace(self, reasons=(*self.reasons, *reasons))


def examine_file(source: BinaryIO, keys: OfflineKeys) -> OfflineFacts:
    """The facts about a file, examined in a bounded process of its own. Never raises for what the file holds."""
    found = examine(source, keys.trust)
    facts = OfflineFacts(
        found.intact, found.signature_valid, found.signer_trusted, reasons=found.reasons, stamped_at=found.stamped_at
    )
    if not facts.is_genuine or found.content is None:
        return facts
    source.seek(0)
    digest = sha256(found.content).digest()
    return replace(facts, number=_number(found.content), content=digest, file=signed_digest(source.read()))


def _number(content: bytes) -> str | None:
    try:
        number = json.loads(content)["number"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return number if isinstance(number, str) and len(number) <= 32 else None


def examine_code(text: str, keys: OfflineKeys) -> OfflineFacts:
    """The facts about the text of a QR code; the document was not seen."""
    try:
        host, _, sealed = parse_qr_text(text)
    except SealError as error:
        return OfflineFacts(reasons=(error.message, *_foreign(shown_host(text), keys)))
    try:
        seal, spki = _opened(sealed, keys)
    except SealError as error:
        facts = OfflineFacts(reasons=(error.message, *_foreign(host, keys)), host=host)
        unknown = error.code == "seal-key-unknown"
        return replace(facts, signer_trusted=False) if unknown else replace(facts, signature_valid=False)
    if seal.host != host:
        return OfflineFacts(signature_valid=False, reasons=(SEAL_HOST,), host=host)
    ends = ends_of(keys.keys, "seal", spki)
    is_good = ends.lost_at is None and not ends.is_retired(seal.as_of)
    facts = OfflineFacts(None, True, is_good, seal.number, content=seal.digest, host=seal.host)
    return facts.saying(*([] if is_good else [SEAL_LOST]), *_foreign(seal.host, keys))


def _opened(sealed: bytes, keys: OfflineKeys) -> tuple[ReportSeal, bytes]:
    """The seal and the SubjectPublicKeyInfo of the key it was made with. Raises SealError."""
    for key_id, public, spki in keys.seals:
        try:
            return open_seal(sealed, {key_id: public}), spki
        except SealError as error:
            if error.code != "seal-key-unknown":
                raise
    open_seal(sealed, {})
    raise AssertionError("a seal without a key cannot open")


def _foreign(host: str | None, keys: OfflineKeys) -> tuple[str, ...]:
    """Words where a code names another site than the one whose keys are used."""
    if host is None or keys.host is None or host == keys.host:
        return ()
    return (f"这张码写明的核验网站是 {host}，不是本站（{keys.host}）。",)


def examine_proof(facts: OfflineFacts, proof: str, keys: OfflineKeys) -> OfflineFacts:
    """The facts with what the log holds of the report, as far as the proof goes."""
    if keys.log is None or facts.content is None:
        return facts.saying(NO_LOG_KEY if keys.log is None else NO_DIGEST)
    if keys.is_log_lost:
        return facts.saying(LOG_KEY_LOST)
    try:
        _, leaves = open_proof(proof, keys.log)
        told = [read_leaf(one.leaf) for one in leaves]
    except XinzhengError as error:
        if error.code == "checkpoint-unsigned":
            return facts.saying(OTHER_LOG_KEY)
        return replace(facts, in_log=False).saying(error.message)
    return _in_log(facts, [leaf for leaf in told if isinstance(leaf, Leaf) and leaf.digest == facts.content])


def _in_log(facts: OfflineFacts, mine: list[Leaf]) -> OfflineFacts:
    """``mine``: what the log holds of the report's content."""
    if not any(_is_issue(leaf, facts.file) for leaf in mine):
        return replace(facts, in_log=False).saying(OTHER_PROOF)
    changed = [leaf.status for leaf in mine if leaf.status != ReportStatus.IN_FORCE]
    newest = changed[-1] if changed else None
    told_so = (f"透明日志记载：报告{STATUS_WORDS[status]}。" for status in changed)
    return replace(facts, in_log=True, log_status=newest).saying(*told_so)


def _is_issue(leaf: Leaf, file: bytes | None) -> bool:
    return leaf.file is not None and file in (None, leaf.file)
