"""Signatures of webhook calls (回调签名) as Standard Webhooks 1.0 has them: HMAC-SHA256 over id, time and body."""

import base64
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret (回调密钥) as its owner is told it."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, at_seconds: int, body: bytes) -> str:
    """The signature of one call: ``v1,`` and base64. ``at_seconds``: since 1970, as in the header."""
    said = f"{message_id}.{at_seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, said, "sha256")).decode()


def signed_headers(secrets: Sequence[bytes], message_id: str, at_seconds: int, body: bytes) -> dict[str, str]:
    """The three headers; with one signature for each secret, while an old one still counts."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(signature(secret, message_id, at_seconds, body) for secret in secrets),
    }
