"""The one byte form of our signatures (签名形式), which signer, stamper and checker share.

No digest covers the container of a signature, so it may be written in one way only: DER in one encoding, the signer's
certificate and its intermediates and nothing else in the bag, at most one time stamp (时间戳) beside the signature,
upper-case hex, zeros to the end. Whoever checks writes the container again from its parts and compares.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from asn1crypto import algos, cms, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from xinzheng.adapters.signing.der import INTEGER, OCTETS, SEQUENCE, SET, der, set_of, with_tag
from xinzheng.adapters.signing.raw_keys import CURVES, low_s
from xinzheng.core.errors import XinzhengError

TOKEN_ROOM = 8 * 1024  # bytes left for a time stamp in every container, so that one can be put in later
MAX_CHAIN = 8
STAMP = "signature_time_stamp_token"
BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
HEX_CONTAINER = re.compile(rb"<[0-9A-F]+>")
AROUND = 19  # bytes of a CMS around its signed data, where that is longer than 255 bytes and shorter than 64 KiB
NO_CONTENT = der(SEQUENCE, bytes.fromhex("06092a864886f70d010701"))
DIGESTS = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
Certificates = Sequence[asn1_x509.Certificate]


class FormError(XinzhengError):
    """A file or a token that does not have the form of ours."""

    code = "signature-form"


def container_bytes(content: bytes, size: int) -> bytes:
    """A signature as it stands between its brackets in the PDF, ``size`` bytes in all; FormError if it is longer."""
    written = content.hex().upper().encode("ascii")
    if len(written) > size - 2:
        raise FormError("签名数据超过了预留的长度。")
    return b"<" + written.ljust(size - 2, b"0") + b">"


def as_written(signature: EmbeddedPdfSignature, size: int, others: Certificates | None = None) -> bytes:
    """The container as we would write it around this signature: what differs from it was not written by us.

    ``others``: the intermediates that led from the signer to a root; None if that is not known, then those of the bag
    that issued one another. The time stamp is written again too; whether it holds is for the caller to examine.
    """
    given = signature.signed_data
    return container_bytes(normal_signature(given, size, others, token_of(given)), size)


def normal_signature(
    given: cms.SignedData, size: int, others: Certificates | None = None, token: cms.ContentInfo | None = None
) -> bytes:
    """The CMS of a signature, DER, built anew from its parts and ``token``; ``size`` as for container_bytes.

    FormError unless the signature is over its attributes as they stand there: so these have one form only, too.
    """
    signer = signer_of(given)
    _require_signed_as_found(given, signer)
    value = given["signer_infos"][0]["signature"].native
    parts = _Parts(signer, _bag(given, signer, others), value)
    if has_room(_signed(given, parts), size):
        parts = replace(parts, value=_lower(value, signer))
    if token is not None:
        stamp = der(SEQUENCE, cms.CMSAttributeType(STAMP).dump(), der(SET, _token(token)))
        parts = replace(parts, unsigned=der(0xA1, stamp))
    return _signed(given, parts)


def has_room(bare: bytes, size: int) -> bool:
    """Whether a container without a stamp leaves room for one; the first form of all, B-B for ever, did not.

    ``bare`` is the whole CMS; what stands around its signed data is left out of the count.
    """
    return size - 2 >= 2 * (len(bare) - AROUND + TOKEN_ROOM)


def token_of(given: cms.SignedData) -> cms.ContentInfo | None:
    """The time stamp beside the first signature, as it was found; None if there is none."""
    attributes = given["signer_infos"][0]["unsigned_attrs"]
    stamps = [one for one in attributes if one["type"].native == STAMP] if len(attributes) else []
    return stamps[0]["values"][0] if stamps else None


def normal_token(token: cms.ContentInfo) -> cms.ContentInfo:
    """A time stamp in its one form: its authority's chain without the root, one signature, nothing unsigned.

    What the authority signed stays byte for byte. FormError if it is no time stamp of one signer.
    """
    return cms.ContentInfo.load(_token(token))


def _token(token: cms.ContentInfo) -> bytes:
    given = token["content"]
    inner = given["encap_content_info"]
    if inner["content_type"].native != "tst_info" or len(given["signer_infos"]) != 1:
        raise FormError("时间戳的形式不对。")
    signer = signer_of(given)
    _require_signed_as_found(given, signer)
    value = _lower(given["signer_infos"][0]["signature"].native, signer)
    said = der(0xA0, der(OCTETS, bytes(inner["content"])))
    content = der(SEQUENCE, cms.ContentType("tst_info").dump(), said)
    return _signed(given, _Parts(signer, _bag(given, signer, None), value, version=3, content=content))


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


@dataclass(frozen=True)
class _Parts:
    """What of a signature is decided here; the rest is as it was given. ``content`` and ``unsigned`` are DER."""

    signer: asn1_x509.Certificate
    bag: Certificates
    value: bytes
    version: int = 1
    content: bytes = NO_CONTENT
    unsigned: bytes = b""


def _signed(given: cms.SignedData, parts: _Parts) -> bytes:
    """The one form of the whole CMS, DER."""
    info, signer = given["signer_infos"][0], parts.signer
    digest = algos.DigestAlgorithm({"algorithm": info["digest_algorithm"]["algorithm"].native}).dump()
    signer_info = der(
        SEQUENCE,
        der(INTEGER, b"\x01"),
        der(SEQUENCE, with_tag(SEQUENCE, signer.issuer.chosen), core.Integer(signer.serial_number).dump()),
        digest,
        with_tag(0xA0, info["signed_attrs"]),
        _mechanism(info, signer),
        der(OCTETS, parts.value),
        parts.unsigned,
    )
    data = der(
        SEQUENCE,
        der(INTEGER, bytes((parts.version,))),
        der(SET, digest),
        parts.content,
        set_of(0xA0, *(with_tag(SEQUENCE, one) for one in parts.bag)),
        der(SET, signer_info),
    )
    return der(SEQUENCE, cms.ContentType("signed_data").dump(), der(0xA0, data))


def _require_signed_as_found(given: cms.SignedData, signer: asn1_x509.Certificate) -> None:
    """Others may read several encodings of the attributes as the one that was signed; we write them as they are."""
    info = given["signer_infos"][0]
    digest = DIGESTS.get(info["digest_algorithm"]["algorithm"].native)
    public = x509.load_der_x509_certificate(with_tag(SEQUENCE, signer)).public_key()
    value, said = info["signature"].native, with_tag(SET, info["signed_attrs"])
    try:
        if isinstance(public, rsa.RSAPublicKey) and digest is not None:
            public.verify(value, said, PKCS1v15(), digest)
        elif isinstance(public, ec.EllipticCurvePublicKey) and digest is not None:
            public.verify(value, said, ec.ECDSA(digest))
        else:
            raise FormError("签名用了不认识的算法。")
    except InvalidSignature:
        raise FormError("签名与签名证书不相符。") from None


def _bag(given: cms.SignedData, signer: asn1_x509.Certificate, others: Certificates | None) -> Certificates:
    return signer, *(_issuers(signer, _given_certificates(given)) if others is None else others)


def _mechanism(info: cms.SignerInfo, signer: asn1_x509.Certificate) -> bytes:
    """One way to name the algorithm: RSA by PKCS#1 v1.5 and ECDSA have several that mean the same."""
    digest = info["digest_algorithm"]["algorithm"].native
    kind = "rsa" if signer.public_key.algorithm == "rsa" else "ecdsa"
    return bytes(algos.SignedDigestAlgorithm({"algorithm": f"{digest}_{kind}"}).dump())


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
