"""Which column holds which field: Chinese names, codes, both at once, width and brackets forgiven."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from xinzheng.adapters.tabular.batch import BatchDefaults
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.fields import FieldType, Format, Required
from xinzheng.adapters.tabular.formats import FORMATS, KIND_NAMES
from xinzheng.adapters.tabular.privacy import without_numbers

PROBLEM_COLUMN = "问题"
# How far down a header is looked for, to tell people where it is.
TOP_ROWS = 20
_SURELY_A_HEADER = 3
_CODE = re.compile(r"\b(?:CF|XZ)_[A-Z_]*[A-Z]\b|^BZ$")
_TRAILING_BRACKETS = re.compile(r"\([^()]*\)$")


@dataclass(frozen=True)
class Header:
    """The header row: names as in the file (made unique) and, per field identifier, the column's index.

    ``joined``: where several columns make up one field, the indexes of all of them.
    """

    names: tuple[str, ...]
    columns: Mapping[str, int]
    unknown: tuple[str, ...]
    joined: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def name_of(self, field_id: str) -> str | None:
        """The name the file gives to that field's column, or None if there is no such column."""
        index = self.columns.get(field_id)
        return None if index is None else self.names[index]


@dataclass(frozen=True)
class Headings:
    """What a header row is expected to hold.

    ``field_of``: the field that a heading names, or None. ``resolve``: the header row of the file of that name as a
    Header; raises TabularError.
    """

    field_of: Callable[[str], str | None]
    resolve: Callable[[Sequence[str], str], Header]

    def recognised(self, names: Sequence[str]) -> int:
        """How many of the headings are known; tells a header row from anything else."""
        return sum(self.field_of(name) is not None for name in names)


def headings_of(defaults: BatchDefaults) -> Headings:
    """The headings of a kind of record (记录类型), and those that the source maps to fields."""
    mapped = mapped_headings(defaults)

    def named(name: str) -> str | None:
        return field_of(name, defaults.kind) or mapped.get(_folded(name))

    return Headings(named, lambda names, _: resolve(names, defaults.kind, defaults))


def mapped_headings(defaults: BatchDefaults) -> Mapping[str, str]:
    """The source's own headings, folded as headings are compared, to field ids of the kind."""
    form = FORMATS[defaults.kind]
    return {_folded(name): field_id for name, field_id in defaults.columns.items() if form.has(field_id)}


def headings_by(named: Callable[[str], str | None]) -> Headings:
    """Headings of which the caller knows what they name; none of them has to be there, none may be there twice."""
    return Headings(named, lambda names, file_name: _header(names, [named(name) for name in names], file_name))


def _folded(name: str) -> str:
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"[\s*\u200b\ufeff]", "", text).upper()
    return text.translate(str.maketrans("〔[【{〕]】}", "(((())))"))


