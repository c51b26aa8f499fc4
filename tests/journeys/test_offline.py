"""A receiver verifies without any network: the saved page in a real browser, and the page as the site serves it."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from tests import offline_samples as made
from tests import pictures
from tests.journeys.conftest import Site, apart
from tests.offline_samples import city, published
from tests.soundness import assert_sound
from tests.web.conftest import People, issue
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.log_queries import proofs_about
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.core.inclusion import proof_document
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.web.offline import offline_page

pytestmark = pytest.mark.browser
WIDTHS = [1280, 390]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The page as somebody saved it."""
    path = tmp_path / "xinzheng-verify.html"
    html = offline_page(published(), datetime(2026, 11, 22, tzinfo=UTC), is_demonstration=True)
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, saved: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The saved page, opened with the network off; whatever it asks for besides itself fails the test."""
    width = getattr(request, "param", 1280)
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, locale="zh-CN")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(_address(one)))
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda told: mistakes.append(told.text) if told.type == "error" else None)
    page.goto(saved.as_uri())
    yield page
    context.close()
    assert set(asked) <= {saved.as_uri(), "blob"}
    assert mistakes == []


def _address(request: Request) -> str:
    return "blob" if request.url.startswith("blob:") else request.url


def hand_in(page: Page, pdf: bytes = b"", qr: str = "", proof: dict[str, object] | None = None) -> None:
    if pdf:
        page.set_input_files("#pdf", files=[{"name": "report.pdf", "mimeType": "application/pdf", "buffer": pdf}])
    page.fill("#qr_text", qr)
    if proof:
        page.get_by_text("还有收录证明").click()
        data = json.dumps(proof).encode()
        page.set_input_files("#proof", files=[{"name": "proof.json", "mimeType": "application/json", "buffer": data}])
    page.get_by_role("button", name="核验").click()


@pytest.mark.parametrize("opened", WIDTHS, indirect=True)
def test_a_genuine_report_is_told_so_and_its_status_is_left_open(opened: Page) -> None:
    plain = made.signed(city().signer)
    hand_in(opened, made.stamped(plain, city().stamper), made.qr(), made.proof(plain))
    answer = opened.locator(".answer")
    expect(answer).to_contain_text("文件未改动，签名有效，签发者可信；未联网，未查询状态。")
    expect(answer).to_contain_text("文件为真，状态未查询。")
    expect(answer).to_have_class("answer answer-unver")
    for words in ("是同一份报告", "有效，签发时间有第三方证明", "没有吊销", "已收录", made.NUMBER, made.HOST):
        expect(opened.locator("#result")).to_contain_text(words)
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert Axe().run(opened).response["violations"] == []


@pytest.mark.parametrize("opened", WIDTHS, indirect=True)
def test_the_page_can_be_used_by_everybody_before_anything_is_handed_in(opened: Page) -> None:
    expect(opened.get_by_role("heading", level=1)).to_have_text("离线核验报告")
    expect(opened.locator("main")).to_contain_text(made.HOST)
    expect(opened.locator("#saving")).to_be_hidden()
    assert Axe().run(opened).response["violations"] == []
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_changed_report_is_found_out(opened: Page) -> None:
    changed = bytearray(made.signed(city().signer))
    changed[len(changed) // 3] ^= 1
    hand_in(opened, bytes(changed))
    expect(opened.locator(".answer")).to_contain_text("文件已被改动")
    expect(opened.locator(".answer")).to_have_class("answer answer-found")
    expect(opened.locator(".answer")).to_contain_text("不要使用这份文件")
    assert Axe().run(opened).response["violations"] == []


def test_what_is_no_report_is_told_without_harm(opened: Page) -> None:
    hand_in(opened, b"%PDF-1.7\n" + b"<<" * 100_000 + b"/ByteRange [0 20 40 200000]")
    expect(opened.locator(".answer")).to_contain_text("文件已被改动")


def test_the_code_of_a_clone_is_told_with_the_site_it_names(opened: Page) -> None:
    hand_in(opened, qr=made.qr(made.new_p256(), "credit-example.test"))
    expect(opened.locator("#result")).to_contain_text("这张码写明的核验网站是 credit-example.test，不是本站")
    expect(opened.locator(".answer")).to_contain_text("签发者不可信")


def test_the_log_tells_of_a_revocation_even_off_line(opened: Page) -> None:
    plain = made.signed(city().signer)
    hand_in(opened, plain, proof=made.proof(plain, ReportStatus.REVOKED))
    expect(opened.locator(".answer")).to_contain_text("透明日志记载：报告已作废。")
    expect(opened.locator(".answer")).to_have_class("answer answer-found")


def test_nothing_handed_in_is_a_mistake_that_is_told(opened: Page) -> None:
    opened.get_by_role("button", name="核验").click()
    expect(opened.get_by_role("alert")).to_contain_text("请选择报告文件，或者粘贴扫码得到的文字。")


def test_other_published_keys_can_be_taken_and_bad_ones_are_told(opened: Page, tmp_path: Path) -> None:
    opened.get_by_text("还有收录证明").click()
    (tmp_path / "bad.json").write_text('{"format":"none"}')
    opened.set_input_files("#keys", tmp_path / "bad.json")
    hand_in(opened, made.signed(city().signer))
    expect(opened.get_by_role("alert")).to_contain_text("密钥读不出")
    (tmp_path / "good.json").write_text(json.dumps(published(host="other.example")))
    opened.set_input_files("#keys", tmp_path / "good.json")
    opened.get_by_role("button", name="核验").click()
    expect(opened.locator("#result")).to_contain_text("请到 other.example 用编号和核验码查询")


def issued(people: People) -> Report:
    report = issue(people.punished)
    seal_log(datetime.now(UTC))
    return report


def scanned(pdf: bytes, folder: Path) -> str:
    """What a camera reads off the printed report."""
    (folder / "report.pdf").write_bytes(pdf)
    run("pdftoppm", "-r", "120", "-gray", folder / "report.pdf", folder / "page")
    return run("zbarimg", "-q", "--raw", *sorted(folder.glob("page*.pgm"))).strip()


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_from_issuing_to_a_receiver_without_a_network(site: Site, people: People, tmp_path: Path) -> None:
    report = apart(lambda: issued(people))
    page = site.visit(accept_downloads=True)
    page.goto("/verify/offline.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="把本页存到电脑上").click()
    download.value.save_as(tmp_path / "saved.html")
    proofs = proofs_about(report.number)
    proof = proof_document(proofs[0].note, [one.inclusion for one in proofs])
    page.context.set_offline(True)
    page.goto((tmp_path / "saved.html").as_uri())
    pdf = report_pdf(report.number)
    assert_sound(pdf)
    hand_in(page, pdf, scanned(pdf, tmp_path), proof)
    answer = page.locator(".answer")
    expect(answer).to_contain_text("文件未改动，签名有效，签发者可信；未联网，未查询状态。")
    for words in (report.number, "是同一份报告", "已收录", "没有吊销", "演示文件，无证明效力"):
        expect(page.locator("#result")).to_contain_text(words)


# Chromium has a reader of codes on Android and macOS only; here one of the same shape says what it is told to.
READER = """
window.BarcodeDetector = class {
  static async getSupportedFormats () { return ['qr_code'] }
  async detect (picture) { return picture.width ? window.codes.map(rawValue => ({ rawValue })) : [] }
}
"""


def test_a_browser_that_reads_no_codes_says_to_paste_the_text(opened: Page) -> None:
    expect(opened.get_by_text("这个浏览器不能从图片里读码")).to_be_visible()
    expect(opened.locator("#pictures")).to_be_hidden()


def test_where_the_browser_reads_codes_a_picture_fills_the_field_with_the_one_of_this_site(
    opened: Page, saved: Path
) -> None:
    text = made.qr()
    opened.add_init_script(READER)
    opened.goto(saved.as_uri())
    picture = {"name": "p.png", "mimeType": "image/png", "buffer": pictures.as_file(pictures.code("x"), "PNG")}

    def read(*codes: str) -> None:
        opened.evaluate("codes => { window.codes = codes }", list(codes))
        opened.set_input_files("#picture", files=[picture])

    expect(opened.locator("#pictures")).to_be_visible()
    read("https://other.example/", text, text)
    expect(opened.locator("#qr_text")).to_have_value(text)
    for codes, message in (
        ([], "图片里没有找到二维码"),
        (["https://other.example/", "HELLO"], "图片里的二维码不是报告的二维码，没有打开它"),
        ([text, text + "AAAA"], "图片里有2份不同报告的二维码"),
    ):
        read(*codes)
        expect(opened.get_by_role("alert")).to_contain_text(message)
        expect(opened.locator("#qr_text")).to_have_value("")
    assert Axe().run(opened).violations_count == 0
    read(text)
    opened.get_by_role("button", name="核验").click()
    expect(opened.locator(".answer")).to_contain_text("签名有效，签发者可信")
