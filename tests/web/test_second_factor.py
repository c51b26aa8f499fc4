"""Staff need a second factor: nothing else opens before it is there, and nothing opens without it."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from tests.web.conftest import PASSWORD, QUICK_HASHERS, People
from xinzheng.apps.accounts.models import Account, SignInFailure
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.web.sign_in.factors import factor_by_code

pytestmark = pytest.mark.django_db
SECRET = re.compile(r'<span class="digest">([A-Z2-7 ]+)</span>')
RECOVERY = re.compile(r'<li class="code">(\d+)</li>')


@pytest.fixture(autouse=True)
def second_factor_is_required(staff_enter_with_password_alone: None) -> Iterator[None]:
    # How long a password takes to check is not asked here.
    with override_settings(XINZHENG_SECOND_FACTOR="required", PASSWORD_HASHERS=QUICK_HASHERS):
        yield


def code_at(secret: str, step: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret.replace(" ", ""), int(time.time()) // 30 + step)))


def by_password(client: Client, username: str) -> str:
    return str(client.post("/sign-in", {"username": username, "password": PASSWORD}).headers.get("Location", ""))


def enrol(client: Client) -> str:
    """Bind an app; its secret."""
    found = SECRET.search(client.get("/account/keys/app").content.decode())
    assert found
    left = 30 - time.time() % 30
    if left < 1:  # the code before the present one would be too old before it is posted
        time.sleep(left)
    response = client.post("/account/keys/app", {"code": code_at(found[1], -1)})
    assert response.headers["Location"] == "/account/keys/recovery"
    return found[1]


@pytest.fixture
def enrolled(people: People) -> str:
    """The office's account has an app; its secret."""
    client = Client()
    by_password(client, "demo-office")
    return enrol(client)


def test_staff_without_a_second_factor_reach_nothing_but_the_page_where_they_bind_one(people: People) -> None:
    client = Client()
    assert by_password(client, "administrator") == "/administration/keys"
    for address in ("/administration/keys", "/", "/verify", "/account/password"):
        assert client.get(address).headers["Location"] == "/account/keys"
    assert "还差一步" in client.get("/account/keys").content.decode()
    assert client.post("/administration/keys", {"unit": "1", "name": "x"}).headers["Location"] == "/account/keys"
    enrol(client)
    assert client.get("/administration/keys").status_code == 200


def test_agents_may_do_without(people: People) -> None:
    client = Client()
    assert by_password(client, "agent-b") == "/apply"
    assert client.get("/reports").status_code == 200


def test_with_a_second_factor_the_password_alone_signs_nobody_in(people: People, enrolled: str) -> None:
    client = Client()
    assert by_password(client, "demo-office") == "/sign-in/second"
    assert client.get("/office/coverage").headers["Location"].startswith("/sign-in?")
    response = client.post("/sign-in/second", {"code": code_at(enrolled)})
    assert response.headers["Location"] == "/office"
    assert client.get("/office/reports").status_code == 200
    assert AuditEvent.objects.filter(action="signed-in").last().details == {"proofs": ["password", "totp"]}


def test_the_page_that_was_wanted_comes_after_the_second_step_but_no_other_site_does(
    people: People, enrolled: str
) -> None:
    for wanted, expected, step in (("/office/waivers", "/office/waivers", 0), ("//evil.example", "/office", 1)):
        client = Client()
        client.post("/sign-in", {"username": "demo-office", "password": PASSWORD, "next": wanted})
        response = client.post("/sign-in/second", {"code": code_at(enrolled, step), "next": "//evil.example"})
        assert response.headers["Location"] == expected


def test_a_code_opens_once(people: People, enrolled: str) -> None:
    code = code_at(enrolled)
    for expected in (302, 422):
        client = Client()
        by_password(client, "demo-office")
        assert client.post("/sign-in/second", {"code": code}).status_code == expected


def test_a_code_before_the_one_used_last_opens_nothing_either(people: People, enrolled: str) -> None:
    assert factor_by_code(people.office, code_at(enrolled, 1)) is not None
    assert factor_by_code(people.office, code_at(enrolled, 0)) is None
    assert factor_by_code(people.office, code_at(enrolled, 1)) is None


