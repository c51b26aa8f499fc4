"""Receivers' pages: registering tells nothing of others, the office decides, a receiver reads what concerns it."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.module_database import module_database
from tests.small_city import build_small_city, uscc
from tests.web.conftest import client_of, issue
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.looking import Ticket, Visitor, open_view
from xinzheng.apps.codes.models import Receiver, ShareCode, ShownCode, Subscription, View
from xinzheng.apps.codes.notices import Addressee, sweep_ended, tell
from xinzheng.apps.codes.receiver_claims import claims_on
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, receiver_of, register, state_of
from xinzheng.apps.codes.sharing import Terms, share, show, take_back
from xinzheng.apps.codes.subscribing import subscribe
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.lifecycle import ReportStatus

BANK, BROKER = "示例银行苏州分行", "示例证券有限公司"
FULL_NAME, MASKED = "苏州示例精密制造有限公司", "苏州＊"


db = module_database


@pytest.fixture(scope="module")
def agent(db: None, tmp_path_factory: pytest.TempPathFactory) -> Account:
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    return opened("agent", Role.SUBJECT_AGENT, subject_id=city.firm(uscc(1), FULL_NAME))


@pytest.fixture(scope="module")
def report(agent: Account) -> Report:
    return issue(agent)


@pytest.fixture(scope="module")
def bank(agent: Account) -> Account:
    return verified("clerk", Registration(uscc(70), BANK, "bank"))


@pytest.fixture(autouse=True)
def undone(report: Report, bank: Account) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def opened(username: str, role: Role, **of: Any) -> Account:
    return open_account(NewAccount(username, f"柜员{username}", role, **of), by="test")


def verified(username: str, asked: Registration) -> Account:
    account = opened(username, Role.RECEIVER)
    register(account, asked)
    decide(Receiver.objects.get(uscc=asked.uscc).pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by="test")
    return Account.objects.get(pk=account.pk)


def suspend(account: Account) -> None:
    assert account.receiver_id is not None
    decide(account.receiver_id, Decision(State.SUSPENDED, "账户出借"), by="test")


def shared(agent: Account, report: Report, **changes: Any) -> ShareCode:
    terms = {"purpose": "financing", "expires_at": timezone.now() + timedelta(hours=1), "views": 3} | changes
    return share(agent, report.number, Terms(**terms), by=agent.actor)


def look(made: ShareCode, account: Account) -> View:
    return open_view(Ticket(made.pk, View.Way.SCAN, uuid.uuid4()), Visitor("", "financing", account))


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


def plain(html: str) -> str:
    """A page without what differs by chance."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", html)


ASKED = {"uscc": uscc(71), "name": BROKER, "kind": "broker"}


