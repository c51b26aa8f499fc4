"""One form of an ECDSA signature: of s and n - s, which both verify, the lower one.

Whoever holds a signed file could swap one for the other without the key; the signed file would no longer be the one
that was issued, and nothing in it would say so. Our signer writes the lower, and the check demands it.
"""

from asn1crypto.keys import PublicKeyInfo  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


def lowered(signature: bytes, curve: str) -> bytes:
    """The DER ``signature`` with the lower of s and n - s; as it is for a curve that is not known here."""
    if curve not in ORDERS:
        return signature
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, ORDERS[curve] - s))


def is_low(signature: bytes, key: PublicKeyInfo) -> bool:
    """Whether ``signature`` has the one form it may have under ``key``: ECDSA with the lower s, or any RSA."""
    if key.algorithm != "ec":
        return True
    try:
        return lowered(signature, key.curve[1]) == signature
    except ValueError:
        return False
