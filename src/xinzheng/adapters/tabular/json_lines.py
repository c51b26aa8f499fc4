"""JSON lines: one object a line, its keys the columns; values as the text a person would have typed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import Header, Headings
from xinzheng.adapters.tabular.privacy import without_numbers
from xinzheng.adapters.tabular.rows import MISALIGNED_SCHEMA, OpenTable, RawRows, refuse_huge_cells
from xinzheng.adapters.tabular.text_files import survey_text

_LONGEST_LINE = 4 * 1024**2
# Of a line of a usual record some two thirds are keys.
_LINES_PER_TEXT = 2
_BOM = b"\xef\xbb\xbf"
_ARRAY = re.compile(rb"\[\s*[\[{\"]")
# What no database keeps as text: the zero character and halves of surrogate pairs; JSON can only write them escaped.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_Fault = tuple[int, str, str]


def is_json(head: bytes) -> bool:
    """Whether the first bytes begin an object, or an array of objects."""
    start = head.removeprefix(_BOM).lstrip()
    return (start.startswith(b"{") and not start.startswith(b"{\\rtf")) or _ARRAY.match(start) is not None


@dataclass
class _Columns:
    """The spelling under which each key's column is known: keys that name the same field are one column."""

    headings: Headings
    names: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def add(self, key: str) -> None:
        """A key met for the first time."""
        found = self.headings.field_of(key)
        self.names[key] = key if found is None else self.fields.setdefault(found, key)

    @property
    def header(self) -> list[str]:
        """One name per column, in the order met."""
        return list(dict.fromkeys(self.names.values()))


def open_json_lines(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    """Read the file through for its keys; rows are read when asked for.

    Line numbers are those of the file, without a header: the first line is 1. Raises TabularError where a line is no
    object or is too long, and as other text files do; a nested value only costs its own row.
    """
    with path.open("rb") as file:
        if _ARRAY.match(file.read(512).removeprefix(_BOM).lstrip()):
            message = f"{file_name}是一个JSON数组。请改为JSON行：每行一个对象，行末没有逗号，首尾没有方括号。"
            raise TabularError(message, code="json-array", line=1)
    survey = survey_text(path, file_name, limits)
    if survey.encoding == "gb18030":
        message = f"{file_name}不是UTF-8编码。JSON行只能用UTF-8，请转换后重新报送。"
        raise TabularError(message, code="encoding-unsupported")
    columns = _Columns(headings)
    for line, pairs, _ in _objects(path, file_name, limits):
        for key, _value in pairs:
            if key not in columns.names:
                _refuse_key(key, line, file_name)
                columns.add(key)
        if len(columns.names) > limits.columns:
            message = f"{file_name}到第{line}行共有{len(columns.names)}种键名，超过上限{limits.columns}种。"
            raise TabularError(f"{message}请按模板只保留需要的项。", code="columns-too-many", line=line)
    header = headings.resolve(columns.header, file_name)
    by_key = {key: header.names[columns.header.index(name)] for key, name in columns.names.items()}
    rows = _rows(_objects(path, file_name, limits), header, by_key, (file_name, limits))
    return OpenTable(header, rows, survey.digest, survey.encoding, "jsonl")


def _refuse_key(key: str, line: int, file_name: str) -> None:
    if not key.strip() or _UNSTORABLE.search(key):
        message = f"{file_name}第{line}行有空的或者含有不可用字符的键名，请更正后重新报送。"
        raise TabularError(message, code="json-key", line=line)


def _objects(path: Path, file_name: str, limits: Limits) -> Iterator[tuple[int, list[tuple[str, object]], int]]:
    """Line number, pairs of key and value, and length in bytes of each line that is not blank."""
    # Pairs and not a dictionary, so that a key given twice is seen; numbers stay the text they were written as.
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=str)
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE + 1), b""), 1):
            if len(line) > _LONGEST_LINE:
                message = (
                    f"{file_name}第{number}行超过{_LONGEST_LINE // 1024**2}MB。请检查是否每行一个对象，拆分后重新报送。"
                )
                raise TabularError(message, code="json-line-too-long", line=number)
            if number > limits.lines:
                message = f"{file_name}超过{limits.lines}行（空行也算），请拆分成几个文件后报送。"
                raise TabularError(message, code="rows-too-many", line=number)
            text = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if text:
                yield number, _pairs(decoder, text.decode(), number, file_name), len(line)


class _Pairs(list[tuple[str, object]]):
    """An object as its pairs."""


def _pairs(decoder: json.JSONDecoder, text: str, line: int, file_name: str) -> list[tuple[str, object]]:
    try:
        found = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        message = f"{file_name}第{line}行不是完整的JSON对象，文件可能被截断，或者一个对象占了几行。请改为每行一个对象。"
        raise TabularError(message, code="json-broken", line=line) from error
    if not isinstance(found, _Pairs):
        message = f"{file_name}第{line}行不是JSON对象。请改为每行一个对象，键为列名。"
        raise TabularError(message, code="json-broken", line=line)
    return found


def _rows(
    objects: Iterator[tuple[int, list[tuple[str, object]], int]],
    header: Header,
    by_key: Mapping[str, str],
    told: tuple[str, Limits],
) -> Iterator[RawRows]:
    file_name, limits = told
    lines, rows, faults, size = list[int](), list[dict[str, str | None]](), list[_Fault](), 0
    for line, pairs, length in objects:
        if rows and (len(rows) == limits.chunk_rows or size + length > _LINES_PER_TEXT * limits.chunk_bytes):
            yield from _stretch(lines, rows, faults, (header, file_name, limits))
            lines, rows, faults, size = [], [], [], 0
        row: dict[str, str | None] = {}
        # By line and only the first: one reason is enough to send a row back.
        faults.extend(_fill(row, pairs, by_key, line)[:1])
        lines.append(line)
        rows.append(row)
        size += length
    if rows:
        yield from _stretch(lines, rows, faults, (header, file_name, limits))


def _fill(
    row: dict[str, str | None], pairs: Sequence[tuple[str, object]], by_key: Mapping[str, str], line: int
) -> list[_Fault]:
    found = []
    for key, value in pairs:
        name, shown = by_key[key], without_numbers(key)[:40]
        if name in row:
            found.append((line, "json-key-repeated", f"“{shown}”与本行另一键是同一项，请只保留一个。"))
        elif isinstance(value, list):
            row[name] = None
            message = f"“{shown}”的值是嵌套的对象或者数组，请改为一个文字或者数字（多个的用;隔开）。"
            found.append((line, "value-nested", message))
        else:
            row[name] = _text(value)
            if row[name] and _UNSTORABLE.search(row[name] or ""):
                row[name] = _UNSTORABLE.sub("", row[name] or "")
                found.append((line, "character-unusable", f"“{shown}”含有空字符或者残缺的字符，请更正后重新报送。"))
    return found


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "是" if value else "否"
    return (str(value) or None) if value is not None else None


def _stretch(
    lines: list[int], rows: list[dict[str, str | None]], faults: list[_Fault], told: tuple[Header, str, Limits]
) -> Iterator[RawRows]:
    header, file_name, limits = told
    names = header.names
    columns = {name: pl.Series(name, [row.get(name) for row in rows], dtype=pl.String()) for name in names}
    frame, numbers = pl.DataFrame(columns), pl.Series("line", lines, dtype=pl.Int64())
    refuse_huge_cells(frame, numbers, limits.cell_bytes, file_name)
    yield RawRows(frame, numbers, pl.DataFrame(faults, schema=MISALIGNED_SCHEMA, orient="row"))
