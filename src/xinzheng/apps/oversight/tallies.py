"""Figures of days that are over (日汇总): counted once from append-only tables, so that the desk need not count again.

A day is one of China's, whatever zone server, session or process are in. It is closed when no transaction that began
on it is under way: then nothing can still appear on it. See ADR 0032.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.oversight.desk_models import DayTally, TalliedDay
from xinzheng.core.decision import CHINA, china_date

ONE_DAY = timedelta(days=1)
# What was stamped just before midnight by a process, not by the database, has this long to be written.
GRACE = timedelta(minutes=10)
# Two workers that tally at once would count alike and then trip over each other.
LOCK = 0x74616C6C796461

# Each answers: day, policy, key, how many, for moments from %(begin)s until before %(end)s. The zone is a fixed one:
# a summer time that once was must not move a day.
_DAY = "({at} AT TIME ZONE INTERVAL '8 hours')::date"
_WITHIN = "{at} >= %(begin)s AND {at} < %(end)s"


def _counted(what: str, source: str, at: str, key: str = "''", policy: str = "coalesce(s.policy_id, '')") -> str:
    columns = f"{_DAY.format(at=at)} AS day, {policy} AS policy_id, {key} AS key, {what} AS count"
    return f"SELECT {columns} FROM {source} AND {_WITHIN.format(at=at)} GROUP BY 1, 2, 3"  # noqa: S608  ours


_SCOPED = "LEFT JOIN reports_reportscope s ON s.report_id = "
_REPORTS = f"reports_statusevent e {_SCOPED}e.report_id JOIN reports_report r ON r.number = e.report_id"
_ISSUED = f"{_REPORTS} WHERE e.status = 'in_force'"
_ENDED = f"{_REPORTS} WHERE e.status IN ('superseded', 'revoked', 'expired', 'voided')"
_GAPS = f"""reports_statusevent e JOIN reports_reportgap g ON g.report_id = e.report_id
    {_SCOPED}e.report_id WHERE e.status = 'in_force'"""
_LOOKS = f"reports_look l {_SCOPED}l.report_number WHERE true"
_VIEWS = f"codes_view v JOIN codes_sharecode c ON c.id = v.share_id {_SCOPED}c.report_number WHERE true"
# A report of before domains were counted says them in its content.
_DOMAINS = "coalesce(s.domain_count, jsonb_array_length(convert_from(r.content, 'UTF8')::jsonb -> 'domains'))"

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        # Reports that came into force (出具报告), by outcome.
        "issued": _counted("count(*)", _ISSUED, "e.at", "r.outcome", "r.policy_id"),
        # Certificates they replaced (替代证明): one for each domain a report answers for.
        "replaced": _counted(f"sum({_DOMAINS})::bigint", _ISSUED, "e.at", policy="r.policy_id"),
        # Reports that ended (失效报告), by status.
        "ended": _counted("count(*)", _ENDED, "e.at", "e.status", "r.policy_id"),
        # Reports with a domain that could not be checked for want of data (带“未能核查”的报告), in all and by domain.
        "lacking": _counted("count(DISTINCT e.report_id)", _GAPS, "e.at"),
        "gaps": _counted("count(DISTINCT e.report_id)", _GAPS, "e.at", "g.domain"),
        # Verifications (接受核验), by way; looks at the content with a code (亮码查看), by way.
        "looks": _counted("count(*)", _LOOKS, "l.at", "l.way"),
        "views": _counted("count(*)", _VIEWS, "v.at", "v.way"),
    }
)

# When the oldest transaction of anybody else began, and whether one runs whose beginning this role may not see.
_OLDEST = """
    SELECT (SELECT min(xact_start) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()),
           (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database()),
           EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks k ON k.pid = a.pid AND k.locktype = 'virtualxid'
                   WHERE a.datname = current_database() AND a.query = '<insufficient privilege>')
