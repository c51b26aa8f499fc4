"""Column maps (列对照): which there are for a unit, which version a delivery is read by; new versions, retirement.

Shipped maps come with the adapter; a unit's own are versions in the ledger. A batch names the version it was read by,
so that its file can be read the same way again, whatever became of the name.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.ledger.delivery import Answering, Delivery
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.map_models import StoredMap
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.ledger.reading import tabular
from xinzheng.core.errors import XinzhengError

SHIPPED_BY = "system"
# What an address cannot end with, or ends with where a new map is made.
NOT_A_NAME = frozenset({"new", ".", ".."})


class ColumnMapError(IntakeError):
    """A column map is not there, is of another kind, or cannot be kept."""

    code = "map-refused"


@dataclass(frozen=True)
class ColumnMapSummary:
    """A column map as people see it. ``version`` is null for a shipped one; ``columns`` counts the headings taken."""

    name: str
    kind: str
    kind_name: str
    origin: str
    columns: int
    version: int | None
    saved_at: datetime | None
    content: Mapping[str, Any]

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the system."""
        return self.version is None


@dataclass(frozen=True)
class ChosenMap:
    """The map a delivery is read by; ``version`` is null while a shipped one has not been kept."""

    name: str
    content: Mapping[str, Any]
    version: int | None


def column_maps_of(unit_id: int, kind: str | None = None) -> list[ColumnMapSummary]:
    """The maps a unit can deliver by: the shipped ones and its own; of one kind of record, if told."""
    shipped = [_summary(found.content, None) for found in tabular().column_maps().values()]
    found = [*shipped, *(_summary(stored.content, stored) for stored in _latest(unit_id))]
    return [summary for summary in found if kind in (None, summary.kind)]


def column_map(unit_id: int, name: str) -> ColumnMapSummary:
    """One of them. Raises ColumnMapError ``map-unknown``, naming those there are."""
    there = column_maps_of(unit_id)
    found = next((summary for summary in there if summary.name == name), None)
    if found is None:
        names = "、".join(summary.name for summary in there)
        raise ColumnMapError(f"没有列对照“{name}”，可用的有：{names}。", code="map-unknown")
    return found


def column_map_versions(unit_id: int, name: str) -> list[StoredMap]:
    """Every version of a unit's own map, latest first; also of a retired one."""
    return list(StoredMap.objects.filter(unit_id=unit_id, name=name).order_by("-id"))


def batch_map_name(batch_id: int) -> str | None:
    """The name of the map a batch was read by, or None."""
    return Batch.objects.filter(pk=batch_id).values_list("column_map__name", flat=True).first()


@transaction.atomic
def save_column_map(*, unit_id: int, content: Mapping[str, Any], by: str) -> StoredMap:
    """Keep a unit's own map as the next version of its name (保存列对照); unchanged, it makes no version.

    Raises ColumnMapError or the adapter's TabularError ``map-refused`` with all that is wrong with it.
    """
    name = str(content["name"])
    if name in NOT_A_NAME:
        raise ColumnMapError(f"列对照不能叫“{name}”，请换一个名称。", code="map-refused")
    checked = tabular().own_column_map(content).content
    digest = _digest(checked)
    current = next((stored for stored in _latest(unit_id) if stored.name == name), None)
    if current is not None and bytes(current.sha256) == digest:
        return current
    saved = StoredMap.objects.create(
        unit_id=unit_id, name=name, kind=checked["kind"], content=checked, sha256=digest, by=by
    )
    details = {"unit": unit_id, "sha256": digest.hex()}
    record_event(who=by, action="column-map-saved", object_kind="column-map", object_id=saved.pk, details=details)
    return saved


