"""Cells of a spreadsheet as the text a person would have typed, column by column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import Header
from xinzheng.adapters.tabular.privacy import without_numbers
from xinzheng.adapters.tabular.rows import (
    MISALIGNED_SCHEMA,
    OVERFLOW_COLUMN,
    RawRows,
    growing,
    refuse_huge_cells,
    text_bytes,
    without_blank_rows,
)

_LINE = "\0line"
# Checking fewer rows at once costs more a row.
_LEAST_ROWS = 10_000

Cell = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class Laid:
    """Rows of cells as a reader laid them out: the number of the first, how many columns stand left of them."""

    rows: Sequence[Sequence[Cell]]
    line: int
    left: int


@dataclass(frozen=True)
class Below:
    """What the rows below a header are read by; ``most_text``: bytes of text that all their cells may hold."""

    header: Header
    file_name: str
    limits: Limits
    most_text: int


def raw_rows(found: Iterator[Laid], below: Below) -> Iterator[RawRows]:
    """The rows below the header, put together while a stretch may hold more rows and text; no blank ones.

    Raises TabularError for a cell larger than ``limits.cell_bytes``, for cells far to the right of the header, and for
    more text than ``most_text``.
    """
    waiting, size = list[pl.DataFrame](), 0
    sizes = growing(below.limits.chunk_rows, _LEAST_ROWS)
    at_once = next(sizes)
    for frame, text in _frames(found, below):
        if waiting and size + text > below.limits.chunk_bytes:
            yield from _checked(pl.concat(waiting, how="diagonal"), below)
            waiting, size = [], 0
        waiting.append(frame)
        size += text
        while sum(part.height for part in waiting) >= at_once:
            whole = pl.concat(waiting, how="diagonal")
            yield from _checked(whole.head(at_once), below)
            waiting, at_once = [whole.slice(at_once)], next(sizes)
            size = text_bytes(waiting[0])
    if waiting:
        yield from _checked(pl.concat(waiting, how="diagonal"), below)


def _frames(found: Iterator[Laid], below: Below) -> Iterator[tuple[pl.DataFrame, int]]:
    """Rows as text with their numbers, and how many bytes of text."""
    total = 0
    for laid in found:
        _refuse_far_cells(laid, max(below.limits.columns, len(below.header.names)), below.file_name)
        frame = _numbered(laid, below.header)
        text = text_bytes(frame)
        total += text
        if total > below.most_text:
            raise _too_much_text(laid.line + len(laid.rows) - 1, below)
        yield frame, text


def _too_much_text(line: int, below: Below) -> TabularError:
    message = (
        f"{below.file_name}到第{line}行，各单元格的文字展开后合计超过{below.most_text // 1024**2}MB，没有接收。"
        "多半是同一段长文字在许多行里重复，请缩短或者删去重复的长文字，也可以拆分成几个文件，再重新报送。"
    )
    return TabularError(message, code="workbook-too-large", line=line)


def _refuse_far_cells(laid: Laid, most: int, file_name: str) -> None:
    width = laid.left + max(map(len, laid.rows), default=0)
    if width > most:
        beyond = slice(max(most - laid.left, 0), None)
        far = (line for line, row in enumerate(laid.rows, laid.line) if any(cell != "" for cell in row[beyond]))
        line = next(far, laid.line)
        message = f"{file_name}第{line}行有单元格远在数据之外，超过上限{most}列。请删去数据区以外的列，保存后重新报送。"
        raise TabularError(message, code="columns-too-many", line=line)


def _numbered(laid: Laid, header: Header) -> pl.DataFrame:
    """The rows as text with their numbers; the header itself left out."""
    below = laid.rows[1:] if laid.line == 1 else laid.rows
    first = max(laid.line, 2)
    lines = pl.Series(_LINE, range(first, first + len(below)), dtype=pl.Int64())
    return _texts(below, laid.left, header.names).insert_column(0, lines)


def _checked(frame: pl.DataFrame, below: Below) -> Iterator[RawRows]:
    frame = frame.rechunk()
    lines, frame = frame.get_column(_LINE).alias("line"), frame.drop(_LINE)
    refuse_huge_cells(frame, lines, below.limits.cell_bytes, below.file_name)
    unusable = _unusable(frame, lines)
    if unusable.height:
        frame = frame.with_columns(pl.all().str.replace_all("\0", "", literal=True).replace("", None))
    found = without_blank_rows(frame, lines, pl.concat([_beyond_header(frame, lines), unusable]))
    if found.lines.len():
        yield found


def _texts(rows: Sequence[Sequence[Cell]], left: int, names: Sequence[str]) -> pl.DataFrame:
    columns = [_empty(len(rows))] * left + [_column(cells) for cells in zip(*rows, strict=True)]
    columns += [_empty(len(rows))] * (len(names) - len(columns))
    spare = columns[len(names) :]
    frame = pl.DataFrame([column.alias(name) for name, column in zip(names, columns, strict=False)])
    return frame.with_columns(_joined(spare).alias(OVERFLOW_COLUMN)) if spare else frame


def _joined(spare: list[pl.Series]) -> pl.Series:
    """Cells beyond the header, joined by commas; null where there are none."""
    frame = pl.DataFrame([column.alias(str(place)) for place, column in enumerate(spare)])
    joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True).replace("", None)
    return frame.select(joined.alias(OVERFLOW_COLUMN)).to_series()


def _empty(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String()).new_from_index(0, height)


def _column(cells: Sequence[Cell]) -> pl.Series:
    if not any(cells) and set(map(type, cells)) == {str}:
        return _empty(len(cells))
    try:
        column = pl.Series(cells, dtype=pl.String())
    except TypeError:
        column = _cell_texts(cells)
    return column.set(column == "", None)


def _cell_texts(cells: Sequence[Cell]) -> pl.Series:
    if set(map(type, cells)) == {float}:
        return number_texts(pl.Series(cells, dtype=pl.Float64()))
    if set(map(type, cells)) <= {str, float}:
        # Amounts repeat, and no text equals a number.
        known = {cell: cell_text(cell) or "" for cell in set(cells)}
        return pl.Series([known[cell] for cell in cells], dtype=pl.String())
    return pl.Series([cell_text(cell) or "" for cell in cells], dtype=pl.String())


def number_texts(numbers: pl.Series) -> pl.Series:
    """Numbers as :func:`cell_text` writes each: nearly all at once, the others one by one."""
    texts = numbers.cast(pl.String()).str.strip_suffix(".0")
    # With as few digits the shortest way to write a number is also the one that rounds to fifteen.
    is_short = texts.str.contains(r"^-?[0-9.]{1,15}$")
    if is_short.all():
        return texts
    rest = numbers.filter(~is_short)
    written = pl.Series([cell_text(number) for number in rest], dtype=pl.String())
    return texts.scatter((~is_short).arg_true(), written)


def _beyond_header(frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    if OVERFLOW_COLUMN not in frame.columns:
        return pl.DataFrame(schema=MISALIGNED_SCHEMA)
    message = "本行在表头之外的列里还有内容，各列可能错位，请给该列加上列名或者移到正确的列。"
    beyond = frame.select(lines, beyond=pl.col(OVERFLOW_COLUMN).is_not_null()).filter("beyond")
    return beyond.select("line", code=pl.lit("cells-beyond-header"), message=pl.lit(message))


def _unusable(frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """Rows with zero characters, which a workbook can write as _x0000_ and nothing can store."""
    found = [pl.DataFrame(schema=MISALIGNED_SCHEMA)]
    for column in frame.get_columns():
        holds = column.str.contains("\0", literal=True)
        if holds.any():
            message = f"“{without_numbers(column.name)[:40]}”含有空字符或者残缺的字符，请更正后重新报送。"
            rows = pl.DataFrame({"line": lines.filter(holds)})
            found.append(rows.select("line", code=pl.lit("character-unusable"), message=pl.lit(message)))
    return pl.concat(found)


def cell_text(cell: Cell) -> str | None:
    """A cell as text; None for an empty one."""
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
    text = f"{value:.15g}"
    return format(Decimal(text), "f") if "e" in text else text
