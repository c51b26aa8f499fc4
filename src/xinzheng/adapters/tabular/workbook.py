"""XLSX and XLS through calamine: the one sheet with our header, slice by slice where it can be cut, else whole."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import TOP_ROWS, Header, Headings, refuse_displaced
from xinzheng.adapters.tabular.old_workbook_safety import inspect_old_workbook, is_old_office
from xinzheng.adapters.tabular.rows import OpenTable, ahead, digest_of
from xinzheng.adapters.tabular.sheet_rows import UnusualError
from xinzheng.adapters.tabular.workbook_cells import Below, Cell, Laid, cell_text, raw_rows
from xinzheng.adapters.tabular.workbook_safety import explained, inspect_workbook, workbook_damaged
from xinzheng.adapters.tabular.workbook_slices import open_large

_SHORTEST_HEADER = 2
# Rows of a sheet read whole that become objects of the interpreter at once.
_ROWS_LAID = 1_000


@dataclass(frozen=True)
class _Source:
    """The sheet that was found: the texts of the rows at its top, all its rows, and how to leave them unread.

    ``most_text``: bytes of text that its cells may hold.
    """

    top: list[list[str]]
    laid: Iterator[Laid]
    most_text: int
    leave: Callable[[], None] = lambda: None


def open_sheet(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    """Inspect, then open; the sheet is the only one whose first row is our header. Raises TabularError."""
    with path.open("rb") as file:
        is_old = is_old_office(file.read(8))
    most = min(limits.xlsx_bytes, limits.xls_bytes) if is_old else limits.xlsx_bytes
    if path.stat().st_size > most:
        message = f"{file_name}超过{most // 1024**2}MB，请拆分或者改用CSV报送。"
        raise TabularError(message, code="file-too-large")
    workbook, digest = _Workbook(path, headings, file_name, limits), digest_of(path)
    source = workbook.whole(is_old=is_old) if is_old else workbook.sliced()
    try:
        header = workbook.header(source.top)
    except TabularError:
        source.leave()
        raise
    form = "xls" if is_old else "xlsx"
    # The reader lays cells out beside the interpreter: meanwhile those before become columns.
    rows = raw_rows(ahead(source.laid), Below(header, file_name, limits, source.most_text))
    return OpenTable(header, rows, digest, form, form)


@dataclass(frozen=True)
class _Workbook:
    path: Path
    headings: Headings
    file_name: str
    limits: Limits

    def header(self, top: list[list[str]]) -> Header:
        """The header among the rows at the top. Raises TabularError."""
        names = _header_names(top)
        if len(names) > self.limits.columns:
            message = (
                f"{self.file_name}第1行有{len(names)}列，超过上限{self.limits.columns}列。请按模板只保留需要的列。"
            )
            raise TabularError(message, code="columns-too-many", line=1)
        refuse_displaced(top, self.headings, self.file_name)
        return self.headings.resolve(names, self.file_name)

    def sliced(self) -> _Source:
        """Read in slices, and whole from where it cannot be cut."""
        try:
            with self._explained():
                large = open_large(self.path, self.file_name, self.limits)
                names = list(large.parts.sheets)
                if len(names) > 1:
                    sheet = self._sheet(large.tops())
                    followed = self._followed(large.laid(sheet.name))
                    return _Source(_top_rows(sheet), followed, large.most_text(sheet.name))
                slices, most_text = large.laid(names[0]), large.most_text(names[0])
                first = _first(slices)
                if not first:
                    raise self._empty()
        except UnusualError:
            return self.whole(is_old=False)
        return _Source(_top_texts(first), self._followed(itertools.chain(first, slices)), most_text, slices.close)

    def _followed(self, slices: Iterator[Laid]) -> Iterator[Laid]:
        line = 1
        try:
            while True:
                with self._explained():
                    laid = next(slices, None)
                if laid is None:
                    return
                yield laid
                line = laid.line + len(laid.rows)
        except UnusualError:
            yield from self._laid(self._inspected(is_old=False), line)

    def whole(self, *, is_old: bool) -> _Source:
        """Laid out as a whole."""
        sheet = self._inspected(is_old=is_old)
        return _Source(_top_rows(sheet), self._laid(sheet, 1), self.limits.file_bytes)

    def _inspected(self, *, is_old: bool) -> CalamineSheet:
        (inspect_old_workbook if is_old else inspect_workbook)(self.path, self.file_name, self.limits)
        # By content: by path the reader would believe the file name's ending.
        with self._explained(), self.path.open("rb") as file:
            return self._sheet(CalamineWorkbook.from_filelike(file))

    def _laid(self, sheet: CalamineSheet, line: int) -> Iterator[Laid]:
        left = sheet.start[1] if sheet.start else 0
        rows = itertools.islice(sheet.iter_rows(), line - 1, None)
        while chunk := list(itertools.islice(rows, _ROWS_LAID)):
            yield Laid(chunk, line, left)
            line += len(chunk)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained(self.file_name):
                yield
        except CalamineError as error:
            raise workbook_damaged(self.file_name) from error
        except BaseException as error:
            # The reader's own panics are no Exception, and an old file is easily damaged into one.
            if type(error).__name__ != "PanicException":
                raise
            raise workbook_damaged(self.file_name) from error

    def _sheet(self, workbook: CalamineWorkbook) -> CalamineSheet:
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        filled = [sheet for sheet in sheets if sheet.height]
        if not filled:
            raise self._empty()
        ours = [s for s in filled if self.headings.recognised(_header_names(_top_rows(s))) >= _SHORTEST_HEADER]
        if len(ours) > 1:
            names = "、".join(f"“{sheet.name}”" for sheet in ours)
            message = f"{self.file_name}有{len(ours)}个数据工作表：{names}。请合并为一个，或者分成几个文件报送。"
            raise TabularError(message, code="several-sheets")
        return ours[0] if ours else filled[0]

    def _empty(self) -> TabularError:
        message = f"{self.file_name}没有内容。请填写后重新报送；没有数据的，请作零报告。"
        return TabularError(message, code="file-empty")


def _first(slices: Iterator[Laid]) -> list[Laid]:
    """As many as hold the rows at the top."""
    found = list[Laid]()
    while not found or found[-1].line + len(found[-1].rows) <= TOP_ROWS:
        if (laid := next(slices, None)) is None:
            break
        found.append(laid)
    return found


def _top_texts(first: list[Laid]) -> list[list[str]]:
    numbered = {line: _texts(row, laid.left) for laid in first for line, row in enumerate(laid.rows, laid.line)}
    return [numbered.get(line, []) for line in range(1, min(max(numbered), TOP_ROWS) + 1)]


def _top_rows(sheet: CalamineSheet) -> list[list[str]]:
    left = sheet.start[1] if sheet.start else 0
    return [_texts(row, left) for row in itertools.islice(sheet.iter_rows(), TOP_ROWS)]


def _texts(row: Sequence[Cell], left: int) -> list[str]:
    """The texts of a row from column A on."""
    return [*[""] * left, *(cell_text(cell) or "" for cell in row)]


def _header_names(top: list[list[str]]) -> list[str]:
    names = list(top[0]) if top else []
    while names and not names[-1].strip():
        names.pop()
    return names
