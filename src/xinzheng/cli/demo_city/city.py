"""The demonstration city (演示城市): register, files and statements, made from a seed and a day and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count

from xinzheng.adapters.deployment_files import Deployment
from xinzheng.cli.demo_city.caseload import Address, Caseload, bench_of, make_caseload
from xinzheng.cli.demo_city.chance import stream
from xinzheng.cli.demo_city.characters import Characters, make_characters
from xinzheng.cli.demo_city.coverage import Coverage, statements
from xinzheng.cli.demo_city.deliveries import (
    CORRECTION,
    DETERMINATION,
    FUND,
    MAIN,
    PENALTY,
    REPAIR,
    SOCIAL,
    SUPPLEMENT,
    PlannedFile,
    Scope,
    Turn,
    determination_row,
    planned_file,
)
from xinzheng.cli.demo_city.dirt import impossible_day, sent_back, soiled, with_repeats
from xinzheng.cli.demo_city.dues import INSURANCES, Due, due_row, make_dues, repair_row, repairs_of
from xinzheng.cli.demo_city.files import Sheet
from xinzheng.cli.demo_city.organs import CITY_PREFIX, Organ
from xinzheng.cli.demo_city.parties import (
    COMPANY,
    REGISTER_COLUMNS,
    UNINCORPORATED,
    Ground,
    Party,
    make_parties,
    register_rows,
)
from xinzheng.cli.demo_city.penalties import Penalty, Row, delivered, row_of
from xinzheng.cli.demo_city.returning import CITY, ReturnPlan, own_part, returned_file

# The busiest units of a city also send some rows that intake sends back, and later correct them.
UNITS_THAT_ERR, ENOUGH_TO_ERR = 7, 12
ARREARS_SHARE = 0.02
REDELIVERED = 20


@dataclass(frozen=True)
class CityPlan:
    """What a city is made from. ``late``: short names of units whose data ends weeks ago."""

    deployments: Mapping[str, Deployment]
    subjects: int
    seed: int
    today: date
    late: frozenset[str] = frozenset()


@dataclass(frozen=True)
class City:
    """What is to be loaded, in this order: the register, the files, then what no file states."""

    register: Sheet
    files: tuple[PlannedFile, ...]
    statements: tuple[Coverage, ...]
    characters: Mapping[str, Party]


@dataclass(frozen=True)
class Penalties:
    """What one unit delivers in one domain: drawn by chance, of the known characters, and whether it errs."""

    address: Address
    drawn: list[Penalty]
    known: list[Penalty]
    may_err: bool


@dataclass
class _Draft:
    """A city's files while they are planned."""

    plan: CityPlan
    deployment: Deployment
    characters: Characters
    numbers: Iterator[int]
    covered: dict[tuple[str, str, str], Coverage]
    files: list[PlannedFile] = field(default_factory=list)

    def unit_name(self, uscc: str) -> str:
        return next(unit.short_name for unit in self.deployment.units if unit.uscc == uscc)

    def organ(self, uscc: str) -> Organ:
        unit = next(unit for unit in self.deployment.units if unit.uscc == uscc)
        return Organ(unit.name, uscc, CITY_PREFIX[self.deployment.city])

    def through(self, scope: Scope) -> date:
        return self.covered[scope.uscc, scope.domain, scope.kind].through_date

    def add(self, scope: Scope, rows: Sequence[Row], purpose: str = MAIN) -> None:
        """Plan a file; a main one carries the unit's statement."""
        covers = None
        if purpose == MAIN:
            stated = self.covered[scope.uscc, scope.domain, scope.kind]
            covers = (stated.from_date, stated.through_date)
        turn = Turn(self.unit_name(scope.uscc), purpose, next(self.numbers), self.plan.today, covers)
        self.files.append(planned_file(scope, turn, rows))


def make_city(plan: CityPlan) -> City:
    """The whole city; the same plan makes the same city."""
    characters = make_characters(plan.today, plan.deployments)
    grounds = {city: Ground(city, deployment.districts, plan.today) for city, deployment in plan.deployments.items()}
    parties = make_parties(grounds, max(plan.subjects - len(characters.parties), 0), plan.seed)
    unregistered = _unregistered(parties, plan.seed)
    files, spoken, numbers = [], [], count(1)
    for city, deployment in plan.deployments.items():
        stated = statements(deployment, plan.today, plan.late)
        covered = {(found.uscc, found.domain, found.kind): found for found in stated}
        draft = _Draft(plan, deployment, characters, numbers, covered)
        _plan_files(draft, [party for party in parties if party.city == city])
        by_file = {(f.scope.uscc, f.scope.domain, f.scope.kind) for f in draft.files if f.covers}
        files += draft.files
        silent = [found for key, found in covered.items() if key not in by_file]
        spoken += [part for found in silent for part in own_part(found, plan.deployments, plan.today)]
    files.append(returned_file(_return_plan(plan, parties, next(numbers))))
    registered = [*characters.parties.values(), *(party for party in parties if party.code not in unregistered)]
    register = Sheet(REGISTER_COLUMNS, register_rows(registered))
    return City(register, tuple(files), tuple(spoken), characters.parties)


