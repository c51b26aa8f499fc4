"""An objection across three roles: lodged with a file, taken in, upheld with the corrected row, a report issued anew.

On the way every page is looked at in all looks.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from procrastinate.contrib.django import app

from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import LOOKS, Look, mistakes_on
from tests.redress_city import small_pdf
from tests.small_city import SmallCity
from tests.web.conftest import PUNISHED, People, issue, water_rows
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.redress.models import Objection
from xinzheng.apps.reports.models import Report

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDE = {"width": 1280, "height": 900}
# Of pages that are made of the same parts as those seen in all looks.
TWO, POSTED = (LOOKS[0], LOOKS[-1]), (LOOKS[0], Look(390, "dark"))


def looked_at(site: Site, page: Page, name: str, looks: Sequence[Look] = LOOKS) -> list[str]:
    """What is wrong with the page in front, in each look; one that was posted cannot be loaded anew in larger type."""
    found = []
    for look in looks:
        page.set_viewport_size({"width": look.width, "height": 844})
        page.emulate_media(color_scheme="dark" if look.scheme == "dark" else "light")
        if look.elder:
            page.context.add_cookies([{"name": "elder", "value": look.elder, "url": site.url}])
            page.reload()
        found += mistakes_on(page, f"{name} {look}")
        if look.elder:
            page.context.clear_cookies(name="elder")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return found


def test_from_a_finding_to_a_fresh_report_across_three_roles(
    site: Site, city: SmallCity, people: People, work_off: Callable[[], None], tmp_path: Path
) -> None:
    (row,) = water_rows(city, 1)
    row["行政相对人代码_1(统一社会信用代码)"], row["行政相对人名称"] = PUNISHED, "苏州示例化工有限公司"
    city.submit([row], "water_affairs")
    old = apart(lambda: issue(people.punished)).number
    subject, office, chief = (site.visit() for _ in range(3))
    for page, username in ((subject, "agent-b"), (office, "demo-office"), (chief, "chief")):
        site.sign_in(page, username)

    number = lodge(subject, old, tmp_path)
    found = looked_at(site, subject, "where it stands")
    found += taken_in(site, office, number)
    found += upheld(site, chief, number)
    apart(partial(app.tasks["reports.review"].func, timestamp=0))
    work_off()

    subject.goto("/notices")
    expect(subject.get_by_role("list", name="通知")).to_contain_text(number)
    subject.goto(f"/reports/{old}")
    expect(subject.get_by_role("main")).to_contain_text("已更正，请以新报告为准")
    subject.goto(f"/objections/{number}")
    expect(subject.locator(".answer")).to_contain_text("异议成立，记录已经更正。")
    found += looked_at(site, subject, "upheld", TWO)
    subject.get_by_role("link", name="按同样的范围再次出具").click()
    subject.get_by_role("button", name="出具报告").click()
    subject.wait_for_url("**/applications/*")
    work_off()
    subject.wait_for_url("**/reports/*")
    fresh = Report.objects.exclude(number=old).get(subject_id=people.punished.subject_id)
    assert subject.url.endswith(fresh.number)
    expect(subject.get_by_role("main")).to_contain_text("罚款2万元")
    assert found == []


def lodge(page: Page, report: str, folder: Path) -> str:
    """From a finding of the report to an objection with a file; its number."""
    page.goto(f"/reports/{report}")
    page.get_by_role("link", name=re.compile("提出异议")).first.click()
    page.get_by_role("radio", name="内容有误").check()
    page.get_by_label("情况说明").fill("罚款写成一万元，决定书是两万元。")
    file = folder / "决定书.pdf"
    file.write_bytes(small_pdf())
    page.set_input_files("#evidence", file)
    page.get_by_role("button", name="提出异议").click()
    page.wait_for_url("**/objections/Y*")
    return Objection.objects.get().number


def taken_in(site: Site, page: Page, number: str) -> list[str]:
    """The office reads what was said and given, and takes it in; what was wrong with the pages on the way."""
    page.goto("/office/coverage")
    expect(page.locator("section", has=page.locator("#obj-h"))).to_contain_text(number)
    page.goto("/office/objections")
    found = looked_at(site, page, "desk")
    page.get_by_role("link", name=number).click()
    expect(page.locator(".said")).to_have_text("罚款写成一万元，决定书是两万元。")
    with page.expect_download() as taken:
        page.get_by_role("link", name="决定书.pdf").click()
    assert taken.value.suggested_filename == "决定书.pdf"
    found += looked_at(site, page, "before acceptance")
    page.get_by_role("button", name="受理，交单位核实").click()
    expect(page.get_by_role("status")).to_contain_text("已受理")
    return found


def upheld(site: Site, page: Page, number: str) -> list[str]:
    """The responsible officer corrects the fine; what was wrong with the pages on the way."""
    page.goto("/department")
    expect(page.locator(".todo")).to_contain_text("1件异议待答复")
    page.goto("/department/objections")
    found = looked_at(site, page, "inbox")
    page.get_by_role("link", name=number).click()
    found += looked_at(site, page, "how to answer", TWO)
    page.get_by_role("link", name="办理：异议不成立").click()
    found += looked_at(site, page, "dismissing", TWO)
    page.get_by_role("link", name="换一种答复").click()
    page.get_by_role("link", name="办理：更正内容").click()
    found += looked_at(site, page, "correction")
    page.get_by_label("处罚决定日期").fill("2026-02-30")
    page.get_by_label("核实的情况和理由").fill("决定书写的是两万元")
    page.get_by_role("button", name="下一步：核对").click()
    found += looked_at(site, page, "last look", POSTED)
    page.get_by_role("button", name="确认更正内容，办结").click()
    expect(page.get_by_role("alert")).to_contain_text("这一天不存在")
    found += looked_at(site, page, "refused by the checks", POSTED)
    record = Objection.objects.get().record_id
    assert record is not None
    page.get_by_label("处罚决定日期").fill(current_row(record).values["decision_date"])
    page.locator("#f-fine").fill("2")
    page.locator("#f-content").fill("罚款2万元")
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("table", name="更正的栏目")).to_contain_text("罚款2万元")
    page.get_by_role("button", name="确认更正内容，办结").click()
    expect(page.get_by_role("status")).to_contain_text("已办结：异议成立，更正内容")
    return found + looked_at(site, page, "answered", TWO)
