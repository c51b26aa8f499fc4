"""A person lets a platform act: the whole flow over HTTP, as the platform's software and the browser make it."""

import base64
import hashlib
import logging
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.permissions.world import enter
from tests.web.conftest import People
from xinzheng.api.platforms import PlatformCaller, PlatformToken, acting_account
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.actions import close_account
from xinzheng.apps.accounts.mandates import revoke
from xinzheng.apps.accounts.models import Account, Mandate
from xinzheng.apps.accounts.platform_grants import end_grants, grants_of
from xinzheng.apps.accounts.platforms import MadePlatform, NewPlatform, register_platform, revoke_platform
from xinzheng.apps.accounts.tasks import keep_no_longer
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.web.subjects.personal_data import everything

AUTHORIZE, TOKEN = "/identity/o/authorize", "/identity/o/api/token"
BACK = "https://sst.example/back?from=xinzheng"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = ["reports:apply", "reports:read", "codes", "verify"]


@dataclass
class Software:
    """The platform's own software."""

    made: MadePlatform
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def asks(self, **more: str | None) -> dict[str, str]:
        """What it sends the browser to the consent page with."""
        said = {
            "response_type": "code",
            "client_id": self.made.platform.pk,
            "redirect_uri": BACK,
            "scope": "openid reports:apply reports:read",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        return {name: text for name, text in said.items() if text is not None}

    def exchanges(self, **said: str) -> Any:
        """Ask for tokens."""
        form = {"client_id": self.made.platform.pk, "client_secret": self.made.secret} | said
        return self.http.post(TOKEN, form)

    def redeems(self, code: str, **more: str) -> Any:
        """Redeem a code."""
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
        return self.exchanges(**(said | more))

    def refreshes(self, token: str) -> Any:
        """Redeem a refresh token."""
        return self.exchanges(grant_type="refresh_token", refresh_token=token)


@pytest.fixture
def software(people: People) -> Software:
    return Software(register_platform(NewPlatform("苏商通", SCOPES, [BACK]), by="test"))


def allows(browser: Client, software: Software, *, answer: str = "allow", **asked: str | None) -> Any:
    """Look at the page and answer as its form does."""
    page: Any = browser.get(AUTHORIZE, software.asks(**asked))
    assert page.status_code == 200, (page.status_code, page.headers, page.content.decode())
    scopes = [scope for scope, _ in page.context["scopes"]]
    return browser.post(AUTHORIZE, {"request": page.context["ticket"], "scopes": scopes, "answer": answer})


def sent_back(response: Any) -> dict[str, str]:
    assert response.status_code == 302, (response.status_code, response.content.decode())
    parts = urlsplit(response.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://sst.example/back"
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (said.pop("from"), said.pop("state"), said.pop("iss")) == ("xinzheng", "s-1", settings.XINZHENG_ORIGIN)
    return said


def consented(software: Software, account: Account) -> dict[str, Any]:
    """The tokens after a consent."""
    code = sent_back(allows(enter(Client(), account), software))["code"]
    answer: dict[str, Any] = software.redeems(code).json()
    return answer


def called(token: str) -> PlatformCaller:
    caller = PlatformToken()(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))
    assert caller is not None
    return caller


def refusal(token: str) -> tuple[int, str]:
    with pytest.raises(ProblemError) as refused:
        called(token)
    return int(refused.value.status), refused.value.code


def test_a_platform_acts_for_who_let_it_and_learns_nothing_but_a_number(software: Software, people: People) -> None:
    answer = consented(software, people.clean)
    caller = called(answer["access_token"])
    assert acting_account(caller) == people.clean
    assert caller.scopes == {"openid", "reports:apply", "reports:read"}
    assert caller.actor == f"client:{software.made.platform.pk}/account:{people.clean.pk}"
    keys = Client().get("/.well-known/jwks.json").json()["keys"]
    assert len(keys) == 1
    key = jwt.PyJWK(keys[0]).key
    told = jwt.decode(
        answer["id_token"],
        key,
        algorithms=["RS256"],
        audience=software.made.platform.pk,
        issuer=settings.XINZHENG_ORIGIN,
    )
    assert set(told) == {"aud", "iat", "iss", "exp", "jti", "sub", "nonce", "at_hash"}
    assert told["nonce"] == "n-1"
    other = Software(register_platform(NewPlatform("另一平台", SCOPES, [BACK]), by="test"))
    elsewhere = jwt.decode(consented(other, people.clean)["id_token"], options={"verify_signature": False})
    again = jwt.decode(consented(software, people.clean)["id_token"], options={"verify_signature": False})
    assert told["sub"] == again["sub"] != elsewhere["sub"]
    folder = settings.XINZHENG_KEYS / "platforms"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_code_is_good_once_for_its_platform_address_and_verifier(software: Software, people: People) -> None:
    browser = enter(Client(), people.clean)
    other = Software(register_platform(NewPlatform("另一平台", SCOPES, [BACK]), by="test"))

    def code() -> str:
        return sent_back(allows(browser, software))["code"]

    held = code()
    wrong: list[Callable[[], Any]] = [
        lambda: software.redeems(held, code_verifier="w" * 50),
        lambda: software.exchanges(grant_type="authorization_code", code=held, redirect_uri=BACK),
        lambda: software.redeems(held, redirect_uri="https://sst.example/other"),
        lambda: other.redeems(held),
        lambda: software.redeems("x" * 30),
    ]
    for attempt in wrong:
        answer = attempt()
        assert answer.status_code == 400, answer.content
        assert answer.json()["error"] in ("invalid_grant", "invalid_request")
    assert not Token.objects.exists()
    assert software.redeems(held).status_code == 200
    assert software.redeems(held).json()["error"] == "invalid_grant"
    late = code()
    cache.clear()  # as after its minute
    assert software.redeems(late).json()["error"] == "invalid_grant"


def test_what_the_platform_asks_wrongly_it_is_told(software: Software, people: People) -> None:
    browser = enter(Client(), people.clean)
    wrong: list[tuple[dict[str, str | None], str]] = [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "reports:read verify"}, "invalid_scope"),
        ({"scope": "reports:read views"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "code id_token"}, "unauthorized_client"),
        ({"prompt": "none"}, "interaction_required"),
        ({"claims": "{"}, "invalid_request"),
        ({"resource": "x"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
    ]
    told = [sent_back(browser.get(AUTHORIZE, software.asks(**more)))["error"] for more, _ in wrong]
    assert told == [error for _, error in wrong]


def test_nobody_is_sent_where_the_platform_is_not_registered(software: Software, people: People) -> None:
    browser = enter(Client(raise_request_exception=False), people.clean)
    wrong: list[dict[str, str | None]] = [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK + "&more=1"},
        {"redirect_uri": BACK.replace("sst.example", "user@sst.example")},
        {"redirect_uri": BACK + "#f"},
        {"redirect_uri": None},
        {"client_id": "none"},
        {"client_id": "\0"},
        {"state": "\0"},
        {"scope": "x" * 5000},
    ]
    assert [browser.get(AUTHORIZE, software.asks(**more)).status_code for more in wrong] == [400] * len(wrong)


