"""A receiver verifies: by number and code, by file, by the address in the QR code, by a picture of it, many at once."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import pictures
from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import OVERFLOW
from tests.web.conftest import People, issue
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.reports.issuing import long_code
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.core.lifecycle import typed_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def report(people: People) -> Report:
    return apart(lambda: issue(people.punished))


def upload(page: Page, data: bytes) -> None:
    page.goto("/verify")
    file = {"name": "report.pdf", "mimeType": "application/pdf", "buffer": data}
    page.set_input_files("#pdf", files=[file])
    expect(page.locator("[for=pdf] [data-drop-name]")).to_contain_text("report.pdf")
    page.get_by_role("button", name="核验文件").click()


def test_by_number_and_code_from_the_home_page(site: Site, report: Report) -> None:
    page = site.visit()
    page.goto("/")
    page.get_by_label("报告编号").fill(report.number)
    page.get_by_role("textbox", name="核验码").fill(typed_code(bytes(report.secret)))
    page.get_by_role("button", name="核验", exact=True).click()
    expect(page.locator(".answer")).to_contain_text("未提交文件，未核对内容；报告状态：正常。")
    assert typed_code(bytes(report.secret)) not in page.url


def test_by_file_all_four_facts_and_a_changed_file_is_found_out(site: Site, report: Report, tmp_path: Path) -> None:
    page = site.visit()
    upload(page, report_pdf(report.number))
    expect(page.locator(".answer")).to_contain_text("文件未改动，签名有效，签发者可信；报告状态：正常。")
    changed = bytearray(report_pdf(report.number))
    changed[len(changed) // 2] ^= 1
    upload(page, bytes(changed))
    expect(page.locator(".answer")).to_contain_text("文件已被改动")


def test_the_address_in_the_qr_code_sends_its_signed_part_and_takes_it_out_of_the_address_bar(
    site: Site, report: Report
) -> None:
    text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    page = site.visit()
    page.goto(f"/v/{long_code(bytes(report.secret))}#{text.partition('#')[2]}")
    expect(page.locator(".four")).to_contain_text("签名有效")
    assert "#" not in page.url


def test_a_code_that_is_too_short_is_told_at_the_top_and_the_link_leads_to_the_field(site: Site) -> None:
    page = site.visit()
    page.goto("/verify")
    page.get_by_label("报告编号").fill("SZ2026112100001289")
    page.get_by_role("textbox", name="核验码").fill("7KQM2XRT9HD")
    page.get_by_role("button", name="核验", exact=True).click()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("#code")).to_be_focused()
    expect(page.locator("#number")).to_have_value("SZ2026112100001289")


def test_a_file_that_is_too_large_is_told_before_it_is_sent(site: Site) -> None:
    page = site.visit()
    page.goto("/verify")
    page.locator("#pdf").evaluate("input => { input.dataset.maxBytes = '10' }")
    page.set_input_files("#pdf", files=[{"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-" * 10}])
    assert "超过" in page.locator("#pdf").evaluate("input => input.validationMessage")


def test_a_phone_takes_a_picture_of_the_code_and_reads_the_answer(site: Site, report: Report, tmp_path: Path) -> None:
    text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    taken = tmp_path / "IMG_0001.jpg"
    taken.write_bytes(pictures.as_file(pictures.photograph(pictures.page(["https://other.example/", text]))))
    page = site.visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/verify")
    camera = page.locator("#photo")
    expect(page.get_by_text("打开相机拍二维码")).to_be_visible()
    assert camera.get_attribute("capture") == "environment"
    camera.set_input_files(taken)
    expect(page.locator(".drop-camera [data-drop-name]")).to_contain_text("IMG_0001.jpg")
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name="核验图片").click()
    expect(page.locator(".answer")).to_contain_text("签名有效，签发者可信；报告状态：正常。")
    expect(page.locator(".answer")).to_contain_text("图片里还有1个别的二维码，没有核验，也没有打开。")
    assert Axe().run(page).violations_count == 0
    assert page.evaluate(OVERFLOW) <= 0


def test_a_picture_without_a_code_leads_back_to_the_field_and_says_what_to_do(site: Site, tmp_path: Path) -> None:
    taken = tmp_path / "nothing.png"
    taken.write_bytes(pictures.as_file(pictures.page([]), "PNG"))
    page = site.visit(java_script_enabled=False)
    page.goto("/verify")
    expect(page.get_by_text("打开相机拍二维码")).to_be_hidden()
    page.set_input_files("#picture", taken)
    page.get_by_role("button", name="核验图片").click()
    expect(page.get_by_role("alert")).to_contain_text("图片里没有找到二维码")
    expect(page.locator("#picture")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("width", [1280, 390])
def test_many_files_are_answered_each_and_the_table_can_be_taken_away(site: Site, report: Report, width: int) -> None:
    good = report_pdf(report.number)
    page = site.visit(viewport={"width": width, "height": 844})
    page.goto("/verify/batch")
    names = {"甲公司专用信用报告.pdf": good, "乙公司专用信用报告.pdf": good[:-9], "照片.pdf": b"GIF89a"}
    files = [{"name": name, "mimeType": "application/pdf", "buffer": data} for name, data in names.items()]
    page.set_input_files("#files", files=files)
    expect(page.locator("[for=files] [data-drop-name]")).to_contain_text("已选3份文件")
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name="核验文件").click()
    expect(page.locator(".answer")).to_contain_text("1份四项都好，2份需要留意。")
    expect(page.locator(".answer")).to_be_focused()
    expect(page.get_by_role("row").nth(1)).to_contain_text("签发者可信")
    assert Axe().run(page).violations_count == 0
    assert page.evaluate(OVERFLOW) <= 0
    with page.expect_download() as taken:
        page.get_by_role("button", name="下载结果表").click()
    assert Path(taken.value.path()).read_bytes().startswith(b"PK")


def test_many_files_are_answered_without_a_script_too(site: Site, report: Report) -> None:
    page = site.visit(java_script_enabled=False)
    page.goto("/verify/batch")
    file = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": report_pdf(report.number)}
    page.set_input_files("#files", files=[file])
    page.get_by_role("button", name="核验文件").click()
    expect(page.locator(".answer")).to_contain_text("1份四项都好")
