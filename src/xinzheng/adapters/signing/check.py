"""Check a report's PDF (核验文件): several facts, each examined on its own, never one verdict; expects hostile input.

pyHanko reads the file under its decoding limits and validates signature and chain. Beyond that, the one part of the
file that no digest covers, the signature container itself, must be byte for byte what our signer writes.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from xinzheng.adapters.pdf.attachments import MAX_PDF_BYTES, read_attachment
from xinzheng.adapters.signing.ecdsa_form import is_low
from xinzheng.adapters.signing.finishing import finish

USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
TOO_LARGE = f"文件超过{MAX_PDF_BYTES // 1_000_000} MB，没有核对。请提交原始报告文件。"
UNREADABLE = "文件不能作为报告读出：不是 PDF 文件，或者已经损坏、被改动。"
UNSIGNED = "文件没有数字签名，不能证明由谁签发、是否改动。"
SEVERAL = "文件含有不止一个签名，不是签发时的原样。"
NOT_WHOLE = "签名没有覆盖整个文件：签发之后文件有增加或者截去的内容。"
ALTERED = "文件内容与签名时不一致。"
CONTAINER = "签名数据的形式不是签发时的原样。"
INVALID = "签名与签名证书不相符。"
UNDATED = "签名没有写明时间，不能核对证书在签发时是否有效。"
UNTRUSTED = "签名证书不是由受信任的机构签发，或者签发时证书不在有效期内。"


@dataclass(frozen=True)
class Trust:
    """What a signer is held against (信任依据), all DER.

    ``roots``: the certificates a signer must lead to (受信任的根证书). ``crls``: lists of revoked certificates
    (吊销名单) known to the verifier, newer than those in the file as a rule. ``stamp_roots``: the certificates a
    time-stamping authority must lead to; if there are none, ``roots``.
    """

    roots: tuple[bytes, ...]
    crls: tuple[bytes, ...] = ()
    stamp_roots: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class PdfFacts:
    """What was found (核验事实). A fact that was not examined is None; ``reasons`` says in Chinese what is wrong.

    ``intact``: one signature over the whole file, and its digest is equal. ``signature_valid``: the signature was made
    with the key of its certificate. ``signer_trusted``: that certificate led to a root of ours when it signed.
    ``content``: the attached canonical JSON, only if intact; believe it only if the other two hold as well.
    ``signed_at`` is the signer's own word, ``stamped_at`` the word of a time-stamping authority (时间戳) that was
    checked. ``level`` is B-B, B-T or B-LT (PAdES). ``revoked_at``: since when the signer's certificate is revoked,
    as far as the lists at hand say.
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


def check_pdf(pdf: bytes, trust: Trust) -> PdfFacts:
    """The facts about a submitted file of at most 20 MB. Never raises: what cannot be read is not intact."""
    if len(pdf) > MAX_PDF_BYTES:
        return PdfFacts(reasons=(TOO_LARGE,))
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # a stranger's file must not fill our log
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        signatures = PdfFileReader(BytesIO(pdf)).embedded_signatures
        if not signatures:
            return PdfFacts(intact=False, reasons=(UNSIGNED,))
        if len(signatures) > 1:
            return PdfFacts(intact=False, reasons=(SEVERAL,))
        return _examine(pdf, signatures[0], trust)
    except Exception:  # any failure to read is a finding about the file
        return PdfFacts(intact=False, reasons=(UNREADABLE,))


def _examine(pdf: bytes, signature: EmbeddedPdfSignature, trust: Trust) -> PdfFacts:
    signed_at = signature.self_reported_timestamp
    roots = [asn1_x509.Certificate.load(root) for root in trust.roots]
    context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=signed_at, revocation_mode="soft-fail")
    status = finish(async_validate_pdf_signature(signature, context, key_usage_settings=USAGE, skip_diff=True))
    reasons = tuple(_reasons(pdf, signature, status, signed_at))
    intact = not {NOT_WHOLE, ALTERED}.intersection(reasons)
    return PdfFacts(
        intact=intact,
        signature_valid=not {CONTAINER, INVALID}.intersection(reasons),
        signer_trusted=_leads_to_root(status) and signed_at is not None if status.valid else None,
        reasons=reasons,
        content=read_attachment(pdf) if intact else None,
        signer_name=status.signing_cert.subject.native.get("common_name"),
        signed_at=signed_at,
    )


