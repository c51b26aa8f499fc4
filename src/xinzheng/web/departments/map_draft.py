"""What an officer says a source's columns mean, read from the editor's form: the content of a column map."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from xinzheng.apps.ledger.map_sheets import Sheet
from xinzheng.apps.ledger.queries import ColumnMapSummary
from xinzheng.web.form_errors import FieldError

CONSTANT, SAID, WORD = "constant-", "said-", "word-"


def first_draft(kind: str, base: ColumnMapSummary | None) -> dict[str, Any]:
    """What the editor begins with: nothing, or another map; a shipped one gives everything but its name."""
    empty: dict[str, Any] = {
        "name": "", "kind": kind, "origin": "", "columns": [], "words": {}, "constants": {}, "waived": [],
    }  # fmt: skip
    if base is None or base.kind != kind:
        return empty
    return {**empty, **base.content, "name": "" if base.is_shipped else base.name}


def read_draft(kind: str, posted: QueryDict, base: ColumnMapSummary | None) -> dict[str, Any]:
    """What was filled in. Headings of the map it began with that this sample lacks stay as they were."""
    headings, fields = _texts(posted, "heading"), _texts(posted, "column")
    meanings = {c["heading"]: c["meaning"] for c in base.content["columns"]} if base else {}
    columns = [
        {"heading": heading, "field": field or None, "meaning": meanings.get(heading, "")}
        for heading, field in zip(headings, fields, strict=False)
    ]
    return {
        "name": _text(posted, "name").strip(),
        "kind": kind,
        "origin": _text(posted, "origin").strip(),
        "columns": [*columns, *_left_alone(columns, base)],
        "words": _words(posted),
        "constants": {
            key.removeprefix(CONSTANT): text
            for key in posted
            if key.startswith(CONSTANT) and (text := _text(posted, key).strip())
        },
        "waived": _texts(posted, "waive"),
    }


def places_of(faults: Sequence[Any], sheet: Sheet) -> list[FieldError]:
    """What may not be saved, each at its place on the page."""
    columns = {f"column:{column.heading}": place for place, column in enumerate(sheet.columns)}
    by_field = {column.field: place for place, column in enumerate(sheet.columns) if column.is_free}
    gaps = {gap.field for gap in sheet.gaps}
    found = []
    for fault in faults:
        place, field = columns.get(fault.place), fault.place.removeprefix("field:")
        if place is not None:
            found.append(FieldError(f"column-{place}", fault.message))
        elif field in gaps:
            found.append(FieldError(f"gap-{field}", fault.message))
        elif field in by_field:
            found.append(FieldError(f"column-{by_field[field]}", fault.message))
        else:
            found.append(FieldError("name", fault.message))
    return found


def _left_alone(columns: Sequence[Mapping[str, Any]], base: ColumnMapSummary | None) -> list[Mapping[str, Any]]:
    if base is None or base.is_shipped:
        return []
    headings, fields = {c["heading"] for c in columns}, {c["field"] for c in columns}
    return [c for c in base.content["columns"] if c["heading"] not in headings and c["field"] not in fields]


def _words(posted: QueryDict) -> dict[str, dict[str, str]]:
    found = {}
    for key in posted:
        if key.startswith(SAID):
            field = key.removeprefix(SAID)
            pairs = zip(_texts(posted, key), _texts(posted, WORD + field), strict=False)
            if words := {said: word for said, word in pairs if said and word}:
                found[field] = words
    return found


def _text(posted: QueryDict, name: str) -> str:
    return posted.get(name, "").replace("\0", "")


def _texts(posted: QueryDict, name: str) -> list[str]:
    return [text.replace("\0", "") for text in posted.getlist(name)]
