"""Health of what runs by itself (自动运行): the queue, the sealing, packs in force, the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from xinzheng.apps.oversight.health_words import Check, State, bad, spoken_span, warning, well
from xinzheng.apps.oversight.tallies import tallied_days
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.packs import current_calendar, in_force, policy_ids
from xinzheng.core.decision import china_date
from xinzheng.core.errors import XinzhengError

ALIVE = timedelta(seconds=60)
LATE, STUCK = timedelta(minutes=10), timedelta(hours=1)
UNSEALED_LATE, UNSEALED_STUCK = timedelta(minutes=2), timedelta(minutes=15)
RECENT = timedelta(hours=24)
END_NEAR = timedelta(days=60)
TALLIED_WITHIN = timedelta(days=2)

# Since when a job could have been taken: when it was put there, or since the moment it was meant for.
WAITING = """
    SELECT j.queue_name, count(*), min(greatest(coalesce(j.scheduled_at, e.at), e.at))
    FROM procrastinate_jobs j
    LEFT JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events
                       WHERE job_id = j.id AND type IN ('deferred', 'deferred_for_retry', 'retried')) e ON true
    WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= %s)
    GROUP BY j.queue_name ORDER BY j.queue_name
"""
WORKERS = "SELECT count(*), max(last_heartbeat) FROM procrastinate_workers WHERE last_heartbeat > %s"
FAILED = """
    SELECT j.task_name, count(*) FROM procrastinate_jobs j
    WHERE j.status = 'failed'
    AND EXISTS (SELECT FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'failed' AND e.at > %s)
    GROUP BY j.task_name ORDER BY count(*) DESC, j.task_name
"""
# By the queue's own smallest number: the whole trail is never read for it.
UNSEALED = """
    SELECT (SELECT count(*) FROM audit_auditwaiting),
           (SELECT at FROM audit_auditevent WHERE id = (SELECT min(event_id) FROM audit_auditwaiting)),
           (SELECT count(*) FROM audit_logwaiting),
           (SELECT added_at FROM audit_logleaf WHERE id = (SELECT min(leaf_id) FROM audit_logwaiting))
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue (待办): how many jobs that could be taken, since when the oldest."""

    queue: str
    count: int
    since: datetime | None


def waiting_jobs(now: datetime) -> tuple[Waiting, ...]:
    """The queues in which something waits."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [now])
        return tuple(Waiting(*row) for row in cursor.fetchall())


def workers_alive(now: datetime) -> int:
    """How many worker processes gave a sign of life within the last minute."""
    with connection.cursor() as cursor:
        cursor.execute(WORKERS, [now - ALIVE])
        return int(cursor.fetchone()[0])


def failed_jobs(now: datetime) -> list[tuple[str, int]]:
    """Tasks that failed for good within a day, and how often."""
    with connection.cursor() as cursor:
        cursor.execute(FAILED, [now - RECENT])
        return list(cursor.fetchall())


def queue(now: datetime) -> Check:
    """Whether somebody works, whether anything waits too long, what failed."""
    waiting = waiting_jobs(now)
    count, oldest = sum(one.count for one in waiting), _longest(waiting, now)
    said = f"{count}项待办，最久的等了{spoken_span(oldest)}。" if count else "没有待办积压。"
    if workers_alive(now) == 0:
        to_do = "请启动：xinzheng serve（不带 --no-tasks），或者 xinzheng-worker 服务。"
        return bad("queue", f"没有后台任务进程在运行，{said}", to_do)
    if oldest > STUCK:
        return bad("queue", said, "后台任务可能卡住了：请查看日志，必要时重启后台任务进程。")
    failed = failed_jobs(now)
    if failed:
        names = "、".join(f"{name}（{times}次）" for name, times in failed[:3])
        return warning("queue", f"{said}24小时内有任务失败：{names}。", "请在日志中按任务名查看原因。")
    if oldest > LATE:
        return warning("queue", said, "忙时会这样；一直不消退的，请增加后台任务进程。")
    return well("queue", said)


