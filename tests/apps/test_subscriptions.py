"""What a verified receiver may look at and is told: with the subject's consent, and no longer than it stands."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from tests.module_database import module_database
from tests.small_city import build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes import tasks
from xinzheng.apps.codes.looking import Ticket, Visitor, find, is_open, open_view
from xinzheng.apps.codes.models import Delivery, Notice, Receiver, ShareCode, ShownCode, Subscription, View
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, notices_of, sweep_ended, tell
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.sharing import Terms, share, show, take_back
from xinzheng.apps.codes.subscribing import may_subscribe, subscribe
from xinzheng.apps.codes.subscriptions import end_subscription, subscriptions_of
from xinzheng.apps.codes.view_queries import views_of
from xinzheng.apps.codes.webhooks import Owner, register_webhook
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus

BANK, BROKER = "示例银行苏州分行", "示例证券有限公司"


db = module_database


@pytest.fixture(scope="module")
def agent(db: None, tmp_path_factory: pytest.TempPathFactory) -> Account:
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    subject = city.firm(uscc(1))
    return open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=subject), by="test")


@pytest.fixture(autouse=True)
def undone(agent: Account) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def report(agent: Account, undone: None) -> Report:
    assert agent.subject_id is not None
    return issue_report(Order("suzhou-2024", agent.subject_id, Request(), "test"))


def receiver_account(serial: int = 70, name: str = BANK) -> Account:
    """An account of a body that the office has verified."""
    account = open_account(NewAccount(f"clerk-{serial}", "柜员", Role.RECEIVER), by="test")
    register(account, Registration(uscc(serial), name, "bank"))
    receiver = Receiver.objects.get(uscc=uscc(serial))
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by="test")
    return Account.objects.get(pk=account.pk)


@pytest.fixture
def bank(undone: None) -> Account:
    return receiver_account()


def id_of(account: Account) -> int:
    assert account.receiver_id is not None
    return account.receiver_id


def shared(agent: Account, report: Report, **changes: Any) -> ShareCode:
    terms = {"purpose": "financing", "expires_at": timezone.now() + timedelta(hours=1), "views": 3} | changes
    return share(agent, report.number, Terms(**terms), by=agent.actor)


def look(made: ShareCode, account: Account | None, **changes: Any) -> View:
    offer = find(show(made.pk, ShownCode.Form.PAPER, by="test").secret)
    assert offer is not None
    visitor = {"body_name": "别的名称", "purpose": "financing", "account": account} | changes
    return open_view(Ticket(offer.share_id, offer.way, uuid.uuid4()), Visitor(**visitor))


def subscribed(agent: Account, report: Report, bank: Account) -> Subscription:
    made = shared(agent, report, may_subscribe=True)
    return subscribe(bank, look(made, bank).pk)


def refusal(deed: Callable[[], object]) -> XinzhengError:
    with pytest.raises(XinzhengError) as refused:
        deed()
    return refused.value


def suspend(account: Account) -> None:
    decide(id_of(account), Decision(State.SUSPENDED, "账户出借"), by="test")


def end(report: Report, status: ReportStatus = ReportStatus.SUPERSEDED) -> None:
    change_status(report, status, "test", Why("理由"))


def test_a_verified_receiver_looks_under_the_name_the_office_verified(
    agent: Account, report: Report, bank: Account
) -> None:
    made = shared(agent, report)
    look(made, bank)
    (row,) = views_of(receiver_id=id_of(bank))
    assert (row.who, row.known_by, row.share_id) == (BANK, "已核实的单位", made.pk)


def test_a_share_for_one_receiver_opens_to_its_accounts_only(agent: Account, report: Report, bank: Account) -> None:
    made = shared(agent, report, receiver_id=id_of(bank), receiver_name="写什么都不算")
    assert made.receiver_name == BANK
    broker = receiver_account(71, BROKER)
    for stranger in (None, broker):
        refused = refusal(lambda stranger=stranger: look(made, stranger, body_name=BANK))  # type: ignore[misc]
        assert (refused.code, BANK in refused.message) == ("receiver-differs", True)
    assert look(made, bank).receiver_id == bank.receiver_id


def test_a_name_on_a_share_binds_verified_receivers_too(agent: Account, report: Report, bank: Account) -> None:
    made = shared(agent, report, receiver_name=BROKER)
    assert refusal(lambda: look(made, bank, body_name=BROKER)).code == "receiver-differs"


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_suspended_receiver_sees_nothing_more_and_what_is_open_closes(
    agent: Account, report: Report, bank: Account, is_bound: bool
) -> None:
    made = shared(agent, report, receiver_id=id_of(bank) if is_bound else None)
    view = look(made, bank)
    assert is_open(view.pk)
    suspend(bank)
    assert not is_open(view.pk)
    refused = refusal(lambda: look(made, bank))
    assert (refused.code, "停用" in refused.message) == ("receiver-not-verified", True)
    assert refusal(lambda: shared(agent, report, receiver_id=id_of(bank))).context["field"] == "receiver_name"
    assert [row.who for row in views_of(share_id=made.pk)] == [BANK]  # it stays listed


def test_an_account_whose_body_nobody_verified_is_told_so(agent: Account, report: Report) -> None:
    clerk = open_account(NewAccount("clerk", BANK, Role.RECEIVER), by="test")
    made = shared(agent, report)
    for _ in range(2):
        refused = refusal(lambda: look(made, clerk))
        assert (refused.code, "信用办核实" in refused.message) == ("receiver-not-verified", True)
        if not Receiver.objects.exists():
            register(clerk, Registration(uscc(70), BANK, "bank"))
    assert not View.objects.exists()


def test_a_platforms_client_looks_as_the_receiver_it_speaks_for(agent: Account, report: Report, bank: Account) -> None:
    made = shared(agent, report, receiver_id=id_of(bank))
    view = look(made, None, client_id="bank-counter", receiver_id=id_of(bank))
    assert (view.receiver_id, view.client_id) == (bank.receiver_id, "bank-counter")
    suspend(bank)
    assert refusal(lambda: look(made, None, client_id="c", receiver_id=bank.receiver_id)).code == (
        "receiver-not-verified"
    )


def test_a_receiver_is_told_once_when_the_report_stops_being_in_force(
    agent: Account, report: Report, bank: Account
) -> None:
    assert subscribed(agent, report, bank).receiver_id == bank.receiver_id
    assert sweep_ended() == 0
    end(report)
    assert [sweep_ended(), sweep_ended()] == [1, 0]
    (notice,) = notices_of(id_of(bank))
    assert (notice.event, notice.body["number"], notice.body["status"]) == (
        "report-not-in-force",
        report.number,
        "superseded",
    )
    assert report.number in notice.words
    assert "已更正" in notice.words
    end(report, ReportStatus.REVOKED)
    assert sweep_ended() == 1
    assert Notice.objects.count() == 2


def test_what_ended_before_an_earlier_number_became_visible_is_told_all_the_same(
    agent: Account, report: Report, bank: Account
) -> None:
    """A later report's notice does not hide an earlier one: what was told is asked for, not what came last."""
    assert agent.subject_id is not None
    second = issue_report(Order("suzhou-2024", agent.subject_id, Request(), "test"))
    subscribed(agent, second, bank)
    end(report, ReportStatus.REVOKED)
    end(second)
    assert sweep_ended() == 1
    subscription = Subscription.objects.get()
    Subscription.objects.create(
        report_number=report.number,
        receiver_id=id_of(bank),
        share_id=uuid.uuid4(),
        until=subscription.until,
        created_by="test",
    )
    assert sweep_ended() == 1
    assert {row.body["number"] for row in notices_of(id_of(bank))} == {report.number, second.number}


