"""Column maps that a unit makes for itself (本单位的列对照): what they may say, and what they may not touch.

A map says where things stand in a source's files. What a record is about and what decides comes from the file's own
cells, always: subject, number, dates, amounts can be neither waived nor written into the map. Kind and domain are
chosen with the delivery. A word that the format understands keeps its meaning.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import polars as pl

from xinzheng.adapters.tabular.cells import clean, read_field
from xinzheng.adapters.tabular.column_maps import ColumnMap, column_map_of, column_maps
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.fields import Field, FieldType, Required
from xinzheng.adapters.tabular.formats import FORMATS, PENALTY_WORDS
from xinzheng.adapters.tabular.headers import field_of
from xinzheng.adapters.tabular.privacy import without_numbers
from xinzheng.adapters.tabular.work import category_words

# Required columns that decide nothing: a source that never had them may go without.
WAIVABLE = frozenset(
    {"subject_class", "violation", "facts", "basis", "validity_date", "organ_code", "source_name", "source_code"}
)
# What may hold for a whole file, because it comes from one office or is one list.
CONSTANT = frozenset(
    {"subject_class", "organ_name", "organ_code", "source_name", "source_code", "list_name", "insurance"}
)
# Chosen with the delivery, or by the file's own columns of these names.
ROUTING = frozenset({"kind", "domain"})
# Free text that may be put together from several columns.
JOINABLE = frozenset({"category", "content", "violation", "facts", "basis", "reason", "remark", "licence"})
FLAG_WORDS = ("是", "否")
_LONGEST_NAME, _LONGEST_TEXT, _MOST_COLUMNS, _MOST_WORDS = 40, 200, 200, 200


@dataclass(frozen=True)
class MappableField:
    """A field that a unit's map may fill; ``words``: what the source's own words may be translated to."""

    id: str
    name: str
    required: str
    may_be_waived: bool
    may_be_constant: bool
    words: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class MapFault:
    """What a unit's map may not say; ``place``: ``name``, ``column:<heading>`` or ``field:<field id>``."""

    place: str
    message: str


@cache
def mappable_fields(kind: str) -> tuple[MappableField, ...]:
    """The fields of a kind of record that a unit's map may fill. KeyError if the kind is unknown."""
    return tuple(
        MappableField(f.id, f.name, _required(f), f.id in WAIVABLE, f.id in CONSTANT, _translations(f), f.note)
        for f in FORMATS[kind].fields
        if f.id not in ROUTING
    )


def is_understood(kind: str, field_id: str, text: str) -> bool:
    """Whether the format takes the text of a cell by itself, so that nothing is to be translated."""
    if field_id == "category":
        unknown, is_real = category_words(text)
        return unknown is None or is_real
    read = read_field(FORMATS[kind].field(field_id), pl.Series([text], dtype=pl.String()))
    return read.get_column("value")[0] is not None


def unread_words(kind: str, field_id: str, cells: Iterable[str]) -> tuple[str, ...]:
    """What stands in cells of a field and is not understood, each once; at most as many as a map may translate."""
    texts = clean(pl.DataFrame({"text": list(cells)}, schema={"text": pl.String()})).get_column("text")
    given = texts.drop_nulls().unique(maintain_order=True)
    found = (text for text in given if len(text) <= _LONGEST_TEXT and not is_understood(kind, field_id, text))
    return tuple(islice(found, _MOST_WORDS))


def own_column_map(content: Mapping[str, Any]) -> ColumnMap:
    """A unit's own map. Raises TabularError ``map-refused`` with everything that is wrong with it."""
    given = column_map_of(content)
    if faults := map_faults(given):
        told = "".join(fault.message for fault in faults)
        raise TabularError(f"列对照“{without_numbers(given.name)[:_LONGEST_NAME]}”不能保存：{told}", code="map-refused")
    return given


def map_faults(given: ColumnMap) -> list[MapFault]:
    """What is wrong with a unit's own map; empty: nothing."""
    found = [*_name(given), *_columns(given), *_constants(given), *_words(given), *_waived(given)]
    if any(without_numbers(text) != text for text in _texts(given)):
        found.append(MapFault("name", "列对照里不得写证件号码，请删去。"))
    return found


