"""A bank has notices sent to its own system: it registers an address, tries it, and sees what was sent."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, apart
from tests.journeys.test_everybody import mistakes_in_every_look, walk
from tests.small_city import BY, uscc
from tests.web.conftest import PASSWORD
from tests.webhook_server import HookServer, hooked, write_pair, write_roots
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.deliveries import RETRIES, send_round
from xinzheng.apps.codes.models import Delivery, Receiver
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, tell
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAGE = "/receiver/webhooks"


def bank() -> Receiver:
    account = open_account(NewAccount("bank", "示例", Role.RECEIVER, password=PASSWORD), by=BY)
    register(account, Registration(uscc(50), "示例银行苏州分行", "bank"))
    found = Receiver.objects.get()
    decide(found.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by=BY)
    return found


def test_a_bank_has_notices_sent_to_its_system(site: Site, tmp_path: Path, settings: Any) -> None:
    settings.XINZHENG_WEBHOOKS_LOOPBACK = True
    settings.XINZHENG_WEBHOOKS_ROOTS = str(write_roots(tmp_path))
    receiver = bank()
    page = site.visit()
    site.sign_in(page, "bank")
    page.goto("/receiver")
    page.get_by_role("navigation", name="本单位的页面").get_by_role("link", name="回调").click()
    with hooked(write_pair(tmp_path, "localhost")) as server:
        register_one(page, server)
        page.get_by_role("button", name="试发到第1个回调").click()
        expect(page.get_by_text("试发成功，对方应答200。")).to_be_visible()
        apart(lambda: send_some(receiver, server))
        page.reload()
        sent = page.get_by_role("region", name="最近的投递")
        for said in ("已送到", "不再发", "对方应答503。"):
            expect(sent.get_by_text(said).first).to_be_visible()
        expect(page.get_by_text("起没有送到")).to_be_visible()
    page.goto("/receiver/notices")
    expect(page.get_by_text("有通知一直没有发到本单位的系统")).to_be_visible()
    assert found_in_every_look(site) == []


def register_one(page: Page, server: HookServer) -> None:
    page.fill("#url", "https://10.0.0.1/")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("回调地址必须在公网上")
    page.fill("#url", server.url("/" + "notices/" * 12, host="localhost"))
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.goto(PAGE)
    expect(page.get_by_text("whsec_")).to_have_count(0)


def send_some(receiver: Receiver, server: HookServer) -> None:
    """One that arrives, one that is given up, one that is tried again."""
    for number, status in enumerate(("200 OK", "503 Busy", "503 Busy")):
        server.status = status
        tell(REPORT_ENDED, f"status:{number}", [Addressee(receiver.pk)], {"number": "SZ2026112200000015"})
        if number == 1:
            Delivery.objects.filter(done_at=None).update(tries=len(RETRIES))
        send_round()


def found_in_every_look(site: Site) -> list[str]:
    """What axe finds, and what sticks out: the list, a fresh secret, an address that is refused."""
    page = walk(site)
    site.sign_in(page, "bank")
    page.goto(PAGE)
    found = mistakes_in_every_look(page, PAGE)
    page.get_by_role("button", name="确认更换").click()
    found += mistakes_in_every_look(page, "a fresh secret")
    page.fill("#url", "https://localhost.localdomain.internal/")
    page.get_by_role("button", name="登记", exact=True).click()
    return found + mistakes_in_every_look(page, "refused")