@cache
def _names_of(kind: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    shortened: dict[str, list[str]] = {}
    for known in FORMATS[kind].fields:
        for name in (known.name, *known.codes, known.id):
            found.setdefault(_folded(name), known.id)
            shortened.setdefault(_TRAILING_BRACKETS.sub("", _folded(name)), []).append(known.id)
    for name, fields in shortened.items():
        if len(set(fields)) == 1:
            found.setdefault(name, fields[0])
    return found


def field_of(name: str, kind: str) -> str | None:
    """The field a column heading names, or None. ``行政处罚决定书文号(CF_WSH)`` and ``CF_WSH 文号`` are understood."""
    names = _names_of(kind)
    folded = _folded(name)
    without_brackets = _TRAILING_BRACKETS.sub("", folded)
    code = _CODE.search(unicodedata.normalize("NFKC", name).upper())
    candidates = (folded, without_brackets, code.group() if code else "")
    return next((names[c] for c in candidates if c in names), None)


def refuse_displaced(rows: Sequence[Sequence[str]], headings: Headings, file_name: str) -> None:
    """TabularError when the header stands not in the first of these rows but further down."""
    found = [headings.recognised(row) for row in rows]
    best = max(found, default=0)
    place = found.index(best) if found else 0
    if place and best >= _SURELY_A_HEADER:
        message = f"{file_name}的表头在第{place + 1}行。请删去它上方的标题、说明和空行，使表头成为第1行，再重新报送。"
        raise TabularError(message, code="header-missing", line=place + 1)


def resolve(names: Sequence[str], kind: str, defaults: BatchDefaults, *, complete: bool = True) -> Header:
    """Map a header row to fields of a kind.

    Raises TabularError when nothing is recognised, two columns are the same field or, if ``complete``, a required
    column is missing.
    """
    file_name = defaults.file_name
    known = [field_of(name, kind) for name in names]
    mapped = _mapped(names, known, replace(defaults, kind=kind))
    if not any(known) and not mapped:
        raise TabularError(
            f"{file_name}第1行没有可以识别的列名。请下载{KIND_NAMES[kind]}模板，表头放在第1行，表头上方不要有标题。",
            code="header-missing",
            line=1,
        )
    fields = list(known)
    for field_id, places in mapped.items():
        # Only free text can be joined; of anything else two columns are two answers.
        together = FORMATS[kind].field(field_id).type is FieldType.TEXT
        for place in places[:1] if together else places:
            fields[place] = field_id
    header = _header(names, fields, file_name)
    joined = {field_id: places for field_id, places in mapped.items() if len(places) > 1}
    taken = {header.names[place] for places in joined.values() for place in places}
    header = replace(header, unknown=tuple(n for n in header.unknown if n not in taken), joined=joined)
    if complete:
        waived = defaults.waived | {field_id for field_id, text in defaults.constants.items() if text}
        _refuse_missing(header.columns, FORMATS[kind].waiving(waived), file_name)
    return header


def _mapped(
    names: Sequence[str], known: Sequence[str | None], defaults: BatchDefaults
) -> Mapping[str, tuple[int, ...]]:
    """For each field that only the source's own headings name, the indexes of their columns."""
    found: dict[str, tuple[int, ...]] = {}
    mapped = mapped_headings(defaults)
    for place, name in enumerate(names):
        field_id = mapped.get(_folded(name))
        if field_id is not None and known[place] is None and field_id not in known:
            found[field_id] = (*found.get(field_id, ()), place)
    return found


def _header(names: Sequence[str], fields: Sequence[str | None], file_name: str) -> Header:
    _refuse_repeated(names, fields, file_name)
    columns = {field: index for index, field in enumerate(fields) if field is not None}
    unique = _unique(names)
    unknown = [n for n, f in zip(unique, fields, strict=True) if f is None and n != PROBLEM_COLUMN]
    return Header(unique, columns, tuple(n for n in unknown if not n.startswith("未命名列")))


def _refuse_repeated(names: Sequence[str], fields: Sequence[str | None], file_name: str) -> None:
    headings = [field or _folded(name) for name, field in zip(names, fields, strict=True)]
    for heading, count in Counter(headings).items():
        if heading and count > 1:
            places = [i for i, h in enumerate(headings) if h == heading]
            text = "、".join(f"第{i + 1}列“{without_numbers(names[i].strip())[:40]}”" for i in places[:5])
            message = f"{file_name}第1行表头重复：{text}是同一项，请只保留一列。"
            raise TabularError(message, code="header-duplicate", line=1)


def _refuse_missing(columns: Mapping[str, int], form: Format, file_name: str) -> None:
    missing = [f for f in form.fields if f.required is Required.YES and f.id not in columns]
    if not {"subject_uscc", "identity_number"} & set(columns):
        missing.append(form.field("subject_uscc"))
    if missing:
        text = "、".join(f"“{f.name}”" for f in missing)
        message = f"{file_name}第1行缺少必填列：{text}。请下载{form.name}模板，按模板补齐各列后重新报送。"
        raise TabularError(message, code="column-missing", line=1, fields=[f.name for f in missing])


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    unique = []
    for place, name in enumerate(names, 1):
        given = name.strip() or f"未命名列{place}"
        unique.append(given if given not in taken else f"{given}（第{place}列）")
        taken.add(unique[-1])
    return tuple(unique)
