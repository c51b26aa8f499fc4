"""What the provincial platform returned (数据回流): two months that one unit left to it, with a few records.

Both months end before the data of a unit that is late ends, so that a return never makes up for a late unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from xinzheng.adapters.deployment_files import DeployedUnit, Deployment
from xinzheng.cli.demo_city.cases import domain_cases
from xinzheng.cli.demo_city.chance import stream
from xinzheng.cli.demo_city.coverage import Coverage
from xinzheng.cli.demo_city.deliveries import PENALTY, PlannedFile, Scope, Turn, planned_file
from xinzheng.cli.demo_city.organs import CITY_PREFIX, Organ
from xinzheng.cli.demo_city.parties import COMPANY, Party
from xinzheng.cli.demo_city.penalties import Occasion, Penalty, plain_penalty, row_of
from xinzheng.core.coverage_calendar import Month

CITY, PLATFORM, DOMAIN, RETURN = "suzhou", "省级平台（演示）", "financial_regulation", "回流"
# The first left the months to the platform; the second stated them itself as well, and its word comes first.
LEFT_TO_IT, STATED_ITSELF = "人行苏州市分行", "国家金融监管总局苏州监管分局"
DECIDED_BY = (LEFT_TO_IT, STATED_ITSELF, LEFT_TO_IT, STATED_ITSELF, LEFT_TO_IT)
FIRST_MONTH, LAST_MONTH = -4, -3


@dataclass(frozen=True)
class ReturnPlan:
    """What a return is made from (回流): the city's deployment, whom it may concern, the file's number, the seed."""

    deployment: Deployment
    parties: Sequence[Party]
    seed: int
    number: int
    today: date


def returned_days(today: date) -> tuple[date, date]:
    """The days that were left to the platform."""
    this = Month.of(today)
    return this.plus(FIRST_MONTH).first, this.plus(LAST_MONTH).last


def own_part(stated: Coverage, deployments: Mapping[str, Deployment], today: date) -> list[Coverage]:
    """What a unit states itself of what is to be stated: all but the days that it left to the platform."""
    left = (_unit(deployments[CITY], LEFT_TO_IT).uscc, DOMAIN, PENALTY)
    if (stated.uscc, stated.domain, stated.kind) != left:
        return [stated]
    first, last = returned_days(today)
    before = replace(stated, through_date=first - timedelta(days=1))
    return [before, replace(stated, from_date=last + timedelta(days=1))]


def returned_file(plan: ReturnPlan) -> PlannedFile:
    """The platform's file: each row names the unit that answers for it."""
    days = returned_days(plan.today)
    scope = Scope(_unit(plan.deployment, PLATFORM).uscc, DOMAIN, PENALTY)
    turn = Turn(PLATFORM, RETURN, plan.number, plan.today, days)
    return planned_file(scope, turn, [row_of(penalty, penalty.organ) for penalty in _decided(plan, days)])


def _decided(plan: ReturnPlan, days: tuple[date, date]) -> list[Penalty]:
    rng, cases = stream(plan.seed, "returned"), domain_cases(CITY)[DOMAIN]
    companies = [party for party in plan.parties if party.kind == COMPANY and party.relation is None]
    found = []
    for serial, name in enumerate(DECIDED_BY[: len(companies)], start=1):
        unit = _unit(plan.deployment, name)
        decided = days[0] + timedelta(days=rng.randint(0, (days[1] - days[0]).days))
        organ = Organ(unit.name, unit.uscc, CITY_PREFIX[CITY])
        number = f"{organ.prefix}{cases.theme.mark}〔{decided.year}〕示9{serial:03d}号"
        found.append(plain_penalty(rng, Occasion(rng.choice(companies), cases, organ, number, decided)))
    return found


def _unit(deployment: Deployment, short_name: str) -> DeployedUnit:
    return next(unit for unit in deployment.units if unit.short_name == short_name)
