"""How much memory the sheets of an old workbook (BIFF8, [MS-XLS]) will take: counted before a reader lays them out.

The reader takes each sheet's stated size on trust, makes it a full rectangle, gives each cell its own copy of its
text, and reads a place in the stream as often as sheets point to it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from xinzheng.adapters.tabular.workbook_extent import TooFarError

_BOF, _EOF, _CONTINUE, _FILEPASS, _SHEET, _STRINGS, _SIZE = 0x0809, 0x000A, 0x003C, 0x002F, 0x0085, 0x00FC, 0x0200
_LABEL_SST, _MANY, _MANY_BLANK, _FORMULA = 0x00FD, 0x00BD, 0x00BE, 0x0006
_CELLS = frozenset({0x0203, 0x0204, 0x0205, 0x027E, _LABEL_SST, _MANY, _FORMULA})
_TEXTS = frozenset({0x0204, 0x0207})
_BIFF8 = 0x0600
_MACRO_SHEET = 1
_BYTES_PER_CHARACTER = 3


class MacroError(Exception):
    """A sheet of macros."""


class LockedError(Exception):
    """Encrypted with a password."""


@dataclass
class _Sheet:
    rows: int = 0
    columns: int = 0
    cells: int = 0
    text: int = 0
    has_formula: bool = False


def measure(stream: bytes, most_cells: int, most_text: int) -> None:
    """Walk the globals and every sheet.

    Raises TooFarError, MacroError, LockedError, and ValueError for what is no whole BIFF8 workbook.
    """
    places, lengths = _globals(stream, most_cells)
    cells = text = 0
    for place in places:
        sheet = _walked(stream, place, lengths)
        # The reader keeps the formulas in a rectangle of their own.
        cells += max(sheet.rows * sheet.columns, sheet.cells) * (2 if sheet.has_formula else 1)
        text += sheet.text
        if cells > most_cells or text > most_text:
            raise TooFarError


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, first byte and length of each record up to the first end mark."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if at + 4 + length > len(stream):
            raise ValueError("record beyond the end")
        yield kind, at + 4, length
        if kind == _EOF:
            return
        at += 4 + length
    raise ValueError("no end of the records")


def _globals(stream: bytes, most_cells: int) -> tuple[list[int], list[int]]:
    places, pieces, previous = list[int](), list[bytes](), 0
    for number, (kind, at, length) in enumerate(_records(stream, 0)):
        if number == 0 and (kind != _BOF or struct.unpack_from("<H", stream, at)[0] != _BIFF8):
            raise ValueError("not BIFF8")
        if kind == _FILEPASS:
            raise LockedError
        if kind == _SHEET:
            place, _, sheet_kind = struct.unpack_from("<IBB", stream, at)
            if sheet_kind == _MACRO_SHEET:
                raise MacroError
            places.append(place)
        elif kind == _STRINGS:
            if pieces:
                raise ValueError("two tables of strings")
            pieces.append(stream[at : at + length])
        elif kind == _CONTINUE and previous == _STRINGS:
            pieces.append(stream[at : at + length])
        previous = previous if kind == _CONTINUE else kind
    return places, _Strings(pieces).lengths(most_cells) if pieces else []


def _walked(stream: bytes, place: int, lengths: list[int]) -> _Sheet:
    sheet = _Sheet()
    for kind, at, length in _records(stream, place):
        if kind in _CELLS:
            row, column = struct.unpack_from("<HH", stream, at)
            last = struct.unpack_from("<H", stream, at + length - 2)[0] if kind == _MANY else column
            sheet.rows, sheet.columns = max(sheet.rows, row + 1), max(sheet.columns, last + 1)
            sheet.cells += max(last - column + 1, 1)
            if kind == _LABEL_SST:
                (string,) = struct.unpack_from("<I", stream, at + 6)
                sheet.text += lengths[string] if string < len(lengths) else 0
            sheet.has_formula = sheet.has_formula or kind == _FORMULA
        elif kind == _SIZE and length >= 12:
            first_row, end_row, first_column, end_column = struct.unpack_from("<IIHH", stream, at)
            sheet.cells = max(sheet.cells, (end_row - first_row + 1) * (end_column - first_column + 1))
            if end_row < first_row or end_column < first_column:
                raise ValueError("size")
        if kind in _TEXTS:
            sheet.text += length * _BYTES_PER_CHARACTER
    return sheet


class _Strings:
    """The shared strings: characters in one or two bytes, which a CONTINUE record may change in mid-string."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces, self._piece, self._at = pieces, 0, 0

    def lengths(self, most: int) -> list[int]:
        """The most bytes that each string can take as text. Raises TooFarError beyond ``most`` strings."""
        _, count = struct.unpack("<II", self._taken(8))
        if count > most or count * 3 > sum(map(len, self._pieces)):
            raise TooFarError
        return [self._string() for _ in range(count)]

    def _string(self) -> int:
        characters = int.from_bytes(self._taken(2), "little")
        (flags,) = self._taken(1)
        runs = struct.unpack("<H", self._taken(2))[0] if flags & 8 else 0
        extension = struct.unpack("<I", self._taken(4))[0] if flags & 4 else 0
        self._skip_characters(characters, flags & 1)
        self._skip(runs * 4 + extension)
        return characters * _BYTES_PER_CHARACTER

    def _skip_characters(self, characters: int, wide: int) -> None:
        while characters:
            if self._at == len(self._here()):
                self._next()
                wide = self._taken(1)[0] & 1
            there = min(characters, (len(self._here()) - self._at) >> wide)
            if not there and self._at < len(self._here()):
                raise ValueError("half a character")
            self._at += there << wide
            characters -= there

    def _taken(self, count: int) -> bytes:
        if self._at == len(self._here()):
            self._next()
        found = self._here()[self._at : self._at + count]
        if len(found) < count:
            raise ValueError("a string's head is cut")
        self._at += count
        return found

    def _skip(self, count: int) -> None:
        while count:
            if self._at == len(self._here()):
                self._next()
            step = min(count, len(self._here()) - self._at)
            self._at, count = self._at + step, count - step

    def _here(self) -> bytes:
        return self._pieces[self._piece]

    def _next(self) -> None:
        if self._piece + 1 == len(self._pieces):
            raise ValueError("strings end early")
        self._piece, self._at = self._piece + 1, 0
