"""Deciding organs (决定机关) and delivering units (报送单位) of the two cities, taken from their deployments."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from xinzheng.adapters.deployment_files import DeployedUnit, Deployment, load_deployment
from xinzheng.adapters.policy_files import load_policy
from xinzheng.cli.demo_city.cases import DomainCases, domain_cases
from xinzheng.cli.demo_city.codes import SERIALS, invented_uscc

# Serials of organs that no deployment names begin here; those of the deployments begin with 0.
ORGANS_FROM = SERIALS // 31 * 20
ELSEWHERE = (("上海市示例区", "310118", "沪"), ("无锡市示例区", "320211", "锡"), ("嘉兴市示例区", "330402", "嘉"))
POLICIES = {"suzhou": "suzhou-2024", "huzhou": "huzhou-2023"}
CITY_PREFIX = {"suzhou": "苏", "huzhou": "湖"}
# Where a domain has district units, these of them hand in files of their own; the others hand in zero returns.
DISTRICTS_THAT_DELIVER = 2
BUSY = 9.0


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ (机关): name, code, and how its document numbers begin."""

    name: str
    code: str
    prefix: str


@dataclass(frozen=True)
class Desk:
    """Who delivers a domain's records (报送口): the unit, and the organs whose decisions it hands in."""

    unit: DeployedUnit
    cases: DomainCases
    organs: tuple[Organ, ...]


def deployments() -> dict[str, Deployment]:
    """The deployments of both cities with their responsibilities."""
    return {city: load_deployment(city, load_policy(policy)) for city, policy in POLICIES.items()}


def desks_of(deployment: Deployment) -> dict[str, tuple[Desk, ...]]:
    """By domain, the units that hand in penalties: the first that answers, and some districts' units."""
    units = {unit.uscc: unit for unit in deployment.units}
    return {
        domain: _desks(deployment, cases, [units[uscc] for uscc in deployment.answering[domain]])
        for domain, cases in domain_cases(deployment.city).items()
    }


def _desks(deployment: Deployment, cases: DomainCases, answering: list[DeployedUnit]) -> tuple[Desk, ...]:
    prefix = CITY_PREFIX[deployment.city]
    first = answering[0]
    district_units = {
        name: unit for name in deployment.districts for unit in answering if unit.short_name.startswith(name)
    }
    own = Organ(first.name, first.uscc, prefix)
    if not district_units:
        districts = tuple(
            _district_organ(name, division, cases, prefix) for name, division in deployment.districts.items()
        )
        return (Desk(first, cases, (own, *districts)),)
    delivering = list(district_units.items())[-DISTRICTS_THAT_DELIVER if cases.weight >= BUSY else -1 :]
    return (
        Desk(first, cases, (own,)),
        *(Desk(unit, cases, (Organ(unit.name, unit.uscc, prefix + _short(name)),)) for name, unit in delivering),
    )


def _district_organ(name: str, division: str, cases: DomainCases, prefix: str) -> Organ:
    """A county bureau that decides, but whose records the city's unit hands in."""
    bureau = cases.theme.bureau.replace("支队", "大队")
    serial = ORGANS_FROM + sum(ord(c) * (i + 1) for i, c in enumerate(name + bureau))
    return Organ(name + bureau, invented_uscc("11", division, serial), prefix + _short(name))


def _short(district: str) -> str:
    """苏州工业园区 → 园, 昆山市 → 昆."""
    name = district.removeprefix("苏州")
    return {"工业园区": "园", "高新区": "新", "南太湖新区": "太"}.get(name, name[0])


def organ_elsewhere(rng: Random, cases: DomainCases) -> Organ:
    """An organ of another place (外地机关)."""
    place, division, prefix = rng.choice(ELSEWHERE)
    serial = ORGANS_FROM + 500_000 + sum(map(ord, cases.theme.bureau))
    return Organ(place + cases.theme.bureau, invented_uscc("11", division, serial), prefix)


def unit_named(deployments: Mapping[str, Deployment], short_name: str) -> DeployedUnit | None:
    """The unit that the decree calls so, of either city."""
    found = [unit for deployment in deployments.values() for unit in deployment.units if unit.short_name == short_name]
    return found[0] if found else None