def _reasons(
    pdf: bytes, signature: EmbeddedPdfSignature, status: PdfSignatureStatus, signed_at: datetime | None
) -> Iterator[str]:
    container = _container(pdf, signature)
    if container is None:
        yield NOT_WHOLE
    if not status.intact:
        yield ALTERED
    if container is not None and not _is_ours(container, signature, status):
        yield CONTAINER
    if not status.valid:
        yield INVALID
    elif not _leads_to_root(status):
        yield UNTRUSTED
    if signed_at is None:
        yield UNDATED


def _leads_to_root(status: PdfSignatureStatus) -> bool:
    """pyHanko's own ``trusted`` also asks whether the document is intact, which is another fact."""
    return status.trust_problem_indic is None and status.validation_path is not None


def _container(pdf: bytes, signature: EmbeddedPdfSignature) -> bytes | None:
    """The bytes between the two signed ranges, or None if the ranges are not the whole file around it."""
    ranges = [int(value) for value in signature.byte_range]
    if len(ranges) != 4:
        return None
    start, length, resume, rest = ranges
    whole = start == 0 and 0 < length < resume and rest > 0 and resume + rest == len(pdf)
    return pdf[length:resume] if whole else None


def _is_ours(container: bytes, signature: EmbeddedPdfSignature, status: PdfSignatureStatus) -> bool:
    """Whether the part that no digest covers is as our signer writes it: every byte of it is determined by the rest."""
    chain = _chain(signature, status)
    given = [one.chosen.dump() for one in signature.signed_data["certificates"]]
    return (
        sorted(given) == sorted(one.dump() for one in chain)
        and is_low(signature.signer_info["signature"].native, signature.signer_cert.public_key)
        and container == _as_signed(signature, chain, len(container))
    )


def _chain(signature: EmbeddedPdfSignature, status: PdfSignatureStatus) -> list[asn1_x509.Certificate]:
    """The signer and the intermediates it needs, out of the certificates given: no other belongs in the container."""
    if _leads_to_root(status):
        path = list(status.validation_path.iter_certs(include_root=True))
    else:
        path = _climb(signature.signer_cert, signature.other_embedded_certs)
    signer = signature.signer_cert.dump()
    return list({one.dump(): one for one in path if one.dump() == signer or not one.self_issued}.values())


def _climb(signer: asn1_x509.Certificate, others: list[asn1_x509.Certificate]) -> list[asn1_x509.Certificate]:
    """From an unknown signer upwards by the names of the issuers."""
    path = [signer]
    while len(path) <= len(others):
        above = [one for one in others if one.subject == path[-1].issuer and one not in path]
        if not above:
            break
        path.append(above[0])
    return path


def _as_signed(signature: EmbeddedPdfSignature, chain: list[asn1_x509.Certificate], size: int) -> bytes:
    """The container as our signer writes it around this signature: one encoding, upper-case hex, zeros to the end."""
    info = signature.signer_info
    certificate = signature.signer_cert
    issuer_and_serial = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    digest = {"algorithm": "sha256"}
    mechanism = "sha256_rsa" if certificate.public_key.algorithm == "rsa" else "sha256_ecdsa"
    signer_info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": issuer_and_serial}),
            "digest_algorithm": digest,
            "signature_algorithm": {"algorithm": mechanism},
            "signed_attrs": info["signed_attrs"].untag(),  # a tag and a length of our own encoding
            "signature": info["signature"].native,
        }
    )
    signed_data = {
        "version": "v1",
        "digest_algorithms": [digest],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices("certificate", one) for one in chain],
        "signer_infos": [signer_info],
    }
    rebuilt: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)}).dump()
    return b"<" + rebuilt.hex().upper().encode("ascii").ljust(size - 2, b"0") + b">"
