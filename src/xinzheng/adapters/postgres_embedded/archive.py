"""The archive of the write-ahead log (预写日志归档): each finished segment, packed; and the gaps in it."""

import fcntl
import gzip
import json
import os
import re
import shlex
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinzheng.adapters.postgres_embedded.layout import Layout, as_runner
from xinzheng.core.errors import XinzhengError

SEGMENT_BYTES = 16 * 1024**2
SEGMENTS_A_LOG = 2**32 // SEGMENT_BYTES
SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})\.gz")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What is lost at most where the disk of the server is lost, too, and nobody else has a copy.
ARCHIVE_SECONDS = 60
CHUNK = 1024**2


class BackupError(XinzhengError):
    """A backup cannot be made, is not whole, or does not reach what was asked for; the message says which file."""

    code = "backup-broken"


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a server does with what it writes: the folder it archives into, the replicas it waits for.

    None: as it was at the last start. Empty ``replicas``: it waits for nobody.
    """

    archive: Path | None = None
    replicas: Sequence[str] | None = None


AS_IT_WAS = Keeping()


def write_keeping(layout: Layout, home: Path, keeping: Keeping) -> None:
    """Write both down for the server's next start.

    Raises:
        BackupError: ``backup-folder-unusable``, ``backup-folder-of-another``.
    """
    if keeping.archive is not None:
        claim(keeping.archive, home, layout)
        _write(layout, "archive.conf", archiving(keeping.archive))
    if keeping.replicas is not None:
        _write(layout, "replicas.conf", waiting_for(keeping.replicas))


def _write(layout: Layout, name: str, text: str) -> None:
    path = layout.configuration / name
    draft = path.with_name(name + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o644)
    draft.rename(path)


def claim(folder: Path, home: Path, layout: Layout) -> None:
    """Make the folder for the backups of one home, which nobody but the runner and we can enter.

    Raises:
        BackupError: ``backup-folder-unusable``: it cannot be made or reached; ``backup-folder-of-another``: another
            home's backups lie there. Two servers of one origin would archive different segments under one name.
    """
    try:
        _make_folder(folder)
        for part in (folder / "base", folder / "wal"):
            part.mkdir(mode=0o700, exist_ok=True)
            if layout.runner.is_another:
                os.chown(part, layout.runner.uid, layout.runner.gid)
        owner = folder / "home.txt"
        if not owner.exists():
            owner.write_text(f"{home.absolute()}\n", encoding="utf-8")
    except OSError as error:
        raise BackupError(
            f"备份文件夹 {folder} 不能使用：{error.filename}（{error.strerror}）。请检查路径、权限和磁盘是否挂上。",
            code="backup-folder-unusable",
        ) from error
    if owner.read_text(encoding="utf-8").strip() != str(home.absolute()):
        raise BackupError(
            f"备份文件夹 {folder} 里是另一套数据（{owner.read_text(encoding='utf-8').strip()}）的备份，"
            "两套数据不能共用一个文件夹；请把 XINZHENG_BACKUP 指向另一个文件夹。",
            code="backup-folder-of-another",
        )
    if as_runner(layout.runner, ["/usr/bin/test", "-w", str(folder / "wal")]).returncode != 0:
        raise BackupError(
            f"运行数据库的用户 {layout.runner.name} 进不了备份文件夹 {folder}；请让上级文件夹可以通过（o+x）。",
            code="backup-folder-unusable",
        )


def _make_folder(folder: Path) -> None:
    """One that can be passed through, not listed: the user that runs the database works in folders within it."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711)


def archiving(folder: Path) -> str:
    """Settings that archive: packed, whole or not at all, on the disk before it counts, never over another one."""
    wal = shlex.quote(str(folder.absolute() / "wal")).replace("%", "%%")
    there, draft = f"{wal}/%f.gz", f"{wal}/.%f.new"
    command = (
        f"if [ -f {there} ]; then gzip -dc {there} | cmp -s - %p; "
        f"else gzip -1 -c %p > {draft} && sync {draft} && mv {draft} {there} && sync {wal}; fi"
    )
    return f"archive_mode = on\narchive_timeout = {ARCHIVE_SECONDS}s\narchive_command = {literal(command)}\n"


def fetching(folder: Path) -> str:
    """The setting by which a server that recovers gets segments back from the archive."""
    wal = shlex.quote(str(folder.absolute() / "wal")).replace("%", "%%")
    return f"restore_command = {literal(f'gzip -dc {wal}/%f.gz > %p')}\n"


