"""Signing in with identity platforms: the whole way to a real provider and back, several platforms, one account."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPMessage
from typing import IO
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from tests.identity_provider import identity_provider, platform_at
from tests.small_city import SmallCity, uscc
from tests.web.conftest import PASSWORD, QUICK_HASHERS, People, client_of
from xinzheng.apps.accounts.mandate_models import Mandate, MandateRequest
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.registry.models import PersonIdentity
from xinzheng.apps.registry.persons import phone_of
from xinzheng.core.identity_platforms import IdentityPlatform

pytestmark = pytest.mark.django_db

NUMBER, OTHER_NUMBER = "11010119900307109X", "110101199003071145"
LI = {"sub": "li", "name": "李示例", "id_number": NUMBER, "level": "L3", "phone_number": "13800001234"}
WANG = {"sub": "wang", "name": "王示例", "id_number": OTHER_NUMBER, "level": "L3"}
SAME_LI = LI | {"sub": "0123-li"}
UNVERIFIED = LI | {"sub": "unverified", "level": "L1"}


class NotFollowed(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None."""


@pytest.fixture(autouse=True)
def quick_hashers() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        yield


@pytest.fixture(scope="module")
def providers() -> Iterator[tuple[str, str]]:
    """Two real providers, which know the same people under ids of their own."""
    with identity_provider(LI, WANG, UNVERIFIED) as one, identity_provider(SAME_LI, WANG) as other:
        yield one, other


@pytest.fixture
def platforms(providers: tuple[str, str]) -> Iterator[tuple[IdentityPlatform, IdentityPlatform]]:
    found = platform_at(providers[0], "sst", "苏商通"), platform_at(providers[1], "sfb", "苏服办")
    with override_settings(XINZHENG_PLATFORMS=found):
        yield found


@contextmanager
def instead(*platforms: IdentityPlatform) -> Iterator[None]:
    with override_settings(XINZHENG_PLATFORMS=platforms):
        yield


def at_provider(address: str, **form: str) -> str:
    """Post the provider's own page as a person would; where it leads the browser."""
    opener = urllib.request.build_opener(NotFollowed)
    try:
        opener.open(urllib.request.Request(address, urlencode(form).encode(), method="POST"))
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError("the provider led nowhere")


def begin(client: Client, platform: str, **fields: str) -> str:
    response = client.post(f"/sign-in/with/{platform}/login/", fields)
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"])


def come_back(client: Client, address: str) -> tuple[int, str]:
    """Status, and where it leads or what it says."""
    parts = urlsplit(address)
    response = client.get(f"{parts.path}?{parts.query}")
    return response.status_code, response.headers.get("Location") or response.content.decode()


def enter(client: Client, platform: str, person: str, **fields: str) -> tuple[int, str]:
    return come_back(client, at_provider(begin(client, platform, **fields), sub=person))


def everything_kept() -> str:
    """What the database keeps of platforms and sessions, as text."""
    rows = [*SocialAccount.objects.values(), *Account.objects.values(), *AuditEvent.objects.values()]
    return str(rows) + str([session.get_decoded() for session in Session.objects.all()])


