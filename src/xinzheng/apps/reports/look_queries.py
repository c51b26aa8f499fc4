"""Reading who looked at a report (查看记录), as its subject reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from xinzheng.apps.accounts.models import ApiKey
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.unit_queries import units_at
from xinzheng.apps.reports.looks import COMMAND_LINE, PUBLIC
from xinzheng.apps.reports.models import Look

WAYS = {
    "code": "输入编号和核验码",
    "link": "扫二维码",
    "qr": "核对二维码全文",
    "file": "上传报告文件",
    "batch": "批量核验",
    "share": "扫亮码",
}
ANYBODY = "公众（不用登录，不记录是谁）"
HERE = "本系统（命令行）"
UNKNOWN_KEY = "接口用户"


@dataclass(frozen=True, slots=True)
class LookView:
    """One look: when, who (the public or an interface's unit), how, and the status it was told."""

    at: datetime
    who: str
    way: str
    status: str


@dataclass(frozen=True, slots=True)
class Looks:
    """The newest looks at a report, and how many there are in all."""

    total: int
    newest: list[LookView]


def looks_of(number: str, at_most: int = 50) -> Looks:
    """Who looked at a report, newest first."""
    every = Look.objects.filter(report_number=number)
    rows = list(every.order_by("-at", "-id")[:at_most])
    names = _names(row.by for row in rows)
    views = [LookView(row.at, names.get(row.by, UNKNOWN_KEY), WAYS.get(row.way, row.way), row.status) for row in rows]
    return Looks(len(rows) if len(rows) < at_most else every.count(), views)


def _names(who: Iterable[str]) -> dict[str, str]:
    """Who stands behind each key, by the name of its unit."""
    numbers = {int(by.removeprefix("key:")): by for by in who if by.startswith("key:")}
    names = {PUBLIC: ANYBODY, COMMAND_LINE: HERE}
    if numbers:
        units = dict(ApiKey.objects.filter(pk__in=numbers).values_list("pk", "unit_id"))
        called = {unit_id: unit.name for unit_id, unit in units_at(head_position()).items()}
        names |= {by: f"接口：{called[units[key]]}" for key, by in numbers.items() if units.get(key) in called}
    return names
