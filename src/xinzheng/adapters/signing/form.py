"""The one byte form of our signatures (签名形式), which signer, stamper and checker share.

No digest covers the container of a signature, so it may be written in one way only: DER in one encoding, the signer's
certificate and its intermediates and nothing else in the bag, at most one time stamp (时间戳) beside the signature,
upper-case hex, zeros to the end. Whoever checks writes the container again from its parts and compares.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from asn1crypto import cms, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from xinzheng.adapters.signing.raw_keys import CURVES, low_s
from xinzheng.core.errors import XinzhengError

TOKEN_ROOM = 8 * 1024  # bytes left for a time stamp in every container, so that one can be put in later
MAX_CHAIN = 8
STAMP = "signature_time_stamp_token"
BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
HEX_CONTAINER = re.compile(rb"<[0-9A-F]+>")
Certificates = Sequence[asn1_x509.Certificate]


class FormError(XinzhengError):
    """A file or a token that does not have the form of ours."""

    code = "signature-form"


def container_bytes(content: cms.ContentInfo, size: int) -> bytes:
    """A signature as it stands between its brackets in the PDF, ``size`` bytes in all; FormError if it is longer."""
    der: bytes = content.dump()
    written = der.hex().upper().encode("ascii")
    if len(written) > size - 2:
        raise FormError("签名数据超过了预留的长度。")
    return b"<" + written.ljust(size - 2, b"0") + b">"


def as_written(signature: EmbeddedPdfSignature, size: int, others: Certificates | None = None) -> bytes:
    """The container as we would write it around this signature: what differs from it was not written by us.

    ``others``: the intermediates that led from the signer to a root; None if that is not known, then those of the bag
    that issued one another. The time stamp is written again too; whether it holds is for the caller to examine.
    """
    content = normal_signature(signature.signed_data, signature.signer_cert, size, others)
    return container_bytes(content, size)


def normal_signature(
    given: cms.SignedData, signer: asn1_x509.Certificate, size: int, others: Certificates | None = None
) -> cms.ContentInfo:
    """The CMS of a signature built anew from its parts; ``size`` as for container_bytes."""
    token = token_of(given)
    bare = _signed_data(given, signer, others)
    if has_room(bare, size):
        info = bare["signer_infos"][0]
        info["signature"] = _lower(info["signature"].native, signer)
    if token is not None:
        attribute = cms.CMSAttribute({"type": STAMP, "values": [normal_token(token)]})
        bare["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])
    return cms.ContentInfo({"content_type": "signed_data", "content": bare})


def has_room(bare: cms.SignedData, size: int) -> bool:
    """Whether a container without a stamp leaves room for one; the first form of all, B-B for ever, did not."""
    return size - 2 >= 2 * (len(bare.dump()) + TOKEN_ROOM)


def token_of(given: cms.SignedData) -> cms.ContentInfo | None:
    """The time stamp beside the first signature, as it was found; None if there is none."""
    attributes = given["signer_infos"][0]["unsigned_attrs"]
    stamps = [one for one in attributes if one["type"].native == STAMP] if len(attributes) else []
    return stamps[0]["values"][0] if stamps else None


def normal_token(token: cms.ContentInfo) -> cms.ContentInfo:
    """A time stamp in its one form: its authority's chain without the root, one signature, nothing unsigned.

    What the authority signed stays byte for byte. FormError if it is no time stamp of one signer.
    """
    given = token["content"]
    inner = given["encap_content_info"]
    if inner["content_type"].native != "tst_info" or len(given["signer_infos"]) != 1:
        raise FormError("时间戳的形式不对。")
    signed = _signed_data(given, signer_of(given), None)
    signed["version"] = "v3"
    signed["encap_content_info"] = {
        "content_type": "tst_info",
        "content": cms.ParsableOctetString(bytes(inner["content"])),
    }
    info = signed["signer_infos"][0]
    info["signature"] = _lower(info["signature"].native, signer_of(given))
    return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def signer_of(given: cms.SignedData) -> asn1_x509.Certificate:
    """The certificate of whoever signed, from the bag beside the signature; FormError if it is not there."""
    sid = given["signer_infos"][0]["sid"]
    for certificate in _given_certificates(given):
        by_key = sid.name == "subject_key_identifier" and certificate.key_identifier == sid.native
        if by_key or (
            sid.name == "issuer_and_serial_number"
            and sid.chosen["issuer"] == certificate.issuer
            and sid.chosen["serial_number"].native == certificate.serial_number
        ):
            return certificate
    raise FormError("签名没有带上签名者的证书。")


def stamp_info(token: cms.ContentInfo) -> tsp.TSTInfo:
    """What the stamp says: imprint, time, serial number."""
    return token["content"]["encap_content_info"]["content"].parsed


def signed_ranges(pdf: bytes) -> tuple[int, int]:
    """Where the container of the last signature begins and ends; FormError unless all else is signed."""
    start = pdf.rfind(b"/ByteRange")
    match = BYTE_RANGE.match(pdf, start) if start >= 0 else None
    if match is None:
        raise FormError("文件没有数字签名。")
    first, length, resume, rest = map(int, match.groups())
    if first or not 0 < length < resume < resume + rest == len(pdf):
        raise FormError("签名没有覆盖整个文件。")
    return length, resume


def signed_digest(pdf: bytes) -> bytes:
    """SHA-256 of the signed byte ranges: the same before and after a time stamp is put in. Raises FormError."""
    length, resume = signed_ranges(pdf)
    digest = hashlib.sha256(memoryview(pdf)[:length])
    digest.update(memoryview(pdf)[resume:])
    return digest.digest()


def read_container(pdf: bytes) -> cms.ContentInfo:
    """The CMS inside the last signature's container of a file of ours; FormError if it cannot be read."""
    length, resume = signed_ranges(pdf)
    if not HEX_CONTAINER.fullmatch(pdf, length, resume) or (resume - length) % 2:
        raise FormError("签名数据读不出。")
    raw = bytes.fromhex(pdf[length + 1 : resume - 1].decode("ascii"))
    try:
        content = cms.ContentInfo.load(raw)
        if content["content_type"].native == "signed_data" and len(content["content"]["signer_infos"]) == 1:
            return content
    except ValueError:
        pass
    raise FormError("签名数据读不出。")