def test_a_parameter_said_twice_is_refused(software: Software, people: People) -> None:
    address = f"{AUTHORIZE}?client_id={software.made.platform.pk}&client_id=x"
    assert enter(Client(), people.clean).get(address).status_code == 400


def test_the_page_tells_who_asks_for_what_and_for_whom(software: Software, people: People) -> None:
    page = enter(Client(), people.clean).get(AUTHORIZE, software.asks())
    text = page.content.decode()
    for said in ("苏商通", "https://sst.example", "申请专用信用报告", "查看、下载报告", "90天后到期"):
        assert said in text
    assert "亮码" not in page.context["scopes"]
    assert [row.id for row in page.context["subjects"]] == [people.clean.subject_id]
    assert page.context["subjects"][0].name in text
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://sst.example;" in policy + ";"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in page.headers["Cache-Control"]


def test_who_is_not_signed_in_signs_in_first_and_staff_are_refused(software: Software, people: People) -> None:
    response = Client().get(AUTHORIZE, software.asks())
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=%2Fidentity%2Fo%2Fauthorize%3F")
    stale = Client()
    stale.force_login(people.clean)
    assert stale.get(AUTHORIZE, software.asks()).headers["Location"].startswith("/sign-in/again?next=")
    assert enter(Client(), people.office).get(AUTHORIZE, software.asks()).status_code == 403


def test_a_person_agrees_to_less_to_nothing_or_not_at_all(software: Software, people: People) -> None:
    browser = enter(Client(), people.clean)
    ticket = browser.get(AUTHORIZE, software.asks()).context["ticket"]
    form = {"request": ticket, "answer": "allow"}
    nothing = browser.post(AUTHORIZE, form)
    assert nothing.status_code == 422
    assert "请至少选一项" in nothing.content.decode()
    # What was not asked for is not given either.
    less = browser.post(AUTHORIZE, form | {"scopes": ["reports:read", "codes", "verify"]})
    given = software.redeems(sent_back(less)["code"]).json()
    assert set(given["scope"].split()) == {"openid", "reports:read"}
    declined = allows(browser, software, answer="refuse")
    assert sent_back(declined) == {"error": "access_denied", "error_description": "本人不同意。"}
    assert AuditEvent.objects.filter(action="platform-declined", who=people.clean.actor).count() == 1


