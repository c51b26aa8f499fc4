"""Platforms that call the interface: registered the real way, each with the tokens it got, or that a person let it."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Token
from django.test import Client
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.platform_secrets import new_secret
from xinzheng.apps.accounts.platform_tokens import token_digest
from xinzheng.apps.accounts.platforms import ON_BEHALF, OWN, MadePlatform, NewPlatform, register_platform

ROOT = "/api/v1/platform"
BACK = "https://platform.example/back"


def registered(name: str, *, receiver_id: int | None = None, per_minute: int = 600) -> MadePlatform:
    """A platform that may do everything there is."""
    new = NewPlatform(name, [*ON_BEHALF, *OWN], [BACK], per_minute, receiver_id)
    return register_platform(new, by="test")


def own_token(made: MadePlatform, *scopes: str) -> str:
    """A token of the platform itself, from the token office."""
    form = {"grant_type": "client_credentials", "client_id": made.platform.pk, "client_secret": made.secret}
    answer = Client().post("/identity/o/api/token", form | ({"scope": " ".join(scopes)} if scopes else {}))
    return str(answer.json()["access_token"])


def token_for(account: Account, made: MadePlatform, *scopes: str) -> str:
    """A token to act for an account, as the token office leaves it once the person has agreed."""
    secret = new_secret()
    token = Token(
        type=Token.Type.ACCESS_TOKEN,
        hash=token_digest(secret),
        client_id=made.platform.pk,
        user=account,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    token.set_scopes(list(scopes or ON_BEHALF))
    token.save()
    return secret


@dataclass
class Calls:
    """A platform's server: it shows a token with each call and holds the answers to what all answers must hold to."""

    token: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False, enforce_csrf_checks=True))

    def get(self, address: str, **headers: str) -> Any:
        return self._called("GET", address, b"", headers)

    def post(self, address: str, data: Any = None, **headers: str) -> Any:
        body = b"" if data is None else json.dumps(data).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._called("POST", address, body, named)

    def delete(self, address: str) -> Any:
        return self._called("DELETE", address, b"", {})

    def _called(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> Any:
        shown = {"Authorization": f"Bearer {self.token}"} | headers
        address = address if address.startswith("/api/") else f"{ROOT}{address}"
        answer = self.client.generic(method, address, body, content_type="application/json", headers=shown)
        assert not answer.cookies
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", answer.content[:300]
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["type"] == f"urn:xinzheng:problem:{problem['code']}"
        return answer


def without_number(answer: Any) -> bytes:
    """What an answer says, without the number each request has of its own."""
    said: bytes = answer.content
    return said.replace(answer.headers["X-Request-ID"].encode(), b"")
