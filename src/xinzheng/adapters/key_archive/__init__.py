"""The folder of keys as one sealed file (密钥备份): kept apart from the backups of the data, opened by a passphrase.

With the data alone nobody reads a person or signs a report; with this file alone neither, without the passphrase.
"""

import io
import os
import secrets
import tarfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from xinzheng.core.errors import XinzhengError

BEGINNING = b"xinzheng-keys-1\n"
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
# 64 MiB and about a quarter of a second for each try.
COST, BLOCK, LANES = 2**16, 8, 1
LEAST_CHARACTERS = 16


class KeyArchiveError(XinzhengError):
    """The keys cannot be sealed, or a sealed file cannot be opened."""

    code = "key-archive-unusable"


def seal_keys(parts: dict[str, Path], passphrase: str) -> bytes:
    """Files and folders, each under its name, sealed under the passphrase; what is not there is left out.

    Raises:
        KeyArchiveError: ``passphrase-too-short``.
    """
    if len(passphrase) < LEAST_CHARACTERS:
        message = f"口令太短，至少{LEAST_CHARACTERS}个字符；建议由口令管理器生成。"
        raise KeyArchiveError(message, code="passphrase-too-short")
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, path in parts.items():
            if path.exists():
                archive.add(path.resolve(), name)
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    return BEGINNING + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain.getvalue(), BEGINNING)


def open_keys(sealed: bytes, passphrase: str, target: Path) -> list[str]:
    """Put the files back under ``target``, 0600 in folders 0700, never over one that is there; their names.

    Raises:
        KeyArchiveError: it is no such file, or the passphrase is another; ``keys-there-already``.
    """
    plain = _plain(sealed, passphrase)
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r") as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        for member in files:
            path = target / member.name
            if not path.resolve().is_relative_to(target.resolve()):
                raise KeyArchiveError(f"密钥备份里的路径“{member.name}”不对，没有恢复任何文件。")
            if path.exists():
                raise KeyArchiveError(f"{path} 已经存在，不会覆盖；请恢复到空的文件夹。", code="keys-there-already")
        for member in files:
            content = archive.extractfile(member)
            _write(target / member.name, content.read() if content else b"")
    return [member.name for member in files]


def _plain(sealed: bytes, passphrase: str) -> bytes:
    start = len(BEGINNING)
    salt, nonce = sealed[start : start + SALT_BYTES], sealed[start + SALT_BYTES : start + SALT_BYTES + NONCE_BYTES]
    if not sealed.startswith(BEGINNING) or len(nonce) < NONCE_BYTES:
        raise KeyArchiveError("这不是密钥备份文件（xinzheng backup keys 做的）。")
    try:
        body = sealed[start + SALT_BYTES + NONCE_BYTES :]
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, body, BEGINNING)
    except InvalidTag as error:
        raise KeyArchiveError("口令不对，或者文件已损坏；没有恢复任何文件。") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=COST, r=BLOCK, p=LANES).derive(passphrase.encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
