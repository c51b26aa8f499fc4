"""Column maps (列对照): what the columns of one source's exports mean, as data with its origin."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from xinzheng.adapters.tabular.batch import BatchDefaults
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.formats import FORMATS, KIND_NAMES


@dataclass(frozen=True)
class MappedColumn:
    """One heading of the source, the field id it is taken for (None: kept as it is, not taken), and its meaning."""

    heading: str
    field: str | None
    meaning: str


@dataclass(frozen=True)
class ColumnMap:
    """A source's columns for one kind of record; the other members as in BatchDefaults."""

    name: str
    kind: str
    origin: str
    described: tuple[MappedColumn, ...]
    words: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, str]
    waived: frozenset[str]

    @property
    def columns(self) -> Mapping[str, str]:
        """Source heading to field id, for ``BatchDefaults.columns``."""
        return {column.heading: column.field for column in self.described if column.field is not None}

    @property
    def content(self) -> dict[str, Any]:
        """All of it as plain values, for keeping; :func:`column_map_of` reads it back."""
        return {
            "name": self.name,
            "kind": self.kind,
            "origin": self.origin,
            "columns": [{"heading": c.heading, "field": c.field, "meaning": c.meaning} for c in self.described],
            "words": {field_id: dict(words) for field_id, words in self.words.items()},
            "constants": dict(self.constants),
            "waived": sorted(self.waived),
        }

    def applied_to(self, defaults: BatchDefaults) -> BatchDefaults:
        """The defaults with this map; what they say themselves goes first. Raises TabularError for another kind."""
        if defaults.kind != self.kind:
            message = f"列对照“{self.name}”用于{KIND_NAMES[self.kind]}，不能用于所选的记录类型，请改选。"
            raise TabularError(message, code="map-of-other-kind")
        return replace(
            defaults,
            columns={**self.columns, **defaults.columns},
            words={**self.words, **defaults.words},
            constants={**self.constants, **defaults.constants},
            waived=self.waived | defaults.waived,
        )


@cache
def column_maps() -> Mapping[str, ColumnMap]:
    """The shipped maps by name."""
    files = sorted(resources.files(__package__).iterdir(), key=lambda file: file.name)
    found = [column_map_of(yaml.safe_load(file.read_text("utf-8"))) for file in files if file.name.endswith(".yaml")]
    return MappingProxyType({read.name: read for read in found})


def with_column_map(defaults: BatchDefaults, name: str) -> BatchDefaults:
    """The defaults with the shipped map of that name. Raises TabularError when there is none, or for another kind."""
    if name not in column_maps():
        names = "、".join(column_maps())
        raise TabularError(f"没有列对照“{name}”，可用的有：{names}。", code="map-unknown")
    return column_maps()[name].applied_to(defaults)


def column_map_of(given: Mapping[str, Any]) -> ColumnMap:
    """The map written down as plain values. Raises TabularError ``map-broken`` for fields that are not there."""
    form = FORMATS[given["kind"]]
    described = tuple(MappedColumn(c["heading"], c["field"], c["meaning"]) for c in given["columns"])
    named = {c.field for c in described if c.field} | set(given["waived"])
    named |= {*given.get("words", {}), *given.get("constants", {})}
    if unknown := sorted(field_id for field_id in named if not form.has(field_id)):
        raise TabularError(f"列对照“{given['name']}”里有不存在的标识：{'、'.join(unknown)}。", code="map-broken")
    return ColumnMap(
        given["name"],
        given["kind"],
        given["origin"],
        described,
        given.get("words", {}),
        given.get("constants", {}),
        frozenset(given["waived"]),
    )
