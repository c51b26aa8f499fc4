"""Health of what things are kept in (存储): the database and its tables, disks, backups, standby servers."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from xinzheng.apps.oversight import ports
from xinzheng.apps.oversight.health_words import Check, State, bad, spoken_span, unknown, warning, well

GIBIBYTE = 1024**3
# At least, at most, and in between this share of the disk.
LOW, OUT = (10 * GIBIBYTE, 100 * GIBIBYTE, 0.10), (2 * GIBIBYTE, 10 * GIBIBYTE, 0.02)
BACKUP_DUE, BACKUP_LATE = timedelta(hours=26), timedelta(hours=50)
LAG_NOTED, LAG_BAD = timedelta(seconds=30), timedelta(minutes=5)

SERVER = "SELECT current_setting('server_version'), pg_is_in_recovery(), now()"
# A role without pg_read_all_stats sees who is connected, but neither state nor lag.
STANDBYS = """
    SELECT application_name, CASE WHEN state IS NOT NULL THEN coalesce(replay_lag, interval '0') END
    FROM pg_stat_replication ORDER BY application_name
"""
ON_STANDBY = (
    "本站要写入：请连到主库，或者把这台转为主库（xinzheng replica promote）。只供查询的站点请设 XINZHENG_READ_ONLY=1。"
)
ARCHIVER = """
    SELECT last_failed_wal FROM pg_stat_archiver
    WHERE current_setting('archive_mode') <> 'off' AND last_failed_time > coalesce(last_archived_time, '-infinity')
"""
ON_MISSING = (
    "请启动备库或者检查网络。同步备库断开时，提交会一直等它；恢复不了的，用 xinzheng replica wait 换人等，"
    "并从 XINZHENG_REPLICAS 去掉；不再回来的，用 xinzheng replica forget，否则主库一直为它保留日志。"
)
CLOCK_SKEW = timedelta(seconds=30)


def database(now: datetime) -> Check:  # noqa: ARG001  every check is asked alike
    """Whether the database answers, may be written, and goes by the same time."""
    with connection.cursor() as cursor:
        cursor.execute(SERVER)
        version, is_standby, its_now = cursor.fetchone()
    said = f"PostgreSQL {str(version).split(' ')[0]}，"
    if is_standby and not settings.XINZHENG_READ_ONLY:
        return bad("database", f"{said}是备库，只能读。", ON_STANDBY)
    apart = abs(its_now - timezone.now())
    if apart > CLOCK_SKEW:
        said = f"{said}时钟与本机相差{spoken_span(apart)}。"
        return warning("database", said, "请核对两边的时间同步（NTP）。")
    return well("database", said + ("备库，只供查询。" if is_standby else "可以读写。"))


def migrations(now: datetime) -> Check:  # noqa: ARG001
    """Whether every migration this version of the code knows has been applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return bad(
                "migrations", "数据库还是空的。", "请运行 xinzheng serve，或者任一需要数据库的命令，表会自动建好。"
            )
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = frozenset(cursor.fetchall())
    due = sorted(f"{app} {name}" for app, name in known_migrations() - applied)
    if due:
        said = f"有{len(due)}项升级没有做：{'、'.join(due[:3])}{'等' if len(due) > 3 else ''}。"
        return bad("migrations", said, "请重启 xinzheng serve；它启动时会升级表结构。")
    return well("migrations", "与本版本一致。")


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[tuple[str, str]]:
    """Those on disk; read once a process."""
    return frozenset(MigrationLoader(None).graph.nodes)


def disk(now: datetime) -> Check:  # noqa: ARG001
    """How much room the folders are left with; of several disks the fullest counts."""
    place, usage = min(_rooms(), key=lambda room: room[1].free / room[1].total)
    said = f"{place} 所在磁盘剩余{usage.free / GIBIBYTE:.1f} GiB（{usage.free / usage.total:.0%}）。"
    to_do = "请清理或者扩容；磁盘满时不能报送和出具，已有的不会丢。"
    if usage.free < _bound(OUT, usage.total):
        return bad("disk", said, to_do)
    if usage.free < _bound(LOW, usage.total):
        return warning("disk", said, to_do)
    return well("disk", said)


def _bound(bound: tuple[int, int, float], total: int) -> float:
    least, most, share = bound
    return max(least, min(most, total * share))


