"""Where each role begins after signing in."""

import pytest
from django.test import Client, override_settings

from tests.web.conftest import PASSWORD, QUICK_HASHERS, People, client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.mandates import NewMandate, grant
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Mandate, Role
from xinzheng.web.sign_in.staff import FIRST_PAGES, first_page

pytestmark = pytest.mark.django_db
BEGINS = {
    Role.SUBJECT_AGENT: "/apply",
    Role.RECEIVER: "/receiver",
    Role.DEPARTMENT_OFFICER: "/department",
    Role.RESPONSIBLE_OFFICER: "/department",
    Role.OFFICE_OPERATOR: "/office",
    Role.JUSTICE_LEAD: "/office",
    Role.DATA_LEAD: "/office",
    Role.SECURITY_ADMINISTRATOR: "/administration/accounts",
    Role.AUDITOR: "/audit",
    Role.SYSTEM_ADMINISTRATOR: "/administration/keys",
}


def of_role(people: People, role: Role) -> Account:
    own: dict[str, int | None] = {}
    if role == Role.SUBJECT_AGENT:
        own = {"subject_id": people.clean.subject_id}
    elif role in OF_A_UNIT:
        own = {"unit_id": people.officer.unit_id}
    return open_account(NewAccount(f"one-{role.value}", "示例", role, password=PASSWORD, **own), by="test")


@override_settings(PASSWORD_HASHERS=QUICK_HASHERS)
def test_every_role_lands_on_a_page_of_its_own_that_lets_it_in(people: People) -> None:
    assert set(FIRST_PAGES) == set(BEGINS) == set(Role)
    for role, page in BEGINS.items():
        client, account = Client(), of_role(people, role)
        sent = client.post("/sign-in", {"username": account.username, "password": PASSWORD, "next": "/"})
        assert (role, sent.headers["Location"]) == (role, page)
        assert first_page(account) == page
        assert (role, client.get(page, follow=True).status_code) == (role, 200)


def test_who_signs_in_from_the_home_page_goes_nowhere_in_particular(client: Client) -> None:
    assert 'name="next" value=""' in client.get("/sign-in?next=/").content.decode()
    assert 'name="next" value="/s"' in client.get("/sign-in?next=/s").content.decode()


@pytest.mark.parametrize(("scopes", "page"), [(("read",), "/reports"), (("object",), "/mandates"), ((), "/mandates")])
def test_an_agent_begins_where_its_mandate_lets_it_in(people: People, scopes: tuple[str, ...], page: str) -> None:
    clerk = open_account(NewAccount("clerk", "示例", Role.SUBJECT_AGENT), by="test")
    if scopes:
        assert people.clean.subject_id is not None
        grant(NewMandate(clerk.pk, people.clean.subject_id, Mandate.Basis.OPENED, scopes), by="test")
        clerk.refresh_from_db()
    assert first_page(clerk) == page
    assert client_of(clerk).get(page).status_code == 200
