"""A small city in which everybody has something that is nobody else's, told by a mark in its words."""

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.permissions.addresses import CALLERS, NOBODY
from tests.redress_city import a_file
from tests.small_city import PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.key_actions import create_key, revoke_key
from xinzheng.apps.accounts.mandates import NewRequest
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.codes.batch_files import CheckLine
from xinzheng.apps.codes.batch_work import work_on
from xinzheng.apps.codes.batches import HandedIn, queue_check
from xinzheng.apps.codes.looking import Ticket, Visitor, open_view
from xinzheng.apps.codes.models import Receiver, View
from xinzheng.apps.codes.notices import REPORT_ENDED
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.sharing import Terms, share
from xinzheng.apps.codes.subscribing import subscribe
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.ledger.actions import BatchResult, Delivery, Scope
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.ledger.uploads import queue_upload
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import NewObjection, lodge
from xinzheng.apps.redress.models import Evidence
from xinzheng.apps.redress.repairs import prepare
from xinzheng.apps.registry.letters import ask_with_letter, read_letter
from xinzheng.apps.registry.persons import register_person
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.applications import Applying, submit_application
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import typed_code
from xinzheng.core.objections import Act, Ground

OURS, THEIRS = "甲方印记精密制造有限公司", "乙方印记化工有限公司"
OUR_ROWS, THEIR_ROWS = "水务印记清洗有限公司", "税务印记货运有限公司"
PERSON_NUMBER, PERSON = "330502199001010014", "无名氏印记"
MARKS = (OURS, THEIRS, OUR_ROWS, THEIR_ROWS, PERSON, PERSON_NUMBER)
# The office and the auditor may read any report; what units deliver the office and who answers for it. A unit is told
# whose objection lies with it.
MAY_SEE: Mapping[str, tuple[str, ...]] = {
    "agent": (OURS,),
    "other_agent": (THEIRS,),
    "person": (PERSON, PERSON_NUMBER),
    "officer": (OUR_ROWS, OURS),
    "chief": (OUR_ROWS, OURS),
    "other_officer": (THEIR_ROWS, THEIRS),
    "office": (OURS, THEIRS, OUR_ROWS, THEIR_ROWS),
    "auditor": (OURS, THEIRS),
}


@dataclass(frozen=True)
class World:
    """The city, an account of each caller, and things by name: of our own side and of the other."""

    city: SmallCity
    accounts: Mapping[str, Account]
    ours: Mapping[str, str]
    theirs: Mapping[str, str]
    keys: Mapping[str, str]

    def client(self, caller: str) -> Client:
        """A browser in which this caller is signed in; nobody's is fresh."""
        anybody = Client(raise_request_exception=False)
        return anybody if caller == NOBODY else enter(anybody, self.accounts[caller])


def enter(client: Client, account: Account) -> Client:
    """The browser after this account has just proved by password who it is."""
    client.force_login(account)
    request = RequestFactory().get("/")
    request.session = client.session
    record_authentication(request, account, method="password")
    request.session.save()
    return client


def build_world(folder: Path) -> World:
    """Two companies, two units and all roles; a report, an application, a batch and an upload on either side."""
    city = build_small_city(folder)
    city.declare_everything()
    firms = (city.firm(uscc(1), OURS), city.firm(uscc(2), THEIRS))
    accounts = _accounts(city, firms)
    ours = _things(city, accounts["agent"], ("water_affairs", OUR_ROWS, 30))
    theirs = _things(city, accounts["other_agent"], ("taxation", THEIR_ROWS, 40))
    accounts["receiver"], ours["check"] = _checked("receiver", accounts["receiver"], 50, ours["report"])
    stranger, theirs["check"] = _checked("other receiver", accounts["other_receiver"], 51, theirs["report"])
    accounts["other_receiver"] = stranger
    ours |= _watched(accounts["receiver"], accounts["agent"], ours["report"])
    theirs |= _watched(stranger, accounts["other_agent"], theirs["report"])
    ours["webhook"], theirs["webhook"] = _webhook(accounts["receiver"]), _webhook(stranger)
    ours |= _objection(city, accounts, "agent", "water_affairs")
    theirs |= _objection(city, accounts, "other_agent", "taxation")
    ours |= _repair(city, accounts["agent"], OURS)
    theirs |= _repair(city, accounts["other_agent"], THEIRS)
    keys = _keys(accounts)
    shared = {"key": keys.pop("number")}
    return World(city, accounts, ours | shared, theirs | shared, keys)