def test_registering_is_answered_alike_whether_the_body_was_registered_before(bank: Account) -> None:
    told = []
    for username, code in (("one", uscc(72)), ("two", uscc(70))):
        account = opened(username, Role.RECEIVER)
        client = client_of(account)
        with CaptureQueriesContext(connection) as asked:
            sent = client.post("/receiver/register", ASKED | {"uscc": code}, follow=True)
        again = client.get("/receiver")
        shown = [response.content.decode().replace(account.display_name, "") for response in (sent, again)]
        told.append([len(asked), sent.status_code, sent.redirect_chain, *map(plain, shown)])
        assert "等待信用办核实" in shown[0]
        assert receiver_of(Account.objects.get(pk=account.pk)) is None
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uscc": uscc(71)[:-1] + "A"}, "校验不通过"),
        ({"uscc": "\0"}, "应为18位"),
        ({"name": ""}, "请填写单位全称"),
        ({"name": "张三110101199003070011"}, "只填单位名称"),
        ({"kind": "x"}, "请从列出的类别中选一项"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_kept(changes: dict[str, str], message: str) -> None:
    client = client_of(opened("new", Role.RECEIVER))
    sent = client.post("/receiver/register", ASKED | changes)
    assert (sent.status_code, message in sent.content.decode()) == (422, True)
    assert "110101199003070011" not in str(sent.headers)
    assert Receiver.objects.count() == 1


def test_the_office_verifies_and_says_whose_accounts_are_whose() -> None:
    office = client_of(opened("office", Role.OFFICE_OPERATOR))
    one, two = opened("one", Role.RECEIVER), opened("two", Role.RECEIVER)
    register(one, Registration(**ASKED))
    register(two, Registration(**ASKED | {"name": "另写的名称"}))
    broker = Receiver.objects.get(uscc=uscc(71))
    waiting = page(office, "/office/receivers")
    assert "1个单位等待处理" in waiting
    assert "填写的名称是“另写的名称”" in waiting
    decided = {"state": "verified", "reason": "", "accounts": [str(one.pk)]}
    assert office.post(f"/office/receivers/{broker.pk}/decide", decided).status_code == 302
    assert state_of(broker) == State.VERIFIED
    assert receiver_of(Account.objects.get(pk=one.pk)) == broker
    assert [claim.account for claim in claims_on(broker.pk)] == [two]
    answer = f"/office/receivers/{broker.pk}/accounts/{two.pk}"
    assert office.post(answer, {"answer": "decline"}).status_code == 302
    assert receiver_of(Account.objects.get(pk=two.pk)) is None
    assert "没有确认本账户属于所填的单位" in page(client_of(two), "/receiver")
    assert "没有等待处理的单位" in page(office, "/office/receivers")


def test_the_offices_page_asks_the_same_however_many_receivers_there_are() -> None:
    office = client_of(opened("office", Role.OFFICE_OPERATOR))
    counts = []
    for serial in (80, 81, 82):
        verified(f"of-{serial}", Registration(uscc(serial), f"示例单位{serial}", "other"))
        with CaptureQueriesContext(connection) as asked:
            listed = page(office, "/office/receivers")
        counts.append(len(asked))
        assert f"示例单位{serial}" in listed
    assert counts == [counts[0]] * 3
    assert counts[0] <= 10
    found = page(office, "/office/receivers?q=单位81")
    assert ("示例单位81" in found, "示例单位82" in found) == (True, False)
    assert "没有找到" in page(office, "/office/receivers?q=%00无")


def test_suspending_needs_a_reason_that_the_receiver_reads(bank: Account) -> None:
    office = client_of(opened("office", Role.OFFICE_OPERATOR))
    address = f"/office/receivers/{bank.receiver_id}/decide"
    refused = office.post(address, {"state": "suspended", "reason": " "})
    assert (refused.status_code, "须写明理由" in refused.content.decode()) == (422, True)
    assert office.post(address, {"state": "pending"}).status_code == 422
    assert office.post(address, {"state": "suspended", "reason": "账户出借"}).status_code == 302
    own = text(page(client_of(bank), "/receiver"))
    assert "已停用" in own
    assert "账户出借" in own


def test_a_receiver_that_was_renamed_is_called_so_from_now_on(agent: Account, report: Report, bank: Account) -> None:
    look(shared(agent, report), bank)
    office, address = client_of(opened("office", Role.OFFICE_OPERATOR)), f"/office/receivers/{bank.receiver_id}/name"
    before = Receiver.objects.get(pk=bank.receiver_id).name
    assert "名称没有变化" in office.post(address, {"name": before}, follow=True).content.decode()
    assert "已更正名称" in office.post(address, {"name": "示例银行甲分行"}, follow=True).content.decode()
    assert "示例银行甲分行" in page(client_of(bank), "/receiver")
    assert before in page(client_of(agent), f"/reports/{report.number}")


def test_a_receiver_reads_its_own_looks_and_the_content_only_while_it_is_open(
    agent: Account, report: Report, bank: Account
) -> None:
    other = verified("other", Registration(**ASKED))
    made = shared(agent, report)
    view = look(made, bank)
    client, content = client_of(bank), f"/s/views/{view.pk}"
    own = page(client, "/receiver")
    assert report.number in own
    assert MASKED in own
    assert FULL_NAME not in own
    assert content in own
    assert FULL_NAME in page(client, content)
    assert report.number not in page(client_of(other), "/receiver")
    take_back(made.pk, by="test")
    assert content not in page(client, "/receiver")
    assert client.get(content).status_code == 410


def test_what_a_verified_body_was_shown_is_not_for_whoever_comes_to_the_browser_later(
    agent: Account, report: Report, bank: Account
) -> None:
    made = shared(agent, report, receiver_id=bank.receiver_id)
    code, client = show(made.pk, ShownCode.Form.PAPER, by="test").secret, client_of(bank)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page(client, f"/s/{code}"))
    assert ticket
    address = client.post("/s", {"ticket": ticket[1], "purpose": "financing"}).headers["Location"]
    assert FULL_NAME in page(client, address)
    assert client.get(f"{address}/open").status_code == 204
    close_account(Account.objects.get(pk=bank.pk), by="test")
    assert client.get(f"{address}/open").headers["HX-Refresh"] == "true"
    left = client.get(address)
    assert (left.status_code, left.headers["Location"]) == (302, f"/sign-in?next={quote(address, safe='')}")
    client.force_login(verified("other", Registration(**ASKED)))
    assert client.get(address).status_code == 404


