"""What a check of the system's health is (检查项)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "database": "数据库",
        "migrations": "表结构",
        "keys": "密钥文件",
        "certificate": "签名证书",
        "time-stamp": "时间戳",
        "queue": "后台任务",
        "sealing": "封存和透明日志",
        "disk": "磁盘",
        "backups": "备份",
        "replicas": "备库",
        "packs": "政策包",
        "calendar": "工作日历",
        "tallies": "每日汇总",
    }
)
MINUTE, HOUR, DAY = 60, 3600, 86400


class State(StrEnum):
    """How it stands (状态). ``UNKNOWN``: could not be looked at, which is never taken for well."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"

    @property
    def word(self) -> str:
        """What people read."""
        return WORDS[self]


WORDS: Mapping[State, str] = MappingProxyType(
    {State.OK: "正常", State.WARNING: "需留意", State.BAD: "有故障", State.UNKNOWN: "未能查看"}
)
BY_WEIGHT = (State.OK, State.UNKNOWN, State.WARNING, State.BAD)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at (检查项): how it stands, in a sentence, and what to do; nothing where it is well."""

    name: str
    state: State
    said: str
    to_do: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return TITLES[self.name]


def well(name: str, said: str) -> Check:
    """It is well."""
    return Check(name, State.OK, said)


def warning(name: str, said: str, to_do: str) -> Check:
    """It works, and somebody has to do something before long."""
    return Check(name, State.WARNING, said, to_do)


def bad(name: str, said: str, to_do: str) -> Check:
    """It does not work."""
    return Check(name, State.BAD, said, to_do)


def unknown(name: str, said: str, to_do: str = "") -> Check:
    """It could not be looked at."""
    return Check(name, State.UNKNOWN, said, to_do)


def worst(found: Iterable[Check]) -> State:
    """The worst state among some checks."""
    return max((check.state for check in found), key=BY_WEIGHT.index, default=State.OK)


def spoken_span(span: timedelta) -> str:
    """A span of time as people say it: the largest unit alone, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for size, word in ((DAY, "天"), (HOUR, "小时"), (MINUTE, "分钟")):
        if seconds >= size:
            return f"{seconds // size}{word}"
    return f"{seconds}秒"