@transaction.atomic
def retire_column_map(*, unit_id: int, name: str, by: str) -> None:
    """Take a unit's own map out of use (停用列对照); batches read by it keep their version.

    Raises ColumnMapError ``map-unknown``, ``map-shipped``.
    """
    found = column_map(unit_id, name)
    if found.is_shipped:
        raise ColumnMapError(f"“{name}”是系统自带的列对照，不能停用。", code="map-shipped")
    retired = StoredMap.objects.create(
        unit_id=unit_id,
        name=name,
        kind=found.kind,
        content=found.content,
        sha256=_digest(found.content),
        is_retired=True,
        by=by,
    )
    record_event(
        who=by, action="column-map-retired", object_kind="column-map", object_id=retired.pk, details={"unit": unit_id}
    )


def map_fields(kind: str) -> Sequence[Any]:
    """The fields of a kind of record that a unit's map may fill (the adapter's ``MappableField``)."""
    return cast(Sequence[Any], tabular().mappable_fields(kind))


def draft_faults(unit_id: int, content: Mapping[str, Any], base: ColumnMapSummary | None) -> list[Any]:
    """What is wrong with a map that is to be saved (the adapter's ``MapFault``); ``base``: the map it began with.

    A name that another map of the unit bears is refused, so that nobody replaces it unawares.
    """
    adapter = tabular()
    try:
        found = list(adapter.map_faults(adapter.column_map_of(content)))
    except XinzhengError as error:
        return [adapter.MapFault("name", error.message)]
    name, own = str(content["name"]), {stored.name for stored in _latest(unit_id)}
    if name in NOT_A_NAME:
        found.append(adapter.MapFault("name", f"列对照不能叫“{name}”，请换一个名称。"))
    if name in own and (base is None or base.name != name):
        found.append(adapter.MapFault("name", f"本单位已有列对照“{name}”，请换一个名称，或者打开它修改。"))
    return found


def stored_map(summary: ColumnMapSummary) -> StoredMap:
    """The version in the ledger; a shipped map is kept there when it is first used."""
    return _kept(ChosenMap(summary.name, summary.content, summary.version))


def chosen_map(who: Answering, delivery: Delivery) -> ChosenMap | None:
    """The map a delivery names, once it is sure that it can be read by it.

    Raises ColumnMapError ``map-unknown``, ``map-of-other-kind``.
    """
    if delivery.map_version is not None:
        stored = StoredMap.objects.get(pk=delivery.map_version)
        return ChosenMap(stored.name, stored.content, stored.pk)
    if delivery.map_name is None:
        return None
    found = column_map(who.unit.id, delivery.map_name)
    if found.kind != delivery.scope.kind:
        names = "、".join(summary.name for summary in column_maps_of(who.unit.id, delivery.scope.kind)) or "（没有）"
        message = f"列对照“{found.name}”用于{found.kind_name}，不能用于这次报送的记录类型；可用的有：{names}。"
        raise ColumnMapError(message, code="map-of-other-kind")
    return ChosenMap(found.name, found.content, found.version)


def kept_version(chosen: ChosenMap | None) -> StoredMap | None:
    """The version in the ledger; a shipped map is kept there when it is first used."""
    return None if chosen is None else _kept(chosen)


def _kept(chosen: ChosenMap) -> StoredMap:
    if chosen.version is not None:
        return StoredMap.objects.get(pk=chosen.version)
    digest = _digest(chosen.content)
    kept = StoredMap.objects.filter(unit_id=None, name=chosen.name, sha256=digest).order_by("id").first()
    return kept or StoredMap.objects.create(
        name=chosen.name, kind=chosen.content["kind"], content=dict(chosen.content), sha256=digest, by=SHIPPED_BY
    )


def _latest(unit_id: int) -> list[StoredMap]:
    versions = StoredMap.objects.filter(unit_id=unit_id).order_by("name", "-id").distinct("name")
    return [stored for stored in versions if not stored.is_retired]


def _summary(content: Mapping[str, Any], stored: StoredMap | None) -> ColumnMapSummary:
    return ColumnMapSummary(
        name=content["name"],
        kind=content["kind"],
        kind_name=tabular().KIND_NAMES[content["kind"]],
        origin=content["origin"],
        columns=sum(column["field"] is not None for column in content["columns"]),
        version=None if stored is None else stored.pk,
        saved_at=None if stored is None else stored.created_at,
        content=content,
    )


def _digest(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
