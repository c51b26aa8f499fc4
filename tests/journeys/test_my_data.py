"""A subject's further pages in a real browser: history, the same again, demands for paper, my data."""

from pathlib import Path

import pytest
from django.test import override_settings

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import Look, look_in_every_look_at, mistakes_in_every_look, mistakes_on, visit, walk
from tests.web.conftest import People, issue
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.paper_demands import Demand, report_demand
from xinzheng.apps.registry.actions import keep_phone, register_person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_subject_s_further_pages_can_be_used_by_everybody(site: Site, people: People) -> None:
    assert people.clean.subject_id is not None
    number = issue(people.clean).number
    report_demand(Demand(people.clean.subject_id, "示例招标平台", "投标", "苏州", "要求到20个单位盖章"), by="test")
    page = walk(site)
    site.sign_in(page, "demo-suzhou")
    found = look_in_every_look_at(
        page, ["/applications", "/apply", f"/reports/{number}/again", "/paper-demands", "/my-data"]
    )
    found += look_in_every_look_at(page, ["/objections", "/objections/new?record=missing"])
    page.goto("/paper-demands")
    page.get_by_label("单位名称").fill("电话13812345678")
    page.get_by_role("button", name="告诉信用办").click()
    page.get_by_role("alert").wait_for()
    found += mistakes_in_every_look(page, "/paper-demands, refused")
    with override_settings(XINZHENG_DAILY_LIMITS={"suzhou-2024": 1}):
        page.goto("/apply")
        page.get_by_role("button", name="出具报告").click()
        page.wait_for_url("**/applications/*")
        found += look_in_every_look_at(page, ["/apply", "/applications"])
    office = walk(site)
    site.sign_in(office, "demo-office")
    found += look_in_every_look_at(office, ["/office/paper-demands"])
    assert found == []


def test_a_person_sees_everything_in_full_after_signing_in_again_and_takes_it_along(
    site: Site, people: People, tmp_path: Path
) -> None:
    person = register_person("330502199001010014", "示例甲乙", by="test")
    keep_phone(person, "13812345678", by="test")
    Account.objects.filter(pk=people.clean.pk).update(person_id=person)
    page = visit(site, Look(390))
    site.sign_in(page, "demo-suzhou")
    page.goto("/my-data")
    assert page.get_by_text("138****5678").is_visible()
    page.get_by_role("link", name="显示完整信息").click()
    assert page.get_by_text("330502199001010014").is_visible()
    found = mistakes_on(page, "/my-data/full")
    with page.expect_download() as download:
        page.get_by_role("button", name="导出").click()
    assert download.value.suggested_filename == "personal-information.zip"
    page.get_by_label("手机号码").fill("123")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("alert").wait_for()
    found += mistakes_on(page, "/my-data, refused")
    assert found == []
