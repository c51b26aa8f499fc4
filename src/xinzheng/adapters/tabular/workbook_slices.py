"""A large sheet read slice after slice: the rows cut at their ends, each slice a sheet of a small workbook of its own.

The reader holds a whole sheet in memory, some 70 bytes a cell. Cut into slices, memory is that of one slice and of the
strings that cells refer to, however long the sheet is. Several slices share a workbook, so that the strings, which the
reader takes in anew with every workbook, are taken in few times.
"""

import itertools
import shutil
import tempfile
import zipfile
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from python_calamine import CalamineWorkbook

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.headers import TOP_ROWS
from xinzheng.adapters.tabular.rows import ahead
from xinzheng.adapters.tabular.sheet_rows import Bounds, Envelope, RowReader, Slice, UnusualError, open_rows, slices
from xinzheng.adapters.tabular.workbook_cells import Laid
from xinzheng.adapters.tabular.workbook_extent import Strings, TooFarError
from xinzheng.adapters.tabular.workbook_parts import Parts, parts_of, write_workbook
from xinzheng.adapters.tabular.workbook_safety import inspect_around, refuse_archive

# The first workbook of slices is small, so that reading begins soon.
_FIRST_SIZE, _LEAST_SIZE = 4 * 1024**2, 16 * 1024**2


@dataclass(frozen=True)
class _Top:
    """The rows at the top of a sheet: cells of their rectangle, bytes of XML and text."""

    xml: bytes
    cells: int
    size: int


@dataclass(frozen=True)
class LargeWorkbook:
    """A workbook that was looked at but for its sheets; ``strings``: the lengths of those that cells refer to."""

    path: Path
    parts: Parts
    strings: Strings
    limits: Limits

    def tops(self) -> CalamineWorkbook:
        """The same workbook with nothing but the rows at the top of each sheet.

        Raises UnusualError where a sheet's rows cannot be told apart, or its top is without any cell, and TooFarError
        where all of them together hold too much.
        """
        with _private_folder() as folder, zipfile.ZipFile(self.path) as archive:
            path = folder / "tops.xlsx"
            write_workbook(path, archive, self.parts, self._tops(archive))
            # All that is asked for later is held in memory; of the file only its name is gone.
            return CalamineWorkbook.from_path(path)

    def _tops(self, archive: zipfile.ZipFile) -> Iterator[tuple[str, list[bytes]]]:
        # Many sheets of one heavy row each would be as much as one sheet of many.
        cells = size = 0
        for name, member in self.parts.sheets.items():
            top = self._top(archive, member)
            cells, size = cells + top.cells, size + top.size
            if cells > self.limits.xlsx_cells or size > self.limits.xlsx_text_bytes:
                raise TooFarError
            yield name, [top.xml]

    def _top(self, archive: zipfile.ZipFile, member: str) -> _Top:
        with archive.open(member) as file:
            envelope, pieces = open_rows(file)
            reader = RowReader(envelope, self.strings, self.limits.columns, member)
            rows = next((rows for piece in pieces if (rows := reader.rows(piece, 0)).numbers), None)
            if rows is None:
                return _Top(envelope.opening + envelope.closing, 0, 0)
            until = bisect_right(rows.numbers, TOP_ROWS) or 1
            top, is_more = rows.data_of(0, until), until < len(rows.numbers)
            if b"<" + envelope.prefix + b"c" not in top and (is_more or next(pieces, None) is not None):
                raise UnusualError
            size, cells = rows.text(0, until), rows.width * (rows.numbers[until - 1] - rows.numbers[0] + 1)
            return _Top(envelope.opening + top + envelope.closing, cells, size)

    def most_text(self, sheet: str) -> int:
        """How many bytes of text the cells of a sheet may hold once each has its own.

        As much as a text file, and of that no more than a bearable multiple of what is there: a long text that very
        many cells refer to makes a few kilobytes into gigabytes.
        """
        with zipfile.ZipFile(self.path) as archive:
            held = archive.getinfo(self.parts.sheets[sheet]).file_size + self.parts.strings_size
        return min(self.limits.file_bytes, max(self.limits.xlsx_text_bytes, self.limits.xlsx_repeats * held))

    def laid(self, sheet: str) -> Generator[Laid]:
        """The rows of a sheet, slice by slice.

        Raises what :func:`~xinzheng.adapters.tabular.sheet_rows.slices` raises, the reader's errors, and UnusualError
        after parts of the sheet were handed over.
        """
        left = Event()
        with _private_folder() as folder, zipfile.ZipFile(self.path) as archive:
            groups = ahead(self._groups(archive, self.parts.sheets[sheet], folder, left))
            try:
                for path in groups:
                    yield from _read(path)
                    path.unlink()
            finally:
                # Whoever wants only the beginning must not wait for more of it to be written.
                left.set()
                groups.close()

    def _groups(self, archive: zipfile.ZipFile, member: str, folder: Path, left: Event) -> Iterator[Path]:
        bounds = Bounds(self.limits.xlsx_slice_cells, self.limits.xlsx_slice_bytes, self.limits.row_bytes)
        with archive.open(member) as file:
            envelope, pieces = open_rows(file)
            reader = RowReader(envelope, self.strings, self.limits.columns, member)
            found = itertools.takewhile(lambda _: not left.is_set(), slices(reader, pieces, bounds))
            # Twice the strings at least: so all workbooks together hold little more than the one they are made of.
            sizes = itertools.chain([_FIRST_SIZE], itertools.repeat(max(_LEAST_SIZE, 2 * self.parts.strings_size)))
            for number, size in enumerate(sizes):
                if (first := next(found, None)) is None:
                    return
                path = folder / f"{number}.xlsx"
                write_workbook(path, archive, self.parts, _sheets(itertools.chain([first], found), envelope, size))
                yield path


def _read(path: Path) -> Iterator[Laid]:
    with CalamineWorkbook.from_path(path) as workbook:
        for index in range(len(workbook.sheet_names)):
            found = workbook.get_sheet_by_index(index)
            if found.start is not None:
                yield Laid(found.to_python(), found.start[0] + 1, found.start[1])


def _sheets(found: Iterable[Slice], envelope: Envelope, size: int) -> Iterator[tuple[str, list[bytes]]]:
    """Slices as sheets until they have the size."""
    taken = 0
    for number, part in enumerate(found, 1):
        yield str(number), [envelope.opening, part.data, envelope.closing]
        taken += len(part.data)
        if taken >= size:
            return


@contextmanager
def _private_folder() -> Iterator[Path]:
    # Not TemporaryDirectory, which complains when rows that were never asked for are forgotten.
    folder = Path(tempfile.mkdtemp(prefix="xinzheng-sheet-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_large(path: Path, file_name: str, limits: Limits) -> LargeWorkbook:
    """Look at everything in a workbook but its sheets. Raises TabularError, and UnusualError where it is not clear."""
    with zipfile.ZipFile(path) as archive:
        refuse_archive(archive, file_name, limits)
        parts = parts_of(archive)
        strings = inspect_around(archive, set(parts.sheets.values()), file_name, limits)
        return LargeWorkbook(path, parts, strings, limits)
