"""亮码 in a real browser: apply, show the code, another phone scans it, the subject sees the look, takes it back."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import mistakes_in_every_look, walk
from tests.small_city import SmallCity
from tests.web.conftest import People, issue, penalties
from xinzheng.adapters.qr import decode
from xinzheng.apps.codes.models import ShownCode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BANK = "示例银行苏州分行"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def share_from(page: Page) -> None:
    """From a report to its code."""
    page.get_by_role("link", name="亮码").click()
    page.get_by_role("radio", name="融资").check()
    page.get_by_role("button", name="亮码").click()
    page.wait_for_url("**/shares/*")


def scanned(page: Page) -> str:
    """What another phone's camera reads from the screen: the path of the code's address."""
    (text,) = decode(page.screenshot())
    return urlsplit(text).path


def say_who(page: Page, name: str = BANK, purpose: str = "融资") -> None:
    page.get_by_label("你的单位").fill(name)
    page.get_by_role("radio", name=purpose).check()
    page.get_by_role("button", name="查看报告").click()


def hold_referrers(page: Page) -> list[str]:
    """Every address this page's requests say they come from, as it grows."""
    said: list[str] = []
    page.on("request", lambda request: said.append(request.headers.get("referer", "")))
    return said


@pytest.mark.parametrize("agent_on", [PHONE, {}], ids=["phone", "desktop"])
def test_apply_show_scan_see_the_look_take_back_and_the_scan_fails(
    site: Site, city: SmallCity, work_off: Callable[[], None], agent_on: dict[str, object]
) -> None:
    city.submit(penalties(city))
    page, other = site.visit(**agent_on), site.visit(**PHONE)
    site.sign_in(page, "agent-b")
    page.get_by_role("button", name="出具报告").click()
    expect(page.locator("#progress")).to_be_visible()
    work_off()
    page.wait_for_url("**/reports/*")
    share_from(page)
    expect(page.locator(".scan")).to_be_in_viewport(ratio=1)
    path, said = scanned(page), hold_referrers(other)
    other.goto(path)
    expect(other.get_by_role("heading", level=1)).to_have_text("对方请你看一份报告")
    say_who(other)
    other.wait_for_url("**/s/views/*")
    expect(other.locator(".answer")).to_contain_text("查询到违法记录2条")
    expect(page.locator("#views")).to_contain_text(BANK)
    expect(page.locator("#views")).to_contain_text("还可以看2次")
    page.get_by_text("收回这个码").click()
    page.get_by_role("button", name="确认收回").click()
    expect(page.get_by_role("status")).to_contain_text("已收回")
    expect(other.get_by_role("heading", level=1)).to_have_text("查看已经结束")
    expect(other.locator("body")).not_to_contain_text("查询到违法记录")
    other.go_back()
    other.go_forward()
    expect(other.locator("body")).not_to_contain_text("查询到违法记录")
    answer = other.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(other.get_by_role("heading", level=1)).to_have_text("这个码不能用")
    page.get_by_role("link", name="报告", exact=True).click()
    expect(page.get_by_role("table", name="看过报告内容的时间")).to_contain_text(BANK)
    code = path.rpartition("/")[2]
    assert not [address for address in said if code in address]


def test_the_code_renews_itself_and_the_old_one_dies(site: Site, people: People) -> None:
    number = apart(lambda: issue(people.clean)).number
    page, other = site.visit(**PHONE), site.visit(**PHONE)
    site.sign_in(page, "demo-suzhou")
    page.goto(f"/reports/{number}")
    share_from(page)
    first, typed = scanned(page), page.locator("[data-typed]").inner_text()
    page.get_by_role("link", name="现在换").click()
    expect(page.locator("[data-typed]")).not_to_have_text(typed)
    expect(page.locator("[data-left]")).to_contain_text("秒后自动换新码")
    second = scanned(page)
    assert first != second
    oldest = ShownCode.objects.order_by("id").first()
    assert oldest is not None
    ShownCode.objects.filter(pk=oldest.pk).update(good_until=timezone.now())
    other.goto(first)
    expect(other.get_by_role("heading", level=1)).to_have_text("这个码不能用")
    other.get_by_role("link", name="再输一遍").click()
    other.get_by_label("12位码").fill(page.locator("[data-typed]").inner_text())
    other.get_by_role("button", name="下一步").click()
    say_who(other, purpose="上市")
    expect(other.get_by_role("alert")).to_contain_text("主体只同意用于“融资”")
    say_who(other)
    other.wait_for_url("**/s/views/*")
    expect(other.locator(".answer")).to_be_visible()


