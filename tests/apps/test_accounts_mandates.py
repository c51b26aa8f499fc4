"""Mandates: asked for, confirmed, revoked, ended; what they permit is asked at each use."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from tests.small_city import SmallCity, build_small_city, today, uscc
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.mandate_queries import agents_of, ended_mandates, scopes_of, subjects_of
from xinzheng.apps.accounts.mandates import MandateError, NewMandate, NewRequest, act_for, answer, ask, grant, revoke
from xinzheng.apps.accounts.models import Account, Mandate, MandateRequest, Role
from xinzheng.apps.accounts.permissions import refusals_to_apply, refusals_to_read_report, refusals_to_share
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.registry.key_rotation import rotate_key
from xinzheng.apps.registry.letters import LARGEST, Letter, ask_with_letter, letter_of, read_letter, rewrap_letters
from xinzheng.apps.registry.representatives import claim_representation

pytestmark = pytest.mark.django_db

OUR, OTHER = 11, 12
ALL = frozenset({"apply", "read", "share", "object", "authorise"})
PDF = b"%PDF-1.7 a letter"


def agent(username: str = "agent", subject_id: int | None = None, person_id: int | None = None) -> Account:
    new = NewAccount(username, "示例", Role.SUBJECT_AGENT, subject_id=subject_id, person_id=person_id)
    return open_account(new, by="test")


def letter(account: Account, *scopes: str, days: int = 30) -> Mandate:
    until = today() + timedelta(days=days)
    return grant(NewMandate(account.pk, OUR, Mandate.Basis.LETTER, scopes, until), by="test")


def refused(error: "pytest.ExceptionInfo[MandateError]") -> str:
    return error.value.code


def test_an_account_opened_for_a_subject_may_do_all_for_it_and_nothing_for_another() -> None:
    opened = agent(subject_id=OUR)
    assert scopes_of(opened, OUR, today()) == ALL
    assert scopes_of(opened, OTHER, today()) == frozenset()


def test_the_subject_acted_for_permits_nothing_by_itself() -> None:
    without = agent()
    Account.objects.filter(pk=without.pk).update(subject_id=OUR)
    without.refresh_from_db()
    assert scopes_of(without, OUR, today()) == frozenset()
    assert refusals_to_apply(without, OUR) != []


def test_a_mandate_permits_its_scopes_only_and_says_so() -> None:
    account = agent()
    letter(account, "read")
    assert scopes_of(account, OUR, today()) == {"read"}
    assert refusals_to_read_report(account, OUR) == []
    assert "授权不包括这一项" in refusals_to_apply(account, OUR)[0]


def test_a_mandate_holds_through_its_last_day_and_no_longer() -> None:
    account = agent()
    until = letter(account, "read").until_date
    assert until is not None
    assert scopes_of(account, OUR, until) == {"read"}
    assert scopes_of(account, OUR, until + timedelta(days=1)) == frozenset()


def test_what_is_revoked_permits_nothing_at_once_and_is_revoked_once() -> None:
    account = agent(subject_id=OUR)
    (mandate,) = agents_of(OUR, today())
    revoke(mandate.pk, by="test")
    assert refusals_to_share(account, OUR) != []
    assert [ended.pk for ended in ended_mandates(OUR, today())] == [mandate.pk]
    with pytest.raises(MandateError) as again:
        revoke(mandate.pk, by="test")
    assert refused(again) == "mandate-ended-already"
    with pytest.raises(MandateError) as unknown:
        revoke(10**9, by="test")
    assert refused(unknown) == "unknown-mandate"


def test_a_closed_account_acts_for_nobody() -> None:
    account = agent(subject_id=OUR, person_id=OTHER)
    close_account(account, by="test")
    assert scopes_of(account, OUR, today()) == scopes_of(account, OTHER, today()) == frozenset()
    assert subjects_of(account, today()) == []
    assert agents_of(OUR, today()) == []


def test_a_natural_person_acts_for_himself_and_nobody_else_does() -> None:
    person = agent(person_id=OUR)
    assert (person.subject_id, scopes_of(person, OUR, today())) == (OUR, ALL)
    other = agent("other")
    with pytest.raises(MandateError, match="本人"):
        grant(NewMandate(other.pk, OUR, Mandate.Basis.SELF), by="test")
    assert scopes_of(other, OUR, today()) == frozenset()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SUBJECT_AGENT])
def test_only_agents_are_given_mandates(role: Role) -> None:
    unit_id = 1 if "officer" in role else None
    staff = open_account(NewAccount("staff", "示例", role, unit_id=unit_id), by="test")
    with pytest.raises(MandateError):
        grant(NewMandate(staff.pk, OUR, Mandate.Basis.OPENED), by="test")


@pytest.mark.parametrize("days", [-1, 367, 100_000])
def test_a_letter_ends_within_a_year(days: int) -> None:
    with pytest.raises(MandateError) as error:
        letter(agent(), "read", days=days)
    assert refused(error) == "last-day-unfit"


@pytest.mark.parametrize("scopes", [(), ("everything",), ("read", "authorise")])
def test_nobody_asks_for_what_a_letter_cannot_give(scopes: tuple[str, ...]) -> None:
    with pytest.raises(MandateError):
        ask(NewRequest(OUR, scopes, today()), account=agent())
    assert not MandateRequest.objects.exists()


def test_who_may_authorise_confirms_and_the_agent_then_acts_within_it() -> None:
    head, clerk = agent("head", OUR), agent("clerk")
    asked = ask(NewRequest(OUR, ("read", "apply"), today()), account=clerk)
    assert scopes_of(clerk, OUR, today()) == frozenset()
    given = answer(asked.pk, account=head, is_confirmed=True)
    assert given.mandate is not None
    assert given.mandate.scopes == ["apply", "read"]
    assert scopes_of(clerk, OUR, today()) == {"apply", "read"}
    with pytest.raises(MandateError) as again:
        answer(asked.pk, account=head, is_confirmed=True)
    assert refused(again) == "request-answered-already"


def test_what_is_refused_gives_nothing() -> None:
    head, clerk = agent("head", OUR), agent("clerk")
    asked = ask(NewRequest(OUR, ("read",), today()), account=clerk)
    assert answer(asked.pk, account=head, is_confirmed=False).mandate is None
    assert scopes_of(clerk, OUR, today()) == frozenset()


def test_nobody_else_confirms_neither_the_asker_nor_another_companys_head_nor_a_clerk() -> None:
    clerk, stranger, colleague = agent("clerk"), agent("stranger", OTHER), agent("colleague")
    letter(colleague, "apply", "read", "share", "object")
    asked = ask(NewRequest(OUR, ("read",), today()), account=clerk)
    for account in (clerk, stranger, colleague):
        with pytest.raises(MandateError) as error:
            answer(asked.pk, account=account, is_confirmed=True)
        assert refused(error) == "not-the-representative"
    assert not Mandate.objects.filter(account=clerk).exists()


def test_the_head_does_not_confirm_his_own_request() -> None:
    head = agent("head", OUR)
    asked = ask(NewRequest(OUR, ("read",), today()), account=head)
    with pytest.raises(MandateError, match="自己申请"):
        answer(asked.pk, account=head, is_confirmed=True)


def test_a_few_requests_may_wait_not_many() -> None:
    clerk = agent()
    for _ in range(5):
        ask(NewRequest(OUR, ("read",), today()), account=clerk)
    with pytest.raises(MandateError) as error:
        ask(NewRequest(OUR, ("read",), today()), account=clerk)
    assert refused(error) == "too-many-requests"


def test_an_agent_chooses_among_those_he_acts_for_and_no_other() -> None:
    account = agent(subject_id=OUR)
    grant(NewMandate(account.pk, OTHER, Mandate.Basis.OPENED), by="test")
    assert [acts.subject_id for acts in subjects_of(account, today())] == [OUR, OTHER]
    act_for(account, OTHER)
    assert Account.objects.get(pk=account.pk).subject_id == OTHER
    with pytest.raises(MandateError):
        act_for(account, 13)
    assert Account.objects.get(pk=account.pk).subject_id == OTHER


def test_every_step_is_an_event_of_the_subject() -> None:
    head, clerk = agent("head", OUR), agent("clerk")
    asked = ask(NewRequest(OUR, ("read",), today()), account=clerk)
    given = answer(asked.pk, account=head, is_confirmed=True)
    assert given.mandate is not None
    revoke(given.mandate.pk, by=head.actor)
    told = AuditEvent.objects.filter(subject_id=OUR).order_by("pk").values_list("action", flat=True)
    assert list(told) == [
        "mandate-granted",
        "mandate-asked",
        "mandate-granted",
        "mandate-answered",
        "mandate-revoked",
    ]


def test_history_cannot_be_rewritten() -> None:
    agent(subject_id=OUR)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Mandate.objects.update(until_date=timezone.localdate() + timedelta(days=9))


@pytest.fixture
def city(tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path)


def test_whom_the_register_names_represents_until_it_names_another(city: SmallCity) -> None:
    firm = city.firm(uscc(1), 法定代表人="欧阳·示例")
    account = agent()
    bound = claim_representation(account, firm, " 欧阳• 示例")
    assert isinstance(bound, Mandate)
    assert claim_representation(account, firm, "欧阳·示例") == bound
    assert scopes_of(account, firm, today()) == ALL
    city.firm(uscc(1), 法定代表人="欧阳·示例", 登记状态="迁出")
    assert scopes_of(account, firm, today()) == ALL
    city.firm(uscc(1), 法定代表人="示例乙")
    assert scopes_of(account, firm, today()) == frozenset()
    assert (subjects_of(account, today()), agents_of(firm, today())) == ([], [])


def test_whom_the_register_does_not_name_waits_for_the_office(city: SmallCity) -> None:
    firm = city.firm(uscc(1), 法定代表人="示例甲")
    claimant, head = agent("claimant"), agent("head", firm)
    office = open_account(NewAccount("office", "示例", Role.OFFICE_OPERATOR), by="test")
    waiting = claim_representation(claimant, firm, "示例乙")
    assert isinstance(waiting, MandateRequest)
    assert claim_representation(claimant, firm, "示例乙") == waiting
    assert scopes_of(claimant, firm, today()) == frozenset()
    with pytest.raises(MandateError):
        answer(waiting.pk, account=head, is_confirmed=True)
    answer(waiting.pk, account=office, is_confirmed=True)
    assert scopes_of(claimant, firm, today()) == ALL


def test_a_register_without_a_representative_names_nobody(city: SmallCity) -> None:
    firm = city.firm(uscc(1), 法定代表人="")
    assert isinstance(claim_representation(agent(), firm, ""), MandateRequest)


def test_a_subject_unknown_to_the_register_has_no_representative() -> None:
    with pytest.raises(MandateError):
        claim_representation(agent(), 10**9, "示例甲")


def test_a_letter_is_sealed_and_opens_after_the_key_was_replaced(city: SmallCity) -> None:
    firm, clerk = city.firm(uscc(1)), agent()
    asked = ask_with_letter(NewRequest(firm, ("read",), today()), read_letter(PDF), account=clerk)
    assert PDF not in bytes(MandateRequest.objects.get(pk=asked.pk).letter_ct)
    rotate_key(by="test", hooks={"accounts_mandaterequest": rewrap_letters})
    assert letter_of(MandateRequest.objects.get(pk=asked.pk)) == Letter(PDF, "application/pdf")


@pytest.mark.parametrize("content", [b"", b"<html>", b"MZ", b"%PDF-" + bytes(LARGEST)])
def test_a_letter_is_a_scan_of_at_most_five_megabytes(content: bytes) -> None:
    with pytest.raises(MandateError) as error:
        read_letter(content)
    assert refused(error) == "letter-unfit"