def test_a_verified_person_gets_one_account_and_comes_to_it_from_every_platform(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    first, second, again = Client(), Client(), Client()
    assert enter(first, "sst", "li") == (302, "/apply")
    assert enter(second, "sfb", "0123-li") == (302, "/apply")
    assert enter(again, "sst", "li") == (302, "/apply")
    account = Account.objects.get()
    person = PersonIdentity.objects.get().pk
    assert (account.role, account.has_usable_password()) == (Role.SUBJECT_AGENT, False)
    assert (account.display_name, account.person_id, account.subject_id) == ("李＊＊", person, person)
    assert sorted(SocialAccount.objects.values_list("provider", "uid")) == [("sfb", "0123-li"), ("sst", "li")]
    assert again.get("/reports").status_code == 200
    enter(Client(), "sst", "wang")
    assert Account.objects.count() == 2


def test_nothing_a_platform_says_of_a_person_is_kept_in_the_clear(platforms: tuple[IdentityPlatform, ...]) -> None:
    client = Client()
    for _ in range(2):  # the second time the account is known, which is another way through
        enter(client, "sst", "li")
    kept = everything_kept()
    assert [word for word in (NUMBER, "李示例", "13800001234", "id_token", "access_token") if word in kept] == []
    assert not SocialToken.objects.exists()
    assert not EmailAddress.objects.exists()
    assert list(SocialAccount.objects.values_list("extra_data", flat=True)) == [{}]


def test_who_is_not_verified_is_not_let_in_and_leaves_nothing(platforms: tuple[IdentityPlatform, ...]) -> None:
    status, page = enter(Client(), "sst", "unverified")
    assert (status, "先在平台上完成实名认证" in page) == (403, True)
    assert not Account.objects.exists()
    assert not SocialAccount.objects.exists()


def test_a_platform_that_does_not_vouch_opens_no_account_whatever_it_says(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    with instead(replace(platforms[0], vouches_for_identity=False)):
        assert enter(Client(), "sst", "li")[0] == 403
    assert not Account.objects.exists()


def test_the_page_that_was_wanted_comes_afterwards_but_no_other_site_does(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    assert enter(Client(), "sst", "li", next="/reports") == (302, "/reports")
    for evil in ("//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/"):
        assert enter(Client(), "sst", "li", next=evil) == (302, "/apply")


def test_the_way_there_carries_a_state_of_this_browser_and_a_challenge(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    client = Client()
    asked = parse_qs(urlsplit(begin(client, "sst")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["redirect_uri"] == ["http://testserver/sign-in/with/sst/login/callback/"]
    assert set(asked["scope"][0].split()) == {"openid", "profile", "phone"}
    assert asked["state"] != parse_qs(urlsplit(begin(client, "sst")).query)["state"]


def test_an_answer_for_another_browser_a_second_time_or_made_up_signs_nobody_in(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    client = Client()
    answer = at_provider(begin(client, "sst"), sub="li")
    assert come_back(Client(), answer)[0] == 400
    assert come_back(client, answer)[0] == 302
    client.post("/sign-out")
    assert come_back(client, answer)[0] == 400
    for query in ("", "?code=1", "?state=1", "?state=%00&code=%00", "?error=access_denied&state=x", "?code=1&state=1"):
        status, page = come_back(client, f"/sign-in/with/sst/login/callback/{query}")
        assert (status, "没有登录" in page) == (400, True)
    assert client.get("/reports").status_code == 302


def test_an_answer_of_one_platform_does_not_pass_for_that_of_another(platforms: tuple[IdentityPlatform, ...]) -> None:
    client = Client()
    answer = at_provider(begin(client, "sst"), sub="li").replace("/with/sst/", "/with/sfb/")
    assert come_back(client, answer)[0] == 400
    assert not Account.objects.exists()


def test_a_code_the_platform_never_gave_is_told_as_a_failure_of_the_platform(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    client = Client()
    state = parse_qs(urlsplit(begin(client, "sst")).query)["state"][0]
    status, page = come_back(client, f"/sign-in/with/sst/login/callback/?state={state}&code=made-up")
    assert (status, "平台没有应答" in page) == (502, True)


def test_who_refuses_at_the_platform_is_told_so(platforms: tuple[IdentityPlatform, ...]) -> None:
    client = Client()
    went = begin(client, "sst")
    answer = at_provider(went, action="deny")  # this provider leaves out the state, which the standard asks for
    assert come_back(client, answer)[0] == 400
    state = parse_qs(urlsplit(went).query)["state"][0]
    status, page = come_back(client, f"{answer}&state={state}")
    assert (status, "您在平台上取消了登录" in page) == (200, True)
    assert not Account.objects.exists()


def test_a_platform_that_is_down_is_told_and_the_other_ways_stay(platforms: tuple[IdentityPlatform, ...]) -> None:
    with instead(replace(platforms[0], server="http://127.0.0.1:9")):
        response = Client().post("/sign-in/with/sst/login/")
    assert response.status_code == 502
    assert "平台没有应答" in response.content.decode()


@pytest.mark.parametrize("name", ["none", "%00", "openid_connect", "google", ".."])
def test_a_platform_nobody_configured_is_not_there(platforms: tuple[IdentityPlatform, ...], name: str) -> None:
    assert Client().post(f"/sign-in/with/{name}/login/").status_code == 404
    assert Client().get(f"/sign-in/with/{name}/login/callback/?code=1&state=1").status_code == 404


def test_opening_the_address_by_hand_leads_nobody_away(platforms: tuple[IdentityPlatform, ...]) -> None:
    assert Client().get("/sign-in/with/sst/login/").headers["Location"] == "/sign-in"
    assert Client(enforce_csrf_checks=True).post("/sign-in/with/sst/login/").status_code == 403


def test_the_sign_in_page_offers_the_platforms_and_lets_its_forms_lead_there_and_nowhere_else(
    platforms: tuple[IdentityPlatform, ...],
) -> None:
    response = Client().get("/sign-in")
    assert "用苏商通登录" in response.content.decode()
    rules = {rule.split()[0]: rule.split()[1:] for rule in response.headers["Content-Security-Policy"].split(";")}
    assert sorted(rules["form-action"]) == sorted(["'self'", platforms[0].server, platforms[1].server])
    elsewhere = Client().get("/verify").headers["Content-Security-Policy"]
    assert "form-action 'self';" in f"{elsewhere};"


def test_a_closed_account_stays_closed_on_every_way(platforms: tuple[IdentityPlatform, ...]) -> None:
    enter(Client(), "sst", "li")
    Account.objects.update(is_active=False)
    for platform, person in (("sst", "li"), ("sfb", "0123-li")):
        status, page = enter(Client(), platform, person)
        assert (status, "账户已停用" in page) == (403, True)


def test_an_account_does_not_open_for_somebody_else_under_the_same_id(platforms: tuple[IdentityPlatform, ...]) -> None:
    enter(Client(), "sst", "li")
    enter(Client(), "sst", "wang")
    link = SocialAccount.objects.get(uid="wang")
    link.user = Account.objects.exclude(pk=link.user_id).get()
    link.save()
    status, page = enter(Client(), "sst", "wang")
    assert (status, "不是同一个人" in page) == (403, True)


def test_staff_never_come_from_a_platform(people: People, platforms: tuple[IdentityPlatform, ...]) -> None:
    SocialAccount.objects.create(user=people.administrator, provider="sst", uid="li")
    status, page = enter(Client(), "sst", "li")
    assert (status, "工作人员" in page) == (403, True)
    connecting = client_of(people.office).post("/sign-in/with/sst/login/", {"process": "connect"})
    assert connecting.headers["Location"] == "/account/connections"


def test_nobody_ties_a_platform_to_an_account_of_the_demonstration(
    people: People, platforms: tuple[IdentityPlatform, ...]
) -> None:
    people.clean.set_unusable_password()
    people.clean.save()
    client = Client()
    client.post("/sign-in", {"demo": "demo-suzhou"})
    response = client.post("/sign-in/with/sst/login/", {"process": "connect"})
    assert response.headers["Location"] == "/account/connections"
    SocialAccount.objects.create(user=people.clean, provider="sst", uid="li")
    status, page = enter(Client(), "sst", "li")
    assert (status, "演示账户" in page.split("<main")[1]) == (403, True)


def test_an_agent_connects_his_platform_and_enters_with_it_afterwards(
    people: People, platforms: tuple[IdentityPlatform, ...]
) -> None:
    client = Client()
    client.post("/sign-in", {"username": "agent-b", "password": PASSWORD})
    assert enter(client, "sst", "li", process="connect") == (302, "/account/connections")
    assert "苏商通" in client.get("/account/connections").content.decode()
    other = Client()
    enter(other, "sfb", "0123-li")  # the same person from another platform: the same account
    assert set(SocialAccount.objects.values_list("user_id", flat=True)) == {people.punished.pk}
    assert Account.objects.get(pk=people.punished.pk).person_id == PersonIdentity.objects.get().pk


def test_nobody_connects_a_person_or_a_platform_account_that_is_anothers(
    people: People, platforms: tuple[IdentityPlatform, ...]
) -> None:
    enter(Client(), "sst", "li")
    client = Client()
    client.post("/sign-in", {"username": "agent-b", "password": PASSWORD})
    status, page = enter(client, "sst", "li", process="connect")
    assert (status, "已经连接了本站的另一个账户" in page) == (403, True)
    status, page = enter(client, "sfb", "0123-li", process="connect")
    assert (status, "不是同一个人" in page) == (403, True)
    assert SocialAccount.objects.count() == 1


def test_connecting_asks_for_a_fresh_proof(people: People, platforms: tuple[IdentityPlatform, ...]) -> None:
    client = client_of(people.punished)  # a session without any proof
    response = client.post("/sign-in/with/sst/login/", {"process": "connect"})
    assert response.headers["Location"] == "/sign-in/again?next=/account/connections"


def test_the_only_way_to_sign_in_cannot_be_removed_a_second_one_can(
    people: People, platforms: tuple[IdentityPlatform, ...]
) -> None:
    client = Client()
    enter(client, "sst", "li")
    only = SocialAccount.objects.get()
    assert client.post(f"/account/connections/{only.pk}/remove").status_code == 403
    enter(client, "sfb", "0123-li")
    stranger = Client()
    stranger.post("/sign-in", {"username": "agent-b", "password": PASSWORD})
    assert stranger.post(f"/account/connections/{only.pk}/remove").status_code == 404
    assert client.post(f"/account/connections/{only.pk}/remove").status_code == 302
    assert SocialAccount.objects.get().provider == "sfb"


def test_who_has_only_a_platform_proves_himself_again_there(platforms: tuple[IdentityPlatform, ...]) -> None:
    client = Client()
    enter(client, "sst", "li")
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": 1.0}]
    session.save()
    assert client.get("/account/keys/app").headers["Location"].startswith("/sign-in/again")
    assert "用苏商通再次登录" in client.get("/sign-in/again?next=/account/keys/app").content.decode()
    went = begin(client, "sst", process="again", next="/account/keys/app")
    assert parse_qs(urlsplit(went).query)["prompt"] == ["login"]
    assert come_back(client, at_provider(went, sub="li")) == (302, "/account/keys/app")
    assert client.get("/account/keys/app").status_code == 200


def test_the_phone_a_platform_gives_is_kept_sealed(platforms: tuple[IdentityPlatform, ...]) -> None:
    enter(Client(), "sst", "li")
    assert phone_of(PersonIdentity.objects.get().pk) == "13800001234"


def test_a_platform_that_sends_identity_numbers_as_ids_is_refused(platforms: tuple[IdentityPlatform, ...]) -> None:
    with identity_provider(LI | {"sub": NUMBER}) as url, instead(platform_at(url, "sst", "苏商通")):
        status, page = enter(Client(), "sst", NUMBER)
    assert (status, "平台的配置有误" in page) == (403, True)
    assert NUMBER not in everything_kept()


def test_a_representative_is_bound_where_the_register_names_the_same_else_the_office_is_asked(
    city: SmallCity,
) -> None:
    city.firm(uscc(7))
    boss = LI | {"sub": "boss", "uscc": uscc(7), "is_representative": True}
    clerk = WANG | {"sub": "clerk", "uscc": uscc(7), "is_representative": "true"}  # a word is no yes
    with identity_provider(boss, clerk) as url, instead(platform_at(url, "sst", "苏商通")):
        assert enter(Client(), "sst", "boss")[0] == 302
        assert enter(Client(), "sst", "clerk")[0] == 302
    bound = Mandate.objects.filter(basis="representative").count()
    waiting = MandateRequest.objects.count()
    assert bound + waiting == 1
