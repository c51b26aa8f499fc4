"""Workbooks that go out (导出表格): plain XLSX sheets in which nothing can be taken for a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

__all__ = ["Column", "Sheet", "write_workbook"]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its width in characters, and how numbers in it look (a spreadsheet's format)."""

    title: str
    width: int = 12
    number_format: str = "General"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name (at most 31 characters), lines above the table, columns, rows; None is an empty cell."""

    name: str
    lines: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


def write_workbook(sheets: Sequence[Sheet], created: datetime | None = None) -> bytes:
    """An XLSX file with these sheets; the same arguments give the same bytes. Texts stay texts, also with = + - @."""
    target = BytesIO()
    # Without these two, a text that looks like one would become a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(target, options) as book:
        book.set_properties({"created": (created or LONG_AGO).replace(tzinfo=None)})
        for sheet in sheets:
            _write(book, book.add_worksheet(sheet.name), sheet)
    return target.getvalue()


def _write(book: Workbook, page: Worksheet, sheet: Sheet) -> None:
    strong, wrapped = book.add_format({"bold": True}), book.add_format({"bold": True, "bottom": 1})
    for number, line in enumerate(sheet.lines):
        page.write_string(number, 0, line, strong if number == 0 else None)
    head = len(sheet.lines) + (1 if sheet.lines else 0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width, book.add_format({"num_format": column.number_format}))
        page.write_string(head, place, column.title, wrapped)
    for number, row in enumerate(sheet.rows, head + 1):
        for place, value in enumerate(row):
            _write_cell(page, (number, place), value)
    page.freeze_panes(head + 1, 0)


def _write_cell(page: Worksheet, at: tuple[int, int], value: Value) -> None:
    if value is None:
        return
    if isinstance(value, str):
        page.write_string(*at, value)
    else:
        page.write_number(*at, value)