def _accounts(city: SmallCity, firms: tuple[int, int]) -> dict[str, Account]:
    water, tax = (_unit(city, domain) for domain in ("water_affairs", "taxation"))
    person = register_person(PERSON_NUMBER, PERSON, by="test")
    made = {
        "agent": NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=firms[0]),
        "other_agent": NewAccount("other-agent", "经办人", Role.SUBJECT_AGENT, subject_id=firms[1]),
        "person": NewAccount("person", "自然人", Role.SUBJECT_AGENT, person_id=person),
        "receiver": NewAccount("receiver", "核验单位", Role.RECEIVER),
        "other_receiver": NewAccount("other-receiver", "核验单位", Role.RECEIVER),
        "officer": NewAccount("officer", "工作人员", Role.DEPARTMENT_OFFICER, unit_id=water),
        "chief": NewAccount("chief", "责任人", Role.RESPONSIBLE_OFFICER, unit_id=water),
        "other_officer": NewAccount("other-officer", "工作人员", Role.DEPARTMENT_OFFICER, unit_id=tax),
        "office": NewAccount("office", "信用办", Role.OFFICE_OPERATOR),
        "justice": NewAccount("justice", "司法局", Role.JUSTICE_LEAD),
        "data": NewAccount("data", "大数据局", Role.DATA_LEAD),
        "security": NewAccount("security", "安全管理员", Role.SECURITY_ADMINISTRATOR),
        "auditor": NewAccount("auditor", "审计员", Role.AUDITOR),
        "administrator": NewAccount("administrator", "系统管理员", Role.SYSTEM_ADMINISTRATOR),
        "closed": NewAccount("closed", "停用", Role.SUBJECT_AGENT, subject_id=firms[0]),
    }
    assert {*made, NOBODY} == set(CALLERS)
    accounts = {caller: open_account(new, by="test") for caller, new in made.items()}
    close_account(accounts["closed"], by="test")
    return accounts


def _things(city: SmallCity, agent: Account, rows: tuple[str, str, int]) -> dict[str, str]:
    assert agent.subject_id is not None
    domain, name, serial = rows
    asked = Applying(agent, agent.subject_id, "suzhou-2024", Request())
    delivered = _batch(city, domain, name, serial)
    number = issue_report(Order("suzhou-2024", agent.subject_id, Request(), "test")).number
    assert agent.subject_id is not None
    request = _request(agent.subject_id, serial)
    terms = Terms("listing", timezone.now() + timedelta(days=1), 10)
    return {
        "report": number,
        "account": str(agent.pk),
        "request": str(request),
        "mandate": str(Mandate.objects.get(account=agent).pk),
        "share": str(share(agent, number, terms, by="test").pk),
        "application": str(submit_application(asked, uuid.uuid4()).pk),
        "batch": str(delivered.batch),
        "upload": str(_upload(city, domain, name, serial)),
    }


def _objection(city: SmallCity, accounts: Mapping[str, Account], agent: str, domain: str) -> dict[str, str]:
    """An objection with a file, because a record is missing; it lies with the unit of the domain."""
    account = accounts[agent]
    assert account.subject_id is not None
    name = OURS if agent == "agent" else THEIRS
    new = NewObjection(
        account.subject_id, "suzhou-2024", Ground.MISSING, domain=domain, kind=PENALTY,
        document_number="示罚〔2026〕99号", words=f"{name}的记录有遗漏", files=[a_file()],
    )  # fmt: skip
    made = lodge(new, account=account, key=uuid.uuid4())
    take_step(Doing(made.number, 1, Act.ACCEPT, unit_id=_unit(city, domain)), account=accounts["office"])
    return {"objection": made.number, "evidence": str(Evidence.objects.get(step__objection=made).pk)}


def _repair(city: SmallCity, agent: Account, name: str) -> dict[str, str]:
    """A penalty of the company, delivered by a unit for which nobody here works, and what its repair takes."""
    unit = city.unit("commerce")
    source = {"处罚机关统一社会信用代码": unit, "数据来源单位统一社会信用代码": unit}
    code = uscc(1 if name == OURS else 2)
    row = city.penalty(code, f"示商罚〔2026〕{code[-4:]}号", 行政相对人名称=name, 违法行为类型=name, **source)
    city.submit([row], "commerce")
    record = RecordHead.objects.get(subject_id=agent.subject_id).pk
    return {"record": str(record), "repair": prepare(record, account=agent).number}


