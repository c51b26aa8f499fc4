"""The keys of the token office (令牌密钥): one signs what says who somebody is, one makes the numbers of people."""

import os
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

BITS = 3072
EXPONENT = 65537


def signing_key() -> str:
    """The private key (PEM), made at the first use."""
    return _kept(settings.XINZHENG_KEYS / "platforms" / "signing-key.pem", _new_signing_key)


def number_key() -> str:
    """The secret from which each platform's number of a person comes; with another one all numbers change."""
    return _kept(settings.XINZHENG_KEYS / "platforms" / "number-key", _new_number_key)


@cache
def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        _keep(path, make())
    return path.read_text(encoding="ascii").strip()


def _keep(path: Path, secret: str) -> None:
    """Write it whole and only once, whoever else begins at the same moment; nobody else may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secret, encoding="ascii")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _new_signing_key() -> str:
    made = rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _new_number_key() -> str:
    return secrets.token_urlsafe(48)
