"""Changes to a signed report (篡改样本), seeded: none of them may be answered intact, valid and trusted."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from asn1crypto import cms, core, crl
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pyhanko.pdf_utils.reader import PdfFileReader

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def rewritten(pdf: bytes, change: Callable[[cms.ContentInfo], bytes | None]) -> bytes:
    """``pdf`` with its CMS changed in place: ``change`` alters the structure, or returns other bytes for it."""
    signature = PdfFileReader(BytesIO(pdf)).embedded_signatures[0]
    _, length, resume, _ = (int(value) for value in signature.byte_range)
    content = cms.ContentInfo.load(signature.pkcs7_content)
    encoded = change(content) or content.dump(force=True)
    digits = encoded.hex().upper().encode()
    assert len(digits) <= resume - length - 2, "the change does not fit into the room of the signature"
    return pdf[:length] + b"<" + digits.ljust(resume - length - 2, b"0") + b">" + pdf[resume:]


def with_certificate(pdf: bytes, certificate: bytes) -> bytes:
    """A further certificate in the bag, which no digest covers."""

    def add(content: cms.ContentInfo) -> None:
        bag = list(content["content"]["certificates"])
        further = cms.CertificateChoices("certificate", cms.Certificate.load(certificate))
        content["content"]["certificates"] = cms.CertificateSet([*bag, further])

    return rewritten(pdf, add)


def with_list(pdf: bytes, listed: bytes) -> bytes:
    """A list of revoked certificates beside the certificates."""
    choice = cms.RevocationInfoChoice("crl", crl.CertificateList.load(listed))
    return rewritten(pdf, _on_data(lambda data: data.__setitem__("crls", [choice])))


def with_container_of(pdf: bytes, other: bytes) -> bytes:
    """The CMS of another signed file."""
    taken = PdfFileReader(BytesIO(other)).embedded_signatures[0].pkcs7_content
    return rewritten(pdf, lambda _: cms.ContentInfo.load(taken).dump())


def with_token_as_it_is(pdf: bytes, *tokens: bytes) -> bytes:
    """Time stamps put beside the signature without asking whether they belong there."""
    return rewritten(pdf, _on_signer(lambda info: info.__setitem__("unsigned_attrs", stamps(*tokens))))


def stamps(*tokens: bytes) -> cms.CMSAttributes:
    """One attribute a token."""
    kind = "signature_time_stamp_token"
    return cms.CMSAttributes(
        [cms.CMSAttribute({"type": kind, "values": [cms.ContentInfo.load(token)]}) for token in tokens]
    )


def token_in(pdf: bytes) -> bytes:
    """The time stamp of a stamped file."""
    info = PdfFileReader(BytesIO(pdf)).embedded_signatures[0].signer_info
    token: bytes = info["unsigned_attrs"][0]["values"][0].dump()
    return token


def _on_data(change: Callable[[Any], object]) -> Callable[[cms.ContentInfo], None]:
    def changed(content: cms.ContentInfo) -> None:
        change(content["content"])

    return changed


def _on_signer(change: Callable[[Any], object]) -> Callable[[cms.ContentInfo], None]:
    return _on_data(lambda data: change(data["signer_infos"][0]))


def _junk() -> cms.CMSAttributes:
    """Not made while this is imported: asn1crypto fixes its names of attributes when it makes the first."""
    return cms.CMSAttributes([cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Integer(1)]})])


STRUCTURES: dict[str, Callable[[cms.ContentInfo], object]] = {
    "another version": _on_data(lambda data: data.__setitem__("version", "v3")),
    "another version of the signer": _on_signer(lambda info: info.__setitem__("version", "v3")),
    "no digest named": _on_data(lambda data: data.__setitem__("digest_algorithms", [])),
    "two digests named": _on_data(
        lambda data: data.__setitem__("digest_algorithms", [{"algorithm": "sha256"}, {"algorithm": "sha1"}])
    ),
    "another digest named": _on_data(lambda data: data.__setitem__("digest_algorithms", [{"algorithm": "sha1"}])),
    "another digest of the signer": _on_signer(
        lambda info: info.__setitem__("digest_algorithm", {"algorithm": "sha512"})
    ),
    "the signature algorithm without its digest": _on_signer(
        lambda info: info.__setitem__("signature_algorithm", {"algorithm": "ecdsa"})
    ),
    "another name of the signature algorithm": _on_signer(
        lambda info: info.__setitem__("signature_algorithm", {"algorithm": "sha384_ecdsa"})
    ),
    "the signer named by his key": _on_signer(
        lambda info: info.__setitem__("sid", cms.SignerIdentifier("subject_key_identifier", bytes(20)))
    ),
    "an unsigned attribute": _on_signer(lambda info: info.__setitem__("unsigned_attrs", _junk())),
    "an unsigned attribute in an empty set": _on_signer(
        lambda info: info.__setitem__("unsigned_attrs", cms.CMSAttributes([]))
    ),
    "no certificate": _on_data(lambda data: data.__setitem__("certificates", cms.CertificateSet([]))),
    "two signers": _on_data(lambda data: data.__setitem__("signer_infos", list(data["signer_infos"]) * 2)),
    "no signer": _on_data(lambda data: data.__setitem__("signer_infos", [])),
    "content inside": _on_data(
        lambda data: data.__setitem__("encap_content_info", {"content_type": "data", "content": b"x"})
    ),
    "a signed attribute more": _on_signer(
        lambda info: info.__setitem__("signed_attrs", cms.CMSAttributes([*info["signed_attrs"], _junk()[0]]))
    ),
    "a signed attribute fewer": _on_signer(
        lambda info: info.__setitem__("signed_attrs", cms.CMSAttributes(list(info["signed_attrs"])[1:]))
    ),
    "no signature value": _on_signer(lambda info: info.__setitem__("signature", b"")),
    "a signature of zeros": _on_signer(lambda info: info.__setitem__("signature", bytes.fromhex("3006020100020100"))),
    "a signature of ones": _on_signer(lambda info: info.__setitem__("signature", bytes.fromhex("3006020101020101"))),
    "something behind it": lambda content: content.dump() + b"\x01",
    "an open length": lambda content: b"\x30\x80" + content.contents + b"\x00\x00",
    "nothing at all": lambda _: b"\x30\x00",
}


def written_otherwise(pdf: bytes) -> Iterator[tuple[str, bytes]]:
    """The same signature in every other form that a reader might take for it."""
    for name, change in STRUCTURES.items():
        yield name, rewritten(pdf, change)  # type: ignore[arg-type]
    yield "the other half", with_other_half(pdf)
    yield "a longer length", with_long_header(pdf)
    begin = pdf.index(b"/Contents <") + 11
    end = pdf.index(b">", begin)
    letter = next(at for at in range(begin, end) if pdf[at] in b"ABCDEF")
    yield "in small letters", pdf[:begin] + pdf[begin:end].lower() + pdf[end:]
    yield "one small letter", pdf[:letter] + pdf[letter : letter + 1].lower() + pdf[letter + 1 :]
    for filling in (b"1", b" ", b"\n", b"F", b"\x00", b">", b"%"):
        yield f"filled up with {filling!r}", pdf[: end - 9] + filling * 9 + pdf[end:]
        yield f"its last digit {filling!r}", pdf[: end - 1] + filling + pdf[end:]


def tokens_written_otherwise(token: bytes) -> Iterator[tuple[str, bytes]]:
    """A good time stamp in other forms."""
    for name, change in STRUCTURES.items():
        content = cms.ContentInfo.load(token)
        if (
            change(content) is None and content.dump(force=True) != token
        ):  # else it is no structure any more, or its own
            yield f"a stamp with {name}", content.dump(force=True)


def with_other_half(pdf: bytes) -> bytes:
    """The other ECDSA signature of the same key over the same bytes: n - s verifies as s does."""

    def turn(content: cms.ContentInfo) -> None:
        info = content["content"]["signer_infos"][0]
        r, s = decode_dss_signature(info["signature"].native)
        info["signature"] = encode_dss_signature(r, P256_ORDER - s)

    return rewritten(pdf, turn)


def with_long_header(pdf: bytes) -> bytes:
    """The signed attributes with a length written in one byte more than it needs."""

    def lengthen(content: cms.ContentInfo) -> bytes:
        attributes = content["content"]["signer_infos"][0]["signed_attrs"]
        short = attributes.dump()
        assert short[0] == 0xA0
        size = len(attributes.contents)
        longer = b"\xa0\x83" + size.to_bytes(3, "big") + attributes.contents
        return _enlarged(content.dump(), short, longer)

    return rewritten(pdf, lengthen)


def _enlarged(encoded: bytes, part: bytes, longer: bytes) -> bytes:
    """``encoded`` with ``part`` replaced and the two-byte lengths of everything around it corrected."""
    at = encoded.index(part)
    grown = bytearray(encoded[:at] + longer + encoded[at + len(part) :])
    for offset in range(at - 3):
        size = int.from_bytes(encoded[offset + 2 : offset + 4], "big")
        holds = offset + 4 <= at and at + len(part) <= offset + 4 + size <= len(encoded)
        if encoded[offset] in (0x30, 0x31, 0xA0) and encoded[offset + 1] == 0x82 and holds:
            grown[offset + 2 : offset + 4] = (size + len(longer) - len(part)).to_bytes(2, "big")
    return bytes(grown)
