"""What an editor of a column map looks at (列对照编辑): a sample's headings, what is missing, words, the first rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xinzheng.apps.ledger.map_models import MapSample
from xinzheng.apps.ledger.map_samples import preview_sample
from xinzheng.apps.ledger.reading import tabular
from xinzheng.core.errors import XinzhengError

ROWS_READ, ROWS_SHOWN, EXAMPLES = 200, 20, 2
LONGEST_EXAMPLE = 40
REQUIRED = "是"
UNNAMED = "未命名列"


@dataclass(frozen=True)
class SheetColumn:
    """A heading of the sample: what it is taken for, ``how`` as the adapter says it, and what stands in its cells."""

    heading: str
    field: str | None
    field_name: str
    how: str
    examples: tuple[str, ...]

    @property
    def is_free(self) -> bool:
        """Whether a map can say what it is; a standard heading is what it is, a nameless one cannot be named."""
        return self.how != "known" and not self.heading.startswith(UNNAMED)


@dataclass(frozen=True)
class Gap:
    """A required field that no heading gives (缺少的必填项): what holds instead, if anything may."""

    field: str
    name: str
    may_be_constant: bool
    may_be_waived: bool
    words: tuple[str, ...]
    constant: str
    is_waived: bool

    @property
    def is_closed(self) -> bool:
        """Whether the map says what holds."""
        return bool(self.constant) or self.is_waived


@dataclass(frozen=True)
class Translation:
    """Words of the source in a field (取值翻译), each with the format's word for it, or with none."""

    field: str
    name: str
    choices: tuple[str, ...]
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SheetRow:
    """A row as read: names and values of its fields, and what is wrong with it."""

    line: int
    is_rejected: bool
    values: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A sample under a map. ``waived``: fields that stand in a column, and whose cells may be empty all the same.

    ``problem``: why it cannot be read at all as the map says, or empty.
    """

    columns: tuple[SheetColumn, ...]
    gaps: tuple[Gap, ...]
    translations: tuple[Translation, ...]
    rows: tuple[SheetRow, ...]
    waived: tuple[str, ...]
    problem: str = ""

    @property
    def open_gaps(self) -> tuple[Gap, ...]:
        """What is missing still."""
        return tuple(gap for gap in self.gaps if not gap.is_closed)

    @property
    def accepted(self) -> int:
        """How many of the rows shown would be taken."""
        return sum(not row.is_rejected for row in self.rows)


def sheet_of(sample: MapSample, content: Mapping[str, Any]) -> Sheet:
    """The sample as the map's content reads it. Raises TabularError when it is no table at all."""
    try:
        seen, problem = preview_sample(sample, content, ROWS_READ), ""
    except XinzhengError as error:
        seen, problem = preview_sample(sample, None, ROWS_READ), error.message
    fields = {field.id: field for field in tabular().mappable_fields(sample.kind)}
    columns = tuple(_column(place, heading, seen.rows) for place, heading in enumerate(seen.headings))
    gaps = tuple(_gaps(fields, {column.field for column in columns}, content))
    still_open = {gap.name for gap in gaps if not gap.is_closed}
    rows = () if problem else tuple(_row(row, fields, still_open) for row in seen.rows[:ROWS_SHOWN])
    waived = tuple(name for name in content["waived"] if name not in {gap.field for gap in gaps})
    return Sheet(columns, gaps, tuple(_translations(sample.kind, seen, content)), rows, waived, problem)


def _column(place: int, taken: Any, rows: Iterable[Any]) -> SheetColumn:
    cells = dict.fromkeys(row.cells[place].strip()[:LONGEST_EXAMPLE] for row in rows)
    examples = tuple(cell for cell in cells if cell)[:EXAMPLES]
    return SheetColumn(taken.heading, taken.field, taken.field_name or "", taken.how, examples)


def _gaps(fields: Mapping[str, Any], taken: set[str | None], content: Mapping[str, Any]) -> Iterable[Gap]:
    missing = [field for field in fields.values() if field.required == REQUIRED and field.id not in taken]
    if not {"subject_uscc", "identity_number"} & taken:
        missing.append(fields["subject_uscc"])
    for field in missing:
        yield Gap(
            field.id,
            field.name,
            field.may_be_constant,
            field.may_be_waived,
            field.words,
            str(content["constants"].get(field.id, "")),
            field.id in content["waived"],
        )


def _translations(kind: str, seen: Any, content: Mapping[str, Any]) -> Iterable[Translation]:
    """For fields that have words of their own and stand in one column: what the format does not understand there."""
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(seen.headings):
        if heading.field is not None:
            places.setdefault(heading.field, []).append(place)
    for field in tabular().mappable_fields(kind):
        if field.words and len(places.get(field.id, [])) == 1:
            (place,) = places[field.id]
            given = content["words"].get(field.id, {})
            found = tabular().unread_words(kind, field.id, (row.cells[place] for row in seen.rows))
            if words := dict.fromkeys((*given, *found)):
                pairs = tuple((word, str(given.get(word, ""))) for word in words)
                yield Translation(field.id, field.name, field.words, pairs)


def _row(row: Any, fields: Mapping[str, Any], still_open: set[str]) -> SheetRow:
    """What is told of the whole file is not told of each row again."""
    values = tuple((fields[name].name, value) for name, value in row.values.items() if name in fields)
    problems = dict.fromkeys(message for name, _, message in row.defects if name not in still_open)
    return SheetRow(row.line, row.is_rejected, values, tuple(problems))