def _required(field: Field) -> str:
    return "" if field.required is Required.NO else field.required.value


def _translations(field: Field) -> tuple[str, ...]:
    if field.id == "category":
        return PENALTY_WORDS[:-1]
    if field.type is FieldType.WORD:
        first = {value: word for word, value in reversed(list(field.words.items()))}
        return tuple(word for word, value in field.words.items() if first[value] == word)
    return FLAG_WORDS if field.type is FieldType.FLAG else ()


def _name(given: ColumnMap) -> Iterator[MapFault]:
    name = given.name
    if not name or name != name.strip() or len(name) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        yield MapFault("name", f"名称应为1至{_LONGEST_NAME}个字，不能有斜线。")
    if name in column_maps():
        yield MapFault("name", f"“{name}”是系统自带的列对照，请换一个名称。")


def _columns(given: ColumnMap) -> Iterator[MapFault]:
    fields = {f.id: f for f in mappable_fields(given.kind)}
    if len(given.described) > _MOST_COLUMNS:
        yield MapFault("name", f"列太多，至多{_MOST_COLUMNS}列。")
    for column in given.described:
        if not column.heading.strip() or len(column.heading) > _LONGEST_TEXT:
            yield MapFault(f"column:{column.heading}", "列名为空或者太长，请在文件里改名。")
        elif column.field is not None and field_of(column.heading, given.kind):
            yield MapFault(f"column:{column.heading}", f"“{column.heading}”是标准列名，不能改作别的项。")
        elif column.field is not None and column.field not in fields:
            yield MapFault(f"column:{column.heading}", "领域和记录类型在报送时选定，不能由列对照改变。")
    for field_id, count in Counter(c.field for c in given.described if c.field in fields).items():
        if count > 1 and field_id not in JOINABLE:
            name = fields[str(field_id)].name
            yield MapFault(f"field:{field_id}", f"“{name}”只能取自一列，现有{count}列。")


def _constants(given: ColumnMap) -> Iterator[MapFault]:
    form = FORMATS[given.kind]
    for field_id, text in given.constants.items():
        name = form.field(field_id).name
        if field_id not in CONSTANT:
            yield MapFault(f"field:{field_id}", f"“{name}”须逐行填写，不能写成固定值。")
        elif len(text) > form.field(field_id).max_length:
            yield MapFault(f"field:{field_id}", f"“{name}”的固定值太长。")
        elif form.field(field_id).type is not FieldType.TEXT and not is_understood(given.kind, field_id, text):
            yield MapFault(f"field:{field_id}", f"“{name}”的固定值读不出来，请核对。")


def _words(given: ColumnMap) -> Iterator[MapFault]:
    fields = {f.id: f for f in mappable_fields(given.kind)}
    for field_id, words in given.words.items():
        allowed = fields[field_id].words if field_id in fields else ()
        name = FORMATS[given.kind].field(field_id).name
        if not allowed or len(words) > _MOST_WORDS:
            yield MapFault(f"field:{field_id}", f"“{name}”不能翻译取值，或者取值太多。")
            continue
        for source, word in words.items():
            if word not in allowed:
                yield MapFault(f"field:{field_id}", f"“{name}”没有“{word}”这种取值，可用的有：{'、'.join(allowed)}。")
            if len(source) > _LONGEST_TEXT or is_understood(given.kind, field_id, source):
                yield MapFault(f"field:{field_id}", f"“{name}”的“{source[:20]}”本来就认得，不能改作别的意思。")


def _waived(given: ColumnMap) -> Iterator[MapFault]:
    for field_id in sorted(given.waived - WAIVABLE):
        yield MapFault(
            f"field:{field_id}", f"“{FORMATS[given.kind].field(field_id).name}”不能免填：它决定这条记录是谁的、是什么。"
        )


def _texts(given: ColumnMap) -> Iterator[str]:
    yield given.name
    yield given.origin
    for column in given.described:
        yield from (column.heading, column.meaning)
    yield from given.constants.values()
    for words in given.words.values():
        yield from words
