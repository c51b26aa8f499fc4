"""Health (系统状态): what the system can say of itself, and what to do where something is wrong.

The desk shows it, ``xinzheng doctor`` prints it, ``/readyz`` and ``/metrics`` ask parts of it. Nothing here writes.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db import Error, connection

from xinzheng.apps.oversight import health_keys, health_storage, health_work
from xinzheng.apps.oversight.health_words import TITLES, Check, State, bad, unknown, worst
from xinzheng.core.errors import XinzhengError

__all__ = ["NEEDED", "PROBES", "TITLES", "Check", "State", "checks", "worst"]

Probe = Callable[[datetime], Check]

# What is looked at, in the order it is shown.
PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        "database": health_storage.database,
        "migrations": health_storage.migrations,
        "keys": health_keys.keys,
        "certificate": health_keys.certificate,
        "time-stamp": health_keys.time_stamp,
        "queue": health_work.queue,
        "sealing": health_work.sealing,
        "disk": health_storage.disk,
        "backups": health_storage.backups,
        "replicas": health_storage.replicas,
        "packs": health_work.packs,
        "calendar": health_work.calendar,
        "tallies": health_work.tallies,
    }
)
# Without these no request can be served; the rest is work for people, not for whoever spreads the requests.
NEEDED = ("database", "migrations", "keys")
NO_DATABASE = "内嵌数据库由 xinzheng serve 启动；外部数据库，请检查 XINZHENG_DATABASE_URL 和数据库服务。"
WITHOUT_DATABASE = frozenset({"certificate", "disk", "backups", "calendar"})


def checks(now: datetime, names: Iterable[str] = tuple(PROBES)) -> tuple[Check, ...]:
    """Every check asked for; one that fails says so, and keeps the others from nothing."""
    found: list[Check] = []
    for name in names:
        lost = any(check.name == "database" and check.state is State.BAD for check in found)
        if lost and name not in WITHOUT_DATABASE:
            found.append(unknown(name, "数据库连接不上，无从查看。"))
        else:
            found.append(_asked(name, now))
    return tuple(found)


def _asked(name: str, now: datetime) -> Check:
    try:
        return PROBES[name](now)
    except Error as error:
        connection.close_if_unusable_or_obsolete()
        if name == "database":
            reason = str(error).strip().split("\n")[0]
            return bad(name, f"数据库连接不上：{reason}。", NO_DATABASE)
        return unknown(name, f"查看时数据库报错（{type(error).__name__}）。", "请查看数据库日志，恢复后再看。")
    except XinzhengError as error:
        return bad(name, error.message, "请按提示处理后再看。")
    except OSError as error:
        return unknown(name, f"查看时读不到文件（{error.strerror}）：{error.filename}。", "请检查路径和权限。")
