"""Check a report's PDF (核验文件): several facts, each examined on its own, never one verdict; expects hostile input.

pyHanko reads the file under its decoding limits and validates signature and chain. Beyond that, the one part of the
file that no digest covers, the signature container itself, must be byte for byte what our signer writes.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import async_validate_cms_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator import ValidationContext

from xinzheng.adapters.pdf.attachments import MAX_PDF_BYTES, attachment_in, open_bounded
from xinzheng.adapters.signing.chains import as_cryptography, embedded, path_of
from xinzheng.adapters.signing.doubts import NOT_COVERED, PROVABLE, Doubt, Moments, doubts_about
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import as_written
from xinzheng.adapters.signing.key_ends import KeyEnds, ends_of
from xinzheng.adapters.signing.key_history import spki_in
from xinzheng.adapters.signing.revocation_check import RevocationFacts, revocation_of
from xinzheng.adapters.signing.stamp_check import examine_stamp
from xinzheng.adapters.signing.trust import Trust

USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
HEXADECIMAL = re.compile(rb"<[0-9A-Fa-f]*>")
FOR_OTHERS = {"time_stamping", "ocsp_signing"}
TOO_LARGE = f"文件超过{MAX_PDF_BYTES // 1024**2} MB，没有核对。请提交原始报告文件。"
UNREADABLE = "文件不能作为报告读出：不是 PDF 文件，或者已经损坏、被改动。"
UNSIGNED = "文件没有数字签名，不能证明由谁签发、是否改动。"
SEVERAL = "文件含有不止一个签名，不是签发时的原样。"
NOT_WHOLE = "签名没有覆盖整个文件：签发之后文件有增加或者截去的内容。"
ALTERED = "文件内容与签名时不一致。"
CONTAINER = "签名数据的形式不是签发时的原样。"
INVALID = "签名与签名证书不相符。"
OVER_MEMORY = "核对这份文件超过了内存的上限，没有核对。请提交原始报告文件。"
UNDATED = "签名没有写明时间，不能核对证书在签发时是否有效。"
UNTRUSTED = "签名证书不是由受信任的机构签发，或者签发时证书不在有效期内。"


@dataclass(frozen=True)
class PdfFacts:
    """What was found (核验事实). A fact that was not examined is None; ``reasons`` says in Chinese what is wrong.

    ``intact``: one signature over the whole file, and its digest is equal. ``signature_valid``: the signature was made
    with the key of its certificate. ``signer_trusted``: that certificate led to a root of ours when it signed.
    ``content``: the attached canonical JSON, only if intact; believe it only if the other two hold as well.
    ``signed_at`` is the signer's own word, ``stamped_at`` the word of a time-stamping authority (时间戳) that was
    checked. ``level`` is B-B, B-T or B-LT (PAdES). ``revoked_at``: since when the signer's certificate is revoked or
    others may have had its key, as far as the lists at hand and the history of the keys say. ``provable_before``:
    the signer would be trusted if anything proved that the signature is older than this.
    """

    intact: bool | None = None
    signature_valid: bool | None = None
    signer_trusted: bool | None = None
    reasons: tuple[str, ...] = ()
    content: bytes | None = None
    signer_name: str | None = None
    signed_at: datetime | None = None
    stamped_at: datetime | None = None
    level: str | None = None
    revoked_at: datetime | None = None
    provable_before: datetime | None = None

    def proved_older(self, words: str) -> "PdfFacts":
        """The same once something else proved that the signature is older than ``provable_before``."""
        open_yet = (reason for reason in self.reasons if reason not in PROVABLE)
        return replace(self, signer_trusted=True, reasons=(*open_yet, words), provable_before=None)


def check_pdf(pdf: bytes, trust: Trust) -> PdfFacts:
    """The facts about a submitted file of at most 20 MB. Never raises: what cannot be read is not intact."""
    if len(pdf) > MAX_PDF_BYTES:
        return PdfFacts(reasons=(TOO_LARGE,))
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # a stranger's file must not fill our log
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        reader = open_bounded(pdf)
        signatures = reader.embedded_signatures
        if not signatures:
            return PdfFacts(intact=False, reasons=(UNSIGNED,))
        if len(signatures) > 1:
            return PdfFacts(intact=False, reasons=(SEVERAL,))
        return _Examination(_Signed(pdf, signatures[0], _store(reader)), trust).facts(reader)
    except MemoryError:
        return PdfFacts(reasons=(OVER_MEMORY,))
    except Exception:  # any failure to read is a finding about the file
        return PdfFacts(intact=False, reasons=(UNREADABLE,))


@dataclass(frozen=True)
class _Store:
    """What the signed file brings along for judging its signature (DSS), DER."""

    certificates: tuple[asn1_x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()


def _store(reader: PdfFileReader) -> _Store:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return _Store()
    return _Store(tuple(store.load_certs()), tuple(one.get_object().data for one in store.crls))


def _content(reader: PdfFileReader) -> bytes | None:
    """An attachment that cannot be read says nothing about the file's being intact."""
    try:
        return attachment_in(reader)
    except MemoryError:
        raise
    except Exception:
        return None


@dataclass(frozen=True)
class _Signed:
    """A file, the one signature found in it, and what it brings along."""

    pdf: bytes
    signature: EmbeddedPdfSignature
    store: _Store

    @property
    def container(self) -> bytes | None:
        """The bytes between the two signed ranges, or None if the ranges are not the whole file around it."""
        ranges = [int(value) for value in self.signature.byte_range]
        if len(ranges) != 4:
            return None
        start, length, resume, rest = ranges
        whole = start == 0 and 0 < length < resume and rest > 0 and resume + rest == len(self.pdf)
        return self.pdf[length:resume] if whole else None


