"""Receivers: registering tells nothing of others, the office decides, an account works for whom the office says."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from tests.small_city import uscc
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Receiver, ReceiverDecision
from xinzheng.apps.codes.receiver_claims import claims_on
from xinzheng.apps.codes.receivers import (
    Decision,
    Registration,
    State,
    answer_claim,
    correct_name,
    decide,
    receiver_of,
    refusals_to_check_batches,
    register,
    state_of,
)
from xinzheng.core.errors import XinzhengError

pytestmark = pytest.mark.django_db

BANK = Registration(uscc(70), "示例银行苏州分行", "bank")
OFFICE = "account:1"


def clerk(username: str = "clerk", role: Role = Role.RECEIVER) -> Account:
    return open_account(NewAccount(username, "示例柜员", role), by="test")


def registered(account: Account, asked: Registration = BANK) -> Receiver:
    register(account, asked)
    return Receiver.objects.get(uscc=asked.uscc)


def refusal(deed: Callable[[], object]) -> XinzhengError:
    with pytest.raises(XinzhengError) as refused:
        deed()
    return refused.value


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def test_a_body_registers_and_works_once_the_office_has_verified_it() -> None:
    account = clerk()
    bank = registered(account)
    assert state_of(bank) == State.PENDING
    assert receiver_of(again(account)) is None
    assert refusals_to_check_batches(again(account), None) != []
    decide(bank.pk, Decision(State.VERIFIED, "", (account.pk,)), by=OFFICE)
    assert state_of(bank.pk) == State.VERIFIED
    assert receiver_of(again(account)) == bank
    assert refusals_to_check_batches(again(account), bank) == []
    actions = AuditEvent.objects.filter(action__startswith="receiver-").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["receiver-registered", "receiver-decided", "receiver-account-answered"]


def test_a_name_written_wrong_is_corrected_and_what_the_body_is_cannot_be_changed() -> None:
    bank = registered(clerk())
    correct_name(bank.pk, "示例银行股份有限公司苏州分行", by=OFFICE)
    assert Receiver.objects.get(pk=bank.pk).name == "示例银行股份有限公司苏州分行"
    event = AuditEvent.objects.get(action="receiver-renamed")
    assert event.details == {"name": "示例银行股份有限公司苏州分行", "former_name": bank.name}
    with pytest.raises(XinzhengError, match="没有变化"):
        correct_name(bank.pk, "示例银行股份有限公司苏州分行", by=OFFICE)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Receiver.objects.filter(pk=bank.pk).update(uscc=uscc(72))
    with pytest.raises(DatabaseError, match="delete rows"), transaction.atomic():
        Receiver.objects.filter(pk=bank.pk).delete()


def test_who_registers_a_body_that_is_registered_is_answered_alike_and_works_for_nobody() -> None:
    first, second = clerk(), clerk("second")
    bank = registered(first)
    decide(bank.pk, Decision(State.VERIFIED, account_ids=(first.pk,)), by=OFFICE)
    register(second, Registration(bank.uscc, "另写的名称", "other"))
    assert receiver_of(again(second)) is None
    (claim,) = claims_on(bank.pk)
    assert (claim.account, claim.name) == (second, "另写的名称")
    bank.refresh_from_db()
    assert bank.name == BANK.name
    answer_claim(bank.pk, second.pk, is_admitted=True, by=OFFICE)
    assert receiver_of(again(second)) == bank
    assert claims_on(bank.pk) == []


def test_an_account_that_is_not_admitted_may_register_again() -> None:
    first, second = clerk(), clerk("second")
    bank = registered(first)
    register(second, BANK)
    answer_claim(bank.pk, second.pk, is_admitted=False, by=OFFICE)
    assert receiver_of(again(second)) is None
    other = registered(second, Registration(uscc(71), "示例证券有限公司", "broker"))
    assert [claim.account for claim in claims_on(other.pk)] == [second]
    assert [claim.account for claim in claims_on(bank.pk)] == [first]


def test_a_suspended_receiver_may_do_nothing_and_comes_back_when_verified_again() -> None:
    account = clerk()
    bank = registered(account)
    decide(bank.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by=OFFICE)
    decide(bank.pk, Decision(State.SUSPENDED, "账户出借"), by=OFFICE)
    assert "停用" in refusals_to_check_batches(again(account), bank)[0]
    decide(bank.pk, Decision(State.VERIFIED), by=OFFICE)
    assert refusals_to_check_batches(again(account), bank) == []
    kept = ReceiverDecision.objects.filter(receiver=bank).order_by("id").values_list("state", flat=True)
    assert list(kept) == ["verified", "suspended", "verified"]


def test_a_refused_body_and_its_claims_have_their_answer() -> None:
    account = clerk()
    bank = registered(account)
    decide(bank.pk, Decision(State.REFUSED, "查无此单位"), by=OFFICE)
    assert claims_on(bank.pk) == []
    assert receiver_of(again(account)) is None
    register(account, BANK)
    decide(bank.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by=OFFICE)
    assert receiver_of(again(account)) == bank


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Registration("91320500MA0000701X", "示例银行", "bank"), "uscc"),
        (Registration(uscc(70)[:-1], "示例银行", "bank"), "uscc"),
        (Registration(uscc(70), "13812345678", "bank"), "name"),
        (Registration(uscc(70), "示例银行", "pawnbroker"), "kind"),
    ],
)
def test_what_cannot_be_a_body_is_not_registered(asked: Registration, field: str) -> None:
    account = clerk()
    assert refusal(lambda: register(account, asked)).context["field"] == field
    assert not Receiver.objects.exists()


def test_only_receivers_register_and_only_once() -> None:
    agent, closed, account = clerk("agent", Role.SUBJECT_AGENT), clerk("closed"), clerk()
    close_account(closed, by="test")
    for other in (agent, again(closed)):
        assert refusal(lambda other=other: register(other, BANK)).code == "receiver-refused"  # type: ignore[misc]
    bank = registered(account)
    assert "已经登记" in refusal(lambda: register(account, BANK)).message
    decide(bank.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by=OFFICE)
    assert "已经登记" in refusal(lambda: register(account, BANK)).message


@pytest.mark.parametrize(
    ("before", "state", "field"),
    [
        ((), State.SUSPENDED, "state"),
        ((), State.PENDING, "state"),
        ((State.VERIFIED,), State.VERIFIED, "state"),
        ((State.VERIFIED,), State.REFUSED, "state"),
        ((State.REFUSED,), State.SUSPENDED, "state"),
    ],
)
def test_a_decision_fits_the_one_before(before: tuple[State, ...], state: State, field: str) -> None:
    bank = registered(clerk())
    for former in before:
        decide(bank.pk, Decision(former, "理由"), by=OFFICE)
    assert refusal(lambda: decide(bank.pk, Decision(state, "理由"), by=OFFICE)).context["field"] == field


def test_refusing_and_suspending_say_why_and_name_nobody() -> None:
    bank = registered(clerk())
    assert refusal(lambda: decide(bank.pk, Decision(State.REFUSED, " "), by=OFFICE)).context["field"] == "reason"
    named = Decision(State.REFUSED, "经办人13812345678不认")
    assert refusal(lambda: decide(bank.pk, named, by=OFFICE)).code == "text-not-kept"
    assert refusal(lambda: decide(10**9, Decision(State.VERIFIED), by=OFFICE)).code == "unknown-receiver"
    stranger = Decision(State.VERIFIED, account_ids=(10**9,))
    assert refusal(lambda: decide(bank.pk, stranger, by=OFFICE)).code == "unknown-claim"
    assert state_of(bank) == State.PENDING


def test_another_receivers_accounts_are_refused_and_history_stays() -> None:
    account, other = clerk(), clerk("other")
    bank = registered(account)
    broker = registered(other, Registration(uscc(71), "示例证券有限公司", "broker"))
    decide(bank.pk, Decision(State.VERIFIED, account_ids=(account.pk,)), by=OFFICE)
    decide(broker.pk, Decision(State.VERIFIED, account_ids=(other.pk,)), by=OFFICE)
    assert refusals_to_check_batches(again(account), broker) != []
    assert refusals_to_check_batches(clerk("agent", Role.SUBJECT_AGENT), bank) != []
    with pytest.raises(DatabaseError), transaction.atomic():
        ReceiverDecision.objects.filter(receiver=bank).update(state="suspended")
