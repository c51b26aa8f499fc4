"""Audit events as files (导出审计记录): CSV while it is read, or a workbook; nothing in them runs as a formula."""

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO

from django.utils import timezone

from xinzheng.adapters.workbook_out import Column, Sheet, write_workbook
from xinzheng.apps.audit.action_words import action_words, object_words
from xinzheng.apps.audit.event_queries import EventFilter, EventRow, events

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_IN_A_WORKBOOK = 20_000
AT_ONCE = 5_000
COLUMNS = (
    Column("记录编号"),
    Column("时间（北京时间）", 26),
    Column("操作人", 16),
    Column("操作", 24),
    Column("操作代码", 24),
    Column("对象", 12),
    Column("对象编号", 24),
    Column("主体编号"),
    Column("地点", 16),
    Column("说明", 40),
    Column("链序号"),
    Column("链值", 66),
)
RISKY = tuple("=+-@\t\r\n＝＋－＠")


def csv_lines(asked: EventFilter, below: int) -> Iterator[bytes]:
    """The events below that number as lines of CSV with a byte order mark, read a few thousand at a time."""
    yield "\ufeff".encode() + _written([[column.title for column in COLUMNS]])
    before: int | None = below
    while before is not None:
        rows = events(asked, before, AT_ONCE)
        if rows:
            yield _written([[_harmless(value) for value in _cells(row)] for row in rows])
        before = rows[-1].id if len(rows) == AT_ONCE else None


def workbook_of(rows: Sequence[EventRow]) -> bytes:
    """The events as one sheet; texts stay texts."""
    return write_workbook([Sheet("审计记录", (), COLUMNS, [_cells(row) for row in rows])])


def _cells(row: EventRow) -> list[str | int | None]:
    return [
        row.id,
        timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M:%S.%f"),
        row.who,
        action_words(row.action),
        row.action,
        object_words(row.object_kind),
        row.object_id,
        row.subject_id,
        row.place,
        json.dumps(row.details, ensure_ascii=False) if row.details else "",
        row.place_in_chain,
        row.head.hex() if row.head else "",
    ]


def _harmless(value: str | int | None) -> str | int | None:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _written(rows: Sequence[Sequence[str | int | None]]) -> bytes:
    target = StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue().encode()
