"""Read a deployment's ``returns``: which units' data also come through another unit (回流渠道)."""

from collections.abc import Mapping

from xinzheng.adapters.deployment_files.deployment import DeployedUnit
from xinzheng.adapters.policy_files.nodes import Value

# Codes of who delivers and for whom, by domain or section.
Returning = dict[str, tuple[tuple[str, str], ...]]


def read_returns(
    value: Value | None, units: Mapping[str, DeployedUnit], answering: Mapping[str, tuple[str, ...]]
) -> Returning:
    """Who delivers for whom, by domain or section; mistakes are noted at their place."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for item in value.items() if value is not None else ():
        fields = item.fields(("through", "domains"), ("units",))
        source = _unit(fields["through"], units) if "through" in fields else None
        chosen = [_unit(name, units) for name in fields["units"].items()] if "units" in fields else None
        wanted = None if chosen is None else {unit.uscc for unit in chosen if unit}
        for place in fields["domains"].items() if "domains" in fields and source else ():
            served = _served(place, answering, wanted)
            if source and source.uscc in served:
                place.wrong(f"“{source.short_name}”本身负责该领域，不能经本单位回流")
            found.setdefault(place.text(), {}).update(dict.fromkeys((source.uscc, uscc) for uscc in served if source))
    return {code: tuple(pairs) for code, pairs in found.items()}


def _unit(place: Value, units: Mapping[str, DeployedUnit]) -> DeployedUnit | None:
    unit = units.get(place.text())
    if unit is None:
        place.wrong(f"units 中没有“{place.text()}”，请补上该单位及其统一社会信用代码")
    return unit


def _served(place: Value, answering: Mapping[str, tuple[str, ...]], wanted: set[str] | None) -> list[str]:
    code = place.text()
    if code not in answering:
        place.wrong(f"domains 和 sections 中没有“{code}”，请核对领域代码")
        return []
    served = [uscc for uscc in answering[code] if wanted is None or uscc in wanted]
    if not served:
        place.wrong(f"units 中写的单位都不负责“{code}”，请核对")
    return served
