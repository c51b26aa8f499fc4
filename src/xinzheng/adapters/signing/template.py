"""The CMS of a signer's signatures (签名模板): made by pyHanko once, filled in for each report.

Between two signatures of one signer only the digest of the document and the signature value differ. Making the whole
structure anew takes longer than rendering the report that is signed.
"""

from collections.abc import Callable

from asn1crypto import cms  # type: ignore[import-untyped]

STAND_IN = bytes.fromhex("5a") * 32  # a digest's place in what the template is made from
SEQUENCE, SET, OCTETS, EXPLICIT_0 = 0x30, 0x31, 0x04, 0xA0


class SignatureTemplate:
    """A signature over STAND_IN, taken apart around what differs from one to the next."""

    def __init__(self, sample: cms.ContentInfo) -> None:
        signed = sample["content"]
        (info,) = signed["signer_infos"]
        attributes: bytes = info["signed_attrs"].untag().dump()
        self._before_digest, self._after_digest = attributes.split(STAND_IN)
        self._head = b"".join(info[field].dump() for field in ("version", "sid", "digest_algorithm"))
        self._mechanism: bytes = info["signature_algorithm"].dump()
        parts = ("version", "digest_algorithms", "encap_content_info", "certificates")
        self._bag = b"".join(signed[field].dump() for field in parts)
        self._type: bytes = sample["content_type"].dump()

    def filled(self, digest: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        """The CMS over a document's digest, DER; ``sign`` is given the signed attributes."""
        attributes = self._before_digest + digest + self._after_digest
        implicit = bytes((EXPLICIT_0,)) + attributes[1:]
        info = _der(SEQUENCE, self._head, implicit, self._mechanism, _der(OCTETS, sign(attributes)))
        return _der(SEQUENCE, self._type, _der(EXPLICIT_0, _der(SEQUENCE, self._bag, _der(SET, info))))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
