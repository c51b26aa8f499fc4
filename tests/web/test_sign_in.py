"""Signing in and out."""

import pytest
from django.test import Client, override_settings

from tests.web.conftest import PASSWORD, People, client_of
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def sign_in(client: Client, **fields: str) -> str:
    return str(client.post("/sign-in", fields).headers.get("Location", ""))


def test_the_right_password_leads_each_role_to_its_first_page_and_is_recorded(people: People) -> None:
    assert sign_in(Client(), username="agent-b", password=PASSWORD) == "/apply"
    assert sign_in(Client(), username="demo-water", password=PASSWORD) == "/department"
    assert sign_in(Client(), username="demo-office", password=PASSWORD) == "/office"
    assert AuditEvent.objects.filter(action="signed-in").count() == 3


def test_a_wrong_password_is_told_at_the_top_and_at_the_field_and_keeps_the_name(people: People) -> None:
    response = Client().post("/sign-in", {"username": "agent-b", "password": "wrong"})
    page = response.content.decode()
    assert response.status_code == 422
    assert page.count("用户名或者密码不对") == 2
    assert 'href="#username"' in page
    assert 'value="agent-b"' in page
    assert "wrong" not in page


def test_nothing_filled_in_is_told_field_by_field(client: Client) -> None:
    page = client.post("/sign-in", {}).content.decode()
    assert "有2处需要改正" in page
    assert 'aria-describedby="username-error"' in page
    assert 'aria-describedby="password-error"' in page


@pytest.fixture
def everybodys(people: People) -> Account:
    """An account of the demonstration as it is opened there: without a password."""
    people.clean.set_unusable_password()
    people.clean.save()
    return people.clean


def test_one_click_enters_a_demonstration_account_only_while_the_site_is_a_demonstration(everybodys: Account) -> None:
    with override_settings(XINZHENG_DEMONSTRATION=True):
        assert 'value="demo-suzhou"' in Client().get("/sign-in").content.decode()
        assert sign_in(Client(), demo="demo-suzhou") == "/apply"
    with override_settings(XINZHENG_DEMONSTRATION=False):
        assert 'value="demo-suzhou"' not in Client().get("/sign-in").content.decode()
        assert Client().post("/sign-in", {"demo": "demo-suzhou"}).status_code == 422


def test_a_session_of_the_demonstration_ends_with_the_demonstration(everybodys: Account) -> None:
    client = Client()
    with override_settings(XINZHENG_DEMONSTRATION=True):
        sign_in(client, demo="demo-suzhou")
        assert client.get("/reports").status_code == 200
    with override_settings(XINZHENG_DEMONSTRATION=False):
        assert client.get("/reports").headers["Location"] == "/sign-in?next=%2Freports"
    with override_settings(XINZHENG_DEMONSTRATION=True):
        assert client.get("/reports").headers["Location"] == "/sign-in?next=%2Freports"


def test_one_click_never_enters_a_real_account(people: People) -> None:
    with override_settings(XINZHENG_DEMONSTRATION=True):
        page = Client().get("/sign-in").content.decode()
        assert "agent-b" not in page
        assert PASSWORD not in page
        assert Client().post("/sign-in", {"demo": "agent-b"}).status_code == 422
        assert 'value="demo-water"' not in page  # it has a password, so it is somebody's
        assert Client().post("/sign-in", {"demo": "demo-water"}).status_code == 422


def test_signing_in_goes_on_to_the_page_that_asked_for_it_but_never_to_another_site(people: People) -> None:
    client = Client()
    assert client.get("/reports").headers["Location"] == "/sign-in?next=%2Freports"
    assert 'name="next" value="/reports"' in client.get("/sign-in?next=/reports").content.decode()
    assert sign_in(client, username="agent-b", password=PASSWORD, next="/reports") == "/reports"
    assert sign_in(Client(), username="agent-b", password=PASSWORD, next="https://evil.example/") == "/apply"


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "http:///\\evil",
        "\t//evil.example",
        "/\t/evil.example",
    ],
)
def test_no_way_of_writing_another_site_is_followed(people: People, address: str) -> None:
    went = sign_in(Client(), username="agent-b", password=PASSWORD, next=address)
    assert went in {"/apply", "%2F%2Fevil.example"}  # the last is a page of this site that does not exist


def test_signing_out_forgets_who_was_there_and_is_recorded(people: People) -> None:
    client = client_of(people.clean)
    client.post("/sign-out")
    assert client.get("/reports").status_code == 302
    assert AuditEvent.objects.filter(action="signed-out", who=people.clean.actor).count() == 1


def test_a_closed_account_cannot_sign_in(people: People) -> None:
    people.punished.is_active = False
    people.punished.save()
    assert Client().post("/sign-in", {"username": "agent-b", "password": PASSWORD}).status_code == 422
