"""The caseload (办案量) of a city: who is penalised for what, by which organ, delivered by which unit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from xinzheng.adapters.deployment_files import Deployment
from xinzheng.cli.demo_city.cases import DomainCases, domain_cases
from xinzheng.cli.demo_city.organs import Desk, Organ, desks_of, organ_elsewhere
from xinzheng.cli.demo_city.parties import Party
from xinzheng.cli.demo_city.penalties import Numbering, Occasion, Penalty, plain_penalty, varied

# Penalties per organisation and per person; they fall on a part of the parties only.
PER_ORGANISATION, PER_PERSON, PRONE = 0.6, 0.4, 0.35
YEARS = 5
# A unit's address in the city: (code, domain).
Address = tuple[str, str]
Caseload = dict[Address, list[Penalty]]


@dataclass(frozen=True)
class Bench:
    """What decisions of one city are drawn from."""

    deployment: Deployment
    desks: Mapping[str, tuple[Desk, ...]]
    today: date
    numbering: Numbering


def bench_of(deployment: Deployment, today: date) -> Bench:
    """The city's desks and a fresh numbering."""
    return Bench(deployment, desks_of(deployment), today, Numbering())


def make_caseload(rng: Random, bench: Bench, parties: Sequence[Party]) -> Caseload:
    """The city's decisions by delivering unit and domain."""
    found: Caseload = defaultdict(list)
    organisations = [party for party in parties if not party.is_person]
    persons = [party for party in parties if party.is_person]
    city = bench.deployment.city
    for group, name, rate in ((organisations, city, PER_ORGANISATION), (persons, f"{city}_persons", PER_PERSON)):
        if not group:
            continue
        prone = rng.sample(group, max(1, round(len(group) * PRONE)))
        cases = list(domain_cases(name).values())
        drawn = rng.choices(cases, [case.weight for case in cases], k=round(len(group) * rate))
        for case in drawn:
            _decide(rng, bench, case, rng.choice(prone), found)
    return found


def _decide(rng: Random, bench: Bench, cases: DomainCases, party: Party, found: Caseload) -> None:
    desks = bench.desks[cases.domain]
    desk = desks[0] if rng.random() < 0.6 else rng.choice(desks)
    organ = rng.choice(desk.organs) if rng.random() < 0.97 else organ_elsewhere(rng, cases)
    decided = bench.today - timedelta(days=rng.randint(6, YEARS * 365))
    plain = plain_penalty(rng, _occasion(bench, cases, organ, (party, decided)))
    penalty = varied(rng, plain, bench.today - timedelta(days=5))
    if rng.random() < 0.3 and bench.deployment.city == "huzhou" and penalty.is_penalised:
        penalty = _repaired(rng, penalty, bench.today)
    address = (desk.unit.uscc, cases.domain)
    found[address].append(_at_branch(penalty) if rng.random() < 0.005 and not party.is_person else penalty)
    if rng.random() < 0.005:
        # Two decisions on one day, same party and amount, another basis: both are true.
        basis = f"{penalty.basis}，中华人民共和国行政处罚法/第四章行政处罚的管辖和适用/第二十九条"
        number = bench.numbering.next(organ, cases.theme.mark, decided)
        found[address].append(replace(penalty, number=number, basis=basis))


def _occasion(bench: Bench, cases: DomainCases, organ: Organ, whom_when: tuple[Party, date]) -> Occasion:
    party, decided = whom_when
    return Occasion(party, cases, organ, bench.numbering.next(organ, cases.theme.mark, decided), decided)


def _repaired(rng: Random, penalty: Penalty, today: date) -> Penalty:
    day = penalty.decided + timedelta(days=rng.randint(95, 420))
    return replace(penalty, repaired=day) if day <= today - timedelta(days=5) else penalty


def _at_branch(penalty: Penalty) -> Penalty:
    """The parent is named although a branch was punished, as it happens; only the facts tell."""
    name = penalty.party.name
    return replace(penalty, facts=penalty.facts.replace(name, f"{name}示例分店", 1))
