"""Platforms get tokens and show them: real requests to the token office and to the interface's guard."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from django.test import Client, RequestFactory
from django.utils import timezone

from xinzheng.api.platforms import PlatformCaller, PlatformToken, acting_account, require
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.platforms import MadePlatform, NewPlatform, register_platform, revoke_platform
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
TOKEN, REVOKE = "/identity/o/api/token", "/identity/o/api/revoke"


@pytest.fixture
def made() -> MadePlatform:
    """A platform that verifies reports and sets webhooks."""
    return register_platform(NewPlatform("示例平台", ["verify", "webhooks"]), by="test")


def asked(made: MadePlatform, **more: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": made.platform.pk, "client_secret": made.secret} | more
    return Client(raise_request_exception=False).post(TOKEN, form)


def shown(token: str) -> PlatformCaller:
    request = RequestFactory().get("/api/v1/", headers={"Authorization": f"Bearer {token}"})
    caller = PlatformToken()(request)
    assert caller is not None
    return caller


def test_a_platform_gets_a_token_that_opens_what_it_was_asked_for(made: MadePlatform) -> None:
    answer = asked(made, scope="verify")
    assert answer.status_code == 200, answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    caller = shown(answer.json()["access_token"])
    assert (caller.platform, caller.account, caller.scopes) == (made.platform, None, {"verify"})
    require(caller, "verify")
    with pytest.raises(ProblemError) as refused:
        require(caller, "webhooks")
    assert (refused.value.status, refused.value.code) == (403, "scope-missing")
    with pytest.raises(ProblemError) as refused:
        acting_account(caller)
    assert (refused.value.status, refused.value.code) == (403, "on-behalf-required")


def test_neither_secret_nor_token_is_kept(made: MadePlatform) -> None:
    token = asked(made).json()["access_token"]
    kept = Token.objects.get()
    assert kept.hash == hashlib.sha256(token.encode()).hexdigest()
    assert made.secret not in OAuthClient.objects.get().secret
    assert kept.get_scopes() == ["verify", "webhooks"]


def test_every_token_that_opens_nothing_is_told_the_same(made: MadePlatform) -> None:
    over, gone = (asked(made).json()["access_token"] for _ in range(2))
    Token.objects.filter(hash=hashlib.sha256(over.encode()).hexdigest()).update(expires_at=timezone.now())
    revoke_platform(made.platform.pk, by="test")
    said = set()
    for token in (over, gone, "xz_" + "a" * 43, "\udcff", "x" * 5000):
        with pytest.raises(ProblemError) as refused:
            PlatformToken().authenticate(RequestFactory().get("/"), token)
        said.add((refused.value.status, refused.value.code, refused.value.message))
    assert len(said) == 1
    assert next(iter(said))[:2] == (401, "token-refused")
    assert asked(made).status_code == 401


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "\0"}, "invalid_request"),
        ({"client_secret": "\0"}, "invalid_request"),
        ({"client_id": "é" * 300}, "invalid_client"),
        ({"scope": "verify reports:apply"}, "invalid_scope"),
        ({"scope": "notices"}, "invalid_scope"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "a b\n"}, "invalid_grant"),
        ({"resource": "x"}, "invalid_target"),
    ],
)
def test_a_request_for_a_token_that_is_unfit_is_refused(made: MadePlatform, more: dict[str, str], error: str) -> None:
    answer = asked(made, **more)
    assert (answer.status_code in (400, 401), answer.json()["error"]) == (True, error), answer.content
    assert not Token.objects.exists()


def test_a_header_with_a_nul_or_without_sense_is_refused_and_breaks_nothing(made: MadePlatform) -> None:
    for said in (b"a\0:b", b"\xff:\xfe", b"x", f"{made.platform.pk}:".encode()):
        header = "Basic " + base64.b64encode(said).decode()
        client = Client(raise_request_exception=False)
        answers = [
            client.post(TOKEN, {"grant_type": "client_credentials"}, headers={"Authorization": header}),
            client.post(REVOKE, {"token": "x"}, headers={"Authorization": header}),
        ]
        assert all(answer.status_code in (400, 401) for answer in answers), (said, answers)


def test_a_secret_is_shown_by_header_too(made: MadePlatform) -> None:
    header = "Basic " + base64.b64encode(f"{made.platform.pk}:{made.secret}".encode()).decode()
    answer = Client().post(TOKEN, {"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert answer.status_code == 200
    assert timedelta(seconds=answer.json()["expires_in"]) <= timedelta(hours=1)


def test_a_platform_gives_back_its_own_token_and_nobody_elses(made: MadePlatform) -> None:
    other = register_platform(NewPlatform("另一平台", ["verify"]), by="test")
    token = asked(made).json()["access_token"]

    def returned(by: MadePlatform, secret: str | None = None) -> Any:
        form = {"token": token, "client_id": by.platform.pk, "client_secret": secret or by.secret}
        return Client().post(REVOKE, form)

    assert returned(other).status_code == 200
    assert returned(made, "wrong").status_code == 401
    assert shown(token)
    assert returned(made).status_code == 200
    with pytest.raises(ProblemError):
        shown(token)
    actions = list(AuditEvent.objects.filter(object_id=made.platform.pk).values_list("action", flat=True))
    assert actions == ["platform-registered", "platform-token-given", "platform-token-returned"]


def test_guessing_of_secrets_is_slowed_down(made: MadePlatform) -> None:
    answers = [asked(made, client_secret="wrong").status_code for _ in range(31)]
    assert answers == [401] * 30 + [429]
    assert asked(made).status_code == 429