def test_a_notice_of_the_sweep_is_on_its_way_to_the_receivers_webhook_at_once(
    agent: Account, report: Report, bank: Account
) -> None:
    subscribed(agent, report, bank)
    register_webhook(Owner(receiver_id=bank.receiver_id), "https://223.5.5.5/hook", [REPORT_ENDED], by="test")
    end(report)
    assert sweep_ended() == 1
    assert [delivery.notice.receiver_id for delivery in Delivery.objects.all()] == [bank.receiver_id]


def test_the_sweep_is_a_task_of_every_minute(agent: Account, report: Report, bank: Account) -> None:
    subscribed(agent, report, bank)
    end(report)
    assert tasks.tasks_notices.sweep.name in app.tasks
    tasks.tasks_notices.sweep(0)
    assert len(notices_of(id_of(bank))) == 1


def test_taking_the_consent_back_ends_the_subscription_with_it(agent: Account, report: Report, bank: Account) -> None:
    made = subscribed(agent, report, bank)
    with transaction.atomic():
        take_back(made.share_id, by=agent.actor)
        transaction.set_rollback(True)
    assert subscriptions_of(id_of(bank))[0].ended_at is None
    take_back(made.share_id, by=agent.actor)
    assert subscriptions_of(id_of(bank))[0].ended_at is not None
    end(report)
    assert sweep_ended() == 0
    event = AuditEvent.objects.get(action="subscription-ended")
    assert (event.who, event.subject_id) == (agent.actor, agent.subject_id)