"""
_FIRST = """
    SELECT least((SELECT min(at) FROM reports_statusevent), (SELECT min(at) FROM reports_look),
                 (SELECT min(at) FROM codes_view))
"""
_DAYS = """
    INSERT INTO oversight_talliedday (day)
    SELECT %(first)s::date + n FROM generate_series(0, %(last)s::date - %(first)s::date) AS n
"""
_KEEP = """
    INSERT INTO oversight_daytally (day, figure, policy_id, key, count)
    SELECT day, %(figure)s, policy_id, key, count FROM ({counted}) AS counted
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of a figure on a day, under a policy (empty: of none), by a key of the figure's own (or empty)."""

    day: date
    figure: str
    policy_id: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A tally that is not what is counted now (汇总不符)."""

    day: date
    figure: str
    policy_id: str
    key: str
    tallied: int
    counted: int


def midnight(day: date) -> datetime:
    """The moment a day begins in China."""
    return datetime.combine(day, time(), CHINA)


def tallied_days() -> tuple[date, date] | None:
    """The first and the last day that is tallied; all between are. None before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(day), max(day) FROM oversight_talliedday")
        first, last = cursor.fetchone()
    return None if first is None else (first, last)


def tally_days(now: datetime) -> int:
    """Count the days that are over at this moment of the database's clock and not counted yet; how many that were.

    None while a transaction of such a day is under way, or while it cannot be seen whether one is.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = _closed_through(now)
        first = _first_to_tally() if last is not None else None
        if last is None or first is None or first > last:
            return 0
        period = {"first": first, "last": last, "begin": midnight(first), "end": midnight(last + ONE_DAY)}
        cursor.execute(_DAYS, period)
        for figure, statement in FIGURES.items():
            cursor.execute(_KEEP.format(counted=statement), period | {"figure": figure})
        return (last - first).days + 1


def database_now() -> datetime:
    """What the database's clock says: the one that most moments come from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _closed_through(now: datetime) -> date | None:
    """The last day on which nothing can appear any more; None where that cannot be told."""
    with connection.cursor() as cursor:
        # Who is at work is looked up once in a transaction, unless what was seen is forgotten.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_OLDEST)
        oldest, prepared, is_hidden = cursor.fetchone()
    if is_hidden:
        return None
    begun = [moment for moment in (oldest, prepared) if moment is not None]
    return china_date(min([now - GRACE, *begun])) - ONE_DAY


def _first_to_tally() -> date | None:
    """The day after the last tallied one; before any is, the first on which anything is. None where nothing is."""
    known = tallied_days()
    return known[1] + ONE_DAY if known else _first_day()


def _first_day() -> date | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST)
        found: datetime | None = cursor.fetchone()[0]
    return None if found is None else china_date(found)


def counted(first: date, last: date) -> list[Counted]:
    """All figures of the days from first to last, counted from what is there now."""
    period: dict[str, Any] = {"begin": midnight(first), "end": midnight(last + ONE_DAY)}
    found = []
    with connection.cursor() as cursor:
        for figure, statement in FIGURES.items():
            cursor.execute(statement, period)
            found += [Counted(day, figure, policy, key, count) for day, policy, key, count in cursor.fetchall()]
    return found


def recount(day: date) -> list[Difference]:
    """Count a tallied day again: what differs. Something slipped in with an old moment, or a tally was changed."""
    if not TalliedDay.objects.filter(day=day).exists():
        return []
    now = {(one.figure, one.policy_id, one.key): one.count for one in counted(day, day)}
    rows = DayTally.objects.filter(day=day).values_list("figure", "policy_id", "key", "count")
    kept = {(figure, policy, key): count for figure, policy, key, count in rows}
    return [
        Difference(day, *key, tallied=kept.get(key, 0), counted=now.get(key, 0))
        for key in sorted({*now, *kept})
        if now.get(key, 0) != kept.get(key, 0)
    ]
