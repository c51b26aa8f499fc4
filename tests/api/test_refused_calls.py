"""A refused call with a known key is an audit event, told at first and then ever more rarely."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.idp.oidc.models import Token
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.api.conftest import BATCHES, System
from tests.platform_callers import own_token, registered
from tests.small_city import SmallCity
from xinzheng.api.platforms import PlatformToken
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.key_actions import revoke_key
from xinzheng.apps.accounts.platforms import NewPlatform, register_platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.refusals import noted_caller

REFUSED_ONCE = {"attempts": 1, "status": 403, "method": "GET"}
REASON = {"reason": "该决定已经撤销"}


def told() -> list[tuple[Any, ...]]:
    found = AuditEvent.objects.filter(action="access-refused").order_by("id")
    return [(event.who, event.object_kind, event.object_id, event.details) for event in found]


def test_a_revoked_key_that_is_still_shown_is_told_by_its_number(city: SmallCity, tax: System) -> None:
    revoke_key(key_id=tax.key_id, by="test")
    assert [tax.get(f"{BATCHES}/7").status_code for _ in range(12)] == [401] * 12
    facts = {"status": 401, "method": "GET", "upload_id": "7"}
    assert told() == [
        (f"api-key:{tax.key_id}", "interface", "interface-1:batch", {"attempts": attempts} | facts)
        for attempts in (1, 10)
    ]


def test_a_key_that_may_not_do_this_is_told_and_one_that_finds_nothing_is_not(city: SmallCity, tax: System) -> None:
    assert tax.post(f"{BATCHES}/7/withdrawal", REASON).status_code == 403
    assert tax.get(f"{BATCHES}/7").status_code == 404
    assert tax.post("/api/v1/coverage", {}).status_code == 422
    ((who, kind, _, details),) = told()
    assert (who, kind, details["status"]) == (f"api-key:{tax.key_id}", "interface", 403)


def test_a_key_nobody_knows_makes_no_event_and_its_secret_stands_nowhere(city: SmallCity, tax: System) -> None:
    assert Client().get(BATCHES, headers={"Authorization": "Bearer xz_" + "A" * 43}).status_code == 401
    assert Client().get(BATCHES).status_code == 401
    revoke_key(key_id=tax.key_id, by="test")
    tax.get(BATCHES, **{"Idempotency-Key": "a"})
    assert len(told()) == 1
    assert tax.secret not in str(told())


def test_a_platform_that_may_not_do_this_is_told_by_its_number(city: SmallCity) -> None:
    made = registered("示例平台")
    headers = {"Authorization": f"Bearer {own_token(made)}"}
    for _ in range(3):
        assert Client().get("/api/v1/platform/codes/" + str(uuid4()), headers=headers).status_code == 403
    ((who, kind, name, details),) = told()
    assert (who, kind) == (f"client:{made.platform.pk}", "interface")
    assert details.items() >= REFUSED_ONCE.items()
    assert name.startswith("interface-1:")


def test_a_platform_is_told_with_a_token_that_is_over_and_one_for_other_things(city: SmallCity) -> None:
    made = register_platform(NewPlatform("示例平台", ["verify"]), by="test")
    form = {"grant_type": "client_credentials", "client_id": made.platform.pk, "client_secret": made.secret}
    token = Client().post("/identity/o/api/token", form).json()["access_token"]
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    request = RequestFactory().get("/api/v1/", headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(ProblemError) as refused:
        PlatformToken()(request)
    assert refused.value.code == "token-refused"
    assert noted_caller(request) == f"client:{made.platform.pk}"
