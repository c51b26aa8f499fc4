"""A bank hands in a file of reports, leaves, comes back to the answers, and takes them away as a table."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import look_in_every_look_at, mistakes_in_every_look, walk
from tests.small_city import BY, uscc
from tests.web.conftest import PASSWORD, People, issue
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.models import BatchCheck, Receiver
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.reports.look_queries import looks_of
from xinzheng.core.lifecycle import typed_code

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BANK = "示例银行苏州分行"


def bank() -> Account:
    account = open_account(NewAccount("bank", "示例", Role.RECEIVER, password=PASSWORD), by=BY)
    register(account, Registration(uscc(50), BANK, "bank"))
    decide(Receiver.objects.get().pk, Decision(State.VERIFIED, account_ids=[account.pk]), by=BY)
    return account


def hand_in(page: Page, file: Path) -> None:
    page.set_input_files("#file", file)
    page.get_by_role("button", name="核验文件").click()


def enter(page: Page, account: Account, site: Site) -> Page:
    client = Client()
    client.force_login(account)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site.url}])
    return page


def test_a_file_is_handed_in_left_and_its_answers_are_taken_away(
    site: Site, people: People, work_off: Callable[[], None], tmp_path: Path
) -> None:
    account, report = bank(), apart(lambda: issue(people.clean))
    good = f"{report.number},{typed_code(bytes(report.secret))}\n"
    files = {name: tmp_path / f"{name}.csv" for name in ("贷款清单", "没有列名")}
    files["贷款清单"].write_text(f"报告编号,核验码\n{good}{report.number},000000000000\nx,y\n", encoding="utf-8")
    files["没有列名"].write_text(good, encoding="utf-8")
    page = site.visit()
    site.sign_in(page, "bank")
    page.goto("/receiver/checks")
    hand_in(page, files["没有列名"])
    expect(page.get_by_role("alert")).to_contain_text("没有列名.csv第1行是报告，不是列名")
    hand_in(page, files["贷款清单"])
    page.wait_for_url("**/receiver/checks/*")
    address = page.url
    expect(page.get_by_text("共3行，等待核验")).to_be_visible()

    page.goto("/verify")  # gone elsewhere
    page.goto("/receiver/checks")
    page.get_by_role("row", name="贷款清单.csv").get_by_role("link").click()
    apart(work_off)
    expect(page.get_by_role("heading", name="核验结果")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载结果表").click()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(taken.value.path().read_bytes())).get_sheet_by_index(0).to_python()
    assert [row[5] for row in rows[-3:]] == ["正常", "未查询到", "没有核验"]
    assert [look.who for look in looks_of(report.number, lambda keys: dict.fromkeys(keys, BANK)).newest] == [
        f"核验单位：{BANK}"
    ]
    assert found_in_every_look(site, account, address, files["没有列名"]) == []


def found_in_every_look(site: Site, account: Account, done: str, wrong: Path) -> list[str]:
    """What axe finds, and what sticks out: on answers, on one under way, one that failed, the list with a mistake."""
    check = BatchCheck.objects.get()
    running = check_in(check, "running")
    failed = check_in(check, "failed", "核验时发生意外，没有完成。请重新上传；仍不成功的，请联系信用办。")
    page = enter(walk(site), account, site)
    found = look_in_every_look_at(page, [done, running, failed])
    page.goto("/receiver/checks")
    hand_in(page, wrong)
    expect(page.get_by_role("alert")).to_be_visible()
    return found + mistakes_in_every_look(page, "with a mistake")


def check_in(like: BatchCheck, state: str, message: str = "") -> str:
    """A check in another state; its address."""
    made = BatchCheck.objects.create(
        receiver_id=like.receiver_id,
        account_id=like.account_id,
        file_name="客户名单第二批2026年11月" + "很长的名称" * 6 + ".xlsx",
        wrapped_key=b"",
        asked_ct=b"",
        lines=10_000,
        done=3_400 if state == "running" else 0,
        state=state,
        message=message,
    )
    return f"/receiver/checks/{made.pk}"
