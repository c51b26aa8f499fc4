"""Platforms get tokens and show them: real requests to the token office and to the interface's guard."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from xinzheng.api.limits import limit_headers
from xinzheng.api.platforms import PerPlatform, PlatformCaller, PlatformToken, acting_account, require
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.locking import Attempt, attempt, unlock
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.platform_grants import take_back
from xinzheng.apps.accounts.platform_tokens import token_digest
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
        ({"client_id": "\x7f", "grant_type": "authorization_code", "code": "x"}, "invalid_client"),
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


def test_an_account_that_is_locked_is_not_acted_for_meanwhile(made: MadePlatform) -> None:
    account = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=1), by="test")
    token = held(made, account, Token.Type.ACCESS_TOKEN)
    assert acting_account(shown(token)) == account
    for _ in range(settings.XINZHENG_LOCK_AFTER):
        attempt(Attempt("agent", account, "password"), lambda: None)
    with pytest.raises(ProblemError) as refused:
        shown(token)
    assert (refused.value.status, refused.value.code) == (403, "account-locked")
    unlock(account, by="test")
    assert acting_account(shown(token)) == account
    Account.objects.filter(pk=account.pk).update(subject_id=None, role=Role.OFFICE_OPERATOR)
    with pytest.raises(ProblemError) as refused:
        shown(token)
    assert refused.value.code == "token-refused"


def held(made: MadePlatform, account: Account, kind: str) -> str:
    token = f"{kind}-{account.pk}"
    given = Token(type=kind, client_id=made.platform.pk, user=account, hash=token_digest(token))
    given.set_scopes(["reports:read"])
    given.save()
    return token


@pytest.mark.django_db(transaction=True)
def test_of_two_who_refresh_with_one_token_at_once_one_is_refused() -> None:
    made = register_platform(NewPlatform("示例平台", ["reports:read"], ["https://sst.example/"]), by="test")
    account = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=1), by="test")
    token = held(made, account, Token.Type.REFRESH_TOKEN)
    begin = Barrier(2)

    def refresh() -> int:
        begin.wait()
        try:
            return int(asked(made, grant_type="refresh_token", refresh_token=token).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        answers = sorted(future.result() for future in [pool.submit(refresh) for _ in range(2)])
    assert answers == [200, 400]
    assert Token.objects.filter(type=Token.Type.REFRESH_TOKEN).count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_refreshed_while_the_consent_is_taken_back_gives_nothing() -> None:
    made = register_platform(NewPlatform("示例平台", ["reports:read"], ["https://sst.example/"]), by="test")
    account = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=1), by="test")
    token = held(made, account, Token.Type.REFRESH_TOKEN)

    def refresh() -> int:
        try:
            return int(asked(made, grant_type="refresh_token", refresh_token=token).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            take_back(account, made.platform.pk)
            refreshed = pool.submit(refresh)
            with pytest.raises(TimeoutError):  # it waits for the one who takes back
                refreshed.result(timeout=0.5)
        assert refreshed.result() == 400
    assert not Token.objects.exists()


def test_requests_are_counted_for_the_platform_whoever_they_are_for() -> None:
    made = register_platform(NewPlatform("示例平台", ["verify"], per_minute=2), by="test")
    allowed, told = [], {}
    token = asked(made).json()["access_token"]
    for _ in range(3):
        request = RequestFactory().get("/api/v1/")
        request.auth = shown(token)  # type: ignore[attr-defined]
        allowed.append(PerPlatform().allow_request(request))
        told = limit_headers(request)
    assert allowed == [True, True, False]
    assert told["RateLimit-Policy"] == '"platform";q=2;w=60'


def test_a_platform_that_fetches_a_token_for_each_call_is_slowed_down() -> None:
    made = register_platform(NewPlatform("示例平台", ["verify"], per_minute=2), by="test")
    answers = [asked(made) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"] == "temporarily_unavailable"
    assert asked(register_platform(NewPlatform("另一平台", ["verify"]), by="test")).status_code == 200


def test_guessing_of_secrets_is_slowed_down(made: MadePlatform) -> None:
    answers = [asked(made, client_secret="wrong").status_code for _ in range(31)]
    assert answers == [401] * 30 + [429]
    assert asked(made).status_code == 429
