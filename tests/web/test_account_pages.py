"""The page of accounts: the three administrations apart, nobody for himself, at once."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.test import Client

from tests.permissions.world import enter
from tests.web.conftest import People, client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.administering import AccountError, assign_role, close_for, open_for
from xinzheng.apps.accounts.locking import Attempt, attempt, is_locked
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PAGE = "/administration/accounts"


@pytest.fixture
def security(people: People) -> Account:
    return open_account(NewAccount("security", "安全管理员", Role.SECURITY_ADMINISTRATOR), by="test")


@pytest.fixture
def auditor(people: People) -> Account:
    return open_account(NewAccount("auditor", "审计员", Role.AUDITOR), by="test")


def opening(client: Client, role: Role, /, **changes: str) -> tuple[int, str]:
    response = client.post(PAGE, {"username": "new", "display_name": "新人", "role": role.value} | changes)
    return response.status_code, response.content.decode()


def test_an_account_is_opened_with_a_password_shown_once_and_to_be_changed(people: People) -> None:
    client = enter(Client(), people.administrator)
    status, page = opening(client, Role.OFFICE_OPERATOR)
    assert status == 200
    (password,) = re.findall(r'<span class="digest">(\w{16})</span>', page)
    found = authenticate(username="new", password=password)
    assert isinstance(found, Account)
    assert found.must_change_password
    assert password not in client.get(PAGE).content.decode()


def test_each_administration_opens_its_own_accounts(people: People, security: Account, auditor: Account) -> None:
    assert opening(enter(Client(), people.administrator), Role.AUDITOR)[0] == 422
    assert opening(enter(Client(), security), Role.OFFICE_OPERATOR)[0] == 422
    assert opening(enter(Client(), auditor), Role.OFFICE_OPERATOR)[0] == 403
    assert not Account.objects.filter(username="new").exists()
    assert opening(enter(Client(), security), Role.AUDITOR)[0] == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": ""}, "用户名须填写"),
        ({"username": "a\0b"}, "用户名须填写"),
        ({"username": "330502199001010014"}, "不含控制字符和身份号码"),
        ({"username": "tax"}, "已有人使用"),
        ({"role": "department_officer"}, "须选择单位"),
        ({"role": "king"}, "请选择角色"),
    ],
)
def test_a_mistake_is_told_and_opens_nothing(people: People, changes: dict[str, str], told: str) -> None:
    before = Account.objects.count()
    status, page = opening(enter(Client(), people.administrator), Role.OFFICE_OPERATOR, **changes)
    assert status == 422
    assert told in page
    assert Account.objects.count() == before


def test_closing_ends_every_session_at_once_and_reopening_lets_in_again(people: People) -> None:
    theirs, ours = client_of(people.office), enter(Client(), people.administrator)
    assert theirs.get("/office/coverage").status_code == 200
    ours.post(f"{PAGE}/{people.office.pk}/close")
    assert theirs.get("/office/coverage").status_code == 302
    ours.post(f"{PAGE}/{people.office.pk}/reopen")
    people.office.refresh_from_db()
    assert people.office.is_active


def test_opening_an_account_takes_a_fresh_proof(people: People) -> None:
    client = client_of(people.administrator)
    page = client.get(PAGE).content.decode()
    assert 'href="/sign-in/again?next=/administration/accounts"' in page
    assert 'name="username"' not in page
    sent = client.post(PAGE, {"username": "new", "display_name": "新人", "role": "office_operator", "page": PAGE})
    assert sent.headers["Location"] == "/sign-in/again?next=%2Fadministration%2Faccounts"
    assert not Account.objects.filter(username="new").exists()


def test_what_is_grave_takes_a_fresh_proof(people: People) -> None:
    sent = client_of(people.administrator).post(f"{PAGE}/{people.office.pk}/close", {"page": PAGE})
    assert sent.headers["Location"].startswith("/sign-in/again")
    assert Account.objects.get(pk=people.office.pk).is_active


def test_a_role_is_assigned_by_security_and_the_old_sessions_end(people: People, security: Account) -> None:
    theirs = client_of(people.office)
    enter(Client(), security).post(f"{PAGE}/{people.office.pk}/role", {"role": "justice_lead"})
    assert Account.objects.get(pk=people.office.pk).role == Role.JUSTICE_LEAD
    assert theirs.get("/office/coverage").status_code == 302
    event = AuditEvent.objects.get(action="role-assigned")
    assert event.details == {"from": "office_operator", "to": "justice_lead"}


def test_nobody_changes_his_own_account_and_each_keeps_to_his_part(
    people: People, security: Account, auditor: Account
) -> None:
    own, system = enter(Client(), security), enter(Client(), people.administrator)
    for deed in ("role", "unlock", "second-factor", "sign-out", "close"):
        assert own.post(f"{PAGE}/{security.pk}/{deed}", {"role": "auditor"}).status_code == 403
        assert enter(Client(), auditor).post(f"{PAGE}/{people.office.pk}/{deed}").status_code == 403
    for deed in ("role", "unlock", "second-factor", "sign-out"):
        assert system.post(f"{PAGE}/{people.office.pk}/{deed}", {"role": "auditor"}).status_code == 403
    for account in (security, auditor, people.administrator):
        assert system.post(f"{PAGE}/{account.pk}/close").status_code == 403
    assert Account.objects.filter(is_active=False).count() == 0


def test_the_actions_ask_again_what_the_pages_ask(people: People, security: Account, auditor: Account) -> None:
    with pytest.raises(AccountError):
        close_for(auditor.pk, by=people.administrator)
    with pytest.raises(AccountError):
        assign_role(security.pk, Role.AUDITOR, None, by=security)
    with pytest.raises(AccountError):
        open_for(NewAccount("x", "示例", Role.AUDITOR), by=people.administrator)


@pytest.mark.parametrize("role", [Role.SUBJECT_AGENT, Role.RECEIVER])
def test_staff_and_outsiders_are_never_turned_into_each_other(people: People, security: Account, role: Role) -> None:
    with pytest.raises(AccountError) as error:
        assign_role(people.office.pk, role, None, by=security)
    assert error.value.code == "role-unfit"
    with pytest.raises(AccountError):
        assign_role(people.clean.pk, Role.OFFICE_OPERATOR, None, by=security)


def test_security_sees_what_is_locked_unlocks_and_resets_the_second_factor(people: People, security: Account) -> None:
    for _ in range(5):
        attempt(Attempt("demo-office", people.office, "password"), lambda: None)
    Authenticator.objects.create(user=people.office, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client = enter(Client(), security)
    assert "已锁定" in client.get(PAGE).content.decode()
    assert "已锁定" not in client_of(people.administrator).get(PAGE).content.decode()
    client.post(f"{PAGE}/{people.office.pk}/unlock")
    assert not is_locked("demo-office")
    client.post(f"{PAGE}/{people.office.pk}/second-factor")
    assert not Authenticator.objects.exists()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"account-unlocked", "second-factor-reset", "sessions-ended"} <= actions


def test_the_list_is_searched_and_paged_with_few_questions(
    people: People, security: Account, django_assert_max_num_queries: "pytest.FixtureRequest"
) -> None:
    Account.objects.bulk_create(
        [Account(username=f"many-{n}", display_name="众", role=Role.OFFICE_OPERATOR) for n in range(60)]
    )
    client = client_of(security)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = client.get(PAGE).content.decode()
    (after,) = re.findall(r"after=(\d+)", page)
    assert "many-59" in client.get(PAGE, {"after": after}).content.decode()
    assert "many-7" in client.get(PAGE, {"q": "many-7"}).content.decode()
    assert "没有找到账户" in client.get(PAGE, {"q": "\0无此人"}).content.decode()
