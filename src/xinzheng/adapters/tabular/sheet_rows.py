"""The rows of a sheet's XML, told apart without a tree: where each begins, its number, how far right its cells reach.

Rows written the way nearly every program writes them are recognised by one pattern; a parser looks at the others. What
could hide an end of a row (comments, CDATA, rows of another name) raises UnusualError: such a sheet is read whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from typing import IO, Protocol
from xml.parsers import expat

from xinzheng.adapters.tabular.workbook_extent import (
    HeavyRowError,
    Strings,
    TooFarError,
    UncomputedError,
    cell_place,
)

LAST_ROW = 1_048_576
_PIECE = 1024**2
_LONGEST_HEAD = 1024**2
_LONGEST_ROW = 64 * 1024**2
_SHEET_DATA = re.compile(rb"<((?:[\w.-]+:)?)sheetData\s*(/?)>")
_ROOT = re.compile(rb"<((?:[\w.-]+:)?)worksheet\b[^<>]*>")
# Beyond so many times the bytes of some rows the text that they may refer to is counted exactly.
_ROUGHLY = 8


class UnusualError(Exception):
    """The sheet is not written in a way that can be cut at row ends."""


@dataclass(frozen=True)
class Envelope:
    """What stands around the rows of a sheet: XML before and after them, and the prefix of the elements' names."""

    opening: bytes
    closing: bytes
    prefix: bytes


class Rows(Protocol):
    """Some whole rows: the ``numbers`` of each, ``width`` in columns (at most, not exactly)."""

    numbers: list[int]

    @property
    def width(self) -> int:
        """How many columns wide they are at most."""
        ...

    def data_of(self, first: int, until: int) -> bytes:
        """The rows from the ``first`` until before another, counted from 0, as XML."""
        ...

    def text(self, first: int, until: int) -> int:
        """Bytes of text that the cells of these rows hold or refer to."""
        ...


def open_rows(file: IO[bytes]) -> tuple[Envelope, Iterator[bytes]]:
    """A sheet's envelope, and its rows as XML in pieces of whole rows.

    The file is read to its end, so that its checksum is compared. Raises UnusualError, TooFarError for a monstrous row
    and ValueError where the end is missing, also while the pieces are read.
    """
    start = b""
    while not (found := _SHEET_DATA.search(start)):
        more = file.read(_PIECE)
        start += more
        if not more or len(start) > _LONGEST_HEAD:
            raise UnusualError
    head = start[: found.start()]
    root = _ROOT.search(head)
    if root is None or root[1] != found[1] or b"<!" in head:
        raise UnusualError
    prefix = root[1]
    opening = head[: root.end()] + b"<" + prefix + b"sheetData>"
    envelope = Envelope(opening, b"</" + prefix + b"sheetData></" + prefix + b"worksheet>", prefix)
    rest = b"</" + prefix + b"sheetData>" if found[2] else start[found.end() :]
    return envelope, _pieces(file, rest, prefix)


def _pieces(file: IO[bytes], rest: bytes, prefix: bytes) -> Iterator[bytes]:
    end, begin, bare = b"</" + prefix + b"sheetData", b"<" + prefix + b"row ", b"<" + prefix + b"row>"
    while True:
        cut = rest.rfind(begin)
        if cut <= 0:
            cut = max(cut, rest.rfind(bare))
        # No row begins after the end of the rows.
        stop = rest.find(end, max(cut, 0))
        if stop >= 0:
            break
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
        if len(rest) > _LONGEST_ROW:
            raise TooFarError if cut == 0 else UnusualError
        more = file.read(_PIECE)
        if not more:
            raise ValueError("the end of the rows is missing")
        rest += more
    if stop:
        yield rest[:stop]
    while file.read(_PIECE):
        pass


@dataclass
class _PlainRows:
    """Rows of the usual pattern: nothing in them but what the pattern names."""

    data: bytes
    numbers: list[int]
    usual: "_Usual"
    strings: Strings

    @property
    def width(self) -> int:
        """As in Rows."""
        return self.usual.width

    @cached_property
    def starts(self) -> list[int]:
        """Where each row begins, and where the last one ends; most pieces are never cut, and need not know."""
        return [*(place.start() for place in self.usual.row.finditer(self.data)), len(self.data)]

    def _span(self, first: int, until: int) -> tuple[int, int]:
        if (first, until) == (0, len(self.numbers)):
            return 0, len(self.data)
        return self.starts[first], self.starts[until]

    def data_of(self, first: int, until: int) -> bytes:
        """As :meth:`Rows.data_of`."""
        start, end = self._span(first, until)
        return self.data[start:end]

    def text(self, first: int, until: int) -> int:
        """As :meth:`Rows.text`; at most, unless the longest string in every cell would be far too much."""
        start, end = self._span(first, until)
        referred = self.data.count(b' t="s"', start, end) * self.strings.longest
        if referred > _ROUGHLY * (end - start):
            referred = sum(map(self.strings.length, self.usual.shared.findall(self.data, start, end)))
        return end - start + referred