def _rooms() -> list[tuple[Path, Any]]:
    asked = [Path(settings.XINZHENG_HOME), Path(settings.XINZHENG_KEYS)]
    data = asked[0] / "pg-away"
    asked += [data.resolve()] if data.is_symlink() else []
    asked += [Path(settings.XINZHENG_BACKUP)] if settings.XINZHENG_BACKUP else []
    return [(place, shutil.disk_usage(place)) for place in asked if place.exists()] or [
        (Path("/"), shutil.disk_usage("/"))
    ]


def backups(now: datetime) -> Check:
    """How old the newest backup is, and whether the log is archived behind it."""
    if not settings.XINZHENG_BACKUP and not settings.XINZHENG_EMBEDDED:
        said = "数据库不由本系统启动，备份由数据库管理方负责，本系统无从查看。"
        return unknown("backups", said, "请与数据库管理方核对：每天备份，并且归档预写日志。")
    if not settings.XINZHENG_BACKUP:
        said = "没有设置备份文件夹（XINZHENG_BACKUP）。"
        return warning("backups", said, "请设置 XINZHENG_BACKUP，并每天运行 xinzheng backup make。")
    newest = newest_backup()
    if newest is None:
        return bad("backups", f"{settings.XINZHENG_BACKUP} 中还没有备份。", "请运行 xinzheng backup make。")
    return _backed_up(now - newest)


def _backed_up(age: timedelta) -> Check:
    said = f"最近一次备份在{spoken_span(age)}前。"
    failed = failed_segment()
    if age > BACKUP_LATE:
        return bad("backups", said, "备份已经停了：请运行 xinzheng backup make，并查看定时任务。")
    if failed is not None:
        said += f"预写日志 {failed} 归档失败，此后的数据还没有备份。"
        return bad("backups", said, "请检查备份文件夹的磁盘和权限；恢复以后会自动补上。")
    if age > BACKUP_DUE:
        return warning("backups", said, "应当每天一次：请查看定时任务。")
    return well("backups", said)


def newest_backup() -> datetime | None:
    """When the newest whole backup in the folder was made; None without any."""
    found = ports.server().backups_in(Path(settings.XINZHENG_BACKUP))
    return max((one.finished_at for one in found), default=None)


def failed_segment() -> str | None:
    """The segment of the log that could not be archived since the last one that could."""
    with connection.cursor() as cursor:
        cursor.execute(ARCHIVER)
        row = cursor.fetchone()
    return None if row is None else row[0]


def replicas(now: datetime) -> Check:  # noqa: ARG001
    """Whether every standby server that is named or known is connected, and how far behind."""
    found = standbys()
    missing = [
        name for name in dict.fromkeys((*settings.XINZHENG_REPLICAS, *found)) if not found.get(name, AWAY).is_there
    ]
    if missing:
        said = f"备库{'、'.join(missing)}没有连上主库。"
        return bad("replicas", said, ON_MISSING)
    if not found:
        return well("replicas", "没有备库。")
    lags = {name: one.lag for name, one in found.items() if one.lag is not None}
    if len(lags) < len(found):
        said = "备库都连着；落后多少，本账户无权查看。"
        return unknown("replicas", said, "请由管理员执行 GRANT pg_read_all_stats TO xinzheng。")
    slowest = max(lags, key=lambda name: lags[name])
    lag = lags[slowest]
    said = f"{len(found)}个备库都连着，最慢的 {slowest} 落后{spoken_span(lag)}。"
    state = State.BAD if lag > LAG_BAD else State.WARNING if lag > LAG_NOTED else State.OK
    return Check("replicas", state, said, "" if state is State.OK else "请查看备库的磁盘和网络。")


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby server (备库): whether it is connected, and how far behind; None where nobody may tell."""

    is_there: bool
    lag: timedelta | None = None


AWAY = Standby(is_there=False)


def standbys() -> dict[str, Standby]:
    """The standby servers by name: our own server's also when they are away, of another those that are connected."""
    if settings.XINZHENG_EMBEDDED:
        known = ports.server().replicas_of(Path(settings.XINZHENG_HOME))
        none = timedelta(0)
        return {one.name: Standby(one.state is not None, one.lag or none) for one in known}
    with connection.cursor() as cursor:
        cursor.execute(STANDBYS)
        return {name: Standby(True, lag) for name, lag in cursor.fetchall()}