def _longest(waiting: Sequence[Waiting], now: datetime) -> timedelta:
    return max((now - one.since for one in waiting if one.since), default=timedelta(0))


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What has no seal yet (未封存): audit events and leaves of the log, and since when the oldest waits."""

    events: int
    events_since: datetime | None
    leaves: int
    leaves_since: datetime | None


def unsealed() -> Unsealed:
    """How much waits for its seal."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED)
        return Unsealed(*cursor.fetchone())


def sealing(now: datetime) -> Check:
    """Whether audit events are sealed and leaves logged soon after they were written."""
    found = unsealed()
    since = min((at for at in (found.events_since, found.leaves_since) if at), default=None)
    if since is None:
        return well("sealing", "全部已封存。")
    age = now - since
    said = f"{found.events}条审计记录、{found.leaves}项日志待封存，最久的等了{spoken_span(age)}。"
    to_do = "每10秒封存一次，由后台任务进程来做：请看它是否在运行，日志密钥是否可读。"
    if age > UNSEALED_STUCK:
        return bad("sealing", said, to_do)
    return warning("sealing", said, to_do) if age > UNSEALED_LATE else well("sealing", said)


def packs(now: datetime) -> Check:
    """Whether packs are in force, how long, and whether what was published is what was shipped."""
    day, notes, to_do = china_date(now), [], []
    for policy_id in policy_ids(day):
        try:
            held = in_force(policy_id, day)
            shipped = _shipped(policy_id)
        except XinzhengError as error:
            return bad("packs", error.message, "请恢复安装包中的政策包。")
        if held.entry is not None and held.sha256 != shipped:
            notes.append(
                f"{policy_id} 按已发布的版本办理，与安装包所带的不同" if shipped else f"{policy_id} 只在本地发布"
            )
            to_do.append("把已发布的版本并入下一个安装包")
        last = held.policy.last_date
        if last is not None and day <= last <= day + END_NEAR:
            notes.append(f"{policy_id} 执行到{last.isoformat()}")
            to_do.append("如已延期，请登记延期文件")
    if notes:
        return warning("packs", "；".join(notes) + "。", "；".join(dict.fromkeys(to_do)) + "。")
    return well("packs", "与安装包一致。")


def _shipped(policy_id: str) -> str | None:
    """The digest of the pack that came with this version; None of a policy that did not."""
    files = ports.policy_files()
    return str(files.load_policy(policy_id).sha256) if policy_id in files.list_policies() else None


def calendar(now: datetime) -> Check:
    """Whether the working days that clocks will need are known."""
    day = china_date(now)
    known = current_calendar().years
    if day.year not in known:
        return bad("calendar", f"没有{day.year}年的工作日安排，时限无法计算。", _IMPORT.format(year=day.year))
    if day.month >= NEXT_YEAR_FROM and day.year + 1 not in known:
        said = f"没有{day.year + 1}年的工作日安排，跨年的时限无法计算。"
        return Check("calendar", State.WARNING, said, _IMPORT.format(year=day.year + 1))
    return well("calendar", f"已有{min(known)}至{max(known)}年的工作日安排。")


# The State Council tells of a year in November before it.
NEXT_YEAR_FROM = 12
_IMPORT = "请把国务院办公厅公布的{year}年放假安排写入 XINZHENG_CALENDAR_YEARS 所指的文件。"


def tallies(now: datetime) -> Check:
    """Whether days that are over are tallied: until they are, the desk counts them anew each time."""
    known, today = tallied_days(), china_date(now)
    if known is None:
        return well("tallies", "还没有汇总过；运行情况的指标直接清点。")
    said = f"汇总至{known[1]:%Y-%m-%d}。"
    if today - known[1] <= TALLIED_WITHIN:
        return well("tallies", said)
    to_do = "每小时自动汇总：请看后台任务是否在运行，数据库里有没有几天没有结束的事务。指标照样准确，只是变慢。"
    return warning("tallies", said, to_do)
