"""Base backups (基础备份) of the embedded server: made while it runs, checked file by file, named points in between."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from xinzheng.adapters.postgres_embedded.archive import (
    SEGMENT_BYTES,
    BackupError,
    append_line,
    archiving,
    check_archive,
    check_name,
    claim,
    drop_older,
    lines_of,
    lsn,
)
from xinzheng.adapters.postgres_embedded.layout import (
    Layout,
    as_runner,
    binaries,
    connection_info,
    prepare_layout,
)
from xinzheng.adapters.postgres_embedded.server import answers, as_superuser, configure

CHUNK = 1024**2
NOTE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """A base backup (基础备份) that is complete: its folder, when it was made, which stretch of the log it needs.

    ``is_archived``: the server archived at that time, so that points after the backup can be reached.
    ``noted``: what the maker wished to remember, such as the ledger's position.
    """

    folder: Path
    name: str
    started_at: datetime
    finished_at: datetime
    timeline: int
    start: int
    end: int
    size: int
    is_archived: bool
    noted: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The copy of the cluster."""
        return self.folder / "base" / self.name

    @property
    def first_segment(self) -> int:
        """The first segment of the log that it needs."""
        return self.start // SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A named point (恢复点) one can restore to: before a release, before a risky correction."""

    name: str
    at: datetime
    place: str
    noted: Mapping[str, Any]


def make_backup(home: Path, folder: Path, noted: Mapping[str, Any] | None = None) -> Backup:
    """Copy the running server of ``home`` into ``folder``; what is written meanwhile is copied, too.

    Raises:
        BackupError: ``server-not-running``; ``backup-folder-unusable``, ``backup-folder-of-another``;
            ``backup-failed`` with what the tool said.
    """
    layout, info = prepare_layout(home), connection_info(home)
    if not answers(info):
        raise BackupError("数据库没有运行，不能备份；请先启动。", code="server-not-running")
    claim(folder, home, layout)
    _drop_unfinished(folder)
    _let_copy(layout, home)
    started = datetime.now(UTC)
    name = f"{started:%Y%m%dT%H%M%S}Z"
    path = folder / "base" / name
    tool = [str(binaries(layout) / "pg_basebackup"), "-h", info.host, "-p", str(info.port), "-U", "postgres"]
    done = as_runner(
        layout.runner,
        [*tool, "-D", str(path), "-X", "stream", "-c", "fast", "--manifest-checksums=SHA256", "-l", f"xinzheng {name}"],
    )
    if done.returncode != 0:
        shutil.rmtree(path, ignore_errors=True)
        raise BackupError(f"备份没有做成：{done.stdout.strip()[-600:]}", code="backup-failed")
    _write_note(folder, name, started, _archives(home, folder), dict(noted or {}))
    return backup_named(folder, name)