def test_without_scripts_the_whole_way_works_too(site: Site, people: People) -> None:
    number = apart(lambda: issue(people.clean)).number
    page, other = (site.visit(java_script_enabled=False, **PHONE) for _ in range(2))
    site.sign_in(page, "demo-suzhou")
    page.goto(f"/reports/{number}")
    share_from(page)
    other.goto(scanned(page))
    say_who(other)
    other.wait_for_url("**/s/views/*")
    expect(other.locator(".answer")).to_be_visible()
    page.get_by_role("link", name="现在换").click()
    expect(page.locator("#views")).to_contain_text(BANK)
    page.get_by_text("收回这个码").click()
    page.get_by_role("button", name="确认收回").click()
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("查看已经结束")


def test_a_printed_code_fits_one_page_and_is_read_from_the_paper(site: Site, people: People) -> None:
    import pypdfium2

    number = apart(lambda: issue(people.clean)).number
    page = site.visit()
    site.sign_in(page, "demo-suzhou")
    page.goto(f"/reports/{number}")
    share_from(page)
    page.get_by_role("button", name="打印纸质码").click()
    expect(page.get_by_role("button", name="打印", exact=True)).to_be_visible()
    paper = pypdfium2.PdfDocument(page.pdf(format="A4"))
    assert len(paper) == 1
    (text,) = decode(paper[0].render(scale=150 / 72).to_pil().convert("L"))
    other = site.visit(**PHONE)
    other.goto(urlsplit(text).path)
    expect(other.get_by_label("你的单位")).to_be_visible()


@pytest.mark.slow
def test_every_page_of_a_code_can_be_used_by_everybody(site: Site, city: SmallCity, people: People) -> None:
    city.submit(penalties(city))
    number = apart(lambda: issue(people.punished)).number
    page, other = walk(site), walk(site)
    site.sign_in(page, "agent-b")
    found = mistakes_while_sharing(page, number)
    found += mistakes_while_scanning(other, page.locator("[data-typed]").inner_text())
    expect(page.locator("#views")).to_contain_text(BANK)
    found += mistakes_in_every_look(page, "code with a look")
    page.get_by_role("button", name="打印纸质码").click()
    found += mistakes_in_every_look(page, "paper")
    page.get_by_role("link", name="回到亮码").click()
    page.get_by_text("收回这个码").click()
    page.get_by_role("button", name="确认收回").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("查看已经结束")
    found += mistakes_in_every_look(page, "taken back") + mistakes_in_every_look(other, "view over")
    for address in ("/shares", f"/reports/{number}", f"/reports/{number}/share"):
        page.goto(address)
        found += mistakes_in_every_look(page, address)
    assert found == []


def mistakes_while_sharing(page: Page, number: str) -> list[str]:
    """From the report to the code, with a mistake on the way."""
    page.goto(f"/reports/{number}/share")
    found = mistakes_in_every_look(page, "terms")
    page.get_by_label("最多看几次").fill("0")
    page.get_by_role("button", name="亮码").click()
    found += mistakes_in_every_look(page, "terms with a mistake")
    page.get_by_label("最多看几次").fill("3")
    page.get_by_role("radio", name="融资").check()
    page.get_by_role("button", name="亮码").click()
    return found + mistakes_in_every_look(page, "code")


def mistakes_while_scanning(page: Page, typed: str) -> list[str]:
    """From the typed code to the content, with a wrong code and a wrong purpose on the way."""
    page.goto("/s")
    found = mistakes_in_every_look(page, "type a code")
    page.get_by_label("12位码").fill("0" * 12)
    page.get_by_role("button", name="下一步").click()
    found += mistakes_in_every_look(page, "bad code")
    page.goto("/s")
    page.get_by_label("12位码").fill(typed)
    page.get_by_role("button", name="下一步").click()
    found += mistakes_in_every_look(page, "who")
    say_who(page, purpose="上市")
    found += mistakes_in_every_look(page, "who with a mistake")
    say_who(page)
    page.wait_for_url("**/s/views/*")
    return found + mistakes_in_every_look(page, "content")
