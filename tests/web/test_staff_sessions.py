"""The security administrator sees which members of staff are signed in, and ends it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.permissions.world import enter
from tests.web.conftest import PASSWORD, QUICK_HASHERS
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.passwords import end_sessions
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PAGE = "/administration/sessions"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537 Edg/130"


@pytest.fixture(autouse=True)
def quick_hashers() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        yield


def opened(username: str, role: Role) -> Account:
    return open_account(NewAccount(username, f"示例{username}", role, password=PASSWORD), by="test")


@pytest.fixture
def security(db: None) -> Client:
    return enter(Client(), opened("security", Role.SECURITY_ADMINISTRATOR))


@pytest.fixture
def office(db: None) -> Account:
    return opened("office", Role.OFFICE_OPERATOR)


def entered(username: str) -> Client:
    client = Client(headers={"User-Agent": DESKTOP}, REMOTE_ADDR="114.114.114.77")
    assert client.post("/sign-in", {"username": username, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/sessions").status_code == 200


def test_staff_are_listed_with_device_and_coarse_place_and_nobody_else_is(security: Client, office: Account) -> None:
    opened("agent", Role.SUBJECT_AGENT)
    entered("office")
    entered("agent")
    page = security.get(PAGE).content.decode()
    assert "示例office" in page
    assert "Windows 电脑，Edge" in page
    assert "网络 114.114.114.*" in page
    assert "114.114.114.77" not in page
    assert "示例agent" not in page
    assert UserSession.objects.get(user=office).session_key not in page


def test_one_session_is_ended_at_once_and_leaves_a_trace(security: Client, office: Account) -> None:
    theirs = entered("office")
    session = UserSession.objects.get(user=office)
    assert security.post(f"{PAGE}/{session.pk}/end", follow=True).redirect_chain == [(PAGE, 302)]
    assert not is_in(theirs)
    event = AuditEvent.objects.get(action="session-ended")
    assert event.who == Account.objects.get(username="security").actor
    assert (event.object_kind, event.object_id) == ("account", str(office.pk))
    assert "示例office" not in security.get(PAGE).content.decode()
    assert security.post(f"{PAGE}/{session.pk}/end").status_code == 404


def test_all_sessions_of_an_account_are_ended_from_here_and_one_stays_here(security: Client, office: Account) -> None:
    theirs = entered("office")
    sent = security.post(f"/administration/accounts/{office.pk}/sign-out", {"page": PAGE})
    assert sent.headers["Location"] == PAGE
    assert not is_in(theirs)


def test_what_opens_nothing_any_more_is_not_listed(security: Client, office: Account) -> None:
    def is_listed() -> bool:
        return "示例office" in security.get(PAGE).content.decode()

    session = entered("office").session
    assert is_listed()
    session["seen"] -= 31 * 60
    session.save()
    assert not is_listed()
    session["seen"] += 31 * 60
    session.save()
    UserSession.objects.filter(user=office).update(created_at=timezone.now() - timedelta(hours=9))
    assert not is_listed()
    UserSession.objects.filter(user=office).update(created_at=timezone.now())
    end_sessions(office, by="test")
    assert not is_listed()


def test_nobody_ends_his_own_here_nor_an_outsiders_nor_without_a_fresh_proof(security: Client, office: Account) -> None:
    opened("agent", Role.SUBJECT_AGENT)
    agent, own = entered("agent"), entered("security")
    (theirs,) = UserSession.objects.filter(user__username="agent")
    (mine,) = UserSession.objects.filter(user__username="security")
    assert own.post(f"{PAGE}/{theirs.pk}/end").status_code == 404
    assert own.post(f"{PAGE}/{mine.pk}/end").status_code == 403
    assert "本人" in own.get(PAGE).content.decode()
    assert is_in(agent)
    stale = Client()
    stale.force_login(Account.objects.get(username="security"))
    assert stale.post(f"{PAGE}/{theirs.pk}/end", {"page": PAGE}).headers["Location"].startswith("/sign-in/again")


def test_the_list_is_searched_and_asks_no_more_the_longer_it_is(
    security: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        opened(f"many-{number}", Role.OFFICE_OPERATOR)
        entered(f"many-{number}")
    with django_assert_max_num_queries(6):
        page = security.get(PAGE).content.decode()
    assert page.count("结束这次登录") == 5
    page = security.get(PAGE, {"q": "MANY-3"}).content.decode()
    assert page.count("结束这次登录") == 1
    assert "没有找到登录" in security.get(PAGE, {"q": "\0无此人"}).content.decode()
