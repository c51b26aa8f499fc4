"""The beginning of a file as it would be read under given defaults (预览): for whoever maps its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from xinzheng.adapters.tabular.batch import BatchDefaults, Limits
from xinzheng.adapters.tabular.checks import checks_of
from xinzheng.adapters.tabular.defects import misalignment_defects, run_checks
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.fields import Field, Required
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.headers import Header, field_of, headings_by, headings_of, resolve
from xinzheng.adapters.tabular.opening import open_table
from xinzheng.adapters.tabular.privacy import NAME_MARK, without_numbers
from xinzheng.adapters.tabular.rows import RawRows
from xinzheng.adapters.tabular.work import VALUE_TYPES, Work, lay_out

_EXCERPT = 200
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class HeadingTaken:
    """A heading of the file and what it was taken for; ``how``: by its own name, by the map, or not at all."""

    heading: str
    field: str | None
    field_name: str | None
    how: Literal["known", "mapped", "unused"]


@dataclass(frozen=True)
class PreviewRow:
    """One row: ``cells`` as in the file, ``values`` as read by field id, ``defects`` as (field, severity, message)."""

    line: int
    is_rejected: bool
    cells: tuple[str, ...]
    values: Mapping[str, str]
    defects: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Preview:
    """``missing``: names of the required fields that no column and no constant gives."""

    headings: tuple[HeadingTaken, ...]
    missing: tuple[str, ...]
    rows: tuple[PreviewRow, ...]
    format: str
    encoding: str


def preview(path: Path, defaults: BatchDefaults, rows: int = 20) -> Preview:
    """The headings and the first ``rows`` rows; missing columns are told instead of refused.

    Identity numbers are left out. Raises TabularError when the file cannot be read as a table.
    """
    if defaults.kind not in FORMATS:
        names = "、".join(FORMATS)
        raise TabularError(f"没有记录类型{defaults.kind}，可用的有：{names}。", code="kind-unknown")
    headings = replace(headings_of(defaults), resolve=lambda names, _: _header(names, defaults))
    table = open_table(path, headings, defaults.file_name, Limits(chunk_rows=_ROWS_AT_ONCE))
    first = next(table.rows, None)
    shown = () if first is None or rows < 1 else _rows(_beginning(first, rows), table.header, defaults)
    return Preview(
        _taken(table.header, defaults), _missing(table.header, defaults), shown, table.format, table.encoding
    )


def _header(names: Sequence[str], defaults: BatchDefaults) -> Header:
    """As resolved, or without any field where no heading is known: that is what a map is made for."""
    if headings_of(defaults).recognised(names):
        return resolve(names, defaults.kind, defaults, complete=False)
    return headings_by(lambda _: None).resolve(names, defaults.file_name)


def _beginning(rows: RawRows, most: int) -> RawRows:
    lines = rows.lines.head(most)
    return RawRows(rows.frame.head(most), lines, rows.misaligned.filter(pl.col("line").is_in(lines.implode())))


def _taken(header: Header, defaults: BatchDefaults) -> tuple[HeadingTaken, ...]:
    form, by_place = FORMATS[defaults.kind], {place: field_id for field_id, place in header.columns.items()}
    by_place |= {place: field_id for field_id, places in header.joined.items() for place in places}
    found = []
    for place, name in enumerate(header.names):
        field_id = by_place.get(place)
        if field_id is None:
            found.append(HeadingTaken(name, None, None, "unused"))
        else:
            how: Literal["known", "mapped"] = "known" if field_of(name, defaults.kind) == field_id else "mapped"
            found.append(HeadingTaken(name, field_id, form.field(field_id).name, how))
    return tuple(found)


def _missing(header: Header, defaults: BatchDefaults) -> tuple[str, ...]:
    there = set(header.columns) | {field_id for field_id, text in defaults.constants.items() if text}
    form = FORMATS[defaults.kind].waiving(defaults.waived)
    missing = [f.name for f in form.fields if f.required is Required.YES and f.id not in there]
    if not {"subject_uscc", "identity_number"} & there:
        missing.append(form.field("subject_uscc").name)
    return tuple(missing)


def _rows(rows: RawRows, header: Header, defaults: BatchDefaults) -> tuple[PreviewRow, ...]:
    work = lay_out(rows, FORMATS[defaults.kind].waiving(defaults.waived), header, defaults)
    found = run_checks(work, checks_of(work.form, defaults.today, work.filled))
    found = pl.concat([found, misalignment_defects(rows.misaligned)])
    values = _values(work)
    personal = {header.columns[f.id] for f in work.form.fields if f.personal and f.id in header.columns}
    cells = rows.frame.select(pl.col(header.names).fill_null("")).rows()
    told = []
    for line, row, read in zip(rows.lines, cells, values, strict=True):
        defects = found.filter(pl.col("line") == line).select("field", "severity", "message").rows()
        shown = tuple(_shown(cell, is_personal=place in personal) for place, cell in enumerate(row))
        told.append(PreviewRow(line, any(d[1] == "error" for d in defects), shown, read, tuple(defects)))
    return tuple(told)


def _shown(cell: str, *, is_personal: bool) -> str:
    return NAME_MARK if is_personal and cell else without_numbers(cell)[:_EXCERPT]


def _values(work: Work) -> list[dict[str, str]]:
    """Per row what each field was read as; fields without a value left out."""
    fields = [f for f in work.form.fields if f.id in work.filled and not f.personal]
    frame = work.frame.select("line", *(_value(f) for f in fields))
    read = frame.rows(named=True)
    return [{f.id: without_numbers(row[f.id])[:_EXCERPT] for f in fields if row[f.id]} for row in read]


def _value(field: Field) -> pl.Expr:
    if field.type not in VALUE_TYPES:
        return pl.col(field.id)
    value = pl.col(f"{field.id}:value")
    if field.words:
        # As the format's own word for it.
        named = {code: word for word, code in reversed(list(field.words.items()))}
        return value.replace(named).alias(field.id)
    return value.cast(pl.String()).alias(field.id)
