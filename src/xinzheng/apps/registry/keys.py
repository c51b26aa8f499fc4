"""The two secrets that stand outside the database, in the folder ``XINZHENG_KEYS``: 32 random bytes each, 0600.

``person-key-encryption.key`` wraps data keys; ``person-number-hash.key`` hashes identity numbers. Whoever has only
the database can neither read nor guess a person; whoever loses the folder has erased everybody.

While the key-encryption key is being replaced, and as long as something is wrapped under the one before, that one
stands beside it as ``person-key-encryption.retired-<fingerprint>.key``: wrapping uses the present one only, unwrapping
tries all (see ``key_rotation``).
"""

import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from xinzheng.core.errors import XinzhengError

KEY_ENCRYPTION = "person-key-encryption.key"
NUMBER_HASH = "person-number-hash.key"
RETIRED = "person-key-encryption.retired-*.key"
# Tables of the apps above whose ``wrapped_key`` is under the key-encryption key, too.
HOLDERS = (
    "ledger_batch",
    "ledger_upload",
    "ledger_mapsample",
    "accounts_mandaterequest",
    "codes_batchcheck",
    "codes_webhook",
    "registry_personcontact",
    "codes_mailaddress",
    "redress_evidencecontent",
    "redress_stepwords",
    "oversight_suggestionwords",
    "oversight_screeningwork",
    "mfa_authenticator",
)
# A row that is just being written has no wrapped key yet; the sign-in library keeps its secrets within its data.
HOLDS_SOMETHING = {"mfa_authenticator": "data ?| ARRAY['secret', 'seed']"}
KEY_BYTES = 32
NONCE_BYTES = 12
# Whoever wraps holds it shared until the commit, who rotates holds it alone; nothing else may lock this constant.
KEY_LOCK = 0x6B65796C6F636B31


class KeyFileError(XinzhengError):
    """A key file is missing, damaged or of another installation; the message names it."""

    code = "key-file-unusable"


def new_data_key() -> bytes:
    """A random data key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def wrap_key(data_key: bytes, owner: str) -> bytes:
    """The data key (数据密钥) encrypted under the key-encryption key, bound to its owner, e.g. ``subject:7``.

    The key-encryption key is not rotated before this transaction ends.
    """
    hold_keys()
    return wrap_held(data_key, owner)


def wrap_held(data_key: bytes, owner: str) -> bytes:
    """As :func:`wrap_key`, for who holds the keys already and wraps many."""
    return encrypt(_secret(KEY_ENCRYPTION), data_key, owner)


def hold_keys() -> None:
    """Keep the key-encryption key from being rotated until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [KEY_LOCK])


def unwrap_key(wrapped: bytes, owner: str) -> bytes:
    """The data key back. Raises KeyFileError when neither the present nor a retired key file fits."""
    try:
        return decrypt(_secret(KEY_ENCRYPTION), wrapped, owner)
    except KeyFileError as error:
        if error.code != "key-does-not-fit":
            raise
        for path in retired_keys():
            with suppress(KeyFileError):
                return decrypt(key_in(path), wrapped, owner)
        raise


def retired_keys() -> list[Path]:
    """The key files that wrap nothing new any more."""
    return sorted(Path(settings.XINZHENG_KEYS).glob(RETIRED))


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
    """The key file for hashing identity numbers; which key is in use is asked of ``number_keys``."""
    return _secret(NUMBER_HASH)


def forget_keys() -> None:
    """Read the key files again at the next use; a file that was replaced is noticed without it."""
    _read.cache_clear()


def _secret(name: str) -> bytes:
    path = Path(settings.XINZHENG_KEYS) / name
    if not path.exists():
        _refuse_to_replace(path)
        keep_secret(path, secrets.token_bytes(KEY_BYTES))
    return key_in(path)


def key_in(path: Path) -> bytes:
    """The secret a key file holds. Raises FileNotFoundError, KeyFileError where its length is wrong."""
    # Other processes replace the file: what tells one file from its successor is part of the key of the cache.
    state = path.stat()
    return _read(path, (state.st_ino, state.st_mtime_ns))


@lru_cache(maxsize=16)
def _read(path: Path, _state: tuple[int, int]) -> bytes:
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise KeyFileError(f"密钥文件 {path} 长度不对，应为{KEY_BYTES}字节，请从备份恢复。", path=str(path))
    return found


def _refuse_to_replace(path: Path) -> None:
    """A new key beside old ciphertext would take every known person for a stranger, and open no raw file."""
    tables = ["registry_personidentity", *(HOLDERS if path.name == KEY_ENCRYPTION else ())]
    if any(has_rows(table) for table in tables):
        message = f"密钥文件 {path} 不见了，而数据库里已有用它加密的数据；请从备份恢复该文件。"
        raise KeyFileError(message, path=str(path))


def has_rows(table: str) -> bool:
    """Whether a table is there and holds anything wrapped: those of the apps above are known by name only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        (there,) = cursor.fetchone()
        if not there:
            return False
        condition = HOLDS_SOMETHING.get(table, "length(wrapped_key) > 0")
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE {condition})")  # noqa: S608
        (found,) = cursor.fetchone()
    return bool(found)


def keep_secret(path: Path, secret: bytes) -> None:
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
