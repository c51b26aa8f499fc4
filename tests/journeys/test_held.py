"""A second officer confirms a held batch, sees how far that is, and is led to the booked one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import mistakes_on
from tests.small_city import SmallCity, today
from tests.web.conftest import People, water_rows
from xinzheng.apps.ledger.actions import submit_batch
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import booked_as
from xinzheng.core.floors import Floors

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def held(city: SmallCity, people: People, settings: LazySettings) -> int:
    """A batch of the water unit's officer, where one line was usual."""
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3)
    rows = water_rows(city, 8)
    for row in rows[:2]:
        city.submit([row], "water_affairs")
    return submit_batch(
        city.delivery(rows, "water_affairs", (today() - timedelta(days=400), today())), by=people.officer.actor
    ).batch


@pytest.mark.parametrize("who", ["chief", "demo-office"])
def test_who_confirms_stays_with_the_batch_until_it_is_booked_and_then_sees_the_booked_one(
    site: Site, held: int, work_off: Callable[[], None], who: str
) -> None:
    page = site.visit()
    site.sign_in(page, who)
    page.goto(f"/department/batches/{held}")
    page.get_by_role("button", name="确认无误，入账").click()
    expect(page.locator(".job")).to_contain_text("已收到确认，等待处理")
    expect(page.locator(".answer")).to_contain_text("本批正在确认入账")
    expect(page.get_by_role("button", name="确认无误，入账")).to_have_count(0)
    Upload.objects.filter(confirms_id=held).update(state="running", lines_done=2)
    expect(page.locator(".job")).to_contain_text("已读2行，共8行")
    assert mistakes_on(page, "a batch that is being confirmed") == []
    work_off()
    booked = booked_as(held)
    page.wait_for_url(f"**/department/batches/{booked}")
    expect(page.locator("body")).to_contain_text(f"批次{held}已确认，由批次{booked}入账。")


def test_a_confirmation_that_fails_is_told_on_the_page_and_can_be_made_again(
    site: Site, held: int, work_off: Callable[[], None]
) -> None:
    page = site.visit(viewport={"width": 390, "height": 844})
    site.sign_in(page, "chief")
    page.goto(f"/department/batches/{held}")
    page.get_by_role("button", name="确认无误，入账").click()
    expect(page.locator(".job")).to_contain_text("等待处理")
    Upload.objects.filter(confirms_id=held).update(state="failed", message="请先处理另一批。")
    expect(page.get_by_role("alert")).to_contain_text("请先处理另一批。")
    assert mistakes_on(page, "a confirmation that failed") == []
    page.get_by_role("button", name="确认无误，入账").click()
    work_off()
    page.wait_for_url(f"**/department/batches/{booked_as(held)}")
