"""CSV and its relatives: comma, tab or semicolon between cells, records cut by quotes, read by polars."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import TOP_ROWS, Header, Headings, refuse_displaced
from xinzheng.adapters.tabular.rows import (
    MISALIGNED_SCHEMA,
    OVERFLOW_COLUMN,
    OpenTable,
    RawRows,
    refuse_huge_cells,
    without_blank_rows,
)
from xinzheng.adapters.tabular.text_files import (
    UNUSUAL,
    Block,
    blocks,
    header_end,
    in_short_pieces,
    survey_text,
    top_rows,
    utf8_pieces,
)

_SEPARATORS = {",": "csv", "\t": "tsv", ";": "csv"}
_FIRST_LOOK = 64 * 1024
_LONGEST_HEADER = 256 * 1024
_BYTES_PER_ROW = 400


@dataclass(frozen=True)
class _Shape:
    header: Header
    separator: str
    file_name: str
    limits: Limits


def open_text(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    """Survey the file and read its header. Rows are read when asked for. Raises TabularError."""
    survey = survey_text(path, file_name, limits)
    start = _start(utf8_pieces(path, survey.encoding, _FIRST_LOOK, file_name), file_name)
    separator, names, top = _top(start, headings, file_name)
    if len(names) > limits.columns:
        message = f"{file_name}第1行有{len(names)}列，超过上限{limits.columns}列。请按模板只保留需要的列。"
        raise TabularError(message, code="columns-too-many", line=1)
    refuse_displaced(top, headings, file_name)
    shape = _Shape(headings.resolve(names, file_name), separator, file_name, limits)
    size = max(min(limits.chunk_rows * _BYTES_PER_ROW, limits.chunk_bytes), 1024)
    pieces = in_short_pieces(utf8_pieces(path, survey.encoding, size, file_name), limits.chunk_rows)
    rows = _rows(blocks(pieces, separator, file_name), shape)
    return OpenTable(shape.header, rows, survey.digest, survey.encoding, _SEPARATORS[separator])


def _start(pieces: Iterator[bytes], file_name: str) -> bytes:
    """The beginning of the file, with the whole first record in it."""
    start = b""
    for piece in pieces:
        start += piece
        if header_end(start):
            return start
        if len(start) > _LONGEST_HEADER:
            message = f"{file_name}第1行超过{_LONGEST_HEADER // 1024}KB还没有结束，不是表头。请检查换行和英文引号。"
            raise TabularError(message, code="header-too-long", line=1)
    return start


def _top(start: bytes, headings: Headings, file_name: str) -> tuple[str, list[str], list[list[str]]]:
    """The separator under which most headings are known, the headings, and the rows at the top."""
    try:
        first = start[: header_end(start) or None]
        readings = [(mark, next(iter(top_rows(first, mark, 1)), [])) for mark in _SEPARATORS]
        known = max(readings, key=lambda reading: (headings.recognised(reading[1]), len(reading[1])))
        tops = [top_rows(start, mark, TOP_ROWS) for mark in _SEPARATORS]
    except csv.Error as error:
        message = f"{file_name}第1行无法分列（单元格过长或者英文引号没有成对）。请检查后重新报送。"
        raise TabularError(message, code="header-too-long", line=1) from error
    top = max(tops, key=lambda rows: max((headings.recognised(row) for row in rows), default=0))
    return *known, top


def _rows(found: Iterator[Block], shape: _Shape) -> Iterator[RawRows]:
    for block in found:
        data, marks, first, records = block.data, block.marks, block.first, block.records
        if first + records - 1 > shape.limits.lines:
            most = shape.limits.lines
            message = f"{shape.file_name}超过{most}行（空行也算），请删去空行或者拆分成几个文件后报送。"
            raise TabularError(message, code="rows-too-many", line=most + 1)
        if first == 1:
            data = data[header_end(data) or len(data) :]
            marks = marks[marks.find(b"\n") + 1 :] if b"\n" in marks else b""
            first, records = 2, records - 1
        if records:
            yield _read(Block(data, marks, first, records), shape)


def _read(block: Block, shape: _Shape) -> RawRows:
    names = list(shape.header.names)
    counts = _cells_per_record(block, shape.separator, len(names))
    widest = max(counts.unique())
    lines = pl.Series("line", range(block.first, block.first + block.records), dtype=pl.Int64())
    if widest > max(shape.limits.columns, len(names)):
        line = lines.filter(counts == widest)[0]
        message = f"{shape.file_name}第{line}行有{widest}个单元格，表头只有{len(names)}列。请检查分隔符后重新报送。"
        raise TabularError(message, code="columns-too-many", line=line)
    overflow = [f"\0{place}" for place in range(len(names), widest)]
    frame = _frame(block.data, [*names, *overflow], shape)
    if frame.height != block.records or counts.len() != block.records:
        message = f"{shape.file_name}第{block.first}行起无法逐行读取，请检查英文引号是否成对。"
        raise TabularError(message, code="rows-unclear", line=block.first)
    refuse_huge_cells(frame, lines, shape.limits.cell_bytes, shape.file_name)
    misaligned = _misaligned(frame, lines, counts, len(names))
    if overflow:
        spare = pl.concat_str(overflow, separator=shape.separator, ignore_nulls=True).replace("", None)
        frame = frame.with_columns(spare.alias(OVERFLOW_COLUMN)).drop(overflow)
    rows = without_blank_rows(frame, lines, misaligned)
    return replace(rows, is_plain=_is_plain(block, shape.separator))


def _frame(data: bytes, names: list[str], shape: _Shape) -> pl.DataFrame:
    try:
        return pl.read_csv(
            data,
            has_header=False,
            separator=shape.separator,
            schema=dict.fromkeys(names, pl.String()),
            missing_columns="insert",
            extra_columns="ignore",
        )
    except pl.exceptions.PolarsError as error:
        message = f"{shape.file_name}无法按表格读取，请检查英文引号和分隔符，或者另存为XLSX后重新报送。"
        raise TabularError(message, code="table-unreadable") from error


def _cells_per_record(block: Block, separator: str, width: int) -> pl.Series:
    """Cells of each record, counted without the quoted ones; one comparison when all have the header's width."""
    mark = separator.encode()
    marks = block.marks.removesuffix(b"\n")
    if marks == b"\n".join([mark * (width - 1)] * block.records):
        return pl.repeat(width, block.records, dtype=pl.Int64(), eager=True)
    marks = marks.translate(None, UNUSUAL.replace(mark, b""))
    return pl.Series([len(record) + 1 for record in marks.split(b"\n")], dtype=pl.Int64())


