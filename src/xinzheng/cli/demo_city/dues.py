"""Arrears (欠缴) and credit repairs (信用修复) of the demonstration city, in our own documented formats."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from xinzheng.cli.demo_city.chance import weighted
from xinzheng.cli.demo_city.organs import Organ
from xinzheng.cli.demo_city.parties import Party
from xinzheng.cli.demo_city.penalties import Penalty, Row, subject_cells

INSURANCES = ("企业职工基本养老保险", "职工基本医疗保险", "失业保险", "工伤保险")
# Many rows of real returns are settled: zero balances.
PAID_SHARES = ((1.0, 30.0), (0.0, 45.0), (0.5, 25.0))


@dataclass(frozen=True, slots=True)
class Due:
    """What one party owes one agency for some months, in yuan; without insurance it is housing fund."""

    party: Party
    agency: Organ
    insurance: str
    months: tuple[str, str]
    due: float
    paid: float
    as_of: date


def months_before(today: date, back: int, length: int) -> tuple[str, str]:
    """The first and last of ``length`` months, of which the last lies ``back`` months ago."""
    last = today.year * 12 + today.month - 1 - back
    first = last - length + 1
    return f"{first // 12}-{first % 12 + 1:02d}", f"{last // 12}-{last % 12 + 1:02d}"


def make_dues(
    rng: Random, parties: Sequence[Party], agency: Organ, insurances: Sequence[str], as_of: date
) -> list[Due]:
    """One due of each party."""
    dues = []
    for party in parties:
        amount = round(rng.uniform(800, 90_000), 2)
        paid = round(amount * weighted(rng, PAID_SHARES), 2)
        months = months_before(as_of, rng.randint(1, 6), rng.randint(1, 3))
        insurance = rng.choice(insurances) if insurances else ""
        dues.append(Due(party, agency, insurance, months, amount, paid, as_of))
    return dues


def due_row(due: Due) -> Row:
    """The row under the field identifiers of the arrears formats."""
    row = {
        **subject_cells(due.party),
        "organ_name": due.agency.name,
        "organ_code": due.agency.code,
        "period_from": due.months[0],
        "period_through": due.months[1],
        "due": f"{due.due:.2f}",
        "paid": f"{due.paid:.2f}",
        "owing": f"{due.due - due.paid:.2f}",
        "as_of_date": due.as_of.isoformat(),
        "source_name": due.agency.name,
        "source_code": due.agency.code,
    }
    return row | ({"insurance": due.insurance} if due.insurance else {})


def repairs_of(rng: Random, penalties: Iterable[Penalty], through: date) -> list[tuple[Penalty, date]]:
    """Some of the penalties that can be repaired, each with the day of its repair."""
    found = []
    for penalty in penalties:
        day = penalty.decided + timedelta(days=rng.randint(95, 420))
        if penalty.is_penalised and penalty.fine and day <= through and rng.random() < 0.12:
            found.append((penalty, day))
    return found


def repair_row(penalty: Penalty, repaired: date, office: Organ) -> Row:
    """The row under the field identifiers of the repair format."""
    return {
        **subject_cells(penalty.party),
        "repaired_document_number": penalty.number,
        "organ_name": penalty.organ.name,
        "organ_code": penalty.organ.code,
        "decision_date": penalty.decided.isoformat(),
        "repaired_date": repaired.isoformat(),
        "repair_organ_name": office.name,
        "category": penalty.category,
        "fine": f"{(penalty.fine or 0) / 10_000:.6f}",
        "source_name": office.name,
        "source_code": office.code,
    }
