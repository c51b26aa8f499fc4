"""A person comes from a platform, allows it to act, is led back, and takes it back later; in a real browser."""

import base64
import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from django.test import RequestFactory
from oauthlib.oauth2 import WebApplicationClient  # type: ignore[import-untyped]

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import Look, look_at, mistakes_on, visit
from tests.web.conftest import PASSWORD, People
from xinzheng.api.platforms import PlatformToken
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.platforms import MadePlatform, NewPlatform, register_platform

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECURE = "https://site"  # the library wants https; on this machine the site speaks http
LOOKS = (Look(1280, "light"), Look(390, "dark", "largest"))


class Elsewhere(BaseHTTPRequestHandler):
    """The platform's own page, to which a person comes back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write("已回到平台".encode())

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@pytest.fixture
def back() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/back"
    server.shutdown()
    server.server_close()


def software(made: MadePlatform) -> WebApplicationClient:
    """The client side of a library for OAuth, as a platform would use one."""
    return WebApplicationClient(made.platform.pk, code_verifier=VERIFIER)


def asked(made: MadePlatform, back: str) -> str:
    address = software(made).prepare_request_uri(
        f"{SECURE}/identity/o/authorize",
        redirect_uri=back,
        scope=["openid", "reports:apply", "reports:read", "codes", "views"],
        state="s",
        code_challenge=CHALLENGE,
        code_challenge_method="S256",
    )
    return str(address).removeprefix(SECURE)


def exchanged(site: Site, made: MadePlatform, landed: str, back: str) -> Any:
    client = software(made)
    client.parse_request_uri_response(landed.replace("http://", "https://", 1), state="s")
    body = client.prepare_request_body(
        code=client.code, redirect_uri=back, code_verifier=VERIFIER, include_client_id=False
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    proof = (made.platform.pk, made.secret)
    answer = requests.post(f"{site.url}/identity/o/api/token", body, auth=proof, headers=form, timeout=10)
    return client.parse_request_body_response(answer.text)


def test_a_person_allows_a_platform_and_takes_it_back(site: Site, people: People, back: str) -> None:
    scopes = ["reports:apply", "reports:read", "codes", "views", "verify"]
    made = register_platform(NewPlatform("苏商通", scopes, [back]), by="test")
    page, small = (visit(site, look) for look in LOOKS)
    site.sign_in(small, "demo-suzhou")
    found = look_at(small, [asked(made, back), asked(made, "https://evil.example/")])
    page.goto(asked(made, back))
    page.fill("#username", "demo-suzhou")
    page.fill("#password", PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    page.get_by_role("heading", name="是否同意“苏商通”替您办理").wait_for()
    found += mistakes_on(page, "consent")
    page.get_by_label("查看谁看过报告").uncheck()
    page.get_by_role("button", name="同意", exact=True).click()
    page.get_by_text("已回到平台").wait_for()
    answer = exchanged(site, made, page.url, back)
    assert set(answer["scope"]) == {"openid", "reports:apply", "reports:read", "codes"}
    found += look_at(page, ["/account/platforms"]) + look_at(small, ["/account/platforms"])
    page.goto("/account/platforms")
    page.get_by_label("收回对苏商通的授权").click()
    page.get_by_role("button", name="确认收回").click()
    page.get_by_text("已收回对“苏商通”的授权").wait_for()
    with pytest.raises(ProblemError):
        PlatformToken().authenticate(RequestFactory().get("/"), answer["access_token"])
    assert found == []


def test_the_pages_of_platforms_can_be_used_by_every_administrator(site: Site, back: str) -> None:
    made = register_platform(NewPlatform("苏商通", ["codes"], [back]), by="test")
    found = []
    for look in LOOKS:
        page = visit(site, look)
        site.sign_in(page, "administrator")
        found += look_at(page, [f"/administration/platforms/{made.platform.pk}"])
        page.goto("/administration/platforms")
        page.fill("#name", "苏商通")
        page.get_by_role("button", name="登记并生成密钥").click()
        page.get_by_role("heading", name="处需要改正").wait_for()
        found += mistakes_on(page, "platforms with mistakes")
        page.fill("#name", f"示例银行{look.width}")
        page.get_by_label("核验报告").check()
        page.get_by_role("button", name="登记并生成密钥").click()
        page.get_by_role("heading", name=f"“示例银行{look.width}”的新密钥").wait_for()
        found += mistakes_on(page, "secret")
    assert found == []