def _signed_data(given: cms.SignedData, signer: asn1_x509.Certificate, others: Certificates | None) -> cms.SignedData:
    info = given["signer_infos"][0]
    digest = {"algorithm": info["digest_algorithm"]["algorithm"].native}
    bag = (signer, *(_issuers(signer, _given_certificates(given)) if others is None else others))
    signer_info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": {"issuer": signer.issuer, "serial_number": signer.serial_number}}
            ),
            "digest_algorithm": digest,
            "signature_algorithm": _mechanism(info, signer),
            "signed_attrs": cms.CMSAttributes.load(info["signed_attrs"].untag().dump(force=True)),
            "signature": info["signature"].native,
        }
    )
    return cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices("certificate", one) for one in bag],
            "signer_infos": [signer_info],
        }
    )


def _mechanism(info: cms.SignerInfo, signer: asn1_x509.Certificate) -> Any:
    """One way to name the algorithm: RSA by PKCS#1 v1.5 and ECDSA have several that mean the same."""
    given, digest = info["signature_algorithm"], info["digest_algorithm"]["algorithm"].native
    if given["algorithm"].native == "rsassa_pss":
        return given.copy()
    return {"algorithm": f"{digest}_{'rsa' if signer.public_key.algorithm == 'rsa' else 'ecdsa'}"}


def _lower(signature: bytes, signer: asn1_x509.Certificate) -> bytes:
    """The lower of an ECDSA signature's two forms; any other signature as it is."""
    public = signer.public_key
    curve = CURVES.get(public.curve[1]) if public.algorithm == "ec" and public.curve[0] == "named" else None
    return low_s(signature, curve) if curve is not None else signature


def _given_certificates(given: cms.SignedData) -> list[asn1_x509.Certificate]:
    bag = given["certificates"]
    return [one.chosen for one in bag if one.name == "certificate"] if len(bag) else []


def _issuers(signer: asn1_x509.Certificate, bag: Certificates) -> list[asn1_x509.Certificate]:
    """Those of the bag that issued the signer and one another, nearest first, without a root."""
    chain: list[asn1_x509.Certificate] = [signer]
    while len(chain) <= MAX_CHAIN:
        above = [one for one in bag if one.subject == chain[-1].issuer and one.subject != one.issuer]
        issuer = next((one for one in above if one not in chain and _issued(one, chain[-1])), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain[1:]


def _issued(issuer: asn1_x509.Certificate, certificate: asn1_x509.Certificate) -> bool:
    try:
        given = x509.load_der_x509_certificate(certificate.dump())
        given.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.dump()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
