"""A receiver in a real browser: it registers, the office verifies it, it looks, subscribes and is told."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import mistakes_on
from tests.small_city import uscc
from tests.web.conftest import PASSWORD, People, issue
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.notices import sweep_ended
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.lifecycle import RevocationReason

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BANK = "示例银行苏州分行"


def mistakes(page: Page, name: str) -> list[str]:
    """On a desk, and on a phone in the largest letters at night."""
    found = mistakes_on(page, f"{name} 1280")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.dataset.elder = 'largest'")
    found += mistakes_on(page, f"{name} 390")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    page.evaluate("delete document.documentElement.dataset.elder")
    return found


def test_register_verify_pick_look_subscribe_and_be_told(site: Site, people: People) -> None:
    open_account(NewAccount("clerk", "柜员", Role.RECEIVER, password=PASSWORD), by="test")
    number = apart(lambda: issue(people.clean)).number
    clerk, office, agent = site.visit(), site.visit(), site.visit()
    found = register(site, clerk)
    found += verify(site, office)
    found += read(site, site.visit())
    pick(site, agent, number)
    typed = agent.locator("[data-typed]").inner_text()
    found += look(clerk, typed)
    clerk.get_by_role("button", name="订阅这份报告的状态").click()
    expect(clerk.get_by_role("status")).to_contain_text("已订阅")
    expect(agent.locator("#views")).to_contain_text("已核实的单位")
    expect(agent.locator("#views")).to_contain_text("状态订阅")
    apart(lambda: revoke_report(number, RevocationReason.ISSUED_IN_ERROR, "test"))
    assert apart(sweep_ended) == 1
    clerk.goto("/receiver/notices")
    expect(clerk.get_by_role("table", name="通知")).to_contain_text(f"报告{number}的状态变为“已作废”")
    found += mistakes(clerk, "notices")
    clerk.get_by_role("link", name="看过的报告").click()
    expect(clerk.get_by_role("table", name="看过的报告")).to_contain_text("已结束")
    found += mistakes(clerk, "shown")
    assert found == []


def register(site: Site, clerk: Page) -> list[str]:
    site.sign_in(clerk, "clerk")
    clerk.goto("/receiver")
    clerk.get_by_label("统一社会信用代码").fill(uscc(70)[:-1] + "A")
    clerk.get_by_label("单位全称").fill(BANK)
    clerk.get_by_role("radio", name="银行").check()
    clerk.get_by_role("button", name="提交登记").click()
    expect(clerk.get_by_role("alert")).to_contain_text("校验不通过")
    found = mistakes(clerk, "registration with a mistake")
    clerk.get_by_label("统一社会信用代码").fill(uscc(70))
    clerk.get_by_role("button", name="提交登记").click()
    expect(clerk.get_by_role("main")).to_contain_text("等待信用办核实")
    return found + mistakes(clerk, "waiting")


def verify(site: Site, office: Page) -> list[str]:
    site.sign_in(office, "demo-office")
    office.get_by_text("更多", exact=True).click()
    office.get_by_role("link", name="核验单位").click()
    found = mistakes(office, "receivers")
    office.get_by_role("checkbox", name="柜员（clerk）").check()
    office.get_by_role("radio", name="核实", exact=True).check()
    office.get_by_role("button", name="提交决定").click()
    expect(office.get_by_role("status")).to_contain_text("已核实")
    return found


def read(site: Site, lead: Page) -> list[str]:
    """As one who leads for justice: names and how they stand."""
    open_account(NewAccount("lead", "司法局", Role.JUSTICE_LEAD, password=PASSWORD), by="test")
    site.sign_in(lead, "lead")
    lead.goto("/office/receivers")
    expect(lead.get_by_role("main")).to_contain_text(BANK)
    return mistakes(lead, "receivers as read")


def pick(site: Site, agent: Page, number: str) -> None:
    """Share with the receiver that is found while its name is typed."""
    site.sign_in(agent, "demo-suzhou")
    agent.goto(f"/reports/{number}/share")
    agent.get_by_label("只给一个单位看").press_sequentially("示例银行")
    expect(agent.locator("#receivers option")).to_have_attribute("value", BANK)
    agent.get_by_label("只给一个单位看").fill(BANK)
    agent.get_by_role("checkbox", name="该单位须用账户查看").check()
    agent.get_by_role("checkbox", name="可以订阅").check()
    agent.get_by_role("radio", name="融资").check()
    agent.get_by_role("button", name="亮码").click()
    agent.wait_for_url("**/shares/*")


def look(clerk: Page, typed: str) -> list[str]:
    clerk.goto("/s")
    clerk.get_by_label("12位码").fill(typed)
    clerk.get_by_role("button", name="下一步").click()
    expect(clerk.get_by_role("main")).to_contain_text(BANK)
    found = mistakes(clerk, "who")
    clerk.get_by_role("radio", name="融资").check()
    clerk.get_by_role("button", name="查看报告").click()
    clerk.wait_for_url("**/s/views/*")
    return found