def _checked(name: str, account: Account, serial: int, number: str) -> tuple[Account, str]:
    """The account working for a body that is verified now, and a file that it had verified."""
    register(account, Registration(uscc(serial), f"示例单位 {name}", "bank"))
    receiver = Receiver.objects.get(uscc=uscc(serial))
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by="test")
    account.refresh_from_db()
    code = typed_code(bytes(Report.objects.get(pk=number).secret))
    handed = HandedIn(uuid.uuid4(), "清单.csv", [CheckLine(2, number, code), CheckLine(3, fault="示例")])
    made = queue_check(handed, receiver, account=account)
    work_on(made.pk)
    return account, str(made.pk)


def _watched(receiver: Account, agent: Account, number: str) -> dict[str, str]:
    """A report the receiver was shown, and asked to be told of."""
    terms = Terms("listing", timezone.now() + timedelta(days=1), 10, may_subscribe=True)
    made = share(agent, number, terms, by="test")
    look = open_view(Ticket(made.pk, View.Way.SCAN, uuid.uuid4()), Visitor("", "listing", receiver))
    return {"look": str(look.pk), "subscription": str(subscribe(receiver, look.pk).pk)}


def _webhook(account: Account) -> str:
    """A webhook of the body an account works for; at a number, so that no name server is asked."""
    owner = Owner(receiver_id=account.receiver_id)
    return str(register_webhook(owner, "https://223.5.5.5/hook", [REPORT_ENDED], by="test").webhook.pk)


def _request(subject_id: int, serial: int) -> int:
    clerk = open_account(NewAccount(f"clerk-{serial}", "经办人", Role.SUBJECT_AGENT), by="test")
    letter = read_letter(b"%PDF-1.7 " + (OURS if serial == 30 else THEIRS).encode())
    return ask_with_letter(NewRequest(subject_id, ("read",), today()), letter, account=clerk).pk


def _rows(city: SmallCity, domain: str, name: str, serial: int) -> list[dict[str, str]]:
    unit = city.unit(domain)
    source = {"处罚机关统一社会信用代码": unit, "数据来源单位统一社会信用代码": unit}
    sound = city.penalty(uscc(serial), f"示罚〔2026〕{serial}号", 行政相对人名称=name, **source)
    return [sound, sound | {"行政处罚决定书文号": "", "违法事实": name}]


def _batch(city: SmallCity, domain: str, name: str, serial: int) -> BatchResult:
    return city.submit(_rows(city, domain, name, serial), domain, (today(), today()))


def _upload(city: SmallCity, domain: str, name: str, serial: int) -> int:
    delivery = city.delivery(_rows(city, domain, name, serial + 1), domain)
    by = "account:0"
    return queue_upload(Delivery(delivery.file, Scope(city.unit(domain), domain, PENALTY)), by=by).pk


def _keys(accounts: Mapping[str, Account]) -> dict[str, str]:
    def made(caller: str, **of: bool) -> tuple[int, str]:
        unit_id = accounts[caller].unit_id
        assert unit_id is not None
        key = create_key(unit_id=unit_id, name=f"{caller} {of}", by="test", **of)
        return key.key.pk, key.secret

    number, ours = made("officer")
    revoked, secret = made("chief")
    revoke_key(key_id=revoked, by="test")
    return {
        "number": str(number),
        "unit-key": ours,
        "responsible-key": made("officer", is_responsible=True)[1],
        "other-unit-key": made("other_officer")[1],
        "revoked-key": secret,
        "invented-key": "xz_" + "A" * 43,
    }


def _unit(city: SmallCity, domain: str) -> int:
    unit = unit_by_uscc(city.unit(domain))
    assert unit is not None
    return unit.id


def body_of(response: object) -> bytes:
    """Everything an answer says: its headers and its body, streamed or not."""
    told = io.BytesIO()
    told.write("\n".join(f"{name}: {value}" for name, value in response.headers.items()).encode())  # type: ignore[attr-defined]
    content = response.streaming_content if getattr(response, "streaming", False) else [response.content]  # type: ignore[attr-defined]
    for part in content:
        told.write(part)
    return told.getvalue()
