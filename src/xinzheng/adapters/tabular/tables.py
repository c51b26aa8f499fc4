"""Any table, whatever its format, read as text by the guards that records go through; its meaning is the caller's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.headers import headings_by
from xinzheng.adapters.tabular.opening import open_table
from xinzheng.adapters.tabular.rows import RawRows

# A table is held in memory. A spreadsheet's cell has at most 32 767 characters, which take up to 98 301 bytes.
TABLE_LIMITS = Limits(file_bytes=256 * 1024**2, cell_bytes=100_000)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that is not blank: its number as a person sees it (header = 1), a text per column ("" = empty).

    ``fault``: code and Chinese message where the row has fewer or more cells than the header, so that none of them
    can be trusted; otherwise None.
    """

    line: int
    cells: tuple[str, ...]
    fault: tuple[str, str] | None


@dataclass(frozen=True)
class Table:
    """A file that was read to its end.

    ``header``: names as in the file, made unique. ``columns``: each known field's index among them. ``encoding`` is
    utf-8, utf-8-sig, gb18030, xlsx or xls; ``format`` is csv, tsv, xlsx, xls or jsonl.
    """

    header: tuple[str, ...]
    columns: Mapping[str, int]
    stretches: Sequence[RawRows]
    sha256: str
    encoding: str
    format: str

    @property
    def rows(self) -> Iterator[TableRow]:
        """The rows in order; made anew, as whole rows take more memory than the columns they are kept in."""
        for stretch in self.stretches:
            faults = {line: (code, message) for line, code, message in stretch.misaligned.rows()}
            cells = stretch.frame.select(pl.col(self.header).fill_null("")).iter_rows()
            for line, row in zip(stretch.lines, cells, strict=True):
                yield TableRow(line, row, faults.get(line))


def read_table(path: Path, field_of: Callable[[str], str | None], limits: Limits = TABLE_LIMITS) -> Table:
    """Read a whole file. ``field_of`` says which field a heading names, or None.

    Known headings tell the separator, the sheet, and where the header stands. Which fields must be there is the
    caller's to ask for. Raises TabularError when the file cannot be read as a table.
    """
    opened = open_table(path, headings_by(field_of), path.name, limits)
    header = opened.header
    return Table(header.names, header.columns, list(opened.rows), opened.sha256, opened.encoding, opened.format)
