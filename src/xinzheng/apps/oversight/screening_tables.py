"""Results of screenings as files to take away: a workbook of two sheets, or CSV where a workbook would be too large."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO

from xinzheng.apps.reports import ports

WORKBOOK_ROWS_AT_MOST = 100_000
ROWS = (
    ("名单行号", 10), ("统一社会信用代码", 22), ("名称（主体名录）", 34), ("核查结果", 34), ("记录条数", 10),
    ("有记录的领域", 34), ("未能核查的领域", 34), ("说明", 44),
)  # fmt: skip
REASONS = (
    ("名单行号", 10), ("统一社会信用代码", 22), ("名称（主体名录）", 34), ("领域", 18), ("决定书文号", 28),
    ("决定或者列入日期", 16), ("决定机关", 24), ("认定", 14), ("理由", 44), ("依据", 44),
)  # fmt: skip
RISKY = tuple("=+-@\t\r\n＝＋－＠")
Cell = str | int


def workbook(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], reasons: Sequence[Sequence[Cell]], at: datetime
) -> bytes:
    """Both tables as XLSX; texts stay texts. ``rows`` begin with a mark that is left out."""
    books = ports.workbooks()
    sheets = [
        books.Sheet("核查结果", head, [books.Column(*one) for one in ROWS], [row[1:] for row in rows]),
        books.Sheet("理由", head[:2], [books.Column(*one) for one in REASONS], reasons),
    ]
    content: bytes = books.write_workbook(sheets, at)
    return content


def rows_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The rows as CSV with a byte order mark, the head above them."""
    return _csv([name for name, _ in ROWS], head, (row[1:] for row in rows))


def reasons_csv(head: Sequence[str], reasons: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The reasons likewise."""
    return _csv([name for name, _ in REASONS], head[:2], reasons)


def _csv(titles: Sequence[str], head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    target = StringIO()
    out = csv.writer(target)
    target.write("\ufeff")
    out.writerows([[_harmless(line)] for line in head])
    out.writerow(titles)
    for number, row in enumerate(rows, 1):
        out.writerow([_harmless(cell) for cell in row])
        if number % 5_000 == 0:
            yield target.getvalue().encode()
            target.seek(0)
            target.truncate()
    yield target.getvalue().encode()


def _harmless(value: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula stays a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
