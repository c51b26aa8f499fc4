"""The auditor in a browser: asks, turns pages, takes a file away; in every size and scheme."""

from pathlib import Path

import pytest
from django.utils import timezone

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, walk
from tests.web.conftest import PASSWORD
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.seal_check import note_check
from xinzheng.apps.audit.seals import seal_events

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ADDRESSES = ["/audit", "/audit?action=report-read", "/audit?who=nobody&until=2026", "/audit?action=batch-taken"]


@pytest.fixture
def trail(transactional_db: None) -> None:
    """More events than a page holds, of several kinds, sealed, anchored and checked; some still wait."""
    account = open_account(NewAccount("demo-auditor", "示例辛", Role.AUDITOR, password=PASSWORD), by="command-line")
    for number in range(60):
        about = About(number % 3 or None, "网络 203.0.113.*", {"pages": number})
        record_event(
            who=account.actor, action="report-read", object_kind="report", object_id=f"SZ2026{number:07}", details=about
        )
    seal_events(timezone.now())
    seal_log(timezone.now())
    note_check()


def test_the_auditors_page_can_be_used_by_everybody(site: Site, trail: None) -> None:
    page = walk(site)
    site.sign_in(page, "demo-auditor")
    assert look_in_every_look_at(page, ADDRESSES) == []


def test_the_auditor_finds_turns_the_page_and_takes_a_file_away(site: Site, trail: None, tmp_path: Path) -> None:
    page = site.visit()
    site.sign_in(page, "demo-auditor")
    page.get_by_role("navigation").get_by_role("link", name="审计记录").first.click()
    page.get_by_label("操作", exact=True).select_option(label="查看报告")
    page.get_by_role("button", name="查询").click()
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="更早的").click()
    assert page.locator("tbody tr").count() == 10
    assert page.get_by_label("操作", exact=True).input_value() == "report-read"
    with page.expect_download() as coming:
        page.get_by_role("button", name="导出CSV").click()
    coming.value.save_as(tmp_path / "audit.csv")
    assert len((tmp_path / "audit.csv").read_text(encoding="utf-8-sig").splitlines()) == 61
    page.goto("/audit?action=audit-exported")
    assert page.locator("tbody tr").count() == 1