def test_the_code_that_bound_the_app_does_not_sign_in(people: People) -> None:
    client = Client()
    by_password(client, "demo-office")
    found = SECRET.search(client.get("/account/keys/app").content.decode())
    assert found
    code = code_at(found[1])
    client.post("/account/keys/app", {"code": code})
    assert factor_by_code(people.office, code) is None


def test_five_wrong_codes_lock_the_second_step_and_the_right_one_with_it(people: People, enrolled: str) -> None:
    client = Client()
    by_password(client, "demo-office")
    for _ in range(5):
        assert client.post("/sign-in/second", {"code": "000000"}).status_code == 422
    assert client.post("/sign-in/second", {"code": code_at(enrolled)}).status_code == 422
    # Another password sign-in does not begin the count anew.
    other = Client()
    by_password(other, "demo-office")
    assert other.post("/sign-in/second", {"code": code_at(enrolled)}).status_code == 422
    SignInFailure.objects.all().delete()
    assert other.post("/sign-in/second", {"code": code_at(enrolled)}).status_code == 422  # it was used in vain
    assert other.post("/sign-in/second", {"code": code_at(enrolled, 1)}).status_code == 302


def test_a_recovery_code_opens_once_and_is_shown_once(people: People) -> None:
    client = Client()
    by_password(client, "demo-office")
    enrol(client)
    codes = RECOVERY.findall(client.get("/account/keys/recovery").content.decode())
    assert len(codes) == 10
    assert not RECOVERY.findall(client.get("/account/keys/recovery").content.decode())
    for expected in (302, 422):
        other = Client()
        by_password(other, "demo-office")
        assert other.post("/sign-in/second", {"code": codes[0]}).status_code == expected


def test_new_recovery_codes_end_the_old_ones(people: People) -> None:
    client = Client()
    by_password(client, "demo-office")
    enrol(client)
    old = RECOVERY.findall(client.get("/account/keys/recovery").content.decode())
    client.post("/account/keys/recovery")
    new = RECOVERY.findall(client.get("/account/keys/recovery").content.decode())
    assert factor_by_code(people.office, old[0]) is None
    assert factor_by_code(people.office, new[0]) is not None


def test_no_secret_stands_in_the_database_in_clear_also_not_while_it_waits(people: People) -> None:
    client = Client()
    by_password(client, "demo-office")
    found = SECRET.search(client.get("/account/keys/app").content.decode())
    assert found
    secret = found[1].replace(" ", "")
    waiting = [str(session.get_decoded()) for session in Session.objects.all()]
    client.post("/account/keys/app", {"code": code_at(secret)})
    kept = [str(data) for data in Authenticator.objects.values_list("data", flat=True)]
    assert kept
    assert waiting
    assert not [text for text in waiting + kept if secret in text]


def test_staff_cannot_remove_the_only_factor_and_nobody_that_of_another(people: People, enrolled: str) -> None:
    client, stranger = Client(), Client()
    by_password(client, "demo-office")
    client.post("/sign-in/second", {"code": code_at(enrolled)})
    factor = Authenticator.objects.get(type="totp")
    assert client.post(f"/account/keys/{factor.pk}/remove").status_code == 403
    by_password(stranger, "agent-b")
    assert stranger.post(f"/account/keys/{factor.pk}/remove").status_code == 404
    assert Authenticator.objects.filter(pk=factor.pk).exists()


def test_an_agent_may_bind_an_app_is_asked_for_it_then_and_may_remove_it(people: People) -> None:
    client = Client()
    by_password(client, "agent-b")
    secret = enrol(client)
    other = Client()
    assert by_password(other, "agent-b") == "/sign-in/second"
    assert other.post("/sign-in/second", {"code": code_at(secret)}).status_code == 302
    other.post(f"/account/keys/{Authenticator.objects.get(type='totp').pk}/remove")
    assert not Authenticator.objects.exists()
    assert by_password(Client(), "agent-b") == "/apply"


