"""Passwords that age, sessions that end: by time, by hand, everywhere at once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client, override_settings
from django.utils import timezone

from tests.web.conftest import PASSWORD, QUICK_HASHERS, People
from xinzheng.apps.accounts.models import Account, FormerPassword
from xinzheng.apps.accounts.passwords import PasswordError, change_password
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.web.sign_in.accounts import coarse
from xinzheng.web.sign_in.sessions import device_of

pytestmark = pytest.mark.django_db
NEW = "Another-one-2"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0"


@pytest.fixture(autouse=True)
def quick_hashers() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        yield


def entered(username: str = "agent-b", password: str = PASSWORD, **headers: str) -> Client:
    client = Client(headers=headers)
    assert client.post("/sign-in", {"username": username, "password": password}).status_code == 302
    return client


def is_in(client: Client, address: str = "/account/sessions") -> bool:
    return client.get(address).status_code == 200


def change(client: Client, **fields: str) -> int:
    given = {"present": PASSWORD, "password": NEW, "repeated": NEW} | fields
    return client.post("/account/password", given).status_code


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Short-1", "12"),
        ("only-small-letters", "三种"),
        ("NO-SMALL-LETTERS", "三种"),
        ("Agent-B-and-more-1", "用户名"),
        ("Password1234", "常见"),
        (PASSWORD, "最近5次"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused_with_the_reason(people: People, password: str, why: str) -> None:
    client = entered()
    response = client.post("/account/password", {"present": PASSWORD, "password": password, "repeated": password})
    page = response.content.decode()
    assert response.status_code == 422
    assert why in page.split("新密码的要求")[0]
    assert password not in page
    entered()


def test_the_last_five_do_not_come_again_the_sixth_may(people: People) -> None:
    for number in range(6):
        change_password(people.punished, f"Number-{number}-of-six", by="test")
    with pytest.raises(PasswordError, match="最近5次"):
        change_password(people.punished, "Number-1-of-six", by="test")
    change_password(people.punished, "Number-0-of-six", by="test")
    assert FormerPassword.objects.filter(account=people.punished).count() == 5


def test_a_change_ends_every_other_session_and_keeps_this_one(people: People) -> None:
    here, there = entered(), entered()
    assert change(here) == 302
    assert is_in(here)
    assert not is_in(there)
    entered(password=NEW)
    event = AuditEvent.objects.get(action="password-changed")
    assert NEW not in str(event.details)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"present": "wrong"}, "present"), ({"repeated": "Another-one-3"}, "repeated"), ({"password": ""}, "password")],
)
def test_a_change_needs_the_present_password_and_the_new_one_twice(
    people: People, fields: dict[str, str], field: str
) -> None:
    response = entered().post("/account/password", {"present": PASSWORD, "password": NEW, "repeated": NEW} | fields)
    assert response.status_code == 422
    assert f'href="#{field}"' in response.content.decode()
    entered()


def test_guessing_the_present_password_locks_as_signing_in_does(people: People) -> None:
    client = entered()
    for _ in range(5):
        assert change(client, present="wrong") == 422
    assert change(client) == 422


def test_a_password_somebody_else_chose_or_that_is_old_has_to_be_changed_first(people: People) -> None:
    change_password(people.punished, "Chosen-by-an-admin-1", by="test", is_first=True)
    client = entered(password="Chosen-by-an-admin-1")
    assert client.get("/apply").headers["Location"] == "/account/password"
    assert "请先修改密码" in client.get("/account/password").content.decode()
    assert change(client, present="Chosen-by-an-admin-1") == 302
    assert client.get("/reports").status_code == 200
    Account.objects.update(password_changed_at=timezone.now() - timedelta(days=91))
    assert client.get("/reports").headers["Location"] == "/account/password"


def test_an_account_without_a_password_has_none_to_change(people: People) -> None:
    client = entered()
    people.punished.set_unusable_password()
    people.punished.save()
    client.force_login(people.punished)
    assert "没有可以修改的密码" in client.get("/account/password").content.decode()
    assert change(client) == 200
    assert not Account.objects.get(pk=people.punished.pk).has_usable_password()


def test_sessions_are_listed_with_device_and_network_and_can_be_ended_one_by_one(people: People) -> None:
    here, there = entered(), entered(**{"User-Agent": PHONE})
    page = here.get("/account/sessions").content.decode()
    assert "安卓手机或者平板，微信" in page
    assert "本机" in page
    other = UserSession.objects.get(user_agent=PHONE)
    assert other.session_key not in page
    assert here.post(f"/account/sessions/{other.pk}/end").status_code == 302
    assert not is_in(there)
    assert is_in(here)


def test_nobody_ends_the_session_of_another(people: People) -> None:
    theirs = entered("tax")
    session = UserSession.objects.get()
    assert entered().post(f"/account/sessions/{session.pk}/end").status_code == 404
    assert is_in(theirs)


def test_signing_out_everywhere_ends_every_session_at_once_also_those_nobody_lists(people: People) -> None:
    here, there, unlisted = entered(), entered(), Client()
    unlisted.force_login(people.punished)
    assert here.post("/account/sessions/end-all").headers["Location"] == "/sign-in"
    assert not [client for client in (here, there, unlisted) if is_in(client)]
    entered()


def test_of_a_member_of_staff_only_the_newest_session_lives(people: People) -> None:
    first = entered("tax")
    second = entered("tax")
    assert not is_in(first)
    assert is_in(second)
    agents = entered(), entered()
    assert all(is_in(client) for client in agents)


def test_a_session_nobody_used_ends_and_says_so_and_a_used_one_goes_on(people: People) -> None:
    client = entered()
    session = client.session
    session["seen"] = session["seen"] - 29 * 60
    session.save()
    assert is_in(client)
    assert client.session["seen"] > session["seen"] + 28 * 60
    session = client.session
    session["seen"] = session["seen"] - 31 * 60
    session.save()
    response = client.get("/reports", follow=True)
    assert response.redirect_chain[0][0] == "/sign-in?next=%2Freports"
    assert "30分钟没有操作，已自动退出" in response.content.decode()
    assert not is_in(client)


def test_a_session_ends_after_eight_hours_however_much_it_is_used(people: People) -> None:
    client = entered()
    session = client.session
    session["began"] -= 8 * 60 * 60 + 1
    session.save()
    response = client.get("/reports", follow=True)
    assert response.redirect_chain[0][0] == "/sign-in?next=%2Freports"
    assert "登录已满8小时" in response.content.decode()
    assert not is_in(client)


def test_a_page_that_asks_by_itself_does_not_keep_a_session_alive(people: People) -> None:
    client = entered()
    session = client.session
    began = session["seen"] = session["seen"] - 10 * 60
    session.save()
    client.get("/account/sessions", headers={"HX-Request": "true"})
    assert client.session["seen"] == began


def test_what_is_kept_of_an_address_is_its_network() -> None:
    assert coarse("203.0.113.77") == "203.0.113.0"
    assert coarse("2001:db8:1:2::7") == "2001:db8:1::"
    assert coarse("nonsense") == ""


def test_a_device_is_told_in_words() -> None:
    assert device_of("Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537 Edg/130") == "Windows 电脑，Edge"
    assert device_of("") == "其他设备，其他浏览器"
