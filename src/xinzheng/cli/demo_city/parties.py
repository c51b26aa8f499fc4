"""Parties (主体) of the demonstration city, and the register file (主体名录) that names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from types import MappingProxyType

from xinzheng.cli.demo_city import names
from xinzheng.cli.demo_city.chance import stream, weighted
from xinzheng.cli.demo_city.codes import SERIALS, invented_identity_number, invented_uscc

COMPANY, UNINCORPORATED, SHOP, COOPERATIVE, PERSON = "企业法人", "非法人企业", "个体工商户", "农民专业合作社", "自然人"
PREFIXES: Mapping[str, str] = MappingProxyType({COMPANY: "91", UNINCORPORATED: "91", SHOP: "92", COOPERATIVE: "93"})
# Serials below this are the known characters' own, the same under every seed.
RESERVED = 1000
FIRMS = ("企业管理合伙企业（有限合伙）", "设计事务所（普通合伙）", "五金加工厂")

MIX: Mapping[str, tuple[tuple[str, float], ...]] = MappingProxyType(
    {
        "suzhou": ((COMPANY, 62), (UNINCORPORATED, 4), (SHOP, 33), (COOPERATIVE, 1)),
        "huzhou": ((COMPANY, 58), (UNINCORPORATED, 3), (SHOP, 24), (COOPERATIVE, 1), (PERSON, 14)),
    }
)
SHARES = (("suzhou", 60.0), ("huzhou", 40.0))


@dataclass(frozen=True, slots=True)
class Party:
    """A party (主体) of one city. ``relation``: its tie to another party's code, with the day."""

    city: str
    kind: str
    name: str
    code: str
    place: str
    established: date
    representative: str = ""
    address: str = ""
    status: str = "存续"
    former_names: tuple[str, ...] = ()
    registration_number: str = ""
    relation: tuple[str, str, date] | None = None

    @property
    def is_person(self) -> bool:
        """Whether it is a natural person."""
        return self.kind == PERSON


@dataclass(frozen=True)
class Ground:
    """What parties are made from: the districts of a city with their division codes, and today."""

    city: str
    districts: Mapping[str, str]
    today: date


def make_parties(grounds: Mapping[str, Ground], count: int, seed: int) -> list[Party]:
    """So many parties of both cities; some renamed, branches, absorbed or deregistered."""
    rng = stream(seed, "parties")
    serials = rng.sample(range(RESERVED, SERIALS), count)
    parties = [_party(rng, grounds[weighted(rng, SHARES)], serial) for serial in serials]
    return _with_fates(stream(seed, "fates"), _with_different_names(parties))


def _party(rng: Random, ground: Ground, serial: int) -> Party:
    kind = weighted(rng, MIX[ground.city])
    place = rng.choice(list(ground.districts))
    if kind == PERSON:
        born = date(1962, 1, 1) + timedelta(days=rng.randrange(42 * 365))
        code = invented_identity_number(born, serial % 1000)
        return Party(ground.city, PERSON, names.person_name(rng), code, place, ground.today, status="")
    town = {"suzhou": "苏州", "huzhou": "湖州"}[ground.city] if rng.random() < 0.6 else place
    established = ground.today - timedelta(days=rng.randint(200, 25 * 365))
    return Party(
        ground.city,
        kind,
        _name(rng, kind, town, place),
        invented_uscc(PREFIXES[kind], ground.districts[place], serial),
        place,
        established,
        names.person_name(rng),
        names.address(rng, place),
        registration_number=f"{ground.districts[place]}9{serial % 10**8:08d}" if established.year < 2014 else "",
    )


def _name(rng: Random, kind: str, town: str, place: str) -> str:
    if kind == SHOP:
        return names.shop_name(rng, place)
    if kind == COOPERATIVE:
        return f"{place}{names.brand(rng)}农产品专业合作社"
    if kind == UNINCORPORATED:
        return f"{town}{names.brand(rng)}{rng.choice(FIRMS)}"
    return names.company_name(rng, town)


def _with_different_names(parties: Iterable[Party]) -> list[Party]:
    """Registered names differ within a place; persons may share one. Identity numbers differ, too."""
    seen: set[str] = set()
    found: list[Party] = []
    codes: set[str] = set()
    for party in parties:
        if party.code in codes:
            continue
        codes.add(party.code)
        name, turn = party.name, 2
        while not party.is_person and name in seen:
            name, turn = party.name.replace("示例", f"示例{_ordinal(turn)}", 1), turn + 1
        seen.add(name)
        found.append(party if name == party.name else replace(party, name=name))
    return found


def _ordinal(turn: int) -> str:
    digits = "零一二三四五六七八九"
    return "第" + "".join(digits[int(digit)] for digit in str(turn))


def _with_fates(rng: Random, parties: list[Party]) -> list[Party]:
    """Some organisations renamed, branches of a company of the same city, absorbed by one, or deregistered."""
    companies = {city: [p for p in parties if p.city == city and p.kind == COMPANY][:400] or None for city, _ in SHARES}
    return [party if party.is_person else _with_fate(rng, party, companies[party.city]) for party in parties]


def _with_fate(rng: Random, party: Party, companies: list[Party] | None) -> Party:
    draw = rng.random()
    other = rng.choice(companies) if companies else None
    day = party.established + timedelta(days=rng.randint(90, 190))
    if draw < 0.03 and party.kind != SHOP:
        return replace(party, former_names=(party.name.replace("示例", "示例原", 1),))
    if other is None or other.code == party.code:
        return party
    if draw < 0.05 and party.kind == UNINCORPORATED:
        return _branch(rng, party, other)
    if draw < 0.055 and party.kind == COMPANY:
        return replace(party, status="注销", relation=("吸收合并", other.code, day))
    if draw < 0.10 and party.kind == UNINCORPORATED:
        return _branch(rng, party, other)
    return replace(party, status="注销") if draw > 0.98 else party


def _branch(rng: Random, party: Party, parent: Party) -> Party:
    name = f"{parent.name}{party.place}第{rng.randint(1, 99):02d}分公司"
    return replace(party, name=name, relation=("分支机构", parent.code, party.established))


REGISTER_COLUMNS = (
    "名称", "统一社会信用代码", "类型", "法定代表人", "登记状态", "成立日期", "住所", "曾用名", "工商注册号",
    "承继关系", "关联主体代码", "关联日期",
)  # fmt: skip


def register_rows(parties: Iterable[Party]) -> list[tuple[str, ...]]:
    """The lines of the register file, under ``REGISTER_COLUMNS``."""
    return [_register_row(party) for party in parties]


def _register_row(party: Party) -> tuple[str, ...]:
    relation = party.relation or ("", "", None)
    day = relation[2].isoformat() if relation[2] else ""
    if party.is_person:
        return (party.name, party.code, party.kind, *("",) * 9)
    return (
        party.name, party.code, party.kind, party.representative, party.status, party.established.isoformat(),
        party.address, "；".join(party.former_names), party.registration_number, relation[0], relation[1], day,
    )  # fmt: skip