@dataclass
class _ParsedRows:
    """Rows that a parser went through."""

    data: bytes
    starts: list[int]
    numbers: list[int]
    width: int
    texts: list[int]

    def data_of(self, first: int, until: int) -> bytes:
        """As :meth:`Rows.data_of`."""
        return self.data[self.starts[first] : self.starts[until] if until < len(self.starts) else len(self.data)]

    def text(self, first: int, until: int) -> int:
        """As :meth:`Rows.text`."""
        return sum(self.texts[first:until])


@dataclass(frozen=True)
class RowReader:
    """Tells the rows of pieces of one sheet apart; ``columns``: how many are expected; ``member``: the sheet's file."""

    envelope: Envelope
    strings: Strings
    columns: int
    member: str

    def rows(self, piece: bytes, last: int) -> Rows:
        """The rows of a piece; ``last`` is the number of the row before it.

        Raises ValueError for rows out of order, TooFarError for rows beyond what a spreadsheet has, UncomputedError
        for a formula without a value.
        """
        usual = _usual(self.envelope.prefix, self.columns)
        rows: Rows
        if usual.rows.fullmatch(piece):
            rows = _PlainRows(piece, list(map(int, usual.row.findall(piece))), usual, self.strings)
        else:
            rows = _Walk(self.envelope, self.strings, self.member).parsed(piece, last)
        if any(following <= number for number, following in pairwise([last, *rows.numbers])):
            raise ValueError("rows out of order")
        if rows.numbers and rows.numbers[-1] > LAST_ROW:
            raise TooFarError
        return rows


@dataclass(frozen=True)
class _Usual:
    """How rows are usually written: all of them, the beginning of one, a reference to a string; columns admitted."""

    rows: re.Pattern[bytes]
    row: re.Pattern[bytes]
    shared: re.Pattern[bytes]
    width: int


