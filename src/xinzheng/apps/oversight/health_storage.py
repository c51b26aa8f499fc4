"""Health of what things are kept in (存储): the database and its tables, disks, backups, standby servers."""

import shutil
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

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
# PostgreSQL writes it last: a backup that was broken off has none.
MANIFEST = "backup_manifest"
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
    """How old the newest backup is."""
    if not settings.XINZHENG_BACKUP:
        said = "没有设置备份文件夹（XINZHENG_BACKUP）。"
        return warning("backups", said, "请设置 XINZHENG_BACKUP，并每天运行 xinzheng backup make。")
    newest = newest_backup()
    if newest is None:
        return bad("backups", f"{settings.XINZHENG_BACKUP} 中还没有备份。", "请运行 xinzheng backup make。")
    age = now - newest
    said = f"最近一次备份在{spoken_span(age)}前。"
    if age > BACKUP_LATE:
        return bad("backups", said, "备份已经停了：请运行 xinzheng backup make，并查看定时任务。")
    if age > BACKUP_DUE:
        return warning("backups", said, "应当每天一次：请查看定时任务。")
    return well("backups", said)


def newest_backup() -> datetime | None:
    """When the newest whole backup in the folder was made; None without any."""
    manifests = Path(settings.XINZHENG_BACKUP).glob(f"*/{MANIFEST}")
    return max((datetime.fromtimestamp(one.stat().st_mtime, UTC) for one in manifests), default=None)


def replicas(now: datetime) -> Check:  # noqa: ARG001
    """Whether every standby server that was named is connected, and how far behind."""
    if not settings.XINZHENG_REPLICAS:
        return well("replicas", "没有登记备库（XINZHENG_REPLICAS）。")
    found = standbys()
    missing = [name for name in settings.XINZHENG_REPLICAS if name not in found]
    if missing:
        said = f"备库{'、'.join(missing)}没有连上主库。"
        to_do = "请启动备库或者检查网络；一时恢复不了的，从 XINZHENG_REPLICAS 去掉，否则提交会一直等它。"
        return bad("replicas", said, to_do)
    lags = {name: lag for name, lag in found.items() if lag is not None}
    if len(lags) < len(found):
        said = "备库都连着；落后多少，本账户无权查看。"
        return unknown("replicas", said, "请由管理员执行 GRANT pg_read_all_stats TO xinzheng。")
    slowest = max(lags, key=lambda name: lags[name])
    lag = lags[slowest]
    said = f"{len(found)}个备库都连着，最慢的 {slowest} 落后{spoken_span(lag)}。"
    state = State.BAD if lag > LAG_BAD else State.WARNING if lag > LAG_NOTED else State.OK
    return Check("replicas", state, said, "" if state is State.OK else "请查看备库的磁盘和网络。")


def standbys() -> dict[str, timedelta | None]:
    """The standby servers that are connected by name, with how far behind they are; None where nobody may tell."""
    with connection.cursor() as cursor:
        cursor.execute(STANDBYS)
        return dict(cursor.fetchall())
