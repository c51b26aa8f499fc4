"""An old export fails, is mapped in the browser with a preview that follows, and its records stand in the ledger."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.test_intake_maps import OLD, SHIPPED
from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, mistakes_in_every_look, walk
from tests.small_city import uscc
from xinzheng.apps.ledger.map_models import MapSample
from xinzheng.apps.ledger.models import RecordVersion

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# As a source of today would call the columns of 2016; one is of no use, one has words of its own.
RENAMED = {
    "CF_WSH": "文书编号", "CF_CFMC": "案件", "CF_CFLB1": "种类一", "CF_CFLB2": "种类二", "CF_SY": "事由",
    "CF_YJ": "依据条款", "CF_XDR_MC": "当事人", "CF_XDR_SHXYM": "信用编码", "CF_XDR_ZDM": "机构编码",
    "CF_FR": "法人姓名", "CF_JG": "结果", "CF_JDRQ": "日期", "CF_XZJG": "作出机关", "CF_ZT": "当前状态",
    "DFBM": "地方编码", "SJC": "时间戳",
}  # fmt: skip
CHOICES = {
    "文书编号": "document_number", "案件": "violation", "种类一": "category", "种类二": "category", "事由": "facts",
    "依据条款": "basis", "当事人": "subject_name", "信用编码": "subject_uscc", "法人姓名": "representative",
    "结果": "content", "日期": "decision_date", "作出机关": "organ_name", "当前状态": "standing",
}  # fmt: skip


def as_file(rows: list[dict[str, str]], path: Path) -> Path:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def export(path: Path, **changes: str) -> Path:
    """Three decisions, two in force and one with an impossible date, under the source's own headings."""
    rows = [OLD | {"CF_WSH": f"苏水罚〔2016〕{n}号", "CF_XDR_SHXYM": uscc(30 + n)} | changes for n in range(3)]
    rows[2]["CF_JDRQ"] = "2016-09-31"
    return as_file([{RENAMED[name]: text for name, text in row.items()} for row in rows], path)


def deliver(page: Page, file: Path, column_map: str = "") -> None:
    page.goto("/department")
    page.set_input_files("#file", file)
    page.select_option("#map", column_map)
    page.get_by_role("button", name="报送", exact=True).click()
    page.wait_for_url("**/department/uploads/*")


def choose_columns(page: Page) -> None:
    for heading, field in CHOICES.items():
        page.get_by_label(f"“{heading}”取作").select_option(field)
    expect(page.locator("#rest")).to_contain_text("还缺5个必填项")
    for field in (
        "行政相对人类别",
        "处罚有效期",
        "处罚机关统一社会信用代码",
        "数据来源单位",
        "数据来源单位统一社会信用代码",
    ):
        page.get_by_role("group", name=field, exact=True).get_by_role("checkbox").check()


def test_a_failed_export_is_mapped_previewed_saved_and_delivered_and_the_next_one_goes_by_the_map(
    site: Site, work_off: Callable[[], None], tmp_path: Path
) -> None:
    page = site.visit()
    site.sign_in(page, "demo-water")
    deliver(page, export(tmp_path / "旧系统.csv"))
    work_off()
    expect(page.get_by_role("alert")).to_contain_text("没有可以识别的列名")
    page.get_by_role("button", name="按列对照处理").click()
    page.wait_for_url("**/department/maps/new?sample=*")
    choose_columns(page)
    expect(page.locator("#preview")).to_contain_text("前3行中，0行可以入账")
    page.get_by_label("“0”", exact=True).select_option("有效")
    expect(page.locator("#preview")).to_contain_text("前3行中，2行可以入账，其余会退回")
    expect(page.get_by_role("row", name="第4行 退回")).to_contain_text("这一天不存在")
    page.fill("#name", "水务旧系统")
    page.get_by_role("button", name="保存并报送这份文件").click()
    page.wait_for_url("**/department/uploads/*")
    work_off()
    page.wait_for_url("**/department/batches/*")
    expect(page.locator(".answer")).to_contain_text("1行退回，等待改正")
    assert set(RecordVersion.objects.values_list("standing", "organ_name")) == {("in_force", "市税务局")}
    assert RecordVersion.objects.count() == 2
    assert not MapSample.objects.exists()
    deliver(page, export(tmp_path / "下一份.csv", CF_JDRQ="2016/5/1"), "水务旧系统")
    work_off()
    page.wait_for_url("**/department/batches/*")
    assert RecordVersion.objects.count() == 4


def test_without_scripts_the_preview_is_a_button_and_the_map_is_saved_all_the_same(site: Site, tmp_path: Path) -> None:
    page = site.visit(java_script_enabled=False)
    site.sign_in(page, "demo-water")
    page.goto("/department/maps/new")
    page.set_input_files("#sample", as_file([OLD], tmp_path / "2016.csv"))
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("main")).to_contain_text(f"已按“{SHIPPED}”预选")
    expect(page.locator("#preview")).to_contain_text("前1行中，1行可以入账")
    page.get_by_label("“CF_CFMC”取作").select_option("")
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#preview")).to_contain_text("前1行中，1行可以入账")
    page.fill("#name", "水务2016")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("列对照“水务2016”已保存")


@pytest.mark.slow
def test_the_pages_of_maps_can_be_used_by_everybody(site: Site, tmp_path: Path) -> None:
    page = walk(site)
    site.sign_in(page, "demo-water")
    found = look_in_every_look_at(page, ["/department/maps", "/department/maps/new", f"/department/maps/{SHIPPED}"])
    page.goto("/department/maps/new")
    page.set_input_files("#sample", export(tmp_path / "旧系统.csv"))
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url("**/department/maps/new?sample=*")
    found += mistakes_in_every_look(page, "editor")
    choose_columns(page)
    expect(page.locator("#preview")).to_contain_text("前3行中，0行可以入账")
    found += mistakes_in_every_look(page, "editor with columns chosen")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("名称应为1至40个字")
    found += mistakes_in_every_look(page, "editor with mistakes")
    page.fill("#name", "水务旧系统")
    page.get_by_role("button", name="保存", exact=True).click()
    page.wait_for_url("**/department/maps/*")
    found += mistakes_in_every_look(page, "map") + look_in_every_look_at(page, ["/department/maps"])
    assert found == []
