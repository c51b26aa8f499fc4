"""Who may do what: each permission answers with reasons in Chinese, and an empty list means yes."""

from collections.abc import Callable

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from xinzheng.apps.accounts import permissions
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.audit.models import AuditEvent

OUR_UNIT, OTHER_UNIT, OUR_SUBJECT, OTHER_SUBJECT = 1, 2, 11, 12


pytestmark = pytest.mark.django_db


def account(role: Role) -> Account:
    """An account of a role, of our unit or our subject where the role has one."""
    unit_id = OUR_UNIT if role in (Role.DEPARTMENT_OFFICER, Role.RESPONSIBLE_OFFICER) else None
    subject_id = OUR_SUBJECT if role == Role.SUBJECT_AGENT else None
    return open_account(NewAccount(role.value, "示例", role, unit_id=unit_id, subject_id=subject_id), by="test")


DEEDS: dict[str, tuple[Callable[[Account], list[str]], set[Role]]] = {
    "submit": (
        lambda who: permissions.refusals_to_submit(who, OUR_UNIT),
        {Role.DEPARTMENT_OFFICER, Role.RESPONSIBLE_OFFICER},
    ),
    "declare coverage": (
        lambda who: permissions.refusals_to_declare_coverage(who, OUR_UNIT),
        {Role.DEPARTMENT_OFFICER, Role.RESPONSIBLE_OFFICER},
    ),
    "answer for lines": (
        lambda who: permissions.refusals_to_answer_for_lines(who, OUR_UNIT),
        {Role.RESPONSIBLE_OFFICER},
    ),
    "apply": (lambda who: permissions.refusals_to_apply(who, OUR_SUBJECT), {Role.SUBJECT_AGENT}),
    "read a report": (
        lambda who: permissions.refusals_to_read_report(who, OUR_SUBJECT),
        {Role.SUBJECT_AGENT, Role.OFFICE_OPERATOR, Role.AUDITOR},
    ),
    "run the office": (permissions.refusals_to_run_the_office, {Role.OFFICE_OPERATOR}),
    "read the audit": (permissions.refusals_to_read_audit, {Role.AUDITOR}),
    "administer": (permissions.refusals_to_administer, {Role.SYSTEM_ADMINISTRATOR}),
    "manage keys": (permissions.refusals_to_manage_keys, {Role.SYSTEM_ADMINISTRATOR}),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", list(Role))
def test_exactly_the_named_roles_may(deed: str, role: Role) -> None:
    refusals, allowed = DEEDS[deed]
    assert (refusals(account(role)) == []) == (role in allowed)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_closed_account_may_do_nothing(deed: str) -> None:
    refusals, allowed = DEEDS[deed]
    for role in allowed:
        closed = account_named(role.value) or account(role)
        close_account(closed, by="test")
        assert refusals(closed) == [permissions.INACTIVE]


def test_an_officer_of_another_unit_is_told_so() -> None:
    officer = account(Role.RESPONSIBLE_OFFICER)
    assert permissions.refusals_to_submit(officer, OTHER_UNIT) == ["本账户属于另一单位，只能为本单位报送数据。"]


def test_an_agent_of_another_subject_is_told_so() -> None:
    agent = account(Role.SUBJECT_AGENT)
    for refusals in (permissions.refusals_to_apply, permissions.refusals_to_read_report):
        assert "没有代理该主体的有效授权" in refusals(agent, OTHER_SUBJECT)[0]


def test_an_agent_not_yet_bound_is_told_what_to_do() -> None:
    agent = Account(role=Role.SUBJECT_AGENT)
    assert "请先完成法定代表人授权" in permissions.refusals_to_apply(agent, OUR_SUBJECT)[0]


def test_an_opened_account_signs_in_and_is_in_the_audit_trail() -> None:
    opened = open_account(NewAccount("wang", "王五", Role.OFFICE_OPERATOR, password="a long pass phrase"), by="system")
    assert authenticate(username="wang", password="a long pass phrase") == opened
    assert authenticate(username="wang", password="another") is None
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id) == ("account-opened", str(opened.pk))
    assert "王五" not in str(event.details)


def test_a_closed_account_no_longer_signs_in() -> None:
    opened = open_account(NewAccount("wang", "王五", Role.AUDITOR, password="a long pass phrase"), by="system")
    close_account(opened, by="system")
    assert authenticate(username="wang", password="a long pass phrase") is None
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["account-opened", "account-closed"]


def test_an_account_without_password_cannot_sign_in() -> None:
    opened = open_account(NewAccount("wang", "王五", Role.AUDITOR), by="system")
    assert not opened.has_usable_password()
    assert account_named("wang") == opened
    assert account_named("li") is None


@pytest.mark.parametrize(
    "unfit",
    [
        NewAccount("a", "甲", Role.DEPARTMENT_OFFICER),
        NewAccount("a", "甲", Role.AUDITOR, unit_id=1),
        NewAccount("a", "甲", Role.RECEIVER, subject_id=1),
    ],
)
def test_the_database_refuses_a_unit_or_subject_that_does_not_fit_the_role(unfit: NewAccount) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        open_account(unfit, by="system")
    assert not AuditEvent.objects.exists()
