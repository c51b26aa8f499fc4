"""Restore (恢复) a base backup into an empty home, up to a named point, a moment, a place in the log, or the end."""

import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from xinzheng.adapters.postgres_embedded.archive import BackupError, fetching, literal, lsn
from xinzheng.adapters.postgres_embedded.backups import Backup, backups_in, check_backup, points_in
from xinzheng.adapters.postgres_embedded.layout import (
    ConnectionInfo,
    Layout,
    connection_info,
    make_home,
    prepare_layout,
)
from xinzheng.adapters.postgres_embedded.server import (
    as_superuser,
    configure,
    empty_draft,
    locked,
    says_running,
    start_once,
)

# In a home that was restored, until what is due then is done.
RESTORED = "restored.json"
PAUSE_SECONDS = 0.1
# A long log takes its time; the server says meanwhile that it is starting.
RECOVERY_SECONDS = 24 * 3600
NOT_REACHED = "recovery ended before configured recovery target was reached"
TOO_EARLY = "requested recovery stop point is before consistent recovery point"


@dataclass(frozen=True, slots=True)
class Until:
    """How far to restore (恢复到哪里): one of the three, or none for all that the archive holds.

    ``point``: a named restore point. ``moment``: everything committed until then, an aware time. ``position``: a place
    in the write-ahead log such as ``0/3000148`` (LSN), as ``make_point`` gives it.
    """

    point: str | None = None
    moment: datetime | None = None
    position: str | None = None

    @property
    def is_the_end(self) -> bool:
        """Whether all there is shall be restored."""
        return (self.point, self.moment, self.position) == (None, None, None)

    def settings(self) -> str:
        """As settings of the server that recovers."""
        if self.point is not None:
            target = f"recovery_target_name = {literal(self.point)}\n"
        elif self.moment is not None:
            target = f"recovery_target_time = {literal(self.moment.astimezone(UTC).isoformat(sep=' '))}\n"
        elif self.position is not None:
            target = f"recovery_target_lsn = {literal(self.position)}\n"
        else:
            target = ""
        # Only the backup's own timeline: what a server restored elsewhere wrote must not be taken for its future.
        return target + "recovery_target_timeline = 'current'\nrecovery_target_action = 'promote'\n"


def fitting_backup(folder: Path, until: Until) -> Backup:
    """The newest backup that was complete before what shall be restored.

    Raises:
        BackupError: ``point-unknown``; ``backup-too-young`` where there is none so old; ``backup-broken`` where there
            is none at all.
    """
    found = backups_in(folder)
    if not found:
        raise BackupError(f"备份文件夹 {folder} 里还没有完整的备份。")
    if until.point is not None and _place(folder, until) is None:
        raise BackupError(f"没有名为“{until.point}”的恢复点；已有的见 xinzheng backup list。", code="point-unknown")
    found = [backup for backup in found if _reaches_back(backup, until)]
    if not found:
        raise BackupError("所有备份都晚于要恢复到的时候，恢复不到那里。", code="backup-too-young")
    return found[-1]


def _place(folder: Path, until: Until) -> str | None:
    """Where in the log that is; None for a moment and for a point that nobody noted."""
    if until.point is None:
        return until.position
    return next((point.place for point in points_in(folder) if point.name == until.point), None)


def _reaches_back(backup: Backup, until: Until) -> bool:
    """Whether the backup was complete by then: one that was not would silently be restored as it is."""
    place = _place(backup.folder, until)
    if place is not None:
        return backup.end <= lsn(place)
    return until.moment is None or backup.finished_at <= until.moment


def restore(backup: Backup, home: Path, until: Until, notes: Mapping[str, str] | None = None) -> ConnectionInfo:
    """Put the backup into a home that has no database, replay the log, and open it for writing on its own timeline.

    The restored server archives nowhere and waits for no replica until it is told to at a later start. Keys are not
    in a backup of the database: the home's folder of keys is restored apart. ``notes``: small files for the home, there
    before the server opens.

    Raises:
        BackupError: ``home-not-empty``; ``backup-broken``; ``wal-missing``: the archive ends before what was asked for;
            ``backup-too-young``.
    """
    if not _reaches_back(backup, until):
        raise BackupError(f"备份 {backup.name} 晚于要恢复到的时候，请换一个更早的备份。", code="backup-too-young")
    check_backup(backup)
    if not backup.is_archived and not until.is_the_end:
        raise BackupError("做这个备份时没有归档预写日志，只能恢复到备份完成的时候。", code="wal-missing")
    info = connection_info(home)
    with locked(make_home(home)):
        layout = prepare_layout(home)
        if layout.data.exists():
            raise BackupError(f"{home} 里已有数据库，恢复要用一个空的文件夹（--to）。", code="home-not-empty")
        _put_in_place(backup, layout, until)
        configure(layout)
        for name, text in (notes or {}).items():
            (home / name).write_text(text, encoding="utf-8")
        _recover(layout, info)
    return info


def _put_in_place(backup: Backup, layout: Layout, until: Until) -> None:
    """Copy, give it to the runner, and rename in the end: a copy broken off is no database."""
    draft = empty_draft(layout)
    _run("cp", "-a", "--reflink=auto", f"{backup.path}/.", str(draft))
    shutil.rmtree(draft / "log", ignore_errors=True)
    (draft / "backup_manifest").unlink()
    recovery = layout.configuration / "recovery.conf"
    recovery.unlink(missing_ok=True)
    if backup.is_archived:
        recovery.write_text(fetching(backup.folder) + until.settings(), encoding="utf-8")
        recovery.chmod(0o644)
        (draft / "recovery.signal").touch(mode=0o600)
    _run("chown", "-R", f"{layout.runner.uid}:{layout.runner.gid}", str(draft))
    draft.rename(layout.data)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # no shell, our own paths
    if done.returncode != 0:
        raise BackupError(f"备份没有复制过来：{done.stderr.strip()[-400:]}", code="backup-failed")


def _recover(layout: Layout, info: ConnectionInfo) -> None:
    """Start, and wait until the log is replayed; what was begun is removed where it does not get that far."""
    is_started = start_once(layout, RECOVERY_SECONDS).returncode == 0
    while is_started:
        if _is_open(info):
            (layout.configuration / "recovery.conf").unlink(missing_ok=True)
            return
        is_started = says_running(layout)
        time.sleep(PAUSE_SECONDS)
    said = _said(layout)
    shutil.rmtree(layout.data, ignore_errors=True)
    if TOO_EARLY in said:
        raise BackupError("要恢复到的时候早于备份完成的时候，请换一个更早的备份。", code="backup-too-young")
    if NOT_REACHED in said:
        raise BackupError(
            "归档的预写日志到不了要恢复到的时候：之后的日志没有归档，或者那时还没有发生。"
            "请核对恢复点、时间，或者不写明，恢复到归档的末尾。",
            code="wal-missing",
        )
    raise BackupError(f"恢复没有完成，数据库说：{said[-600:]}", code="backup-failed")


def _is_open(info: ConnectionInfo) -> bool:
    """Whether it takes writes; it answers before, while it still replays."""
    try:
        with psycopg.connect(as_superuser(info).url, connect_timeout=5) as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    except psycopg.OperationalError:
        return False


def _said(layout: Layout) -> str:
    """What the server wrote while it recovered; the folder of its logs was empty before."""
    files = [layout.log, *sorted((layout.data / "log").glob("*.log"))]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files if path.exists())
