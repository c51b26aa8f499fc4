"""How much memory a workbook's cells will take: counted before a reader lays them out.

A reader makes a sheet a full rectangle and gives each cell its own copy of the text it refers to, so that one stray
cell in the last corner, or one long text referred to a million times, would end the process.
"""

import re
from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from typing import IO
from xml.parsers import expat

_ANY = re.compile(rb"<(?:[^<>\s/:!]+:)?(?:c|row)(?=[\s/>])")
_PLAIN = re.compile(
    rb'<(?:row r="(\d{1,7})"|c r="([A-Z]{1,3})(\d{1,7})"((?: [a-z]+="[^"<>]*")*) ?(?:/>|>(?:<v>(\d*)</v>)?))'
)
_FORMULA = re.compile(rb"<(?:[^<>\s/:!]+:)?f[\s/>]")
_STRING_END = re.compile(rb"</(?:[^<>\s/:!]+:)?si\s*>|<(?:[^<>\s/:!]+:)?si\s*/>")
_ODD_STRING = re.compile(rb"<(?:[^<>\s/:!]+:si|si\s*/|/si\s)|</[^<>\s/:!]+:si")
_REFERENCE = re.compile(r"([A-Z]{1,7})(\d{1,10})")


class TooFarError(Exception):
    """More cells, or more text, than may be laid out."""


class HeavyRowError(Exception):
    """A row that holds or refers to more text than the bound: its number, the bound in bytes."""

    def __init__(self, line: int, most: int) -> None:
        super().__init__(line)
        self.line, self.most = line, most


class UncomputedError(Exception):
    """A formula whose value was never computed; ``place`` is the cell, ``member`` the sheet's file."""

    def __init__(self, place: str, member: str) -> None:
        super().__init__(place)
        self.place, self.member = place, member


@dataclass
class _Sheet:
    """One member: the furthest column and row, how many cells, how many bytes of text they refer to."""

    columns: set[bytes] = field(default_factory=set)
    last_column: int = 0
    last_row: int = 0
    cells: int = 0
    text: int = 0
    is_unusual: bool = False

    @property
    def rectangle(self) -> int:
        """Cells of the full rectangle."""
        return max([self.last_column, *map(_number, self.columns)]) * self.last_row


class Strings:
    """The lengths of the strings that cells refer to by number; raises TooFarError beyond the given bounds."""

    def __init__(self, most: int, most_text: int) -> None:
        self._most, self._most_text = most, most_text
        self._lengths, self._open, self.longest = array("L"), 0, 0

    def add(self, piece: bytes) -> None:
        """Note the lengths of a piece of the strings. Raises ValueError where their ends could be hidden."""
        if b"<!" in piece:
            raise ValueError("declarations among the strings")
        if _ODD_STRING.search(piece):
            ends = [end.end() for end in _STRING_END.finditer(piece)]
            lengths = [after - before for before, after in pairwise([0, *ends])]
        else:
            *whole, _ = piece.split(b"</si>")
            lengths = [len(text) + len(b"</si>") for text in whole]
        rest = len(piece) - sum(lengths)
        if lengths:
            lengths[0] += self._open
            self._lengths.extend(lengths)
        self._open = rest if lengths else self._open + rest
        self.longest = max(self.longest, self._open, *lengths)
        if len(self._lengths) > self._most or self.longest > self._most_text:
            raise TooFarError

    def length(self, value: bytes) -> int:
        """Bytes of the string of that number, with its XML; of a number that is none, the longest there is."""
        place = int(value) if value.isdigit() and len(value) < 10 else -1
        return self._lengths[place] if 0 <= place < len(self._lengths) else self.longest


