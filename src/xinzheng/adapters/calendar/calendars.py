"""Calendars (工作日历) from the chinesecalendar package and from an operator's file of announced years."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

from chinese_calendar import constants

from xinzheng.core.errors import CalendarError
from xinzheng.core.workdays import Calendar

REST = "休"
WORK = "班"
COLUMNS = ["日期", "安排"]


def _weekdays(days: Iterable[date]) -> frozenset[date]:
    return frozenset(day for day in days if day.weekday() < 5)


def _packaged_calendar() -> Calendar:
    holidays, workdays = frozenset(constants.holidays), frozenset(constants.workdays)
    years = frozenset(day.year for day in holidays)
    return Calendar(years, _weekdays(holidays), workdays - _weekdays(workdays))


def _refuse(path: Path, line: int, message: str) -> CalendarError:
    return CalendarError(f"{path}:{line}：{message}", code="calendar-file-invalid", file=str(path), line=line)


def read_years(path: Path) -> Calendar:
    """The years in an operator's CSV file, header 日期,安排: each day off (休) and each extra working day (班).

    A year counts as announced when the file names a day of it; it must name at least one day off in it. The source
    is the State Council's yearly notice. Raises CalendarError ``calendar-file-invalid`` naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _refuse(path, 1, "文件不存在，或者不是 UTF-8 编码的文本，请检查") from error
    rows = list(csv.reader(StringIO(text)))
    if not rows or [cell.strip() for cell in rows[0]] != COLUMNS:
        raise _refuse(path, 1, "第一行应为“日期,安排”")
    rest: set[date] = set()
    work: set[date] = set()
    for line, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            day, what = _read_row(path, line, [cell.strip() for cell in row])
            (rest if what == REST else work).add(day)
    _check_years(path, rest, work)
    return Calendar(frozenset(day.year for day in rest), _weekdays(rest), frozenset(work) - _weekdays(work))


def _read_row(path: Path, line: int, row: list[str]) -> tuple[date, str]:
    if len(row) != len(COLUMNS) or row[1] not in (REST, WORK):
        raise _refuse(path, line, f"每行应为日期和“{REST}”或“{WORK}”，如 2027-01-01,{REST}")
    try:
        return date.fromisoformat(row[0]), row[1]
    except ValueError as error:
        raise _refuse(path, line, f"日期“{row[0]}”不存在，应写作 YYYY-MM-DD") from error


def _check_years(path: Path, rest: set[date], work: set[date]) -> None:
    if both := rest & work:
        raise _refuse(path, 1, f"{min(both)}既写了“{REST}”又写了“{WORK}”，请核对")
    if missing := {day.year for day in work} - {day.year for day in rest}:
        raise _refuse(path, 1, f"{min(missing)}年没有一天“{REST}”，不是完整的年度安排")
    if not rest:
        raise _refuse(path, 1, "文件里没有任何日期")


def default_calendar(imported: Path | None = None) -> Calendar:
    """The announced years the chinesecalendar package knows (2004–2026), and those of an operator's file.

    A year in the file replaces the package's. A year in neither is an explicit CalendarError when it is needed.
    """
    calendar = _packaged_calendar()
    if imported is None:
        return calendar
    own = read_years(imported)

    def kept(days: frozenset[date]) -> frozenset[date]:
        return frozenset(day for day in days if day.year not in own.years)

    return replace(
        calendar,
        years=calendar.years | own.years,
        days_off=kept(calendar.days_off) | own.days_off,
        extra_workdays=kept(calendar.extra_workdays) | own.extra_workdays,
    )