def test_a_receiver_ends_its_own_subscription_and_nobody_elses(agent: Account, report: Report, bank: Account) -> None:
    made, broker = subscribed(agent, report, bank), receiver_account(71, BROKER)
    assert refusal(lambda: end_subscription(made.pk, id_of(broker), by="test")).code == "unknown-subscription"
    end_subscription(made.pk, id_of(bank), by=bank.actor)
    assert refusal(lambda: end_subscription(made.pk, id_of(bank), by="test")).code == "subscription-ended-already"
    end(report)
    assert sweep_ended() == 0


def test_a_suspended_receiver_is_told_when_it_is_verified_again(agent: Account, report: Report, bank: Account) -> None:
    subscribed(agent, report, bank)
    suspend(bank)
    end(report)
    assert sweep_ended() == 0
    decide(id_of(bank), Decision(State.VERIFIED), by="test")
    assert sweep_ended() == 1


def test_nobody_subscribes_without_the_subjects_consent(agent: Account, report: Report, bank: Account) -> None:
    view = look(shared(agent, report), bank)
    assert "没有同意订阅" in refusal(lambda: subscribe(bank, view.pk)).message
    assert not may_subscribe(Receiver.objects.get(), view.pk)


def test_only_who_was_shown_the_report_subscribes_and_only_while_the_consent_stands(
    agent: Account, report: Report, bank: Account
) -> None:
    made = shared(agent, report, may_subscribe=True)
    view, broker = look(made, bank), receiver_account(71, BROKER)
    receiver = Receiver.objects.get(pk=bank.receiver_id)
    assert may_subscribe(receiver, view.pk)
    for account, key in ((broker, view.pk), (agent, view.pk), (bank, uuid.uuid4())):
        refused = refusal(lambda account=account, key=key: subscribe(account, key))  # type: ignore[misc]
        assert refused.code == "unknown-view"
    subscribe(bank, view.pk)
    assert not may_subscribe(receiver, view.pk)
    assert refusal(lambda: subscribe(bank, view.pk)).code == "subscribed-already"
    again = look(shared(agent, report, may_subscribe=True), bank)
    take_back(again.share_id, by=agent.actor)
    assert refusal(lambda: subscribe(bank, again.pk)).code == "subscription-refused"
    end(report)
    assert refusal(lambda: subscribe(bank, view.pk)).code == "subscription-refused"


def test_a_notice_is_written_once_for_each_and_never_changed(bank: Account) -> None:
    to = [Addressee(receiver_id=bank.receiver_id), Addressee(client_id="c"), Addressee(subject_id=3)]
    assert [tell("view-made", "view:1", to, {"n": 1}), tell("view-made", "view:1", to, {"n": 2})] == [3, 0]
    with pytest.raises(DatabaseError), transaction.atomic():
        Notice.objects.update(event="other")
