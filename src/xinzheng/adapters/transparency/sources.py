"""Where an outsider reads a log (日志来源): a web site, or a folder somebody saved it into."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from xinzheng.core.errors import XinzhengError

SECONDS = 20
MOST_BYTES = 4_000_000


class LogSourceError(XinzhengError):
    """A source that does not answer, or lacks what a log must have."""

    code = "log-unreachable"


class LogSource(Protocol):
    """A log's public files by their addresses below its own: ``checkpoint``, ``tile/…``, ``proof/…``."""

    name: str

    def read(self, path: str) -> bytes | None:
        """The bytes; None when there is no such file."""
        ...


class LogSite:
    """A site, read over HTTP; the log stands below ``/log`` unless the address names another place."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LogSourceError("日志地址应形如 https://主机/log，或者是一个文件夹。", code="log-address-invalid")
        self.name = f"{parts.scheme}://{parts.netloc}"
        self._base = self.name + (parts.path.rstrip("/") or "/log")

    def read(self, path: str) -> bytes | None:
        return self._get(f"{self._base}/{path}")

    def keys(self) -> bytes | None:
        """The site's published keys."""
        return self._get(f"{self.name}/.well-known/xinzheng.json")

    def _get(self, address: str) -> bytes | None:
        try:
            with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310  http or https, see above
                data: bytes = answer.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise LogSourceError(f"{address} 回答 {error.code}，请稍后再试。") from None
        except (OSError, ValueError) as error:
            raise LogSourceError(f"连接不上 {address}（{getattr(error, 'reason', error)}）。") from None
        if len(data) > MOST_BYTES:
            raise LogSourceError(f"{address} 的内容过大，不是透明日志。")
        return data


class LogFolder:
    """A folder with the same files under the same names."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise LogSourceError(f"读不到 {self._folder / path}（{error.strerror}）。") from None


class SavedLog:
    """Another source, of which whatever is read is kept in a folder; the checkpoint last, when all was found sound."""

    def __init__(self, source: LogSource, folder: Path) -> None:
        self.name = source.name
        self._source, self._folder = source, folder
        self._checkpoint: bytes | None = None

    def read(self, path: str) -> bytes | None:
        data = self._source.read(path)
        if path == "checkpoint":
            self._checkpoint = data
        elif data is not None:
            self._keep(path, data)
        return data

    def finish(self) -> None:
        """Keep the checkpoint, too."""
        if self._checkpoint is not None:
            self._keep("checkpoint", self._checkpoint)

    def _keep(self, path: str, data: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        draft.write_bytes(data)
        draft.replace(target)


def source_at(place: str) -> LogSite | LogFolder:
    """The site or folder that a command names."""
    return LogSite(place) if "://" in place else LogFolder(Path(place))
