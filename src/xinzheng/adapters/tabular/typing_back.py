"""From a record back to the cells a person would type (还原): for correcting one line of what was delivered."""

import json
from collections.abc import Mapping
from decimal import Decimal

from xinzheng.adapters.tabular.fields import Field, FieldType
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.own_maps import ROUTING
from xinzheng.adapters.tabular.templates import choices


def typed_values(kind: str, payload: Mapping[str, object]) -> dict[str, str]:
    """A payload's members as they would be typed, by field id, in the order of the format.

    Read again, the cells give the same payload. KeyError if the kind is unknown.
    """
    fields = (f for f in FORMATS[kind].fields if payload.get(f.id) is not None)
    return {field.id: _typed(field, payload[field.id]) for field in fields}


def column_ids(kind: str) -> dict[str, str]:
    """The field ids of a kind's columns, by their names. KeyError if the kind is unknown."""
    return {field.name: field.id for field in FORMATS[kind].fields if field.id not in ROUTING}


def json_line(kind: str, values: Mapping[str, str]) -> bytes:
    """One line of JSON with every column of the kind, empty where no value is given; ``values`` by field id.

    KeyError if the kind has no column of an id.
    """
    columns = column_ids(kind)
    if unknown := sorted(values.keys() - set(columns.values())):
        raise KeyError(", ".join(unknown))
    # Escaped: what no file may hold is then told of the cell it stands in.
    return json.dumps({name: values.get(field_id) or None for name, field_id in columns.items()}).encode() + b"\n"


def _typed(field: Field, value: object) -> str:
    if field.type is FieldType.FLAG:
        return "是" if value is True or value == "true" else "否"
    text = str(value)
    if field.type in (FieldType.AMOUNT, FieldType.MONEY):
        return f"{Decimal(text).normalize():f}"
    if field.type is FieldType.WORD:
        return next((word for word in choices(field) if field.words[word] == text), text)
    return text