@cache
def _usual(prefix: bytes, columns: int) -> _Usual:
    full = min(-(-columns // 26) - 1, 26)
    column = rb"[A-%c]?[A-Z]" % (64 + full) if full > 0 else rb"[A-Z]"
    p = re.escape(prefix)
    attributes = rb'(?: [\w:.]++="[^"<>]*+")*+'
    value = (
        rb"(?:<%bv>[^<]*+</%bv>"
        rb'|<%bis><%bt(?: xml:space="preserve")?>[^<]*+</%bt></%bis>'
        rb"|<%bf[^<>]*+>(?:[^<]*+</%bf>)?<%bv>[^<]++</%bv>)?" % ((p,) * 10)
    )
    cell = rb'<%bc r="(?:%b)\1"%b(?:/>|>%b</%bc>)' % (p, column, attributes, value, p)
    row = rb'<%brow r="(\d{1,9}+)"' % p
    whole = rb"(?:%b%b(?:/>|>(?:%b)*+</%brow>))*+" % (row, attributes, cell, p)
    shared = rb' t="s"[^<>]*+><%bv>([^<]*+)<' % p
    return _Usual(re.compile(whole), re.compile(row), re.compile(shared), 26 * (full + 1))


class _Walk:
    """The parser's handlers for a piece of rows."""

    def __init__(self, envelope: Envelope, strings: Strings, member: str) -> None:
        self.envelope, self.strings, self.member = envelope, strings, member
        self.starts, self.numbers, self.texts = list[int](), list[int](), list[int]()
        self.bare = list[int]()
        self.last = self.column = self.width = 0
        self.attributes, self.has_formula, self.inside, self.value = dict[str, str](), False, "", ""

    def parsed(self, piece: bytes, last: int) -> _ParsedRows:
        """The rows, each with its number written down. Raises ValueError, UnusualError, UncomputedError."""
        # In any of these something could have looked like the beginning or the end of a row.
        if b"<!" in piece or b"<?" in piece or b"</" + self.envelope.prefix + b"sheetData" in piece:
            raise UnusualError
        self.last = last
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._characters
        try:
            self.parser.Parse(self.envelope.opening + piece + self.envelope.closing, True)
        except expat.ExpatError as error:
            raise ValueError(str(error)) from error
        return self._numbered(piece)

    def _numbered(self, piece: bytes) -> _ParsedRows:
        """A row without a number would otherwise be counted from the beginning of its piece."""
        tag = len(b"<" + self.envelope.prefix + b"row")
        parts, at, shift, starts = list[bytes](), 0, 0, list[int]()
        bare = set(self.bare)
        for start, number in zip(self.starts, self.numbers, strict=True):
            starts.append(start + shift)
            if start in bare:
                given = b' r="%d"' % number
                parts += [piece[at : start + tag], given]
                at, shift = start + tag, shift + len(given)
        parts.append(piece[at:])
        return _ParsedRows(b"".join(parts), starts, self.numbers, self.width, self.texts)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.inside = name.rpartition(":")[2]
        if self.inside in ("row", "c") and name.encode() != self.envelope.prefix + self.inside.encode():
            raise UnusualError
        if self.inside == "row":
            self._row(attributes.get("r"))
        elif self.inside == "c":
            self.attributes, self.has_formula, self.value = attributes, False, ""
            self._cell(attributes.get("r"))
        elif self.inside == "f":
            self.has_formula = True

    def _row(self, given: str | None) -> None:
        start = self.parser.CurrentByteIndex - len(self.envelope.opening)
        if given is None:
            self.bare.append(start)
        elif not (given.isascii() and given.isdecimal()):
            raise ValueError("a row's number is none")
        self.last = int(given) if given is not None else self.last + 1
        self.starts.append(start)
        self.numbers.append(self.last)
        self.texts.append(0)
        self.column = 0

    def _cell(self, reference: str | None) -> None:
        self.column += 1
        if reference is not None:
            self.column, row = cell_place(reference)
            if not self.numbers or row != self.last:
                raise ValueError("a cell stands in another row")
        self.width = max(self.width, self.column)

    def _characters(self, text: str) -> None:
        if self.inside == "v":
            self.value += text
        if self.texts:
            self.texts[-1] += len(text.encode())

    def _end(self, name: str) -> None:
        self.inside = ""
        if name.rpartition(":")[2] == "c":
            if self.has_formula and not self.value:
                raise UncomputedError(self.attributes.get("r", ""), self.member)
            if self.attributes.get("t") == "s":
                self.texts[-1] += self.strings.length(self.value.strip().encode())


@dataclass(frozen=True)
class Slice:
    """Some whole rows of a sheet as XML (片), not too many to be laid out; ``first``: the number of the first row."""

    data: bytes
    first: int


@dataclass(frozen=True)
class Bounds:
    """What a slice may hold: cells of its full rectangle, bytes of XML and text; and what a row may, in such bytes.

    A row is let through however many cells wide it is.
    """

    cells: int
    size: int
    row: int


def slices(reader: RowReader, pieces: Iterator[bytes], bounds: Bounds) -> Iterator[Slice]:
    """The rows cut into slices, in order. Raises as :meth:`RowReader.rows`, and HeavyRowError for one row too heavy."""
    last, coming = 0, _Coming(bounds)
    for piece in pieces:
        rows = reader.rows(piece, last)
        at = 0
        while at < len(rows.numbers):
            until = coming.taking(rows, at)
            if until == at:
                yield coming.taken()
            at = until
        last = rows.numbers[-1] if rows.numbers else last
    if coming.first:
        yield coming.taken()


@dataclass
class _Coming:
    """The slice being put together."""

    bounds: Bounds
    parts: list[bytes] = field(default_factory=list)
    first: int = 0
    width: int = 1
    text: int = 0

    def taking(self, rows: Rows, at: int) -> int:
        """Take in as many rows, beginning with ``at``, as there is room for; the index of the first one left out."""
        width = max(self.width, rows.width)
        first = self.first or rows.numbers[at]
        until = bisect_right(rows.numbers, first + (self.bounds.cells // width or 1) - 1, at)
        text = rows.text(at, until) if until > at else 0
        while until > at and self.text + text > self.bounds.size:
            until = at + (until - at) // 2
            text = rows.text(at, until) if until > at else 0
        self._refuse_heavy(rows, at, until, text)
        if until > at:
            self.parts.append(rows.data_of(at, until))
            self.first, self.width, self.text = first, width, self.text + text
        elif not self.first:
            raise HeavyRowError(rows.numbers[at], self.bounds.size)
        return until

    def _refuse_heavy(self, rows: Rows, at: int, until: int, text: int) -> None:
        if text > self.bounds.row:
            for place in range(at, until):
                if rows.text(place, place + 1) > self.bounds.row:
                    raise HeavyRowError(rows.numbers[place], self.bounds.row)

    def taken(self) -> Slice:
        """The slice as far as it is; an empty one is begun."""
        done = Slice(b"".join(self.parts), self.first)
        self.parts, self.first, self.width, self.text = [], 0, 1, 0
        return done