def test_an_answer_counts_for_who_saw_the_page_and_in_time_alone(software: Software, people: People) -> None:
    page = enter(Client(), people.clean).get(AUTHORIZE, software.asks())
    form = {"request": page.context["ticket"], "scopes": ["reports:read"], "answer": "allow"}
    assert enter(Client(), people.punished).post(AUTHORIZE, form).status_code == 400
    own = enter(Client(), people.clean)
    assert own.post(AUTHORIZE, form | {"request": "invented"}).status_code == 400
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xinzheng.web.platforms.consent.TICKET_SECONDS", -1)
        assert own.post(AUTHORIZE, form).status_code == 400
    guarded = enter(Client(enforce_csrf_checks=True), people.clean)
    assert guarded.post(AUTHORIZE, form).status_code == 403
    revoke_platform(software.made.platform.pk, by="test")
    assert own.post(AUTHORIZE, form).status_code == 400
    assert signing.loads(form["request"], salt="xinzheng.platform-consent")


def test_a_refreshed_consent_ends_when_it_would_have_ended_anyway(software: Software, people: People) -> None:
    first = consented(software, people.clean)
    assert abs(first["refresh_expires_in"] - 90 * 24 * 3600) < 60
    soon = timezone.now() + timedelta(minutes=10)
    Token.objects.filter(type=Token.Type.REFRESH_TOKEN).update(expires_at=soon)
    second = software.refreshes(first["refresh_token"]).json()
    assert 0 < second["refresh_expires_in"] <= 600
    assert Token.objects.filter(expires_at__gt=soon, hash=digest(second["access_token"])).count() == 0
    assert acting_account(called(second["access_token"])) == people.clean
    assert software.refreshes(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert software.refreshes("\0").json()["error"] == "invalid_request"
    Token.objects.update(expires_at=timezone.now())
    assert software.refreshes(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert refusal(second["access_token"]) == (401, "token-refused")
    keep_no_longer(timestamp=0)
    assert not Token.objects.exists()
    (ended,) = AuditEvent.objects.filter(action="platform-consent-ended")
    assert ended.details == {"why": "over", "account": people.clean.pk}


def test_no_log_holds_a_secret_a_code_or_a_token(
    software: Software, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = sent_back(allows(enter(Client(), people.clean), software))["code"]
    tokens = software.redeems(code).json()
    software.redeems(code)
    said = caplog.text
    assert "identity" in said  # the refused request at least
    for secret in (software.made.secret, code, VERIFIER, *(tokens[f"{kind}_token"] for kind in ("access", "refresh"))):
        assert secret not in said


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_what_a_consent_rests_on_is_asked_at_each_call(software: Software, people: People) -> None:
    tokens = consented(software, people.clean)
    mandate = Mandate.objects.get(account=people.clean)
    revoke(mandate.pk, by="test", reason="")
    assert refusal(tokens["access_token"]) == (403, "mandate-ended")
    assert software.refreshes(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert end_grants() == 2
    assert refusal(tokens["access_token"]) == (401, "token-refused")
    other = consented(software, people.punished)
    assert end_grants() == 0
    close_account(people.punished, by="test")
    assert refusal(other["access_token"]) == (401, "token-refused")
    assert software.refreshes(other["refresh_token"]).json()["error"] == "invalid_grant"
    assert end_grants() == 2
    ended = AuditEvent.objects.filter(action="platform-consent-ended").order_by("id")
    assert [event.details["why"] for event in ended] == ["mandate-ended", "account-closed"]


def test_a_person_sees_and_takes_back_what_platforms_may_do(software: Software, people: People) -> None:
    tokens, theirs = consented(software, people.clean), consented(software, people.punished)
    browser = enter(Client(), people.clean)
    page = browser.get("/account/platforms").content.decode()
    assert "苏商通" in page
    assert "申请专用信用报告；查看、下载报告" in page
    (exported,) = everything(people.clean)["allowed_platforms"]
    assert (exported["name"], exported["scopes"]) == ("苏商通", ["openid", "reports:apply", "reports:read"])
    address = f"/account/platforms/{software.made.platform.pk}/take-back"
    assert "已收回对“苏商通”的授权" in browser.post(address, follow=True).content.decode()
    assert refusal(tokens["access_token"]) == (401, "token-refused")
    assert software.refreshes(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert grants_of(people.clean) == []
    assert acting_account(called(theirs["access_token"])) == people.punished
    assert "没有授权任何平台" in browser.get("/account/platforms").content.decode()
    assert "已经没有您的授权" in browser.post(address, follow=True).content.decode()
    events = AuditEvent.objects.filter(object_id=software.made.platform.pk, who=people.clean.actor).order_by("id")
    assert [event.action for event in events] == ["platform-allowed", "platform-consent-taken-back"]
    assert {event.subject_id for event in events} == {people.clean.subject_id}


def test_the_discovery_address_names_what_there_is(software: Software) -> None:
    found = Client().get("/.well-known/openid-configuration").json()
    assert found == Client().get("/.well-known/oauth-authorization-server").json()
    assert found["subject_types_supported"] == ["pairwise"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_endpoint"] == settings.XINZHENG_ORIGIN + AUTHORIZE
    for name in ("device_authorization_endpoint", "registration_endpoint", "introspection_endpoint"):
        assert name not in found
    assert OAuthClient.objects.get().type == "confidential"