def _is_for_documents(certificate: asn1_x509.Certificate) -> bool:
    """A certificate for time stamps or for certificate states leads to the same root and signs no report."""
    purposes = certificate.extended_key_usage_value
    return purposes is None or FOR_OTHERS.isdisjoint(purposes.native)


class _Examination:
    """One signed file against one trust: each fact is found by itself, and says its own reason."""

    def __init__(self, signed: _Signed, trust: Trust) -> None:
        self.signed, self.trust = signed, trust
        self.signed_at = signed.signature.self_reported_timestamp
        self.stamp = examine_stamp(signed.signature, trust, self._crls)
        self.moment = self.stamp.stamped_at or self.signed_at
        self.status = self._validated()
        self.path = path_of(self.status) if _is_for_documents(signed.signature.signer_cert) else None
        self.revocation = self._revocation()
        self.ends = self._ends()

    @property
    def _crls(self) -> tuple[bytes, ...]:
        return (*self.trust.crls, *self.signed.store.crls)

    def facts(self, reader: PdfFileReader) -> PdfFacts:
        """All facts; the content is read only out of an intact file."""
        of_file, of_signature, doubts = tuple(self._alterations()), tuple(self._flaws()), tuple(self._doubts())
        of_signer = tuple(doubt.reason for doubt in doubts)
        is_valid = None if self.stamp.is_fit is None else self.stamp.is_fit
        return PdfFacts(
            intact=not of_file,
            signature_valid=False if of_signature else is_valid,
            signer_trusted=self._trusted(of_signer),
            reasons=(*of_file, *of_signature, *of_signer, *((self.stamp.reason,) if self.stamp.reason else ())),
            content=None if of_file else _content(reader),
            signer_name=self.status.signing_cert.subject.native.get("common_name"),
            signed_at=self.signed_at,
            stamped_at=self.stamp.stamped_at,
            level=self._level(),
            revoked_at=self._revoked_at(),
            provable_before=_provable_before(doubts),
        )

    def _validated(self) -> StandardCMSSignatureStatus:
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(root) for root in self.trust.roots],
            allow_fetching=False,
            moment=self.moment,
            revocation_mode="soft-fail",
        )
        signature = self.signed.signature
        checking = async_validate_cms_signature(
            signature.signed_data,
            status_cls=StandardCMSSignatureStatus,
            raw_digest=signature.compute_digest(),
            validation_context=context,
            key_usage_settings=USAGE,
        )
        return finish(checking)

    def _revocation(self) -> RevocationFacts:
        if self.path is None or self.moment is None:
            return RevocationFacts(None, is_covered=False)
        return revocation_of(as_cryptography(self.path), self._crls, self.moment)

    def _ends(self) -> KeyEnds:
        if self.path is None:
            return KeyEnds()
        return ends_of(self.trust.keys, "document", spki_in(self.signed.signature.signer_cert.dump()))

    def _revoked_at(self) -> datetime | None:
        revocation = self.revocation.revocation
        known = (revocation.at if revocation is not None else None, self.ends.lost_at)
        return min((at for at in known if at is not None), default=None)

    def _alterations(self) -> Iterator[str]:
        container = self.signed.container
        if container is None or not HEXADECIMAL.fullmatch(container):  # else other objects could stand in the hole
            yield NOT_WHOLE
        if not self.status.intact:
            yield ALTERED

    def _flaws(self) -> Iterator[str]:
        container = self.signed.container
        if container is not None and not self._is_as_written(container):
            yield CONTAINER
        if not self.status.valid:
            yield INVALID

    def _is_as_written(self, container: bytes) -> bool:
        """Whether the part that no digest covers is as our signer writes it: the rest determines every byte of it."""
        signature, others = self.signed.signature, None
        if self.path is not None:
            others = [one for one in embedded(self.path) if one.dump() != signature.signer_cert.dump()]
            if not all(self._is_as_stored(one) for one in others):
                return False
        try:
            return as_written(signature, len(container), others) == container
        except MemoryError:
            raise
        except Exception:  # what cannot be written again from its parts was not written by us
            return False

    def _is_as_stored(self, certificate: asn1_x509.Certificate) -> bool:
        """A certificate's own signature is covered by nothing, except in the file's store."""
        stored = [one for one in self.signed.store.certificates if one.issuer_serial == certificate.issuer_serial]
        return all(one.dump() == certificate.dump() for one in stored)

    def _doubts(self) -> Iterator[Doubt]:
        if self.status.valid and self.path is None:
            yield Doubt(UNTRUSTED)
        if self.signed_at is None:
            yield Doubt(UNDATED)
        if self.path is not None:
            yield from doubts_about(Moments(self.signed_at, self.stamp.stamped_at), self.revocation, self.ends)

    def _trusted(self, doubts: tuple[str, ...]) -> bool | None:
        if not self.status.valid or doubts == (NOT_COVERED,):
            return None
        return not doubts

    def _level(self) -> str:
        if self.stamp.stamped_at is None or self.path is None:
            return "B-B"
        store = self.signed.store
        judged = revocation_of(as_cryptography(self.path), store.crls, self.stamp.stamped_at)
        return "B-LT" if store.crls and judged.is_covered else "B-T"


def _provable_before(doubts: tuple[Doubt, ...]) -> datetime | None:
    """Before when the signature has to be proved for all doubts to be gone; None if some would stay."""
    moments = [doubt.provable_before for doubt in doubts]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None