def test_a_suspended_receiver_is_refused_at_the_code_and_at_what_was_open(
    agent: Account, report: Report, bank: Account
) -> None:
    made = shared(agent, report, receiver_id=bank.receiver_id)
    code, view = show(made.pk, ShownCode.Form.PAPER, by="test").secret, look(made, bank)
    suspend(bank)
    client = client_of(bank)
    scanned = page(client, f"/s/{code}")
    assert "本单位的核验资格已停用" in scanned
    assert "查看报告</button>" not in scanned
    ticket = re.search(r'name="ticket" value="([^"]+)"', scanned)
    assert ticket
    sent = client.post("/s", {"ticket": ticket[1], "purpose": "financing", "body_name": BANK})
    assert (sent.status_code, "核验资格已停用" in sent.content.decode()) == (422, True)
    over = client.get(f"/s/views/{view.pk}")
    assert (over.status_code, "核验资格已停用" in over.content.decode()) == (410, True)
    assert f"/s/views/{view.pk}" not in page(client, "/receiver")


def test_a_code_for_one_receiver_tells_a_stranger_to_sign_in(agent: Account, report: Report, bank: Account) -> None:
    made = shared(agent, report, receiver_id=bank.receiver_id)
    scanned = page(Client(), f"/s/{show(made.pk, ShownCode.Form.PAPER, by='test').secret}")
    assert f"主体只许已核实的“{BANK}”用单位账户查看" in scanned
    assert 'name="body_name"' not in scanned


FORM = {"purpose": "financing", "hours": "1", "views": "3"}


@pytest.mark.parametrize("named", [BANK, uscc(70).lower(), " 示例银行 苏州分行"])
def test_a_subject_picks_a_verified_receiver_by_name_or_code(
    agent: Account, report: Report, bank: Account, named: str
) -> None:
    sent = client_of(agent).post(
        f"/reports/{report.number}/share", FORM | {"receiver_name": named, "is_bound": "1", "may_subscribe": "1"}
    )
    assert sent.status_code == 302, text(sent.content.decode())
    made = ShareCode.objects.get()
    assert (made.receiver_id, made.receiver_name, made.may_subscribe) == (bank.receiver_id, BANK, True)
    shown = text(page(client_of(agent), f"/shares/{made.pk}"))
    assert "须用该单位的账户查看" in shown
    assert "还没有单位订阅" in shown


def test_who_is_not_verified_is_not_found_whatever_the_reason(agent: Account, report: Report, bank: Account) -> None:
    register(opened("one", Role.RECEIVER), Registration(**ASKED))
    suspend(bank)
    client, told = client_of(agent), set()
    for named in (BROKER, BANK, "没有登记的单位", uscc(71), uscc(70), uscc(79)):
        bound = {"receiver_name": named, "is_bound": "1"}
        sent = client.post(f"/reports/{report.number}/share", FORM | bound)
        told.add((sent.status_code, plain(sent.content.decode()).replace(named, "")))
        assert page(client, f"/receivers/search?receiver_name={named}").strip() == ""
    assert len(told) == 1
    assert not ShareCode.objects.exists()


def test_searching_finds_verified_receivers_by_part_of_the_name_or_code(agent: Account, bank: Account) -> None:
    client = client_of(agent)
    for sought in ("银行", uscc(70)[:8], "receiver"):
        found = page(client, f"/receivers/search?receiver_name={sought}")
        assert (BANK in found) == (sought != "receiver")
    assert page(client, "/receivers/search?receiver=行").strip() == ""  # too short to list everybody
    assert page(client, "/receivers/search?receiver=%00%25%25").strip() == ""


