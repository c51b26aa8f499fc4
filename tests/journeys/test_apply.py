"""From one click to the signed file, in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.small_city import SmallCity
from tests.web.conftest import penalties
from xinzheng.adapters.pdf import read_attachment
from xinzheng.apps.reports.models import Report

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_one_click_leads_over_the_progress_to_the_report_and_its_file(
    site: Site, city: SmallCity, work_off: Callable[[], None], tmp_path: Path
) -> None:
    city.submit(penalties(city))
    page = site.visit()
    site.sign_in(page, "agent-b")
    expect(page.get_by_role("heading", level=1)).to_have_text("申请专用信用报告")
    page.get_by_role("button", name="出具报告").click()
    expect(page.locator("#progress")).to_contain_text("进行中")
    work_off()
    page.wait_for_url("**/reports/*")
    expect(page.locator(".answer")).to_contain_text("查询到违法记录2条")
    expect(page.locator(".finding")).to_have_count(4)
    with page.expect_download() as download:
        page.get_by_role("link", name="下载报告").click()
    path = tmp_path / "report.pdf"
    download.value.save_as(path)
    assert read_attachment(path.read_bytes()) == bytes(Report.objects.get().content)


def test_domains_and_period_unfold_in_place_and_a_mistake_is_led_to(site: Site) -> None:
    page = site.visit()
    site.sign_in(page, "agent-b")
    page.get_by_text("调整范围").click()
    for box in page.locator("input[name=domains]").all():
        box.uncheck()
    page.get_by_role("button", name="出具报告").click()
    expect(page.get_by_role("alert")).to_contain_text("至少要选一个领域")
    expect(page.locator(".errors")).to_be_focused()
    page.locator("input[name=domains][value=taxation]").check()
    page.get_by_role("button", name="出具报告").click()
    page.wait_for_url("**/applications/*")


def test_without_scripts_the_whole_way_works_too(site: Site, work_off: Callable[[], None]) -> None:
    page = site.visit(java_script_enabled=False)
    site.sign_in(page, "demo-suzhou")
    page.get_by_role("button", name="出具报告").click()
    page.wait_for_url("**/applications/*")
    work_off()
    page.reload()
    page.wait_for_url("**/reports/*")
    page.get_by_role("switch", name="长辈模式").click()
    expect(page.locator("html")).to_have_attribute("data-elder", "large")
    page.get_by_role("button", name="最大").click()
    expect(page.locator("html")).to_have_attribute("data-elder", "largest")
