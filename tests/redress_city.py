"""A small Suzhou with one firm, one penalty, and everybody who takes part in redress."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.small_city import BY, PENALTY, SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.models import Objection, ObjectionHead, Step
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request
from xinzheng.core.objections import MOVES, Act, Ground, Need

DOMAIN, KIND, POLICY = "water_affairs", PENALTY, "suzhou-2024"
FIRM, OTHER_FIRM = uscc(1), uscc(2)
NAME, OTHER_NAME = "苏州示例精密制造有限公司", "苏州另一示例化工有限公司"
DOCUMENT = "苏水罚〔2026〕1号"


@dataclass(frozen=True)
class RedressCity:
    """The city and who acts in it; ``record`` is the firm's one penalty, delivered by the first unit of the domain.

    ``accounts``: ``agent`` and ``other_agent`` (of either firm), ``office`` and ``second_office``, ``officer`` and
    ``chief`` of the unit that delivered the penalty, ``second_chief`` beside the chief, ``other_chief`` of another unit
    that answers for the same domain and kind, ``stranger`` of a unit that answers for neither.
    """

    city: SmallCity
    firm: int
    other_firm: int
    unit: int
    other_unit: int
    record: int
    version: int
    batch: int
    accounts: Mapping[str, Account] = field(default_factory=dict)

    def penalty(self, number: str = DOCUMENT, code: str = FIRM, **columns: str) -> dict[str, str]:
        """A sound row of a penalty, as the first unit of the domain delivers it."""
        unit = self.city.unit(DOMAIN)
        source = {"处罚机关统一社会信用代码": unit, "数据来源单位统一社会信用代码": unit}
        name = NAME if code == FIRM else OTHER_NAME
        return self.city.penalty(code, number, **(source | {"行政相对人名称": name} | columns))

    def add(self, *rows: dict[str, str]) -> list[int]:
        """Deliver rows through the ordinary intake; the records that are new by it, in order."""
        before = set(RecordHead.objects.values_list("record_id", flat=True))
        self.city.submit(list(rows), DOMAIN)
        return sorted(set(RecordHead.objects.values_list("record_id", flat=True)) - before)

    def report(self) -> str:
        """A report of the firm, issued now; its number."""
        return issue_report(Order(POLICY, self.firm, Request(), BY)).number


def build_redress_city(folder: Path) -> RedressCity:
    """Two firms, one penalty, two units that answer in the domain, an account for everybody; nothing objected to."""
    city = build_small_city(folder)
    city.declare_everything()
    firms = city.firm(FIRM, NAME), city.firm(OTHER_FIRM, OTHER_NAME)
    units = unit_id(city, DOMAIN), unit_id(city, DOMAIN, 1)
    made = RedressCity(city, *firms, *units, 0, 0, 0)
    batch = city.submit([made.penalty()], DOMAIN).batch
    head = RecordHead.objects.get(subject_id=made.firm)
    return RedressCity(city, *firms, *units, head.record_id, head.version_id, batch, _accounts(made))


def lodge_one(redress: RedressCity, ground: Ground = Ground.WRONG, who: str = "agent", **changes: object) -> Objection:
    """An objection of the firm to its penalty, or of whatever the changes say; lodged now."""
    new = NewObjection(redress.firm, POLICY, ground, redress.record, words="罚款金额写错了")
    if ground is Ground.MISSING:
        new = replace(new, record_id=None, domain=DOMAIN, kind=KIND, document_number="苏水罚〔2026〕9号")
    new = replace(new, **changes)
    return lodge(new, account=redress.accounts[who], key=uuid.uuid4())


def do(redress: RedressCity, number: str, act: Act, who: str, **changes: object) -> Step:
    """One act by an account of the city, who has just looked; with words, a reason and a file where it needs them."""
    seen = ObjectionHead.objects.get(objection__number=number).seq
    needs = {need for move in MOVES if move.act is act for need in move.needs}
    doing = Doing(number, seen, act, reason="经核对，说明如下", words="补充说明")
    if Need.EVIDENCE in needs:
        doing = replace(doing, files=[a_file()])
    if act is Act.HAND_OVER:
        doing = replace(doing, unit_id=redress.other_unit)
    return take_step(replace(doing, **changes), account=redress.accounts[who])


def a_file(words: str = "evidence") -> Found:
    """A file that was looked into already; it is a sound PDF."""
    return Found("application/pdf", small_pdf(words), "证据.pdf")


def unit_id(city: SmallCity, domain: str, rank: int = 0) -> int:
    """The registry's key of a unit that answers in the domain."""
    unit = unit_by_uscc(city.unit(domain, rank))
    assert unit is not None
    return unit.id


def _accounts(made: RedressCity) -> dict[str, Account]:
    chief = Role.RESPONSIBLE_OFFICER
    new = {
        "agent": NewAccount("redress-agent", "经办人", Role.SUBJECT_AGENT, subject_id=made.firm),
        "other_agent": NewAccount("redress-other-agent", "经办人", Role.SUBJECT_AGENT, subject_id=made.other_firm),
        "office": NewAccount("redress-office", "信用办", Role.OFFICE_OPERATOR),
        "second_office": NewAccount("redress-second-office", "信用办", Role.OFFICE_OPERATOR),
        "officer": NewAccount("redress-officer", "工作人员", Role.DEPARTMENT_OFFICER, unit_id=made.unit),
        "chief": NewAccount("redress-chief", "责任人", chief, unit_id=made.unit),
        "second_chief": NewAccount("redress-second-chief", "责任人", chief, unit_id=made.unit),
        "other_chief": NewAccount("redress-other-chief", "责任人", chief, unit_id=made.other_unit),
        "stranger": NewAccount("redress-stranger", "责任人", chief, unit_id=unit_id(made.city, "taxation")),
    }
    return {name: open_account(one, by=BY) for name, one in new.items()}


def small_pdf(words: str = "evidence") -> bytes:
    """A sound PDF of one page that says these ASCII words."""
    text = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode("ascii")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(made))
    return made + head + table + trailer