def test_a_receiver_subscribes_reads_the_notice_and_unsubscribes(agent: Account, report: Report, bank: Account) -> None:
    client = client_of(bank)
    view = look(shared(agent, report, may_subscribe=True), bank)
    assert f"/receiver/views/{view.pk}/subscribe" in page(client, f"/s/views/{view.pk}")
    asked = client.post(f"/receiver/views/{view.pk}/subscribe", follow=True)
    assert "已订阅" in asked.content.decode()
    assert f"/receiver/views/{view.pk}/subscribe" not in page(client, "/receiver")
    change_status(report, ReportStatus.REVOKED, "test", Why("理由"))
    assert sweep_ended() == 1
    assert f"报告{report.number}的状态变为“已作废”" in page(client, "/receiver")
    assert f"报告{report.number}的状态变为“已作废”" in page(client, "/receiver/notices")
    ended = client.post(f"/receiver/subscriptions/{Subscription.objects.get().pk}/end", follow=True)
    assert "已退订" in ended.content.decode()


def test_without_consent_there_is_nothing_to_subscribe_to(agent: Account, report: Report, bank: Account) -> None:
    client, view = client_of(bank), look(shared(agent, report), bank)
    assert "订阅状态" not in page(client, "/receiver")
    assert "没有同意订阅" in client.post(f"/receiver/views/{view.pk}/subscribe", follow=True).content.decode()


def test_the_subject_sees_who_subscribed_and_ends_it_also_when_the_code_is_over(
    agent: Account, report: Report, bank: Account
) -> None:
    made = shared(agent, report, may_subscribe=True, views=1)
    subscribe(bank, look(made, bank).pk)
    client = client_of(agent)
    shown = page(client, f"/shares/{made.pk}")
    assert "状态订阅" in shown
    assert BANK in text(shown)
    assert client.post(f"/shares/{made.pk}/take-back").status_code == 302
    assert "没有单位订阅" in page(client, f"/shares/{made.pk}")


def test_older_looks_are_on_the_next_page(
    agent: Account, report: Report, bank: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinzheng.web.receivers.own.AT_MOST", 2)
    views = [look(shared(agent, report), bank) for _ in range(3)]
    client = client_of(bank)
    with CaptureQueriesContext(connection) as asked:
        first = page(client, "/receiver")
    assert len(asked) <= 9
    assert [f"/s/views/{view.pk}" in first for view in views] == [False, True, True]
    older = re.search(r"/receiver\?before=[0-9a-f-]+", first)
    assert older
    assert [f"/s/views/{view.pk}" in page(client, older[0]) for view in views] == [True, False, False]
    for number in range(3):
        tell("report-not-in-force", f"test:{number}", [Addressee(bank.receiver_id)], {"number": f"第{number}份"})
    listed = [page(client, "/receiver/notices")]
    older = re.search(r"/receiver/notices\?before=[0-9a-f-]+", listed[0])
    assert older
    listed.append(page(client, older[0]))
    assert sorted(sum(f"第{number}份" in one for number in range(3)) for one in listed) == [1, 2]
    assert {number for number in range(3) for one in listed if f"第{number}份" in one} == {0, 1, 2}


def test_a_lead_reads_names_and_states_nothing_of_accounts_and_settles_nothing(bank: Account) -> None:
    register(opened("one", Role.RECEIVER), Registration(**ASKED))
    suspend(bank)
    lead = client_of(opened("lead", Role.JUSTICE_LEAD))
    shown = page(lead, "/office/receivers")
    assert f"{BANK} {uscc(70)}" in text(shown)
    assert "已核实0个，共2个" in shown
    assert "停用" in shown
    for unseen in ("clerk", "账户出借", "/decide", "柜员one"):
        assert unseen not in shown
    assert BROKER not in page(lead, f"/office/receivers?q={uscc(70)}")
    assert "没有找到" in page(lead, "/office/receivers?q=%00无")
    assert lead.post(f"/office/receivers/{bank.receiver_id}/decide", {"state": "verified"}).status_code == 403
    assert state_of(Receiver.objects.get(uscc=uscc(70))) == State.SUSPENDED
