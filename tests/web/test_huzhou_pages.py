"""Huzhou's pages: a natural person, no choice offered, the name masked wherever it is shown."""

import re
from pathlib import Path

import pytest

from tests.small_city import build_small_city
from tests.web.conftest import client_of, issue
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.reports.models import Application
from xinzheng.apps.reports.packs import current_policy

pytestmark = pytest.mark.django_db

NUMBER, NAME = "330502199001010014", "示例甲乙"


@pytest.fixture
def person(db: None, tmp_path: Path) -> Account:
    city = build_small_city(tmp_path, "huzhou-2023", units_per_domain=1)
    city.declare_everything()
    subject = city.firm(NUMBER, NAME, 类型="自然人", 法定代表人="", 登记状态="")
    return open_account(NewAccount("demo-person", "示例", Role.SUBJECT_AGENT, subject_id=subject), by="test")


def test_a_person_is_offered_no_choice_of_domains_or_period_and_sees_what_is_checked(person: Account) -> None:
    policy, page = current_policy("huzhou-2023"), client_of(person).get("/apply").content.decode()
    assert f"全部{len(policy.domains)}个领域" in page
    assert 'name="domains"' not in page
    assert 'name="from"' not in page
    assert "看是哪些领域" in page
    for purpose in policy.purposes:
        assert f">{purpose.name}</label>" in page
    for group in {purpose.group for purpose in policy.purposes if purpose.group}:
        assert group in page


def test_a_choice_that_is_not_offered_is_not_read_from_a_forged_form(person: Account) -> None:
    forged = {"policy": "huzhou-2023", "domains": ["taxation"], "from": "2025-01-01", "to": "2025-02-01"}
    told = re.findall(r'name="told" value="([^"]+)"', client_of(person).get("/apply").content.decode())
    client_of(person).post("/apply", forged | {"told": told})
    asked = Application.objects.get().request
    assert asked.get("domains") is None
    assert asked.get("from") is None


def test_name_and_number_are_masked_on_every_page(person: Account) -> None:
    client, number = client_of(person), issue(person, "huzhou-2023").number
    for address in ("/apply", "/reports", f"/reports/{number}"):
        page = client.get(address).content.decode()
        assert NUMBER not in page, address
        assert NAME not in page, address
    assert "居民身份证" in client.get(f"/reports/{number}").content.decode()