def test_grave_things_ask_again_once_the_proof_is_old(people: People) -> None:
    client = Client()
    by_password(client, "agent-b")
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 301}]
    session.save()
    again = "/sign-in/again?next=%2Faccount%2Fkeys%2Fapp"
    assert client.get("/account/keys/app").headers["Location"] == again
    page = client.get(again).content.decode()
    assert 'value="/account/keys/app"' in page
    assert client.post("/sign-in/again", {"password": "wrong", "next": "/account/keys/app"}).status_code == 422
    response = client.post("/sign-in/again", {"password": PASSWORD, "next": "/account/keys/app"})
    assert response.headers["Location"] == "/account/keys/app"
    assert client.get("/account/keys/app").status_code == 200
    assert client.post("/sign-in/again", {"password": PASSWORD, "next": "//evil.example"}).headers["Location"] == "/"


def test_who_has_a_second_factor_is_asked_for_it_again_and_not_for_the_password(people: People, enrolled: str) -> None:
    client = Client()
    by_password(client, "demo-office")
    client.post("/sign-in/second", {"code": code_at(enrolled)})
    assert client.post("/sign-in/again", {"password": PASSWORD}).status_code == 422
    assert client.post("/sign-in/again", {"code": code_at(enrolled, 1)}).status_code == 302


def test_the_accounts_of_a_demonstration_need_none_and_nobody_can_bind_one_to_them(people: People) -> None:
    people.office.set_unusable_password()
    people.office.save()
    client = Client()
    assert client.post("/sign-in", {"demo": "demo-office"}).headers["Location"] == "/office"
    assert client.get("/office/reports").status_code == 200
    for address in ("/account/keys/app", "/account/keys/security-key", "/account/keys/recovery"):
        assert client.get(address).status_code == 403
    assert "演示账户" in client.get("/account/keys").content.decode()
    # A session of theirs that came another way is one of staff without a second factor.
    other = Client()
    other.force_login(people.administrator)
    assert other.get("/administration/keys").headers["Location"] == "/account/keys"


def test_where_only_security_keys_count_a_code_opens_nothing(people: People, enrolled: str) -> None:
    with override_settings(XINZHENG_SECOND_FACTOR="webauthn"):
        client = Client(headers={"host": "localhost"})
        assert by_password(client, "demo-office") == "/office"
        assert client.get("/office").headers["Location"] == "/account/keys"
        assert client.get("/account/keys/app").headers["Location"] == "/account/keys"
        assert factor_by_code(people.office, code_at(enrolled)) is None


def test_a_page_that_asks_by_itself_is_led_as_a_whole(people: People) -> None:
    client = Client()
    by_password(client, "administrator")
    response = client.get("/administration/keys", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/account/keys")


@pytest.mark.parametrize(
    "credential", ["", "null", "[]", "{", '{"id": 1}', '{"id":"YQ","rawId":"YQ","response":{}}', "\0"]
)
@pytest.mark.parametrize("address", ["/sign-in/second", "/account/keys/security-key"])
def test_nonsense_for_a_security_key_is_refused_and_no_failure_of_the_site(
    people: People, credential: str, address: str
) -> None:
    client = Client(headers={"host": "localhost"})
    by_password(client, "demo-office")
    if address == "/sign-in/second":
        enrol(client)
        client = Client(headers={"host": "localhost"})
        by_password(client, "demo-office")
    client.get(address)
    assert client.post(address, {"credential": credential, "code": "\0", "name": "\0"}).status_code == 422


def test_binding_and_removing_are_recorded_without_secrets(people: People, enrolled: str) -> None:
    event = AuditEvent.objects.get(action="second-factor-added")
    assert (event.who, event.details) == (people.office.actor, {"kind": "totp"})


def test_who_is_nobody_reaches_none_of_these_pages(client: Client) -> None:
    for address in ("/account/keys", "/account/keys/app", "/account/keys/recovery", "/sign-in/again"):
        assert client.get(address).headers["Location"].startswith("/sign-in?next=")
    assert client.get("/sign-in/second").headers["Location"] == "/sign-in"
    assert Account.objects.count() == 0
