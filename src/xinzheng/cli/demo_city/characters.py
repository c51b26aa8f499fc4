"""The known characters (演示主体): the same under every seed, each showing what a report can say.

Their dates are counted from today, so that a city made on any day tells the same story.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from xinzheng.adapters.deployment_files import Deployment
from xinzheng.cli.demo_city.cases import DomainCases, domain_cases
from xinzheng.cli.demo_city.chance import stream
from xinzheng.cli.demo_city.codes import invented_identity_number, invented_uscc
from xinzheng.cli.demo_city.dues import Due, months_before
from xinzheng.cli.demo_city.organs import CITY_PREFIX, Organ, organ_elsewhere
from xinzheng.cli.demo_city.parties import COMPANY, PERSON, UNINCORPORATED, Party
from xinzheng.cli.demo_city.penalties import Occasion, Penalty, not_penalised, plain_penalty

# From this day on a repaired penalty of Suzhou is listed apart; the character was repaired before.
REPAIRED_BEFORE = date(2026, 3, 10)
FOUNDED = date(2012, 5, 8)


@dataclass(frozen=True)
class Characters:
    """The parties by role, their penalties and arrears, and which penalties are repaired, sent back or other documents.

    ``sent_back`` are delivered once with a decision date that does not exist, and never corrected.
    ``determinations`` are effective documents that impose no penalty, such as a tax treatment decision.
    """

    parties: Mapping[str, Party]
    penalties: tuple[Penalty, ...]
    sent_back: tuple[Penalty, ...]
    determinations: tuple[Penalty, ...]
    repairs: tuple[tuple[Penalty, date], ...]
    dues: tuple[Due, ...]


@dataclass(frozen=True)
class _Stage:
    """What scenes are made from."""

    today: date
    deployments: Mapping[str, Deployment]
    rng: Random

    def organ(self, city: str, short_name: str) -> Organ:
        """A unit of the city's deployment as a deciding organ."""
        unit = next(unit for unit in self.deployments[city].units if unit.short_name == short_name)
        return Organ(unit.name, unit.uscc, CITY_PREFIX[city])

    def penalty(self, party: Party, domain: str, organ: Organ, days_ago: int) -> Penalty:
        """A decision that counts, made so many days ago."""
        cases = _cases(party, domain)
        decided = self.today - timedelta(days=days_ago)
        number = f"{organ.prefix}{cases.theme.mark}〔{decided.year}〕示{days_ago:04d}号"
        return plain_penalty(self.rng, Occasion(party, cases, organ, number, decided))


def _cases(party: Party, domain: str) -> DomainCases:
    return domain_cases("huzhou_persons" if party.is_person else party.city)[domain]


def known_parties(today: date) -> dict[str, Party]:
    """The characters by role."""
    park, district = "320594", "330503"
    group = "苏州工业园区示例新材料科技（集团）有限责任公司"
    records = _company("suzhou", group, invented_uscc("91", park, 2), "苏州工业园区")
    return {
        "clear": _company("suzhou", "苏州示例清源精密机械有限公司", invented_uscc("91", "320506", 1), "吴中区"),
        "records": replace(records, former_names=("苏州工业园区示例旧材料有限公司",)),
        "pending": _company("suzhou", "昆山示例行远物流有限公司", invented_uscc("91", "320583", 3), "昆山市"),
        "branch": replace(
            _company("suzhou", f"{records.name}吴江分公司", invented_uscc("91", "320509", 4), "吴江区"),
            kind=UNINCORPORATED,
            relation=("分支机构", records.code, FOUNDED),
        ),
        "absorbed": replace(
            _company("suzhou", "苏州示例并入涂料有限公司", invented_uscc("91", park, 5), "苏州工业园区"),
            status="注销",
            relation=("吸收合并", records.code, today - timedelta(days=300)),
        ),
        "huzhou": _company("huzhou", "湖州示例南浔智能装备有限公司", invented_uscc("91", district, 6), "南浔区"),
        "person": Party(
            "huzhou", PERSON, "示例航", invented_identity_number(date(1990, 2, 28), 7), "吴兴区", today, status=""
        ),
    }


def known_codes() -> dict[str, str]:
    """The characters' codes by role: the same on every day."""
    return {role: party.code for role, party in known_parties(date.max).items()}


def _company(city: str, name: str, code: str, place: str) -> Party:
    return Party(city, COMPANY, name, code, place, FOUNDED, "示例乙", f"{place}示例路88号")


def make_characters(today: date, deployments: Mapping[str, Deployment]) -> Characters:
    """Everything about the known characters."""
    stage = _Stage(today, deployments, stream(0, "characters"))
    parties = known_parties(today)
    counted = _suzhou_counted(stage, parties["records"])
    repaired = _repaired(stage, parties["records"])
    huzhou = _huzhou_company(stage, parties["huzhou"])
    pending = stage.penalty(parties["pending"], "transport", stage.organ("suzhou", "市交通局"), 200)
    excluded, person = _suzhou_excluded(stage, parties), _person(stage, parties["person"])
    dues, treatment = tuple(_dues(stage, parties["records"])), _tax_treatment(stage, parties["huzhou"])
    return Characters(
        parties,
        (*counted, *excluded, repaired[0], *huzhou, *person, *_objected_to(stage, parties["records"])),
        (pending,),
        (treatment,),
        (repaired,),
        dues,
    )


