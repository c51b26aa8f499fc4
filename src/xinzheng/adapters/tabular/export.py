"""Files out: the rows with problems in their original columns, and empty templates; safe to open in a spreadsheet."""

import codecs
import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from xinzheng.adapters.tabular.batch import BatchDefaults, ParsedBatch
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.headers import PROBLEM_COLUMN, headings_of
from xinzheng.adapters.tabular.opening import open_table
from xinzheng.adapters.tabular.reading import DEFAULT_LIMITS, read_batches
from xinzheng.adapters.tabular.rows import OVERFLOW_COLUMN, OpenTable, RawRows

# A cell beginning with one of these may run as a formula when the file is opened.
_RISKY = r"^([=+\-@\t\r\n＝＋－＠])"
_ROWS_AT_ONCE = 50_000

# From the first and the last of some lines to what is wrong with lines between them: columns ``line``, ``message``.
Problems = Callable[[int, int], pl.DataFrame]


def defects_csv(parsed: ParsedBatch) -> bytes:
    """The rows that have defects: original columns and 问题 (what is wrong, by line); UTF-8 with byte order mark."""
    rows = _rows_with_problems(parsed)
    return _header(rows.columns) + _body(rows)


def write_defects_csv(path: Path, defaults: BatchDefaults, into: BinaryIO, chunk_rows: int = _ROWS_AT_ONCE) -> None:
    """As :func:`defects_csv` of the whole file at ``path``, the same bytes, in memory for ``chunk_rows`` rows.

    Nothing is written before the file has been read to its end. Raises TabularError as :func:`read_batches`.
    """
    parts = read_batches(path, defaults, chunk_rows, keep_raw=True)
    _write((_rows_with_problems(part) for part in parts), into)


def write_lines_csv(
    path: Path, defaults: BatchDefaults, problems: Problems, into: BinaryIO, chunk_rows: int = _ROWS_AT_ONCE
) -> None:
    """As :func:`write_defects_csv`, with what the caller knows to be wrong; nothing is checked again."""
    table = open_table(path, headings_of(defaults), defaults.file_name, replace(DEFAULT_LIMITS, chunk_rows=chunk_rows))
    _write((_told(rows, table, problems) for rows in table.rows if rows.lines.len()), into)


def _told(rows: RawRows, table: OpenTable, problems: Problems) -> pl.DataFrame:
    columns = [n for n in rows.frame.columns if n == OVERFLOW_COLUMN or n in table.header.names]
    return _with_problems(rows.frame.select(columns), rows.lines, problems(rows.lines[0], rows.lines[-1]))


def _write(parts: Iterable[pl.DataFrame], into: BinaryIO) -> None:
    with tempfile.TemporaryDirectory(prefix="xinzheng-defects-") as folder:
        files, columns = _parked(parts, Path(folder))
        into.write(_header(columns))
        for file in files:
            rows = pl.read_ipc(file.read_bytes())
            file.unlink()
            absent = [pl.lit(None, pl.String()).alias(name) for name in columns if name not in rows.columns]
            into.write(_body(rows.with_columns(absent).select(columns)))


def template_csv(kind: str) -> bytes:
    """An empty file with the header of a kind of record (记录类型); UTF-8 with byte order mark. KeyError if unknown."""
    return _header([field.name for field in FORMATS[kind].fields])


def _parked(parts: Iterable[pl.DataFrame], folder: Path) -> tuple[list[Path], list[str]]:
    """The parts on disk, and the columns of all: only the last part tells whether there are cells beyond the header."""
    files, columns = list[Path](), dict[str, None]()
    for number, rows in enumerate(parts):
        files.append(folder / str(number))
        rows.write_ipc(files[-1], compression="lz4")
        columns |= dict.fromkeys(rows.columns)
    columns[PROBLEM_COLUMN] = columns.pop(PROBLEM_COLUMN)
    return files, list(columns)


def _rows_with_problems(parsed: ParsedBatch) -> pl.DataFrame:
    return _with_problems(parsed.raw, parsed.frame.get_column("line"), parsed.defects)


def _with_problems(raw: pl.DataFrame, lines: pl.Series, defects: pl.DataFrame) -> pl.DataFrame:
    by_line = defects.group_by("line", maintain_order=True).agg(pl.col("message").str.join("；"))
    problems = by_line.select("line", pl.format("第{}行：{}", "line", "message").alias(PROBLEM_COLUMN))
    original = raw.drop(PROBLEM_COLUMN, strict=False)
    rows = original.with_columns(lines.alias("\0line"))
    named = rows.join(problems, left_on="\0line", right_on="line", how="inner", maintain_order="left").drop("\0line")
    # Without content in any of the rows written the column would depend on where a file was cut into stretches.
    spare = OVERFLOW_COLUMN in named.columns and named.get_column(OVERFLOW_COLUMN).null_count() == named.height
    return named.drop(OVERFLOW_COLUMN) if spare else named


def _header(names: Sequence[str]) -> bytes:
    # Headings may be formulas as well; written apart because made harmless they need not be unique any more.
    header = io.StringIO(newline="")
    csv.writer(header, lineterminator="\r\n").writerow(re.sub(_RISKY, r"'\1", name) for name in names)
    return codecs.BOM_UTF8 + header.getvalue().encode()


def _body(rows: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    harmless = rows.with_columns(pl.all().str.replace(_RISKY, "'$1"))
    harmless.write_csv(written, include_header=False, quote_style="necessary", line_terminator="\r\n")
    return written.getvalue()