def waiting_for(replicas: Sequence[str]) -> str:
    """The setting by which a commit waits until one of these replicas has it on its disk.

    Raises:
        BackupError: ``replica-name-unfit``.
    """
    for name in replicas:
        check_name(name)
    names = ", ".join(replicas)
    return f"synchronous_standby_names = {literal(f'ANY 1 ({names})' if names else '')}\n"


def check_name(name: str) -> None:
    """Names of replicas and restore points: they stand in settings unquoted.

    Raises:
        BackupError: ``replica-name-unfit``.
    """
    if NAME.fullmatch(name) is None:
        message = f"名称“{name}”不能用：应以小写字母开头，只含小写字母、数字、下划线，不超过40个字符。"
        raise BackupError(message, code="replica-name-unfit")


def literal(text: str) -> str:
    """A text as a value in the server's settings."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def lsn(text: str) -> int:
    """A place in the write-ahead log (预写日志位置), e.g. ``0/3000148``, as a number."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def segment_name(timeline: int, number: int) -> str:
    """The name of the segment with this number."""
    return f"{timeline:08X}{number // SEGMENTS_A_LOG:08X}{number % SEGMENTS_A_LOG:08X}"


def archived(folder: Path, timeline: int) -> list[int]:
    """The numbers of the segments of a timeline in the archive, in order."""
    found = (SEGMENT.fullmatch(path.name) for path in (folder / "wal").glob("*.gz"))
    return sorted(
        int(match[2], 16) * SEGMENTS_A_LOG + int(match[3], 16)
        for match in found
        if match and int(match[1], 16) == timeline
    )


def check_archive(folder: Path, timeline: int, first: int, last: int) -> int:
    """Whether the archive reaches from one segment to another, and on without a gap; how many segments there are.

    Each is unpacked in full: what is cut off or damaged is found now, not in an emergency.

    Raises:
        BackupError: ``wal-missing``, ``backup-broken``.
    """
    numbers = [number for number in archived(folder, timeline) if number >= first]
    reach = max(last, numbers[-1] if numbers else last)
    missing = sorted(set(range(first, reach + 1)) - set(numbers))
    if missing:
        name = segment_name(timeline, missing[0])
        raise BackupError(
            f"归档里缺少 {len(missing)} 段预写日志，第一段是 {folder}/wal/{name}.gz；"
            "最多只能恢复到它之前。请找回这一段，或者换一个更晚的备份。",
            code="wal-missing",
        )
    for number in numbers:
        _check_packed(folder / "wal" / f"{segment_name(timeline, number)}.gz")
    return len(numbers)


def _check_packed(path: Path) -> None:
    size = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(CHUNK):
                size += len(chunk)
    except (OSError, EOFError, zlib.error):
        size = 0
    if size != SEGMENT_BYTES:
        raise BackupError(f"归档的预写日志 {path} 已损坏；最多只能恢复到它之前。请从另一份拷贝找回。")


def drop_older(folder: Path, first: int) -> int:
    """Delete the segments before this one, which no backup that is kept needs; how many."""
    dropped = 0
    for path in (folder / "wal").glob("*.gz"):
        match = SEGMENT.fullmatch(path.name)
        if match and int(match[2], 16) * SEGMENTS_A_LOG + int(match[3], 16) < first:
            path.unlink()
            dropped += 1
    return dropped


def append_line(path: Path, line: str) -> None:
    """Add a line to a list and wait for the disk; several processes may."""
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def lines_of(path: Path) -> Iterable[str]:
    """The lines of a list; none where there is no list."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()


def note_erased(folder: Path, facts: Iterable[Mapping[str, Any]]) -> None:
    """Add to the list of erasures (删除名单) beside the backups who is not on it yet.

    Raises:
        BackupError: ``backup-folder-unusable``.
    """
    path = folder / "erased.jsonl"
    try:
        _make_folder(folder)
        known = set(lines_of(path))
        for line in (json.dumps(one, ensure_ascii=False, sort_keys=True) for one in facts):
            if line not in known:
                append_line(path, line)
    except OSError as error:
        raise BackupError(
            f"备份文件夹 {folder} 的删除名单写不进去（{error.strerror}）；不记在名单上，恢复备份时就不会再次删除。"
            "请检查磁盘后再试。",
            code="backup-folder-unusable",
        ) from error


def erased(folder: Path) -> list[dict[str, Any]]:
    """The list of erasures."""
    return [json.loads(line) for line in lines_of(folder / "erased.jsonl")]
