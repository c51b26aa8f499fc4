"""Penalties (行政处罚) of the demonstration city: what was decided, and the row in which a department delivers it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from xinzheng.cli.demo_city.cases import DomainCases, Violation
from xinzheng.cli.demo_city.chance import weighted
from xinzheng.cli.demo_city.organs import Organ
from xinzheng.cli.demo_city.parties import PERSON, SHOP, Party

Row = dict[str, str]
OPEN_END = "2099/12/31"

PROCEDURES = (("普通程序", 66.0), ("一般程序", 6.0), ("简易程序", 15.0), ("听证程序", 4.0), ("", 9.0))
STANDINGS = (("", 25.0), ("有效", 66.0), ("复议诉讼中", 3.0), ("撤销", 3.0), ("变更", 2.0), ("确认违法或无效", 1.0))
NOT_PENALISED = ("不予行政处罚。", "违法事实不能成立。", "违法行为轻微并及时改正，没有造成危害后果，不予行政处罚。")


@dataclass(frozen=True, slots=True)
class Penalty:
    """One decision (决定) about a party; fine and confiscation in yuan."""

    party: Party
    domain: str
    organ: Organ
    number: str
    decided: date
    violation: str
    facts: str
    basis: str
    category: str
    content: str
    fine: float | None = None
    confiscation: float | None = None
    procedure: str = ""
    outcome: str = ""
    standing: str = ""
    standing_date: date | None = None
    served: date | None = None
    repaired: date | None = None
    sealed: bool = False

    @property
    def is_penalised(self) -> bool:
        """Whether something was imposed."""
        return self.content not in NOT_PENALISED


@dataclass(frozen=True, slots=True)
class Occasion:
    """Of whom, by whom, under which number and when a decision is made."""

    party: Party
    cases: DomainCases
    organ: Organ
    number: str
    decided: date


def plain_penalty(rng: Random, occasion: Occasion) -> Penalty:
    """A decision by ordinary procedure that stands and imposes what its violation asks for."""
    case = rng.choice(occasion.cases.theme.violations)
    fine, confiscation = _amount(rng, case.fine), _amount(rng, case.confiscation)
    return Penalty(
        party=occasion.party,
        domain=occasion.cases.domain,
        organ=occasion.organ,
        number=occasion.number,
        decided=occasion.decided,
        violation=case.violation,
        facts=_facts(rng, case, occasion),
        basis=case.basis,
        category=case.category,
        content=case.content.format(fine=_plain(fine)),
        fine=fine,
        confiscation=confiscation,
        procedure="普通程序",
        outcome="予以处罚",
        standing="有效",
        served=occasion.decided + timedelta(days=rng.randint(0, 6)),
    )


def _facts(rng: Random, case: Violation, occasion: Occasion) -> str:
    day = occasion.decided - timedelta(days=rng.randint(20, 120))
    count = rng.randint(2, 88)
    spoken = f"{day.year}年{day.month}月{day.day}日"
    return case.facts.format(name=occasion.party.name, day=spoken, place=occasion.party.place, count=count)


def _amount(rng: Random, bounds: tuple[float, float] | None) -> float | None:
    """Mostly round, near the lower bound; sometimes to the cent, which gives six decimals of 万元."""
    if bounds is None:
        return None
    low, high = bounds
    amount = low + (high - low) * rng.random() ** 3
    return round(amount, 2) if rng.random() < 0.2 else float(max(round(amount / 100) * 100, round(low)))


def varied(rng: Random, penalty: Penalty, today: date) -> Penalty:
    """The decision with procedure, outcome, standing and sealing as they fall."""
    standing = weighted(rng, STANDINGS)
    changed = replace(
        penalty,
        procedure=weighted(rng, PROCEDURES),
        outcome="" if rng.random() < 0.3 else penalty.outcome,
        served=penalty.served if rng.random() < 0.5 else None,
        standing=standing,
        standing_date=_between(rng, penalty.decided, today) if standing not in ("", "有效") else None,
        sealed=rng.random() < 0.005,
    )
    return not_penalised(rng, changed) if rng.random() < 0.05 else changed


def not_penalised(rng: Random, penalty: Penalty) -> Penalty:
    """The decision not to penalise (不予处罚), as it really arrives: inside the penalty feed, often unmarked."""
    outcome = rng.choice(("", "不予处罚"))
    content = rng.choice(NOT_PENALISED)
    return replace(penalty, category="其他", content=content, outcome=outcome, fine=None, confiscation=None)


def _between(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randint(0, max((last - first).days, 0)))


def row_of(penalty: Penalty, source: Organ) -> Row:
    """The penalty under the field identifiers of the penalty format; unknown is empty. ``source`` hands it in."""
    return {
        **_party_cells(penalty.party),
        "document_number": penalty.number,
        "violation": penalty.violation,
        "facts": penalty.facts,
        "basis": penalty.basis,
        "category": penalty.category,
        "content": penalty.content,
        "fine": _in_ten_thousands(penalty.fine),
        "confiscation": _in_ten_thousands(penalty.confiscation),
        "decision_date": penalty.decided.isoformat(),
        "validity_date": OPEN_END,
        "publication_end": _day(penalty.decided + timedelta(days=365)),
        "organ_name": penalty.organ.name,
        "organ_code": penalty.organ.code,
        "source_name": source.name,
        "source_code": source.code,
        "procedure": penalty.procedure,
        "outcome": penalty.outcome,
        "served_date": _day(penalty.served),
        "standing": penalty.standing,
        "standing_date": _day(penalty.standing_date),
        "repaired_date": _day(penalty.repaired),
        "sealed": "是" if penalty.sealed else "",
    }


def _party_cells(party: Party) -> Row:
    if party.is_person:
        return {
            "subject_name": party.name,
            "subject_class": "自然人",
            "identity_document": "身份证",
            "identity_number": party.code,
        }
    return {
        "subject_name": party.name,
        "subject_class": "个体工商户" if party.kind == SHOP else "法人及非法人组织",
        "subject_uscc": party.code,
        "registration_number": party.registration_number,
        "representative": party.representative,
    }


def subject_cells(party: Party) -> Row:
    """The party under the field identifiers of our own formats."""
    if party.kind == PERSON:
        return {"subject_name": party.name, "subject_class": "自然人", "identity_number": party.code}
    return {"subject_name": party.name, "subject_uscc": party.code}


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _plain(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.2f}".rstrip("0").rstrip(".")


def _in_ten_thousands(amount: float | None) -> str:
    return "" if amount is None else f"{amount / 10_000:.6f}".rstrip("0").rstrip(".")


class Numbering:
    """Document numbers (文号): one series for each organ, mark and year."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], int] = {}

    def next(self, organ: Organ, mark: str, decided: date) -> str:
        """The next number of the organ, e.g. 苏市监处罚〔2025〕1023号."""
        key = (organ.code + mark, decided.year)
        self._last[key] = self._last.get(key, 0) + 1
        return f"{organ.prefix}{mark}〔{decided.year}〕{self._last[key]:04d}号"


def delivered(penalties: Sequence[Penalty], through: date) -> list[Penalty]:
    """Those that a unit whose data ends on a day has delivered."""
    return [penalty for penalty in penalties if penalty.decided <= through]
