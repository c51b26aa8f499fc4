"""An officer delivers a file with mistakes, sees the sum and the rows, mends them and delivers again."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site
from tests.small_city import SmallCity, today
from tests.web.conftest import water_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def as_file(rows: list[dict[str, str]], path: Path) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8-sig")
    return path


def deliver(page: Page, file: Path) -> None:
    page.goto("/department")
    page.fill("#from", (today() - timedelta(days=400)).isoformat())
    page.fill("#through", today().isoformat())
    page.set_input_files("#file", file)
    page.get_by_role("button", name="报送", exact=True).click()
    page.wait_for_url("**/department/uploads/*")


def test_a_file_with_mistakes_is_taken_in_shown_as_a_sum_mended_and_delivered_again(
    site: Site, city: SmallCity, work_off: Callable[[], None], tmp_path: Path
) -> None:
    rows = water_rows(city, 6)
    sound = dict(rows[1])
    rows[1]["处罚决定日期"] = "2026-09-31"
    page = site.visit()
    site.sign_in(page, "demo-water")
    deliver(page, as_file(rows, tmp_path / "行政处罚_11月.csv"))
    expect(page.locator(".job")).to_contain_text("行政处罚_11月.csv")
    work_off()
    page.wait_for_url("**/department/batches/*")
    expect(page.locator(".answer")).to_contain_text("1行退回，等待改正")
    expect(page.locator(".equation")).to_contain_text("6")
    expect(page.get_by_role("row", name="2026-09-31")).to_contain_text("处罚决定日期")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载这些行").click()
    assert "2026-09-31" in download.value.path().read_text(encoding="utf-8-sig")
    deliver(page, as_file([sound], tmp_path / "mended.csv"))
    work_off()
    page.wait_for_url("**/department/batches/*")
    expect(page.locator(".answer")).to_contain_text("本批已全部处理")
    page.goto("/department")
    expect(page.locator(".todo")).to_have_count(0)


def test_a_file_that_is_not_a_table_is_refused_with_a_reason_and_changes_nothing(
    site: Site, work_off: Callable[[], None], tmp_path: Path
) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("这不是一张表", encoding="utf-8")
    page = site.visit()
    site.sign_in(page, "demo-water")
    deliver(page, file)
    work_off()
    expect(page.locator(".job")).to_contain_text("没有接收")
    expect(page.locator(".job")).to_contain_text("账本没有变化")


def test_a_mistake_in_the_form_is_shown_without_leaving_the_desk(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x", encoding="utf-8")
    page = site.visit()
    site.sign_in(page, "demo-water")
    page.fill("#from", "2026-06-01")
    page.fill("#through", "2026-05-01")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="报送", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("起始日期晚于截止日期")
    expect(page.locator("#from")).to_have_value("2026-06-01")
