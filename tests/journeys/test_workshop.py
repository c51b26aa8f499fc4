"""A pack from draft to force in the browser: the office uploads, mends, tries, signs; then justice; then its day."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from tests import told_time
from tests.apps.test_proposals import POLICY, tomorrow, with_domain
from tests.journeys.conftest import Site
from tests.journeys.test_everybody import mistakes_in_every_look
from tests.small_city import SmallCity
from tests.web.conftest import PASSWORD, People
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def told(settings: LazySettings) -> Iterator[None]:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(date(2025, 11, 20))
    yield
    told_time.forget()


def upload(page: Page, content: bytes) -> None:
    page.select_option("#draft-policy", POLICY)
    page.set_input_files("#policy_file", {"name": "气象.yaml", "mimeType": "application/yaml", "buffer": content})
    page.fill("#from_date", tomorrow().isoformat())
    page.fill("#draft-reason", "第二批增加气象领域")
    page.get_by_role("button", name="检查并提交会签").click()


def test_a_draft_is_mended_tried_signed_by_two_and_holds_from_its_day(
    told: None, city: SmallCity, people: People, site: Site, work_off: Callable[[], None]
) -> None:
    open_account(NewAccount("justice", "示例辛", Role.JUSTICE_LEAD, password=PASSWORD), by="test")
    page = site.visit()
    site.sign_in(page, "demo-office")
    page.get_by_role("link", name="政策", exact=True).click()
    uploaded_wrong_then_right(page)
    page.get_by_role("button", name="模拟").click()
    expect(page.locator("#simulated")).to_contain_text("正在模拟")
    work_off()
    expect(page.locator("#simulated")).to_contain_text("2个主体中，没有一个的结论会变")
    assert mistakes_in_every_look(page, "a draft that was simulated") == []
    page.get_by_role("button", name="会签", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("本单位已经会签，等待司法局")

    other = site.visit(viewport={"width": 390, "height": 844})
    site.sign_in(other, "justice")
    other.goto("/office/policies")
    other.get_by_role("link", name="去会签").click()
    assert other.url == page.url
    other.get_by_role("button", name="会签", exact=True).click()
    expect(other.get_by_role("main")).to_contain_text("已会签并发布，自2025年11月21日起施行")
    other.goto(f"/policies/{POLICY}")
    expect(other.get_by_role("rowheader", name="税务")).to_be_visible()
    expect(other.get_by_role("rowheader", name="气象")).to_have_count(0)

    told_time.tell(tomorrow())
    other.reload()
    expect(other.get_by_role("rowheader", name="气象")).to_be_visible()
    page.goto(f"/office/policies?policy={POLICY}")
    expect(page.get_by_role("main")).to_contain_text("自2025年11月21日起的一版，施行中")


def uploaded_wrong_then_right(page: Page) -> None:
    """The office sees its mistake at its line, mends it, and has its draft kept."""
    sound = with_domain()["policy.yaml"]
    upload(page, sound.replace(b"years: 3", b"years: three"))
    row = page.get_by_role("row").filter(has_text="years: three")
    line = sound.decode().splitlines().index("  years: 3") + 1
    expect(row).to_contain_text(f"policy.yaml 第{line}行")
    expect(row).to_contain_text("此处应为整数")
    expect(page.locator("#draft-reason")).to_have_value("第二批增加气象领域")
    assert mistakes_in_every_look(page, "mistakes of a draft") == []
    upload(page, sound)
    expect(page.get_by_role("main")).to_contain_text("84个，全部符合预期")
    expect(page.get_by_role("main")).to_contain_text("还没有在账本上模拟过")
