"""Reading who looked at a report (查看记录), as its subject reads it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from xinzheng.apps.accounts.models import ApiKey, Platform
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
UNKNOWN_OF = {"client": "接入平台", "receiver": "核验单位"}

# The names of receivers by their numbers: those are the codes app's, which stands above this one.
ReceiverNames = Callable[[Collection[int]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class LookView:
    """One look: when, who (the public, a unit's interface, a platform, a receiver), how, and the status told."""

    at: datetime
    who: str
    way: str
    status: str


@dataclass(frozen=True, slots=True)
class Looks:
    """The newest looks at a report, and how many there are in all."""

    total: int
    newest: list[LookView]


def looks_of(number: str, receivers: ReceiverNames = lambda _: {}, at_most: int = 50) -> Looks:
    """Who looked at a report, newest first."""
    every = Look.objects.filter(report_number=number)
    rows = list(every.order_by("-at", "-id")[:at_most])
    names = _names({row.by for row in rows}, receivers)
    views = [LookView(row.at, names[row.by], WAYS.get(row.way, row.way), row.status) for row in rows]
    return Looks(len(rows) if len(rows) < at_most else every.count(), views)


def _names(who: Collection[str], receivers: ReceiverNames) -> dict[str, str]:
    """Who stands behind each way to name who asked; nothing is asked for kinds that are not there."""
    of: dict[str, list[str]] = {}
    for by in who:
        kind, _, key = by.partition(":")
        of.setdefault(kind, []).append(key)
    names = {by: UNKNOWN_OF.get(by.partition(":")[0], UNKNOWN_KEY) for by in who}
    names |= {PUBLIC: ANYBODY, COMMAND_LINE: HERE}
    names |= _units_of([int(key) for key in of.get("key", ())])
    if "client" in of:
        found = Platform.objects.filter(pk__in=of["client"]).values_list("pk", "name")
        names |= {f"client:{client_id}": f"接入平台：{name}" for client_id, name in found}
    if "receiver" in of:
        called = receivers([int(key) for key in of["receiver"]])
        names |= {f"receiver:{key}": f"核验单位：{name}" for key, name in called.items()}
    return names


def _units_of(keys: Collection[int]) -> dict[str, str]:
    """Interfaces by the names of their units."""
    if not keys:
        return {}
    units = dict(ApiKey.objects.filter(pk__in=keys).values_list("pk", "unit_id"))
    called = {unit_id: unit.name for unit_id, unit in units_at(head_position()).items()}
    return {f"key:{key}": f"接口：{called[units[key]]}" for key in keys if units.get(key) in called}
