"""What a workbook's archive is made of, and small workbooks of the same make with only some of its rows in them."""

import html
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from xinzheng.adapters.tabular.sheet_rows import UnusualError

_LARGEST_PART = 4 * 1024**2
_START, _WORKBOOK, _RELATIONS = "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_SHARED = {"sharedStrings": "xl/sharedstrings.xml", "styles": "xl/styles.xml"}
_NAMES = "http://schemas.openxmlformats.org"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PIECE = 1024**2


@dataclass(frozen=True)
class Parts:
    """Sheets by name with the archive's member of each, in order; strings and styles; which day is day 0."""

    sheets: Mapping[str, str]
    shared: tuple[str, ...]
    strings_size: int
    is_from_1904: bool


def parts_of(archive: zipfile.ZipFile) -> Parts:
    """The parts that a reader would find. Raises UnusualError where it is not clear which they are."""
    contents = _Contents(archive, {member.filename.casefold(): member for member in archive.infolist()})
    if [target for _, target in contents.related(_START, "", "/officeDocument")] != [_WORKBOOK]:
        raise UnusualError
    strings, styles = (contents.shared(kind, name) for kind, name in _SHARED.items())
    is_from_1904, sheets = contents.sheets()
    size = contents.members[strings.casefold()].file_size if strings else 0
    return Parts(sheets, tuple(name for name in (strings, styles) if name), size, is_from_1904)


@dataclass(frozen=True)
class _Contents:
    """An archive and its members by their names in small letters."""

    archive: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def related(self, name: str, folder: str, kind: str) -> list[tuple[str, str]]:
        """Identifiers and members of the relations of a kind that the member of that name lists."""
        given = [found for element, found in self.elements(name) if element == "Relationship"]
        return [(r.get("Id", ""), _member(r.get("Target", ""), folder)) for r in given if r["Type"].endswith(kind)]

    def shared(self, kind: str, name: str) -> str | None:
        """The member that sheets share, or None where there is none."""
        found = [target.casefold() for _, target in self.related(_RELATIONS, "xl/", f"/{kind}")]
        if found not in ([], [name]) or (found and name not in self.members):
            raise UnusualError
        return self.members[name].filename if found else None

    def sheets(self) -> tuple[bool, dict[str, str]]:
        """Whether days count from 1904; sheets in order."""
        targets = dict(self.related(_RELATIONS, "xl/", "/worksheet"))
        is_from_1904, sheets = False, list[tuple[str, str]]()
        for element, given in self.elements(_WORKBOOK):
            if element == "workbookPr":
                is_from_1904 = given.get("date1904") in ("1", "true")
            if element == "sheet" and (target := targets.get(_relation(given))) is not None:
                if target.casefold() not in self.members:
                    raise UnusualError
                sheets.append((given.get("name", ""), self.members[target.casefold()].filename))
        if not sheets or min(len(dict(sheets)), len({member for _, member in sheets})) < len(sheets):
            raise UnusualError
        return is_from_1904, dict(sheets)

    def elements(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Local name and attributes of each element of a small member."""
        member = self.members.get(name)
        if member is None or member.file_size > _LARGEST_PART:
            raise UnusualError
        data = self.archive.read(member)
        if b"<!" in data:
            raise UnusualError
        found = list[tuple[str, dict[str, str]]]()
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda tag, given: found.append((tag.rpartition(":")[2], given))
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ValueError(str(error)) from error
        return found


def _member(target: str, folder: str) -> str:
    return target[1:] if target.startswith("/") else target if target.startswith(folder) else folder + target


def _relation(given: Mapping[str, str]) -> str:
    return next((value for name, value in given.items() if name.rpartition(":")[2] == "id" and ":" in name), "")


def write_workbook(
    path: Path, archive: zipfile.ZipFile, parts: Parts, sheets: Iterable[tuple[str, Iterable[bytes]]]
) -> None:
    """A workbook with the strings and styles of ``parts`` and these sheets: name and XML in pieces; not compressed."""
    names = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for number, (name, pieces) in enumerate(sheets, 1):
            names.append(name)
            with made.open(f"xl/worksheets/sheet{number}.xml", "w") as file:
                for piece in pieces:
                    file.write(piece)
        for shared in parts.shared:
            with archive.open(shared) as source, made.open(shared, "w") as file:
                shutil.copyfileobj(source, file, _PIECE)
        made.writestr(_START, "".join(_relations([("officeDocument", _WORKBOOK)])))
        made.writestr(_WORKBOOK, "".join(_workbook(names, is_from_1904=parts.is_from_1904)))
        made.writestr(_RELATIONS, "".join(_relations(_own_relations(len(names), parts))))


def _workbook(names: Iterable[str], *, is_from_1904: bool) -> Iterator[str]:
    yield f'{_DECLARATION}<workbook xmlns="{_NAMES}/spreadsheetml/2006/main"'
    yield f' xmlns:r="{_NAMES}/officeDocument/2006/relationships"><workbookPr date1904="{is_from_1904:d}"/><sheets>'
    for number, name in enumerate(names, 1):
        yield f'<sheet name="{html.escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
    yield "</sheets></workbook>"


def _own_relations(sheets: int, parts: Parts) -> Iterator[tuple[str, str]]:
    for number in range(1, sheets + 1):
        yield "worksheet", f"worksheets/sheet{number}.xml"
    for name in parts.shared:
        kind = next(kind for kind, known in _SHARED.items() if known == name.casefold())
        yield kind, name.partition("/")[2]


def _relations(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f'{_DECLARATION}<Relationships xmlns="{_NAMES}/package/2006/relationships">'
    for number, (kind, target) in enumerate(found, 1):
        address = f"{_NAMES}/officeDocument/2006/relationships/{kind}"
        yield f'<Relationship Id="rId{number}" Type="{address}" Target="{target}"/>'
    yield "</Relationships>"