def _return_plan(plan: CityPlan, parties: Sequence[Party], number: int) -> ReturnPlan:
    of_city = [party for party in parties if party.city == CITY]
    return ReturnPlan(plan.deployments[CITY], of_city, plan.seed, number, plan.today)


def _unregistered(parties: Sequence[Party], seed: int) -> frozenset[str]:
    """Some firms that the register lacks: valid codes that intake meets for the first time."""
    rng = stream(seed, "unregistered")
    candidates = [party.code for party in parties if party.kind == UNINCORPORATED and party.relation is None]
    return frozenset(rng.sample(candidates, len(candidates) // 25))


def _plan_files(draft: _Draft, parties: Sequence[Party]) -> None:
    city, seed = draft.deployment.city, draft.plan.seed
    caseload = make_caseload(stream(seed, f"caseload-{city}"), bench_of(draft.deployment, draft.plan.today), parties)
    own = _own_penalties(draft)
    erring = sorted(caseload, key=lambda address: (-len(caseload[address]), address))[:UNITS_THAT_ERR]
    for address in _addresses(draft, caseload, own):
        penalties = caseload.get(address, [])
        may_err = address in erring and len(penalties) >= ENOUGH_TO_ERR
        _plan_penalties(draft, Penalties(address, penalties, own.get(address, []), may_err))
    _plan_determinations(draft)
    if city == "suzhou":
        _plan_dues(draft, [party for party in parties if party.kind == COMPANY])
        _plan_repairs(draft, [penalty for found in caseload.values() for penalty in found])


def _own_penalties(draft: _Draft) -> dict[Address, list[Penalty]]:
    """The characters' penalties of this city by the unit that delivers them: the deciding one if it answers."""
    found: dict[Address, list[Penalty]] = {}
    for penalty in draft.characters.penalties:
        if penalty.party.city == draft.deployment.city:
            answering = draft.deployment.answering[penalty.domain]
            uscc = penalty.organ.code if penalty.organ.code in answering else answering[0]
            found.setdefault((uscc, penalty.domain), []).append(penalty)
    return found


def _addresses(draft: _Draft, caseload: Caseload, own: Mapping[Address, list[Penalty]]) -> list[Address]:
    order = {code: place for place, code in enumerate(draft.deployment.answering)}
    return sorted({*caseload, *own}, key=lambda address: (order[address[1]], address[0]))


def _plan_penalties(draft: _Draft, found: Penalties) -> None:
    """The unit's main file; of a unit that errs also an addition that is partly sent back, and its correction."""
    uscc, domain = found.address
    scope = Scope(uscc, domain, PENALTY)
    rng, source = stream(draft.plan.seed, f"rows-{uscc}-{domain}"), draft.organ(uscc)
    rows = [row_of(penalty, source) for penalty in delivered(found.drawn, draft.through(scope))]
    held_back = max(3, len(rows) // 100) if found.may_err else 0
    main = with_repeats(rng, [soiled(rng, row) for row in rows[held_back:]])
    main += [row_of(penalty, source) for penalty in found.known]
    if main:
        draft.add(scope, main)
    additions = sent_back(rng, rows[:held_back], left_open=1 if held_back else 0)
    spoilt = [impossible_day(row_of(p, source)) for p in draft.characters.sent_back if _is_of(p, found.address)]
    if additions.rows or spoilt:
        draft.add(scope, [*additions.rows, *spoilt], SUPPLEMENT)
    if additions.corrected:
        draft.add(scope, [*additions.corrected, *main[:REDELIVERED]], CORRECTION)


def _is_of(penalty: Penalty, address: Address) -> bool:
    return (penalty.organ.code, penalty.domain) == address


def _plan_determinations(draft: _Draft) -> None:
    for penalty in draft.characters.determinations:
        if penalty.party.city == draft.deployment.city:
            draft.add(Scope(penalty.organ.code, penalty.domain, DETERMINATION), [determination_row(penalty)])


def _plan_dues(draft: _Draft, companies: Sequence[Party]) -> None:
    rng = stream(draft.plan.seed, "dues")
    for section, insurances in ((SOCIAL, INSURANCES), (FUND, ())):
        for uscc in draft.deployment.answering[section]:
            scope = Scope(uscc, section, section)
            chosen = rng.sample(companies, round(len(companies) * ARREARS_SHARE))
            dues = make_dues(rng, chosen, draft.organ(uscc), insurances, draft.through(scope))
            known = [due for due in draft.characters.dues if due.agency.code == uscc]
            dues += [due for due in known if bool(due.insurance) == bool(insurances)]
            if dues:
                draft.add(scope, [due_row(due) for due in _one_each(dues)])


def _one_each(dues: Sequence[Due]) -> list[Due]:
    """One due for each natural key."""
    return list({(due.party.code, due.insurance, due.months): due for due in dues}.values())


def _plan_repairs(draft: _Draft, penalties: Sequence[Penalty]) -> None:
    (uscc,) = draft.deployment.answering[REPAIR]
    scope = Scope(uscc, REPAIR, REPAIR)
    found = repairs_of(stream(draft.plan.seed, "repairs"), penalties, draft.through(scope))
    rows = [repair_row(penalty, day, draft.organ(uscc)) for penalty, day in (*found, *draft.characters.repairs)]
    draft.add(scope, rows)
