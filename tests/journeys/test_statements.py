"""What is stated, explained and taken back, and keys: as each person does it, on pages that everybody can use."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, mistakes_in_every_look, walk
from tests.small_city import PENALTY, SmallCity, today
from tests.web.conftest import People, faulty_batch
from xinzheng.apps.ledger.actions import BatchResult, Scope, explain_line, withdraw_coverage
from xinzheng.apps.ledger.models import Upload

__all__ = ["faulty_batch"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gap(city: SmallCity) -> None:
    """A hole in what the first water unit stated."""
    scope = Scope(city.unit("water_affairs"), "water_affairs", PENALTY)
    first, last = today() - timedelta(days=60), today() - timedelta(days=40)
    withdraw_coverage(scope, from_date=first, through_date=last, by="test")


def test_a_gap_is_closed_by_one_click_in_the_calendar(site: Site, people: People, gap: None) -> None:
    page = site.visit()
    site.sign_in(page, "demo-water")
    page.goto("/department/calendar")
    expect(page.locator(".answer")).to_contain_text("1项缺数据")
    page.get_by_role("button", name="没有记录，作零报告").click()
    expect(page.get_by_text("零报告已记录")).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("近12个月全部完整")


def make_key(page: Page) -> None:
    page.goto("/administration/keys")
    page.select_option("#unit", index=1)
    page.fill("#name", "行政处罚系统")
    page.get_by_role("button", name="发放密钥").click()
    expect(page.locator(".answer")).to_contain_text("xz_")


@pytest.mark.slow
def test_everybody_can_use_these_pages(
    site: Site, city: SmallCity, people: People, gap: None, faulty_batch: BatchResult
) -> None:
    explain_line(batch_id=faulty_batch.batch, line=3, reason="该决定已经撤销", by=people.chief.actor)
    chief = walk(site)
    site.sign_in(chief, "chief")
    failed = Upload.objects.create(
        by=people.chief.actor,
        unit_uscc=city.unit("water_affairs"),
        domain="water_affairs",
        kind=PENALTY,
        mode="increment",
        file_name="十一月.csv",
        wrapped_key=b"",
        state=Upload.State.FAILED,
        message="文件不是表格。",
    )
    batch = f"/department/batches/{faulty_batch.batch}"
    found = look_in_every_look_at(
        chief, ["/department", "/department/calendar", batch, f"/department/uploads/{failed.pk}"]
    )
    chief.goto("/department")
    chief.locator("summary", has_text="撤回一段时间的覆盖声明").click()
    chief.fill("#withdraw-reason", "还有没报的决定")
    chief.get_by_role("button", name="撤回声明").click()
    found += mistakes_in_every_look(chief, "withdrawal with mistakes")
    office = walk(site)
    site.sign_in(office, "demo-office")
    found += look_in_every_look_at(
        office, ["/office/waivers", "/office/waivers?unit=0", "/office/held", "/office/coverage", batch]
    )
    administrator = walk(site)
    site.sign_in(administrator, "administrator")
    make_key(administrator)
    found += mistakes_in_every_look(administrator, "a new key") + look_in_every_look_at(
        administrator, ["/administration/keys"]
    )
    administrator.get_by_role("button", name="确认吊销").click()
    found += mistakes_in_every_look(administrator, "a revoked key")
    assert found == []
