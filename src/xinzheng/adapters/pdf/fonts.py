"""The two faces of a report (字体): Noto Serif SC for text (宋), Noto Sans SC for headings (黑); what they can show."""

import hashlib
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn as package
import typst
from fontTools.ttLib import TTFont, TTLibError

from xinzheng.adapters.pdf.errors import RenderError

HEI, SONG = package.sans_path(), package.serif_path()
SUFFIXES = frozenset({".otf", ".ttf"})
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}  # control, direction and private characters: they could change what is read
BREAKS = frozenset("\n\r\t")
READING_FACES = threading.Lock()  # a face is read as it is asked, and is not made for threads


@dataclass(frozen=True)
class Faces:
    """The faces a report is set in (字体): the two of the house, and after them an operator's own for rare characters.

    ``further`` are files, ``families`` their names as the typesetter knows them.
    """

    folder: Path | None = None
    further: tuple[Path, ...] = ()
    families: tuple[str, ...] = ()

    def showing(self, char: str, first: Path) -> Path:
        """The face that shows a character: ``first`` if it can."""
        return next((face for face in (first, HEI, SONG, *self.further) if ord(char) in _characters(face)), first)


OWN = Faces()


@cache
def faces_in(folder: Path | None) -> Faces:
    """The two faces of the house and those in a folder (.otf, .ttf), in the order of their file names.

    Raises RenderError ``fonts-unusable`` for a folder or a file that cannot be read. What is added to a folder later
    is seen by the next process.
    """
    if folder is None:
        return OWN
    try:
        with READING_FACES:
            files = tuple(sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES))
            faces = Faces(folder, files, tuple(dict.fromkeys(map(_family, files))))
    except (OSError, TTLibError) as error:
        raise RenderError(f"附加字体目录不能使用：{error}。请检查 XINZHENG_FONTS。", code="fonts-unusable") from None
    unknown = set(faces.families) - set(typst_fonts(faces).families())
    if unknown:
        raise RenderError(f"附加字体“{'、'.join(sorted(unknown))}”排印程序不认识，请更换。", code="fonts-unusable")
    return faces


@cache
def typst_fonts(faces: Faces) -> typst.Fonts:
    """The faces as the typesetter loads them; system fonts are never looked at."""
    folders = [str(folder) for folder in (HEI.parent, faces.folder) if folder is not None]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


@cache
def faces_digest(faces: Faces) -> str:
    """SHA-256 over the bytes of every face: the same content gives the same bytes only with the same faces."""
    digest = hashlib.sha256()
    for face in (HEI, SONG, *faces.further):
        digest.update(hashlib.sha256(face.read_bytes()).digest())
    return digest.hexdigest()


def _family(file: Path) -> str:
    with file.open("rb") as opened:
        names = TTFont(opened)["name"]
        return str(names.getDebugName(16) or names.getDebugName(1) or file.stem)


@cache
def open_face(path: Path) -> TTFont:
    """One face, read lazily and kept. Only under READING_FACES."""
    return TTFont(path, lazy=True)


@cache
def _characters(face: Path) -> frozenset[int]:
    """What one face can show and a reader can see."""
    return frozenset(code for code in open_face(face).getBestCmap() if unicodedata.category(chr(code)) not in HIDDEN)


@cache
def printable(faces: Faces = OWN) -> frozenset[int]:
    """Code points that can be shown; one that Song lacks is set in Hei, and the other way round."""
    with READING_FACES:
        return _characters(HEI).union(_characters(SONG), *map(_characters, faces.further))


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


def require_glyphs(content: Mapping[str, object], faces: Faces = OWN) -> None:
    """Raise RenderError ``glyph-missing`` for the first character that no face can show, with code point and field."""
    known = printable(faces)
    for path, text in leaves(content):
        missing = next((char for char in text if ord(char) not in known and char not in BREAKS), None)
        if missing is not None:
            point = f"U+{ord(missing):04X}"
            shown = missing if missing.isprintable() else "不可见字符"
            raise RenderError(
                f"字符“{shown}”（{point}）没有可用的字形，报告无法排印。位置：{path}。"
                "请更正数据，或者在 XINZHENG_FONTS 目录中加入含有该字的字体。",
                code="glyph-missing",
                field=path,
                code_point=point,
            )
