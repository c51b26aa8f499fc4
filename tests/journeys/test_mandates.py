"""An agent asks with a letter, the representative confirms it in a browser of his own, takes it back; for everybody."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, mistakes_in_every_look, walk
from tests.small_city import SmallCity, today, uscc
from tests.web.conftest import CLEAN, PASSWORD, People
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.mandates import NewMandate, NewRequest, grant, revoke
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.registry.letters import Letter, ask_with_letter
from xinzheng.apps.registry.representatives import claim_representation

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PDF = b"%PDF-1.7 sealed by the company"


@pytest.fixture
def clerk(people: People) -> Account:
    return open_account(NewAccount("clerk", "经办人小示", Role.SUBJECT_AGENT, password=PASSWORD), by="test")


def test_a_letter_is_sent_confirmed_used_and_taken_back(
    site: Site, people: People, clerk: Account, tmp_path: Path
) -> None:
    letter = tmp_path / "授权书.pdf"
    letter.write_bytes(PDF)
    theirs, ours = site.visit(viewport={"width": 390, "height": 844}), site.visit()
    site.sign_in(theirs, "clerk")
    theirs.goto("/mandates")
    theirs.fill("#code", CLEAN)
    theirs.fill("#until", (today() + timedelta(days=30)).isoformat())
    theirs.set_input_files("#letter", letter)
    theirs.get_by_role("button", name="提交，等待法定代表人确认").click()
    theirs.get_by_text("确认前没有任何权限").wait_for()
    site.sign_in(ours, "demo-suzhou")
    ours.goto("/mandates")
    with ours.expect_download() as download:
        ours.get_by_role("link", name="下载授权书扫描件").click()
    assert Path(download.value.path()).read_bytes() == PDF
    ours.get_by_role("button", name="确认经办人小示的授权").click()
    ours.get_by_text("授权立即生效").wait_for()
    theirs.goto("/apply")
    theirs.get_by_role("button", name="出具报告").wait_for()
    ours.get_by_label("撤销经办人小示的授权").click()
    ours.get_by_role("row", name="经办人小示").get_by_role("button", name="确认撤销").click()
    ours.get_by_text("已撤销，立即生效").wait_for()
    answer = theirs.goto("/apply")
    assert answer is not None
    assert answer.status == 403


def test_the_pages_of_mandates_and_accounts_can_be_used_by_everybody(
    site: Site, city: SmallCity, people: People, clerk: Account
) -> None:
    _fill(city, people, clerk)
    page = walk(site)
    site.sign_in(page, "demo-suzhou")
    found = look_in_every_look_at(page, ["/mandates"])
    page.get_by_role("button", name="提交，等待法定代表人确认").evaluate("button => button.form.noValidate = true")
    page.get_by_role("button", name="提交，等待法定代表人确认").click()
    page.get_by_role("heading", name="处需要改正").wait_for()
    found += mistakes_in_every_look(page, "mandates with mistakes")
    office, system, security = walk(site), walk(site), walk(site)
    site.sign_in(office, "demo-office")
    found += look_in_every_look_at(office, ["/office/representatives"])
    site.sign_in(system, "administrator")
    found += look_in_every_look_at(system, ["/administration/accounts"])
    site.sign_in(security, "security")
    found += look_in_every_look_at(security, ["/administration/accounts", "/administration/sessions"])
    assert found == []


def _fill(city: SmallCity, people: People, clerk: Account) -> None:
    """One that waits, one in force, one that ended, one for the office; a second company to choose."""
    open_account(NewAccount("security", "安全管理员", Role.SECURITY_ADMINISTRATOR, password=PASSWORD), by="test")
    assert people.clean.subject_id is not None
    until = today() + timedelta(days=30)
    request = NewRequest(people.clean.subject_id, ("apply", "read"), until)
    ask_with_letter(request, Letter(PDF, "application/pdf"), account=clerk)
    letter = NewMandate(clerk.pk, people.clean.subject_id, Mandate.Basis.LETTER, ("read",), until)
    revoke(grant(letter, by="test").pk, by="test")
    grant(letter, by="test")
    second = city.firm(uscc(5), "苏州另一示例有限公司", 法定代表人="示例甲")
    grant(NewMandate(people.clean.pk, second, Mandate.Basis.OPENED), by="test")
    claim_representation(people.clean, city.firm(uscc(6), "苏州待核示例有限公司"), "示例乙")