def _suzhou_counted(stage: _Stage, party: Party) -> list[Penalty]:
    """Counted: plain, procedure unknown, under review, changed, decided under the former name."""
    park = replace(stage.organ("suzhou", "苏州工业园区生态环境局"), prefix="苏园")
    tax = stage.penalty(party, "taxation", stage.organ("suzhou", "市税务局"), 66)
    water = stage.penalty(party, "water_affairs", stage.organ("suzhou", "市水务局"), 410)
    under_old_name = replace(party, name=party.former_names[0])
    return [
        stage.penalty(party, "ecology_environment", stage.organ("suzhou", "市生态环境局"), 519),
        replace(stage.penalty(party, "ecology_environment", park, 640), procedure="", served=None),
        replace(tax, standing="复议诉讼中", standing_date=stage.today - timedelta(days=18)),
        replace(water, standing="变更", standing_date=stage.today - timedelta(days=300), procedure="听证程序"),
        stage.penalty(under_old_name, "work_safety", stage.organ("suzhou", "市应急局"), 900),
    ]


def _objected_to(stage: _Stage, party: Party) -> list[Penalty]:
    """Two that count and are objected to (see redress.py): one is being looked into, one comes in wrong."""
    water = stage.organ("suzhou", "市水务局")
    wrong = replace(
        stage.penalty(party, "water_affairs", water, 96), category="罚款", content="罚款5000元", fine=50_000.0
    )
    return [stage.penalty(party, "water_affairs", water, 131), wrong]


def _suzhou_excluded(stage: _Stage, parties: Mapping[str, Party]) -> list[Penalty]:
    """Not counted: summary, not penalised, withdrawn, elsewhere, sealed, too old, a branch's, an absorbed firm's."""
    party = parties["records"]
    market, fire = stage.organ("suzhou", "市市场监管局"), stage.organ("suzhou", "市消防救援支队")
    city, safety = stage.organ("suzhou", "市城管局"), stage.organ("suzhou", "市应急局")
    elsewhere = organ_elsewhere(stage.rng, _cases(party, "transport"))
    withdrawn = stage.penalty(party, "urban_management", city, 480)
    not_sanctioned = not_penalised(stage.rng, stage.penalty(party, "fire_safety", fire, 350))
    return [
        replace(stage.penalty(party, "market_regulation", market, 250), procedure="简易程序"),
        replace(not_sanctioned, outcome=""),
        replace(withdrawn, standing="撤销", standing_date=stage.today - timedelta(days=200)),
        stage.penalty(party, "transport", elsewhere, 420),
        replace(stage.penalty(party, "work_safety", safety, 310), sealed=True),
        stage.penalty(party, "market_regulation", market, 4 * 365),
        stage.penalty(parties["branch"], "health", stage.organ("suzhou", "市卫生健康委"), 150),
        stage.penalty(parties["absorbed"], "landscaping", stage.organ("suzhou", "市园林绿化局"), 700),
    ]


def _repaired(stage: _Stage, party: Party) -> tuple[Penalty, date]:
    """Repaired before the day from which a repaired penalty is listed apart."""
    day = min(REPAIRED_BEFORE, stage.today - timedelta(days=60))
    days_ago = (stage.today - day).days + 240
    return stage.penalty(party, "market_regulation", stage.organ("suzhou", "市市场监管局"), days_ago), day


def _huzhou_company(stage: _Stage, party: Party) -> list[Penalty]:
    """Counted; excluded as repaired and as not penalised; unresolved, because the outcome is not told."""
    market, construction = stage.organ("huzhou", "市市场监管局"), stage.organ("huzhou", "市建设局")
    safety, city = stage.organ("huzhou", "市应急管理局"), stage.organ("huzhou", "市综合执法局")
    repaired = stage.penalty(party, "construction", construction, 800)
    untold = stage.penalty(party, "comprehensive_enforcement", city, 130)
    return [
        stage.penalty(party, "market_regulation", market, 222),
        replace(repaired, repaired=stage.today - timedelta(days=410)),
        not_penalised(stage.rng, stage.penalty(party, "emergency_management", safety, 95)),
        replace(untold, category="其他", content="责令限期改正", outcome="", fine=None),
    ]


def _person(stage: _Stage, party: Party) -> list[Penalty]:
    """Repaired, so that it does not count; and one of public security, which nobody may be told of."""
    transport = stage.penalty(party, "transport", stage.organ("huzhou", "市交通运输局"), 560)
    return [
        replace(transport, repaired=stage.today - timedelta(days=150)),
        stage.penalty(party, "public_security", stage.organ("huzhou", "市公安局"), 240),
    ]


def _tax_treatment(stage: _Stage, party: Party) -> Penalty:
    tax = stage.penalty(party, "taxation", stage.organ("huzhou", "市税务局"), 460)
    content = "追缴少缴的增值税36,804.20元，自滞纳之日起按日加收滞纳金。"
    return replace(tax, number=tax.number.replace("稽罚", "稽处"), content=content, fine=None)


def _dues(stage: _Stage, party: Party) -> list[Due]:
    """Two owing, one settled."""
    tax, medical = stage.organ("suzhou", "市税务局"), stage.organ("suzhou", "市医保局")
    labour = stage.organ("suzhou", "市人社局")
    as_of = stage.today - timedelta(days=3)
    two, one = months_before(stage.today, 2, 2), months_before(stage.today, 1, 1)
    return [
        Due(party, tax, "企业职工基本养老保险", two, 128_640.0, 64_320.0, as_of),
        Due(party, medical, "职工基本医疗保险", one, 36_015.2, 0.0, as_of),
        Due(party, labour, "工伤保险", one, 4_120.0, 4_120.0, as_of),
    ]
