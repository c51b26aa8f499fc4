"""Signing in in a real browser: an app's codes, then a security key; from two platforms to one account."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import override_settings
from playwright.sync_api import Page

from tests.identity_provider import identity_provider, platform_at
from tests.journeys.conftest import Site
from tests.journeys.test_everybody import mistakes_on
from tests.web.conftest import PASSWORD
from xinzheng.apps.accounts.models import Account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def second_factor_is_required(staff_enter_with_password_alone: None) -> Iterator[None]:
    with override_settings(XINZHENG_SECOND_FACTOR="required"):
        yield


def code_of(secret: str, step: int) -> str:
    left = 30 - time.time() % 30
    if left < 3:  # it would be too old before it is typed
        time.sleep(left)
    return str(format_hotp_value(hotp_value(secret.replace(" ", ""), int(time.time()) // 30 + step)))


def by_password(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()


def plug_in_a_key(page: Page) -> None:
    """A security key as the browser's own tools pretend one: it answers at once."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": key | {"isUserVerified": True}})


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_a_member_of_staff_binds_an_app_then_a_security_key_and_signs_in_with_it(
    site: Site, viewport: dict[str, int]
) -> None:
    page = site.visit(viewport=viewport)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    by_password(page, "administrator")
    page.wait_for_url("**/account/keys")
    found = mistakes_on(page, "keys, none yet")

    page.get_by_role("link", name="绑定应用").click()
    page.wait_for_url("**/account/keys/app")
    found += mistakes_on(page, "add app")
    secret = page.locator(".digest").inner_text()
    page.fill("#code", code_of(secret, -1))
    page.get_by_role("button", name="绑定").click()
    page.wait_for_url("**/account/keys/recovery")
    assert page.locator(".recovery-codes li").count() == 10
    found += mistakes_on(page, "recovery codes")

    plug_in_a_key(page)
    page.goto("/account/keys/security-key")
    found += mistakes_on(page, "add key")
    page.fill("#name", "办公室的密钥")
    page.get_by_role("button", name="开始").click()
    page.wait_for_url("**/account/keys/recovery")
    page.goto("/account/keys")
    page.get_by_role("rowheader", name="办公室的密钥").wait_for()
    found += mistakes_on(page, "keys, two")
    assert sorted(Authenticator.objects.values_list("type", flat=True)) == ["recovery_codes", "totp", "webauthn"]

    page.get_by_role("button", name="退出").click()
    page.wait_for_url(re.compile("/$"))
    by_password(page, "administrator")
    page.wait_for_url("**/sign-in/second")
    found += mistakes_on(page, "second step")
    page.get_by_role("button", name="用安全密钥").click()
    page.wait_for_url("**/administration/keys")
    assert not [text for text in said if "Content Security Policy" in text]
    assert found == []


def test_a_browser_without_scripts_signs_in_with_a_code(site: Site) -> None:
    page = site.visit(viewport=PHONE, java_script_enabled=False)
    by_password(page, "administrator")
    page.goto("/account/keys/app")
    secret = page.locator(".digest").inner_text()
    page.fill("#code", code_of(secret, -1))
    page.get_by_role("button", name="绑定").click()
    page.goto("/account/keys")
    page.context.clear_cookies()
    by_password(page, "administrator")
    page.fill("#code", code_of(secret, 0))
    page.get_by_role("button", name="验证").click()
    page.wait_for_url("**/administration/keys")


LI = {
    "sub": "li",
    "name": "李示例",
    "id_number": "11010119900307109X",
    "level": "L3",
}


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_a_person_comes_from_two_platforms_to_one_account(site: Site, viewport: dict[str, int]) -> None:
    with identity_provider(LI) as one, identity_provider(LI | {"sub": "0123"}) as other:
        found = []
        platforms = (platform_at(one, "sst", "苏商通"), platform_at(other, "sfb", "苏服办"))
        with override_settings(XINZHENG_PLATFORMS=platforms):
            page = site.visit(viewport=viewport)
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            enter_by(page, "苏商通", "li")
            page.wait_for_url("**/apply")
            page.goto("/account/connections")
            found += mistakes_on(page, "connections")
            page.get_by_role("button", name="退出").click()
            page.wait_for_url(re.compile("/$"))
            enter_by(page, "苏服办", "0123")
            page.wait_for_url("**/apply")
            for address in ("/account/sessions", "/account/password", "/account/connections", "/sign-in"):
                page.goto(address)
                found += mistakes_on(page, address)
        assert Account.objects.filter(person_id__isnull=False).count() == 1
        assert not [text for text in said if "Content Security Policy" in text and "form-action" in text]
        assert found == []


def enter_by(page: Page, platform: str, person: str) -> None:
    page.goto("/sign-in?next=/apply")
    page.get_by_role("button", name=f"用{platform}登录").click()
    page.locator("button", has_text=person).first.click()


def test_the_other_pages_of_an_account_can_be_used_by_everybody(site: Site) -> None:
    page = site.visit(viewport=PHONE)
    by_password(page, "agent-b")
    found = []
    for address in ("/account/sessions", "/account/password", "/account/keys", "/sign-in/again"):
        page.goto(address)
        found += mistakes_on(page, address)
    page.goto("/account/password")
    page.get_by_role("button", name="修改密码").click()
    page.wait_for_load_state()
    found += mistakes_on(page, "password, mistakes")
    page.goto("/account/sessions")
    page.get_by_text("全部退出", exact=True).click()
    page.get_by_role("button", name="确认全部退出").click()
    page.wait_for_url("**/sign-in")
    assert page.get_by_text("所有设备都已退出").is_visible()
    assert found == []
