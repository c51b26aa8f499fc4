"""Rows as read, before anything is checked."""

import hashlib
import itertools
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import Header
from xinzheng.adapters.tabular.privacy import without_numbers

OVERFLOW_COLUMN = "（多余的列）"
MISALIGNED_SCHEMA = {"line": pl.Int64(), "code": pl.String(), "message": pl.String()}


T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, the next one made on another core while the caller works on the one before."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as pool:
        # Never a name for the one that is waited for: a failure would hold the frame that holds it, and its open file.
        coming = deque((pool.submit(next, items, None),))
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item


def digest_of(path: Path) -> Future[str]:
    """SHA-256 of a file in hexadecimal, made on another core: nobody needs it before the first rows are read."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="digest")
    made = pool.submit(_digest, path)
    pool.shutdown(wait=False)
    return made


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def growing(size: int, least: int) -> Iterator[int]:
    """Lengths that double until they are ``size``: whoever works on the first has not long to wait for it."""
    yield from (max(size >> halvings, min(size, least)) for halvings in (3, 2, 1))
    yield from itertools.repeat(size)


@dataclass(frozen=True)
class RawRows:
    """A stretch of non-blank rows: original columns as text (empty = null), the row numbers a person sees.

    ``misaligned``: line, code, message of rows with too few or too many cells. ``is_plain``: it is known that no cell
    holds a quotation mark, single or double, a backslash or a control character; most files hold none.
    """

    frame: pl.DataFrame
    lines: pl.Series
    misaligned: pl.DataFrame
    is_plain: bool = False


@dataclass(frozen=True)
class OpenTable:
    """A file whose header was understood and whose rows can be read once, in order."""

    header: Header
    rows: Iterator[RawRows]
    digest: Future[str]
    encoding: str
    format: str

    @property
    def sha256(self) -> str:
        """The file's digest in hexadecimal; waits for it."""
        return self.digest.result()


def without_blank_rows(frame: pl.DataFrame, lines: pl.Series, misaligned: pl.DataFrame) -> RawRows:
    """Drop rows in which every cell is empty or only spaces; their numbers stay taken."""
    filled = pl.any_horizontal(pl.all().str.strip_chars().str.len_bytes() > 0).fill_null(value=False)
    first_columns = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    keep = first_columns if bool(first_columns.all()) else frame.select(filled).to_series()
    if bool(keep.all()):
        return RawRows(frame, lines, misaligned)
    kept = lines.filter(keep)
    return RawRows(frame.filter(keep), kept, misaligned.filter(pl.col("line").is_in(kept.implode())))


def text_bytes(frame: pl.DataFrame) -> int:
    """Bytes of text in the cells of all columns of text."""
    return sum(frame.select(pl.col(pl.String).str.len_bytes().sum()).row(0))


def in_stretches(found: Iterator[RawRows], file_name: str, limits: Limits) -> Iterator[RawRows]:
    """The same rows, no stretch with more than ``chunk_rows`` rows or ``chunk_bytes`` of text, but at least one row.

    Raises TabularError for a row with more text than ``row_bytes``.
    """
    for rows in found:
        start = 0
        for end in _ends(rows, file_name, limits):
            yield _part(rows, start, end - start)
            start = end


def row_too_large(file_name: str, line: int, most: int) -> TabularError:
    """The refusal of a row too long to be held together with others."""
    message = (
        f"{file_name}第{line}行的文字合计超过一行的上限{most}字节。"
        "请检查是否粘贴了整篇文书或者引号没有成对，改正后重新报送。"
    )
    return TabularError(message, code="row-too-large", line=line)


def _ends(rows: RawRows, file_name: str, limits: Limits) -> Iterator[int]:
    """Where stretches of these rows end."""
    height, end = rows.lines.len(), 0
    if text_bytes(rows.frame) <= min(limits.chunk_bytes, limits.row_bytes):
        yield from (min(start + limits.chunk_rows, height) for start in range(0, height, limits.chunk_rows))
        return
    sizes = rows.frame.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64()))).to_series()
    huge = rows.lines.filter(sizes > limits.row_bytes)
    if huge.len():
        raise row_too_large(file_name, huge[0], limits.row_bytes)
    reached = sizes.cum_sum()
    while end < height:
        before = reached[end - 1] if end else 0
        fitting = int(reached.search_sorted(before + limits.chunk_bytes, side="right"))
        end = min(max(fitting, end + 1), end + limits.chunk_rows)
        yield end


def _part(rows: RawRows, offset: int, length: int) -> RawRows:
    if length == rows.lines.len():
        return rows
    lines = rows.lines.slice(offset, length)
    misaligned = rows.misaligned.filter(pl.col("line").is_between(lines[0], lines[-1]))
    return replace(rows, frame=rows.frame.slice(offset, length), lines=lines, misaligned=misaligned)


def refuse_huge_cells(frame: pl.DataFrame, lines: pl.Series, most: int, file_name: str) -> None:
    """TabularError naming line and column of the first cell longer than ``most`` bytes."""
    longest = frame.select(pl.all().str.len_bytes().max()).row(0)
    for name, length in zip(frame.columns, longest, strict=True):
        if length is not None and length > most:
            line = lines.filter(frame.get_column(name).str.len_bytes() > most)[0]
            message = (
                f"{file_name}第{line}行“{without_numbers(name)[:40]}”有{length}字节，超过一个单元格的上限{most}字节。"
                "请检查是否粘贴了整篇文书或者引号没有成对，改正后重新报送。"
            )
            raise TabularError(message, code="cell-too-large", line=line, field=name)
