"""The log's own key (日志密钥): Ed25519, made once, with the name it signs under; and the last checkpoint signed.

The name stays with the key: were it taken from a setting each time, moving a site would look like another log.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from xinzheng.adapters.transparency.note import Head, LogKey, NoteError, open_note, parse_key, sign_head
from xinzheng.core.errors import XinzhengError

KEY_FILE, NAME_FILE, LAST_FILE = "log.pem", "log.vkey", "log.checkpoint"


class LogKeyError(XinzhengError):
    """The log's key is missing in part or cannot be opened."""

    code = "log-key-unusable"


@dataclass(frozen=True)
class LogSigner:
    """Who signs checkpoints (日志签署者)."""

    key: LogKey
    private: Ed25519PrivateKey
    folder: Path

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of a size and a root."""
        return sign_head(Head(self.key.name, size, root), self.private)

    def last_signed(self) -> Head | None:
        """The newest checkpoint this key is known to have signed; None at the beginning.

        Raises:
            LogKeyError: what is kept was not signed by the key.
        """
        file = self.folder / LAST_FILE
        if not file.exists():
            return None
        try:
            return open_note(_read(file).decode(), self.key)
        except (NoteError, UnicodeDecodeError):
            raise LogKeyError(f"{LAST_FILE} 不是这把日志密钥签署的检查点，请从备份恢复密钥文件夹。") from None

    def remember(self, note: str) -> None:
        """Keep a checkpoint that others can see now; one that is smaller than what is kept comes too late."""
        last = self.last_signed()
        if last is None or last.size < open_note(note, self.key).size:
            _replace(self.folder / LAST_FILE, note.encode())


def open_log_signer(folder: Path, name: str) -> LogSigner:
    """The signer kept in ``folder`` (0700, files 0600); made under ``name`` where there is none yet.

    Raises:
        LogKeyError: the files do not belong together or cannot be read.
    """
    if not (folder / KEY_FILE).exists():
        _make(folder, name)
    try:
        private = load_pem_private_key(_read(folder / KEY_FILE), password=None)
        key = parse_key(_read(folder / NAME_FILE).decode())
    except (ValueError, NoteError):
        raise LogKeyError(f"日志密钥 {KEY_FILE} 或者 {NAME_FILE} 无法打开，请从备份恢复。") from None
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != key.public:
        raise LogKeyError(f"日志密钥 {KEY_FILE} 与 {NAME_FILE} 不是一对，请从备份恢复。")
    return LogSigner(key, private, folder)


def published_log_key(folder: Path) -> LogKey | None:
    """The public key of the folder; None before the log began. Reads no secret."""
    file = folder / NAME_FILE
    if not file.exists():
        return None
    try:
        return parse_key(_read(file).decode())
    except ValueError:
        raise LogKeyError(f"{NAME_FILE} 无法读取，请从备份恢复。") from None


def made_at(folder: Path) -> datetime:
    """When the folder's key was made, to the second."""
    return datetime.fromtimestamp(int((folder / NAME_FILE).stat().st_mtime), UTC)


def _make(folder: Path, name: str) -> None:
    """The folder appears whole or not at all, so that processes that begin together agree."""
    if not name or any(c.isspace() or c == "+" for c in name):
        raise LogKeyError("透明日志的名称（XINZHENG_LOG_ORIGIN）不能有空格和加号。")
    private = Ed25519PrivateKey.generate()
    key = LogKey(name, private.public_key().public_bytes_raw())
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(draft / KEY_FILE, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(draft / NAME_FILE, f"{key}\n".encode())
        draft.rename(folder)
    except OSError:
        if not (folder / KEY_FILE).exists():
            raise LogKeyError(f"日志密钥文件夹“{folder.name}”建不起来，请检查路径和权限，或者从备份恢复。") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, and on disk before it counts."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    _write(draft, content)
    draft.replace(path)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LogKeyError(f"读不到日志密钥文件 {path.name}（{error.strerror}），请检查路径和权限。") from None