def _is_plain(block: Block, separator: str) -> bool:
    """Whether no cell holds anything that must be written in another way."""
    return b'"' not in block.data and not block.marks.translate(None, separator.encode() + b"\n")


def _misaligned(frame: pl.DataFrame, lines: pl.Series, counts: pl.Series, width: int) -> pl.DataFrame:
    """Rows whose cells cannot be matched with the header: too few, or more than it has and not just empty ones."""
    spare = frame.columns[width:]
    if not spare and bool((counts == width).all()):
        return pl.DataFrame(schema=MISALIGNED_SCHEMA)
    beyond = pl.any_horizontal(pl.col(spare).is_not_null()) if spare else pl.lit(value=False)
    judged = frame.select(lines, counts.alias("cells"), beyond=beyond)
    too_few = judged.filter(pl.col("cells") < width).select(
        "line",
        code=pl.lit("cells-missing"),
        message=pl.format(
            "本行只有{}个单元格，表头有{}列，可能缺列或者被截断，请补齐后重新报送该行。", "cells", pl.lit(width)
        ),
    )
    too_many = judged.filter(pl.col("beyond")).select(
        "line",
        code=pl.lit("cells-beyond-header"),
        message=pl.format(
            "本行有{}个单元格，表头只有{}列，可能有内容中的分隔符没有用英文引号括起，各列已错位，请更正。",
            "cells",
            pl.lit(width),
        ),
    )
    return pl.concat([too_few, too_many])
