"""Where a deciding organ (决定机关) belongs: to the policy's jurisdiction, elsewhere, or nobody can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from xinzheng.apps.ledger.states import State, registry_state
from xinzheng.apps.registry.queries import units_at
from xinzheng.core.identifiers import check_uscc, name_key
from xinzheng.core.records import OrganPlace

# Division codes (GB/T 2260) that stand for the whole country.
COUNTRY = frozenset({"000000", "100000"})


@dataclass(frozen=True)
class Organs:
    """The organs of a jurisdiction that are registered as units: names by key, codes, and names leading to codes."""

    jurisdiction: str
    unit_names: Mapping[int, str]
    codes: frozenset[str]
    code_of_name: Mapping[str, str]

    def place(self, code: str | None, name: str | None) -> OrganPlace | None:
        """Here when it is a registered unit or its code names a place within; elsewhere when another place.

        An organ of the province or the centre is neither: it may have decided here as a vertical unit (垂直管理), so
        that its place is unknown rather than elsewhere.
        """
        if (code and code in self.codes) or (name and name_key(name) in self.code_of_name):
            return OrganPlace.HERE
        division = code[2:8] if code and check_uscc(code).ok else None
        if division is None:
            return None
        own, other = _significant(self.jurisdiction), _significant(division)
        if other.startswith(own):
            return OrganPlace.HERE
        return None if own.startswith(other) else OrganPlace.ELSEWHERE

    def key(self, code: str | None, name: str | None) -> str | None:
        """What tells organs apart: the code, of a registered unit also by its name, else the name."""
        if code:
            return code
        return self.code_of_name.get(name_key(name), name_key(name)) if name else None


def organs_at(jurisdiction: str, position: int) -> Organs:
    """The organs of a jurisdiction as registered at a position."""
    return _organs(jurisdiction, registry_state(position))


@lru_cache(maxsize=32)
def _organs(jurisdiction: str, registry: State) -> Organs:
    is_country = jurisdiction in COUNTRY
    everybody = units_at(registry.position).values()
    units = [unit for unit in everybody if is_country or unit.jurisdiction == jurisdiction]
    names = {name_key(name): unit.uscc for unit in units for name in (unit.short_name, unit.name)}
    named = {unit.id: unit.short_name for unit in units}
    return Organs(jurisdiction, named, frozenset(unit.uscc for unit in units), names)


def _significant(division: str) -> str:
    """The part of a division code that tells its place: two digits for a province, four for a city."""
    if division in COUNTRY:
        return ""
    return division[:2] if division[2:6] == "0000" else division[:4]
