"""Text of a decree (文件原文) in blocks, with the passages that rules quote marked in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

HEADING = re.compile(r"[一二三四五六七八九十]+、\S{1,20}")
ITEM = re.compile(r"[（(][一二三四五六七八九十]+[）)]")


class BlockKind(StrEnum):
    """What a block of the text is: heading 标题 of a section, paragraph 段落, table 表."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; ``quoted_by``: the names of the quotations it belongs to, ``begins``: those beginning here."""

    text: str
    quoted_by: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a table; ``cells``: rows of cells, each of them pieces (a paragraph is one cell).

    ``anchor`` names a section or an item within it, e.g. ``s4``, ``s4-2``; empty for what has none.
    """

    kind: BlockKind
    cells: Sequence[Sequence[Sequence[Piece]]]
    anchor: str = ""

    @property
    def pieces(self) -> Sequence[Piece]:
        """The pieces of a heading or paragraph."""
        return self.cells[0][0]

    @property
    def begins(self) -> tuple[str, ...]:
        """The quotations that begin in it, in order."""
        return tuple(name for row in self.cells for cell in row for piece in cell for name in piece.begins)


def marked_text(text: str, quotes: Mapping[str, str]) -> list[Block]:
    """The text in blocks, with each quotation marked where it first stands; white space in either does not matter.

    Args:
        text: a paragraph a line; cells of a table's row apart by tabs.
        quotes: by a name of the caller's, the words quoted; one that does not stand in the text is not marked.
    """
    lines = [line.strip(" ") for line in text.splitlines()]
    reader = _Reader(_spans(lines, quotes))
    blocks = []
    for is_row, group in groupby(lines, key=lambda line: "\t" in line):
        if is_row:
            blocks.append(Block(BlockKind.TABLE, [[reader.pieces(cell) for cell in row.split("\t")] for row in group]))
        else:
            blocks += [reader.block(line) for line in group if line]
    return blocks


@dataclass(frozen=True, slots=True)
class _Span:
    name: str
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    """Goes through the text once; ``place`` counts the characters that are no white space."""

    spans: Sequence[_Span]
    place: int = 0
    section: int = 0
    item: int = 0

    def block(self, line: str) -> Block:
        if HEADING.fullmatch(line):
            self.section, self.item = self.section + 1, 0
            return Block(BlockKind.HEADING, [[self.pieces(line)]], f"s{self.section}")
        is_item = self.section > 0 and ITEM.match(line) is not None
        self.item += is_item
        anchor = f"s{self.section}-{self.item}" if is_item else ""
        return Block(BlockKind.PARAGRAPH, [[self.pieces(line)]], anchor)

    def pieces(self, text: str) -> list[Piece]:
        """The text cut wherever a quotation begins or ends."""
        cuts = {cut for span in self.spans for cut in (span.start, span.end)}
        found: list[Piece] = []
        begun, start = 0, self.place
        for column, character in enumerate(text):
            if character.isspace():
                continue
            if self.place in cuts and column > begun:
                found.append(self._piece(text[begun:column], start))
                begun, start = column, self.place
            self.place += 1
        return [*found, self._piece(text[begun:], start)] if text[begun:] else found

    def _piece(self, text: str, start: int) -> Piece:
        here = [span for span in self.spans if span.start <= start < span.end]
        begins = tuple(span.name for span in here if span.start == start)
        return Piece(text, tuple(span.name for span in here), begins)


def _spans(lines: Sequence[str], quotes: Mapping[str, str]) -> list[_Span]:
    whole = _squeezed("".join(lines))
    found = []
    for name, quote in quotes.items():
        wanted = _squeezed(quote)
        start = whole.find(wanted) if wanted else -1
        if start >= 0:
            found.append(_Span(name, start, start + len(wanted)))
    return sorted(found, key=lambda span: (span.start, span.end))


def _squeezed(text: str) -> str:
    return "".join(text.split())
