"""The form of a corrected row (更正表): the record's own columns, filled in; and what was changed in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from xinzheng.apps.ledger.corrections import CurrentRow
from xinzheng.apps.ledger.maps import map_fields
from xinzheng.core.errors import XinzhengError
from xinzheng.web.form_errors import FieldError

# Whose record it is, is not corrected here: what is not the subject's is taken out.
WHOSE = frozenset(
    {
        "subject_class",
        "subject_uscc",
        "identity_document",
        "identity_number",
        "representative_number",
        "representative_document",
    }
)
# Several words may stand in it, so none is picked.
FREE = frozenset({"category"})
LONG = frozenset({"violation", "facts", "basis", "content", "reason", "remark", "category", "licence"})
LONG_FROM = 40


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the form: what is typed, what the record says now, and what may be picked."""

    id: str
    label: str
    value: str
    now: str
    required: str
    note: str
    choices: tuple[str, ...]
    is_long: bool

    @property
    def is_changed(self) -> bool:
        """Whether it says something else than the record."""
        return self.value.strip() != self.now.strip()


@dataclass(frozen=True, slots=True)
class CorrectionForm:
    """All columns (更正表), those that say something in front, and what the record keeps unasked."""

    columns: tuple[Column, ...]
    kept: Mapping[str, str]

    @property
    def used(self) -> list[Column]:
        """Columns that say something, or did."""
        return [column for column in self.columns if column.value or column.now or column.required]

    @property
    def empty(self) -> list[Column]:
        """The others."""
        used = set(self.used)
        return [column for column in self.columns if column not in used]

    @property
    def changed(self) -> list[Column]:
        """What would be corrected."""
        return [column for column in self.columns if column.is_changed]

    @property
    def values(self) -> dict[str, str]:
        """The whole row as it should be, by field id."""
        return dict(self.kept) | {column.id: column.value for column in self.columns}


def correction_form(row: CurrentRow, posted: QueryDict | None = None) -> CorrectionForm:
    """The form of a record: filled in as it stands, or as it was typed."""
    offered = [field for field in map_fields(row.kind) if _is_offered(field.id, row)]
    kept = {key: value for key, value in row.values.items() if key in WHOSE}
    return CorrectionForm(tuple(_column(field, row, posted) for field in offered), kept)


def _is_offered(field_id: str, row: CurrentRow) -> bool:
    """A natural person's name stands in no record, so it is not asked for."""
    return field_id not in WHOSE and (field_id != "subject_name" or field_id in row.values)


def _column(field: Any, row: CurrentRow, posted: QueryDict | None) -> Column:
    now = row.values.get(field.id, "")
    value = now if posted is None else posted.get(f"f-{field.id}", now).replace("\r\n", "\n")
    choices = () if field.id in FREE else tuple(field.words)
    if choices and value and value not in choices:
        choices = (value, *choices)
    is_long = field.id in LONG or "\n" in value or len(value) >= LONG_FROM
    return Column(field.id, field.name, value, now, field.required, field.note, choices, is_long)


def column_errors(form: CorrectionForm, error: XinzhengError, whole: str) -> tuple[FieldError, ...]:
    """What the checks said of the row, each at its column; of all of it at the field ``whole``."""
    places = {column.id: f"f-{column.id}" for column in form.columns}
    defects = error.context.get("defects")
    found = _defects(defects) if isinstance(defects, list) else [("", error.message)]
    return tuple(FieldError(places.get(field, whole), message) for field, message in found)


def _defects(defects: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return [(defect["field"], defect["message"]) for defect in defects]
