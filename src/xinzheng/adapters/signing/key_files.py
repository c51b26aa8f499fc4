"""Files of keys (密钥文件): private to their owner, whole or not there, one writer at a time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xinzheng.adapters.signing.errors import KeyFileError

LOCK_FILE = ".lock"


def read_key_file(path: Path) -> bytes:
    """The file's bytes; KeyFileError names the file and the reason, never what stands in it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"读不到密钥文件 {path.name}（{error.strerror}）。请检查路径和权限。") from None


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """A new folder, mode 0700, with its files, 0600: it appears whole or not at all."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write(draft / name, content)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def replace_file(path: Path, content: bytes) -> None:
    """The file with new content, mode 0600; a reader sees the old or the new one, also after a power cut."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        _write(draft, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file that only grows; a last one that a power cut tore was never written."""
    return read_key_file(path).rpartition(b"\n")[0].splitlines()


def append_line(path: Path, line: bytes) -> None:
    """One more line at the end, on disk when this returns. The caller holds the lock."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb+") as file:
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else changes the keys in ``folder`` meanwhile; the system lets go when a process dies.

    The folder is made if it is not there. KeyFileError if it cannot be written to, from the start or in the middle.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise KeyFileError(f"密钥目录 {folder} 不能写入（{error.strerror}）。请检查路径和权限。") from None
    with os.fdopen(descriptor, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        except OSError as error:  # a disk that is full, say; what was begun is whole or not there
            words = f"密钥目录 {folder} 写不进（{error.strerror}），正在使用的密钥没有改变。请腾出空间后再运行一次。"
            raise KeyFileError(words, code="signing-keys-unwritable") from error


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
