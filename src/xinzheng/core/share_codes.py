"""Codes of a share (亮码): fresh random bits as a long code for a QR code and as twelve characters to type.

Of either only a keyed digest is ever kept: 60 typed bits could be tried through by whoever held a copy of the tables.
"""

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

from xinzheng.core.lifecycle import TYPED_LENGTH, normalise_typed_code, typed_code

SECRET_BYTES = 16
LONG_LENGTH = 22  # of 16 bytes in base64url without padding
TYPED_GROUPS = 4
NOBODYS = bytes(SECRET_BYTES)


class Digests(NamedTuple):
    """What is kept of a shown code (出示的码), 32 bytes each: of the long code, and of the typed one."""

    long: bytes
    typed: bytes


def long_code(secret: bytes) -> str:
    """The code in the address of a QR code: 22 characters of base64url."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def spaced(typed: str) -> str:
    """A typed code in groups of four, as it is read out."""
    return " ".join(typed[start : start + TYPED_GROUPS] for start in range(0, len(typed), TYPED_GROUPS))


def digests_of(secret: bytes, key: bytes) -> Digests:
    """What to keep of a fresh secret."""
    return Digests(_digest(b"long", secret, key), _digest(b"typed", typed_code(secret).encode(), key))


def digest_of_long(code: str, key: bytes) -> bytes:
    """The digest to look a long code up by; of what is no such code in its one spelling, a digest nobody has."""
    return _digest(b"long", _secret_of(code) or NOBODYS, key)


def digest_of_typed(text: str, key: bytes) -> bytes:
    """The digest to look a typed code up by, however it was typed; of what has not its length, one nobody has."""
    typed = normalise_typed_code(text[: TYPED_LENGTH * 4])
    return _digest(b"typed" if len(typed) == TYPED_LENGTH else b"nobody", typed.encode(), key)


def _secret_of(code: str) -> bytes | None:
    if len(code) != LONG_LENGTH or not code.isascii():
        return None
    try:
        secret = base64.b64decode(code + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == SECRET_BYTES and long_code(secret) == code else None


def _digest(kind: bytes, value: bytes, key: bytes) -> bytes:
    return hmac.new(key, kind + b"\0" + value, hashlib.sha256).digest()
