"""Units as rows name them (单位): by code, else by any full or short name they ever had."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.organs import Organs, organs_at
from xinzheng.apps.registry.known_names import KnownUnit, answering_units, units_ever
from xinzheng.core.identifiers import name_key


@dataclass(frozen=True)
class KnownUnits:
    """The units there are, by code and by name, those that answer, and where organs of a jurisdiction belong.

    A code decides alone: a name beside it may be an old one, or that of another office.
    """

    organs: Organs
    by_code: Mapping[str, KnownUnit]
    by_name: Mapping[str, frozenset[KnownUnit]]
    answering: Mapping[tuple[str, str], frozenset[int]]

    def named(self, code: str | None, name: str | None) -> frozenset[KnownUnit]:
        """The units that a code, or without one a name, may mean."""
        if code:
            found = self.by_code.get(code)
            return frozenset() if found is None else frozenset((found,))
        return self.by_name.get(name_key(name), frozenset()) if name else frozenset()

    def abolished_date(self, code: str | None, name: str | None) -> date | None:
        """The day from which the organ was no more (撤销日期); None where it stands, or another of its name does."""
        days = [unit.abolished_date for unit in self.named(code, name)]
        return max((day for day in days if day), default=None) if all(days) else None

    def is_answering(self, scope: tuple[str, str], code: str | None, name: str | None) -> bool:
        """Whether a unit of the jurisdiction is named that answers for a kind in a domain."""
        units = {unit.id for unit in self.named(code, name)} & self.organs.unit_names.keys()
        return not units.isdisjoint(self.answering.get(scope, frozenset()))


def known_units(jurisdiction: str) -> KnownUnits:
    """The units as they are registered now, seen from a jurisdiction."""
    by_name: dict[str, set[KnownUnit]] = defaultdict(set)
    units = units_ever()
    for unit in units:
        for name in unit.names:
            by_name[name_key(name)].add(unit)
    return KnownUnits(
        organs_at(jurisdiction, head_position()),
        {unit.uscc: unit for unit in units},
        {name: frozenset(found) for name, found in by_name.items()},
        answering_units(),
    )
