"""XLSX and XLS through calamine: the one sheet with our header, its cells as the text a person would have typed."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import TOP_ROWS, Header, Headings, refuse_displaced
from xinzheng.adapters.tabular.old_workbook_safety import inspect_old_workbook, is_old_office
from xinzheng.adapters.tabular.rows import (
    MISALIGNED_SCHEMA,
    OVERFLOW_COLUMN,
    OpenTable,
    RawRows,
    refuse_huge_cells,
    without_blank_rows,
)
from xinzheng.adapters.tabular.workbook_safety import inspect_workbook

_Cell = int | float | str | bool | time | date | datetime | timedelta
_SHORTEST_HEADER = 2


def open_sheet(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    """Inspect, then open; the sheet is the only one whose first row is our header. Raises TabularError."""
    if path.stat().st_size > limits.xlsx_bytes:
        most = limits.xlsx_bytes // 1024**2
        raise TabularError(f"{file_name}超过{most}MB，请拆分或者改用CSV报送。", code="file-too-large")
    with path.open("rb") as file:
        is_old = is_old_office(file.read(8))
    (inspect_old_workbook if is_old else inspect_workbook)(path, file_name, limits)
    sheet = _opened(path, headings, file_name)
    names = _first_row(sheet)
    if len(names) > limits.columns:
        message = f"{file_name}第1行有{len(names)}列，超过上限{limits.columns}列。请按模板只保留需要的列。"
        raise TabularError(message, code="columns-too-many", line=1)
    refuse_displaced(_top_rows(sheet), headings, file_name)
    header = headings.resolve(names, file_name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    form = "xls" if is_old else "xlsx"
    return OpenTable(header, _rows(sheet, header, file_name, limits), digest, form, form)


def _opened(path: Path, headings: Headings, file_name: str) -> CalamineSheet:
    try:
        # By content: by path the reader would believe the file name's ending.
        with path.open("rb") as file:
            return _sheet(CalamineWorkbook.from_filelike(file), headings, file_name)
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged(file_name) from error
    except BaseException as error:
        # The reader's own panics are no Exception, and an old file is easily damaged into one.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(file_name) from error


def _damaged(file_name: str) -> TabularError:
    message = f"{file_name}已损坏或者不完整，不能读取。请用表格软件打开后另存为XLSX再报送。"
    return TabularError(message, code="workbook-damaged")


def _sheet(workbook: CalamineWorkbook, headings: Headings, file_name: str) -> CalamineSheet:
    sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    filled = [sheet for sheet in sheets if sheet.height]
    if not filled:
        raise TabularError(f"{file_name}没有内容。请填写后重新报送；没有数据的，请作零报告。", code="file-empty")
    ours = [sheet for sheet in filled if headings.recognised(_first_row(sheet)) >= _SHORTEST_HEADER]
    if len(ours) > 1:
        names = "、".join(f"“{sheet.name}”" for sheet in ours)
        message = f"{file_name}有{len(ours)}个数据工作表：{names}。请合并为一个，或者分成几个文件报送。"
        raise TabularError(message, code="several-sheets")
    return ours[0] if ours else filled[0]


def _top_rows(sheet: CalamineSheet) -> list[list[str]]:
    return [[_text(cell) or "" for cell in row] for row in itertools.islice(sheet.iter_rows(), TOP_ROWS)]


def _first_row(sheet: CalamineSheet) -> list[str]:
    row = next(iter(sheet.iter_rows()), [])
    names = [_text(cell) or "" for cell in row] if sheet.start in (None, (0, 0)) or not sheet.start[0] else []
    while names and not names[-1].strip():
        names.pop()
    return names


def _rows(sheet: CalamineSheet, header: Header, file_name: str, limits: Limits) -> Iterator[RawRows]:
    rows = itertools.islice(sheet.iter_rows(), 1, None)
    first = 2
    while chunk := list(itertools.islice(rows, limits.chunk_rows)):
        lines = pl.Series("line", range(first, first + len(chunk)), dtype=pl.Int64())
        frame = _frame(chunk, header)
        refuse_huge_cells(frame, lines, limits.cell_bytes, file_name)
        found = without_blank_rows(frame, lines, _beyond_header(frame, lines))
        first += len(chunk)
        if found.lines.len():
            yield found


def _frame(chunk: Sequence[Sequence[_Cell]], header: Header) -> pl.DataFrame:
    width = len(header.names)
    columns = [[_text(cell) for cell in column] for column in itertools.islice(zip(*chunk, strict=True), width)]
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header.names, pl.String()), orient="col")
    if len(chunk[0]) <= width:
        return frame
    spare = [",".join(text for cell in row[width:] if (text := _text(cell))) or None for row in chunk]
    return frame.with_columns(pl.Series(OVERFLOW_COLUMN, spare, dtype=pl.String()))


def _beyond_header(frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    if OVERFLOW_COLUMN not in frame.columns:
        return pl.DataFrame(schema=MISALIGNED_SCHEMA)
    message = "本行在表头之外的列里还有内容，各列可能错位，请给该列加上列名或者移到正确的列。"
    beyond = frame.select(lines, beyond=pl.col(OVERFLOW_COLUMN).is_not_null()).filter("beyond")
    return beyond.select("line", code=pl.lit("cells-beyond-header"), message=pl.lit(message))


def _text(cell: _Cell) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else str(cell)
    if isinstance(cell, float):
        return _number(cell)
    return str(cell)


def _number(value: float) -> str:
    # From 10^15 on a spreadsheet has already lost digits: written as it would show, so that the checks see it.
    if abs(value) >= 1e15:
        return f"{value:.5E}"
    return format(Decimal(f"{value:.15g}"), "f")
