"""Checkpoints (检查点) as C2SP signed notes: origin, size and root in three lines, below them Ed25519 signatures.

The form is that of c2sp.org/signed-note and c2sp.org/tlog-checkpoint, so that anybody's tools can read it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xinzheng.core.errors import XinzhengError
from xinzheng.core.merkle import HASH_BYTES

ED25519 = b"\x01"
KEY_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 4
MOST_BYTES = 1_000_000
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+=*)")
KEY_TEXT = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")


class NoteError(XinzhengError):
    """A checkpoint that cannot be read, or that the key did not sign."""

    code = "checkpoint-invalid"


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log's public key under its name (日志公钥); as text, the C2SP verifier key."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the SHA-256 over name, line feed, kind and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint says (日志头): how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def parse_key(text: str) -> LogKey:
    """The key of a text ``name+id+key``. NoteError ``log-key-invalid`` when it is none, or not Ed25519."""
    match = KEY_TEXT.fullmatch(text.strip())
    if match is not None:
        name, key_id, encoded = match.groups()
        data = _decoded(encoded)
        key = LogKey(name, data[1:])
        if data[:1] == ED25519 and len(key.public) == KEY_BYTES and key.key_id.hex() == key_id:
            return key
    raise NoteError("日志公钥应形如“名称+编号+公钥”，三部分要相互一致，请核对后完整粘贴。", code="log-key-invalid")


def sign_head(head: Head, private: Ed25519PrivateKey) -> str:
    """The checkpoint of the head, signed under its origin."""
    key = LogKey(head.origin, private.public_key().public_bytes_raw())
    signature = private.sign(str(head).encode())
    return f"{head}\n— {key.name} {_base64(key.key_id + signature)}\n"


def read_head(note: str) -> Head:
    """What a checkpoint says, its signatures not looked at. NoteError ``checkpoint-invalid``."""
    return _parts(note)[0]


def open_note(note: str, key: LogKey) -> Head:
    """What a checkpoint says, after the key's signature held; signatures of others are passed over.

    Raises NoteError: ``checkpoint-invalid``, ``checkpoint-unsigned`` or ``checkpoint-signature-invalid``.
    """
    head, signatures = _parts(note)
    ours = [data[ID_BYTES:] for name, data in signatures if (name, data[:ID_BYTES]) == (key.name, key.key_id)]
    if head.origin != key.name or not ours:
        raise NoteError("检查点没有这把公钥的签名，请核对公钥和日志是不是同一家。", code="checkpoint-unsigned")
    try:
        for signature in ours:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, str(head).encode())
    except InvalidSignature:
        raise NoteError("检查点的签名无效，内容被改动过。", code="checkpoint-signature-invalid") from None
    return head


def open_own_note(note: str, publics: Iterable[bytes]) -> Head:
    """What a checkpoint says that one of these keys signed, under whatever name; NoteError when none did."""
    name = _parts(note)[0].origin
    for public in publics:
        try:
            return open_note(note, LogKey(name, public))
        except NoteError as error:
            if error.code != "checkpoint-unsigned":
                raise
    raise NoteError("检查点不是本日志的任何一把密钥签署的。", code="checkpoint-unsigned")


def _parts(note: str) -> tuple[Head, list[tuple[str, bytes]]]:
    if len(note) > MOST_BYTES:
        raise NoteError("检查点过长。")
    body, blank, below = note.partition("\n\n")
    lines = body.split("\n")
    matches = [SIGNATURE_LINE.fullmatch(line) for line in below.removesuffix("\n").split("\n")]
    # A checkpoint may carry further lines for extensions; ours never do, so that signed is what is understood.
    if not blank or len(lines) != 3 or not lines[0] or not SIZE.fullmatch(lines[1]) or not below.endswith("\n"):
        raise NoteError("检查点的格式不对。")
    root = _decoded(lines[2])
    if len(root) != HASH_BYTES or _base64(root) != lines[2]:
        raise NoteError("检查点的根不是SHA-256。")
    signatures = [(match[1], _decoded(match[2])) for match in matches if match is not None]
    if len(signatures) != len(matches):
        raise NoteError("检查点的签名行格式不对。")
    return Head(lines[0], int(lines[1]), root), signatures


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("不是有效的Base64文本。") from None