class Extent:
    """Cells, rectangles and text of all sheets, added up; raises TooFarError beyond the given bounds."""

    def __init__(self, most_cells: int, most_text: int) -> None:
        self._most_cells, self._most_text = most_cells, most_text
        self._cells, self._rectangles, self._text = 0, 0, 0
        self.strings = Strings(most_cells, most_text)
        self._sheet = _Sheet()

    def add(self, piece: bytes) -> None:
        """Count a piece of a member; whatever is not written in the usual way waits for :meth:`parse`."""
        sheet = self._sheet
        found = _PLAIN.findall(piece)
        for own_row, column, row, attributes, value in found:
            if own_row:
                sheet.last_row = max(sheet.last_row, int(own_row))
                continue
            sheet.columns.add(column)
            sheet.cells += 1
            sheet.last_row = max(sheet.last_row, int(row))
            if b' t="s"' in attributes:
                sheet.text += self.strings.length(value)
        if len(found) != len(_ANY.findall(piece)) or _FORMULA.search(piece) or b"<!" in piece:
            sheet.is_unusual = True
        self._refuse(sheet)

    def end_member(self) -> bool:
        """Add the member up; True when it has to be parsed, and nothing was added up."""
        sheet, self._sheet = self._sheet, _Sheet()
        if not sheet.is_unusual:
            self._rectangles += sheet.rectangle
            self._cells += sheet.cells
            self._text += sheet.text
        return sheet.is_unusual

    def parse(self, file: IO[bytes], member: str) -> None:
        """Measure a member with a parser: slower, and right for whatever it holds. Raises UncomputedError as well."""
        walk = _Walk(self, member)
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
        parser.CharacterDataHandler = walk.characters
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            raise ValueError(str(error)) from error
        walk.sheet.is_unusual = False
        self._sheet = walk.sheet
        self.end_member()

    def measure(self, sheet: _Sheet, value: str) -> None:
        """A parsed cell that refers to a string (if ``value``)."""
        sheet.text += self.strings.length(value.strip().encode()) if value else 0
        self._refuse(sheet)

    def _refuse(self, sheet: _Sheet) -> None:
        cells = max(self._rectangles + sheet.rectangle, self._cells + sheet.cells)
        if cells > self._most_cells or self._text + sheet.text > self._most_text:
            raise TooFarError


class _Walk:
    """The parser's handlers: where each cell is, and whether a formula has its value."""

    def __init__(self, extent: Extent, member: str) -> None:
        self.extent, self.member, self.sheet = extent, member, _Sheet()
        self.row, self.column, self.attributes = 0, 0, dict[str, str]()
        self.has_formula, self.inside, self.value = False, "", ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.inside = name.rpartition(":")[2]
        if self.inside == "row":
            given = attributes.get("r", "")
            self.row, self.column = int(given) if given.isdecimal() else self.row + 1, 0
        elif self.inside == "c":
            self.attributes, self.has_formula, self.value = attributes, False, ""
            self._place(attributes.get("r", ""))
        elif self.inside == "f":
            self.has_formula = True

    def _place(self, reference: str) -> None:
        self.column += 1
        if found := _REFERENCE.fullmatch(reference.upper()):
            self.column, self.row = _number(found[1].encode()), int(found[2])
        self.sheet.last_row = max(self.sheet.last_row, self.row, 1)
        self.sheet.last_column = max(self.sheet.last_column, self.column)
        self.sheet.cells += 1

    def characters(self, text: str) -> None:
        """Text of the element at hand."""
        if self.inside == "v":
            self.value += text

    def end(self, name: str) -> None:
        """An element ends."""
        self.inside = ""
        if name.rpartition(":")[2] == "c":
            if self.has_formula and not self.value:
                raise UncomputedError(self.attributes.get("r", ""), self.member)
            self.extent.measure(self.sheet, self.value if self.attributes.get("t") == "s" else "")


def cell_place(reference: str) -> tuple[int, int]:
    """Column and row, from 1, of a cell's reference like B7. Raises ValueError for what is none."""
    found = _REFERENCE.fullmatch(reference.upper())
    if found is None:
        raise ValueError("a cell's reference is none")
    return _number(found[1].encode()), int(found[2])


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number
