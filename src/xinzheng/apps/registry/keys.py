"""The two secrets that stand outside the database, in the folder ``XINZHENG_KEYS``: 32 random bytes each, 0600.

``person-key-encryption.key`` wraps data keys; ``person-number-hash.key`` hashes identity numbers. Whoever has only
the database can neither read nor guess a person; whoever loses the folder has erased everybody.
"""

import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from xinzheng.core.errors import XinzhengError

KEY_ENCRYPTION = "person-key-encryption.key"
NUMBER_HASH = "person-number-hash.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class KeyFileError(XinzhengError):
    """A key file is missing, damaged or of another installation; the message names it."""

    code = "key-file-unusable"


def new_data_key() -> bytes:
    """A random data key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def wrap_key(data_key: bytes, owner: str) -> bytes:
    """The data key (数据密钥) encrypted under the key-encryption key, bound to its owner, e.g. ``subject:7``."""
    return encrypt(_secret(KEY_ENCRYPTION), data_key, owner)


def unwrap_key(wrapped: bytes, owner: str) -> bytes:
    """The data key back. Raises KeyFileError when the key file is not the one it was wrapped with."""
    return decrypt(_secret(KEY_ENCRYPTION), wrapped, owner)


def encrypt(key: bytes, plain: bytes, owner: str) -> bytes:
    """AES-256-GCM under a fresh nonce, which stands first; ``owner`` is authenticated, not stored."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, owner.encode())


def decrypt(key: bytes, sealed: bytes, owner: str) -> bytes:
    """What :func:`encrypt` was given. Raises KeyFileError when key, text or owner do not fit."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
    except InvalidTag as error:
        message = f"密文无法解开，请检查密钥目录 {settings.XINZHENG_KEYS} 是否与数据库属于同一套安装。"
        raise KeyFileError(message, code="key-does-not-fit") from error


def number_hash_key() -> bytes:
    """The key under which identity numbers are hashed."""
    return _secret(NUMBER_HASH)


def forget_keys() -> None:
    """Read the key files again at the next use, after they were restored or replaced."""
    _read.cache_clear()


def _secret(name: str) -> bytes:
    return _read(Path(settings.XINZHENG_KEYS), name)


@lru_cache(maxsize=16)
def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.exists():
        _refuse_to_replace(path)
        _keep(path, secrets.token_bytes(KEY_BYTES))
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise KeyFileError(f"密钥文件 {path} 长度不对，应为{KEY_BYTES}字节，请从备份恢复。", path=str(path))
    return found


def _refuse_to_replace(path: Path) -> None:
    """A new key beside old ciphertext would take every known person for a stranger, and open no raw file."""
    from xinzheng.apps.audit.models import Entry
    from xinzheng.apps.registry.models import PersonIdentity

    # A batch that is just being taken has an entry, but no place yet.
    has_batches = path.name == KEY_ENCRYPTION and Entry.objects.filter(kind="batch", place__isnull=False).exists()
    if has_batches or PersonIdentity.objects.exists():
        message = f"密钥文件 {path} 不见了，而数据库里已有用它加密的数据；请从备份恢复该文件。"
        raise KeyFileError(message, path=str(path))


def _keep(path: Path, secret: bytes) -> None:
    """Write in whole and only once, whoever else starts at the same moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
