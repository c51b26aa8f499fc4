"""The two faces of a report (字体): Noto Serif SC for text (宋), Noto Sans SC for headings (黑); what they can show."""

import threading
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

import pylopdf_fonts_zh_cn as faces
from fontTools.ttLib import TTFont

from xinzheng.adapters.pdf.errors import RenderError

HEI, SONG = faces.sans_path(), faces.serif_path()
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}  # control, direction and private characters: they could change what is read
BREAKS = frozenset("\n\r\t")
READING_FACES = threading.Lock()  # a face is read as it is asked, and is not made for threads


@cache
def open_face(path: str) -> TTFont:
    """One face, read lazily and kept."""
    return TTFont(path, lazy=True)


def printable() -> frozenset[int]:
    """Code points that both faces can show."""
    with READING_FACES:
        return _printable()


@cache
def _printable() -> frozenset[int]:
    hei, song = (open_face(str(path)).getBestCmap() for path in (HEI, SONG))
    return frozenset(code for code in hei.keys() & song.keys() if unicodedata.category(chr(code)) not in HIDDEN)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with its path, such as ``records[0].facts``."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")


def require_glyphs(content: Mapping[str, object]) -> None:
    """Raise RenderError ``glyph-missing`` for the first character that no face can show, with code point and field."""
    known = printable()
    for path, text in leaves(content):
        missing = next((char for char in text if ord(char) not in known and char not in BREAKS), None)
        if missing is not None:
            point = f"U+{ord(missing):04X}"
            shown = missing if missing.isprintable() else "不可见字符"
            raise RenderError(
                f"字符“{shown}”（{point}）没有可用的字形，报告无法排印。位置：{path}。请更正数据，或者换用含有该字的字体。",
                code="glyph-missing",
                field=path,
                code_point=point,
            )