def _let_copy(layout: Layout, home: Path) -> None:
    """A server started by an earlier release does not let copies be made: its access rules are written anew."""
    configure(layout)
    with psycopg.connect(as_superuser(connection_info(home)).url, autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")


def _archives(home: Path, folder: Path) -> bool:
    """Whether the server archives into this folder now."""
    query = "SELECT current_setting('archive_mode'), current_setting('archive_command')"
    with psycopg.connect(as_superuser(connection_info(home)).url, autocommit=True) as connection:
        mode, command = connection.execute(query).fetchone() or ("off", "")
    expected = archiving(folder).rpartition("archive_command = ")[2].strip()[1:-1].replace("''", "'")
    return (mode, command) == ("on", expected.replace("\\\\", "\\"))


def _write_note(folder: Path, name: str, started: datetime, is_archived: bool, noted: Mapping[str, Any]) -> None:
    """The note is written last: a backup without one was broken off."""
    manifest = _manifest(folder / "base" / name)
    reach = manifest["WAL-Ranges"][-1]
    note = {
        "version": NOTE_VERSION,
        "started_at": started.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "timeline": reach["Timeline"],
        "start": reach["Start-LSN"],
        "end": reach["End-LSN"],
        "size": sum(file["Size"] for file in manifest["Files"]),
        "is_archived": is_archived,
        "noted": noted,
    }
    draft = folder / "base" / f"{name}.json.new"
    draft.write_text(json.dumps(note, ensure_ascii=False, indent=1), encoding="utf-8")
    os.sync()
    draft.rename(folder / "base" / f"{name}.json")


def _drop_unfinished(folder: Path) -> None:
    for path in (folder / "base").iterdir():
        if path.is_dir() and not path.with_name(path.name + ".json").exists():
            shutil.rmtree(path)


def backup_named(folder: Path, name: str) -> Backup:
    """The backup of this name.

    Raises:
        BackupError: there is none, or its note cannot be read.
    """
    try:
        note = json.loads((folder / "base" / f"{name}.json").read_text(encoding="utf-8"))
        return Backup(
            folder=folder,
            name=name,
            started_at=datetime.fromisoformat(note["started_at"]),
            finished_at=datetime.fromisoformat(note["finished_at"]),
            timeline=int(note["timeline"]),
            start=lsn(note["start"]),
            end=lsn(note["end"]),
            size=int(note["size"]),
            is_archived=bool(note["is_archived"]),
            noted=note["noted"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(
            f"备份文件夹 {folder} 里没有可用的备份 {name}；已有的备份见 xinzheng backup list。"
        ) from error


def backups_in(folder: Path) -> list[Backup]:
    """The complete backups of a folder, oldest first."""
    return [backup_named(folder, path.stem) for path in sorted((folder / "base").glob("*Z.json"))]


def check_backup(backup: Backup) -> int:
    """Read every file of a backup and every segment of the log since; how many segments the archive holds.

    The wheel's ``pg_verifybackup`` crashes, so the manifest is compared here.

    Raises:
        BackupError: ``backup-broken`` names the first file that differs; ``wal-missing``.
    """
    files = _manifest(backup.path)["Files"]
    for file in files:
        name = file.get("Path") or bytes.fromhex(file["Encoded-Path"]).decode("utf-8", "surrogateescape")
        if _digest(backup.path / name) != file["Checksum"]:
            raise BackupError(f"备份 {backup.name} 不完整：{name} 缺失或者已改变。请换一个备份。")
    if not backup.is_archived:
        return 0
    return check_archive(backup.folder, backup.timeline, backup.first_segment, (backup.end - 1) // SEGMENT_BYTES)


def _manifest(path: Path) -> dict[str, Any]:
    """The list of files that the backup tool wrote, itself unchanged."""
    try:
        raw = (path / "backup_manifest").read_bytes()
        found: dict[str, Any] = json.loads(raw)
        # The tool digests all up to the last line, which holds the digest.
        upto = raw.rstrip(b"\n").rindex(b"\n") + 1
        if hashlib.sha256(raw[:upto]).hexdigest() == found["Manifest-Checksum"]:
            return found
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"备份 {path} 的文件清单（backup_manifest）读不出来，不能使用；请换一个备份。") from error
    raise BackupError(f"备份 {path} 的文件清单（backup_manifest）已改变，不能使用；请换一个备份。")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def keep_newest(folder: Path, count: int) -> int:
    """Delete all but the newest backups, and the log that only they needed; how many were deleted."""
    found = backups_in(folder)
    old, kept = found[:-count], found[-count:]
    for backup in old:
        (folder / "base" / f"{backup.name}.json").unlink()
        shutil.rmtree(backup.path)
    if kept:
        drop_older(folder, min(backup.first_segment for backup in kept))
    return len(old)


def make_point(home: Path, folder: Path, name: str, noted: Mapping[str, Any] | None = None) -> RestorePoint:
    """Set a named point in the log of the running server, and have the segment archived at once.

    Raises:
        BackupError: ``replica-name-unfit``; ``point-exists``; ``archiving-off``.
    """
    check_name(name)
    if any(point.name == name for point in points_in(folder)):
        raise BackupError(f"已有名为“{name}”的恢复点，请换一个名称。", code="point-exists")
    if not _archives(home, folder):
        raise BackupError(
            f"数据库没有向 {folder} 归档，恢复点没有用处；请设置 XINZHENG_BACKUP 后执行 xinzheng database restart。",
            code="archiving-off",
        )
    with psycopg.connect(as_superuser(connection_info(home)).url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_create_restore_point(%s)::text", [name]).fetchone()
        connection.execute("SELECT pg_switch_wal()")
    point = RestorePoint(name, datetime.now(UTC), str(row[0]) if row else "", dict(noted or {}))
    facts = {"name": name, "at": point.at.isoformat(), "place": point.place, "noted": point.noted}
    append_line(folder / "points.jsonl", json.dumps(facts, ensure_ascii=False))
    return point


def points_in(folder: Path) -> list[RestorePoint]:
    """The named points, oldest first."""
    found = map(json.loads, lines_of(folder / "points.jsonl"))
    return [RestorePoint(f["name"], datetime.fromisoformat(f["at"]), f["place"], f["noted"]) for f in found]
