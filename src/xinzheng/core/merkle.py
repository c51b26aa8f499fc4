"""The Merkle tree of the transparency log (默克尔树, RFC 6962 section 2)."""

from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 0x00 and the data, so that no leaf can pass for a node."""
    return sha256(b"\0" + data).digest()
