"""Changes to a signed report (篡改样本), seeded: none of them may be answered intact, valid and trusted."""

from collections.abc import Callable
from io import BytesIO

from asn1crypto import cms
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
