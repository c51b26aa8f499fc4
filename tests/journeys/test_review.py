"""The review queue can be used by everybody, on a wide screen and a phone; and a code is linked in the browser."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, mistakes_in_every_look, walk
from tests.small_city import SmallCity, uscc
from tests.web.conftest import CLEAN
from xinzheng.apps.registry.queries import find_subject, review_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TYPED = uscc(77)


@pytest.mark.slow
def test_the_queue_can_be_used_by_everybody(site: Site, city: SmallCity) -> None:
    city.submit([city.penalty(TYPED), city.penalty(uscc(78), "苏税罚〔2026〕2号")])
    page = walk(site)
    site.sign_in(page, "demo-office")
    item = f"/office/review/{find_subject(TYPED)}"
    found = look_in_every_look_at(page, ["/office/review", "/office/review?text=nothing", item])
    page.fill("#to", uscc(99))
    page.fill("#link-reason", "末位错录")
    page.get_by_role("button", name="并入", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("主体名录中没有这个代码")
    found += mistakes_in_every_look(page, "item with mistakes")
    page.goto(item)
    page.fill("#reject-reason", "测试数据")
    page.get_by_role("button", name="不予登记", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已记录为不予登记")
    found += look_in_every_look_at(page, [item, "/office/review?state=rejected"])
    assert found == []


def test_the_office_links_a_mistyped_code_to_the_firm_that_was_meant(site: Site, city: SmallCity) -> None:
    city.submit([city.penalty(TYPED, 行政相对人名称="苏州示例精密制造")])
    page = site.visit()
    site.sign_in(page, "demo-office")
    page.goto("/office/review")
    page.get_by_role("link", name=TYPED).click()
    page.fill("#to", CLEAN)
    page.fill("#link-reason", "末位错录")
    page.get_by_role("button", name="并入", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已并入已有主体")
    expect(page.locator(".empty")).to_contain_text("没有待核的主体")
    typed = find_subject(TYPED)
    assert typed is not None
    outcome = review_item(typed).outcome
    assert outcome is not None
    assert outcome.linked_id == find_subject(CLEAN)
