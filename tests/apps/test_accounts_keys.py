"""Keys of units' systems: shown once, kept as a digest, revoked for good; equal requests do their work once."""

import hashlib
import secrets
import threading
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from xinzheng.apps.accounts import key_actions
from xinzheng.apps.accounts.idempotency import (
    KEPT_DAYS,
    KeptRequestError,
    PlatformRequest,
    RepeatableRequest,
    forget_old_requests,
    kept_key,
    once,
    once_for_platform,
)
from xinzheng.apps.accounts.key_actions import ApiKeyError, create_key, recognise_key, revoke_key
from xinzheng.apps.accounts.models import ApiKey, KeptPlatformRequest, KeptRequest
from xinzheng.apps.accounts.permissions import refusals_to_answer_by_key
from xinzheng.apps.accounts.queries import api_keys
from xinzheng.apps.audit.models import AuditEvent

TODAY = date(2026, 11, 21)
BODY, OTHER_BODY = hashlib.sha256(b"a").digest(), hashlib.sha256(b"b").digest()


def made(name: str = "行政处罚系统", unit_id: int = 1) -> key_actions.MadeKey:
    return create_key(unit_id=unit_id, name=name, by="test")


@pytest.mark.django_db
def test_a_key_is_256_random_bits_and_only_its_digest_is_kept() -> None:
    first, second = made(), made()
    assert first.secret.startswith("xz_")
    assert len(first.secret) == len("xz_") + 43
    assert first.secret != second.secret
    assert bytes(first.key.digest) == hashlib.sha256(first.secret.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_apikey k WHERE k::text LIKE %s", [f"%{first.secret[3:]}%"])
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_a_key_is_recognised_and_the_day_it_was_last_used_is_noted() -> None:
    one = made()
    assert recognise_key(one.secret, today=TODAY) == one.key
    assert recognise_key(one.secret, today=TODAY + timedelta(days=1)) == one.key
    assert ApiKey.objects.get().last_used_date == TODAY + timedelta(days=1)


@pytest.mark.django_db
def test_using_a_key_again_on_the_same_day_writes_nothing(django_assert_num_queries: Any) -> None:
    one = made()
    recognise_key(one.secret, today=TODAY)
    with django_assert_num_queries(1):
        recognise_key(one.secret, today=TODAY)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["", "xz_", "xz_" + "A" * 43, "密钥", "\ud800", "xz_" + "A" * 10_000])
def test_a_wrong_key_is_not_recognised(wrong: str) -> None:
    made()
    assert recognise_key(wrong, today=TODAY) is None


@pytest.mark.django_db
def test_wrong_and_revoked_keys_take_the_same_way_as_right_ones(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    right, revoked = made(), made()
    revoke_key(key_id=revoked.key.pk, by="test")
    ApiKey.objects.update(last_used_date=TODAY)
    compared: list[tuple[bytes, bytes]] = []
    in_constant_time = secrets.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return bool(in_constant_time(one, other))

    monkeypatch.setattr(secrets, "compare_digest", counted)
    for secret in (right.secret, revoked.secret, "xz_" + "A" * 43):
        with django_assert_num_queries(1):
            recognise_key(secret, today=TODAY)
    assert [len(one) for pair in compared for one in pair] == [32] * 6


@pytest.mark.django_db
def test_a_revoked_key_opens_nothing_and_cannot_be_revoked_again() -> None:
    one = made()
    revoke_key(key_id=one.key.pk, by="test")
    assert recognise_key(one.secret, today=TODAY) is None
    assert ApiKey.objects.get().last_used_date is None
    with pytest.raises(ApiKeyError) as refused:
        revoke_key(key_id=one.key.pk, by="test")
    assert refused.value.code == "key-revoked-already"


@pytest.mark.django_db
def test_a_key_that_is_not_there_cannot_be_revoked() -> None:
    with pytest.raises(ApiKeyError) as refused:
        revoke_key(key_id=1, by="test")
    assert refused.value.code == "unknown-key"


@pytest.mark.django_db
def test_making_and_revoking_are_in_the_audit_trail_without_the_secret() -> None:
    one = made()
    revoke_key(key_id=one.key.pk, by="account:7")
    events = list(AuditEvent.objects.order_by("id").values_list("who", "action", "object_kind", "object_id"))
    assert events == [
        ("test", "api-key-created", "api-key", str(one.key.pk)),
        ("account:7", "api-key-revoked", "api-key", str(one.key.pk)),
    ]
    assert all(event.details == {"unit_id": 1} for event in AuditEvent.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb"])
def test_a_key_needs_a_name_people_can_read(name: str) -> None:
    with pytest.raises(ApiKeyError) as refused:
        made(name)
    assert refused.value.code == "key-name-unfit"
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_the_database_refuses_a_key_without_a_name() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(unit_id=1, name="", digest=BODY, created_by="test")


@pytest.mark.django_db
def test_keys_are_listed_by_unit_latest_first() -> None:
    first, second, other = made("甲"), made("乙"), made("丙", unit_id=2)
    assert api_keys() == [other.key, second.key, first.key]
    assert api_keys(1) == [second.key, first.key]


@pytest.mark.django_db
def test_the_same_request_does_its_work_once_and_another_body_is_refused() -> None:
    request = RepeatableRequest(made().key, "a", BODY)
    assert once(request, lambda: 7) == 7
    assert once(request, lambda: 8) == 7
    assert once(RepeatableRequest(made().key, "a", OTHER_BODY), lambda: 9) == 9
    with pytest.raises(KeptRequestError) as refused:
        once(RepeatableRequest(request.api_key, "a", OTHER_BODY), lambda: 10)
    assert refused.value.code == "idempotency-key-reused"


@pytest.mark.django_db
def test_what_failed_can_be_tried_again_with_the_same_key() -> None:
    request = RepeatableRequest(made().key, "a", BODY)
    with pytest.raises(ZeroDivisionError):
        once(request, lambda: 1 // 0)
    assert not KeptRequest.objects.exists()
    assert once(request, lambda: 7) == 7


def test_the_second_of_two_at_the_same_moment_gets_what_the_first_made(
    second_connection: "psycopg.Connection[Any]",
) -> None:
    key = made().key
    second_connection.execute(
        "INSERT INTO accounts_keptrequest (api_key_id, idempotency_key, body_sha256, object_id)"
        " VALUES (%s, 'a', %s, 7)",
        [key.pk, BODY],
    )
    threading.Timer(0.5, second_connection.commit).start()
    assert once(RepeatableRequest(key, "a", BODY), lambda: 8) == 7


def test_the_second_of_two_calls_of_a_platform_gets_what_the_first_made(
    second_connection: "psycopg.Connection[Any]",
) -> None:
    request = PlatformRequest("client:a/account:1", "a", BODY)
    second_connection.execute(
        "INSERT INTO accounts_keptplatformrequest (caller, idempotency_key, body_sha256, made)"
        " VALUES (%s, %s, %s, 'first')",
        [request.caller, kept_key(request), BODY],
    )
    threading.Timer(0.3, second_connection.commit).start()
    assert once_for_platform(request, lambda: "second") == "first"
    assert once_for_platform(PlatformRequest("client:a/account:2", "a", BODY), lambda: "another's") == "another's"


@pytest.mark.django_db
def test_requests_are_forgotten_when_nobody_will_send_them_again() -> None:
    key = made().key
    for name in ("old", "young"):
        once(RepeatableRequest(key, name, BODY), lambda: 1)
    age = timezone.now() - timedelta(days=KEPT_DAYS, minutes=1)
    KeptRequest.objects.filter(idempotency_key="old").update(created_at=age)
    for caller in ("client:old", "client:young"):
        once_for_platform(PlatformRequest(caller, "a", BODY), lambda: "made")
    KeptPlatformRequest.objects.filter(caller="client:old").update(created_at=age)
    assert forget_old_requests() == 2
    assert [kept.caller for kept in KeptPlatformRequest.objects.all()] == ["client:young"]
    assert [kept.idempotency_key for kept in KeptRequest.objects.all()] == ["young"]
    assert "accounts.forget_old_requests" in app.tasks


@pytest.mark.django_db
def test_only_a_key_made_for_the_responsible_officer_answers_for_lines() -> None:
    assert refusals_to_answer_by_key(made().key) != []
    own = create_key(unit_id=1, name="责任人", by="test", is_responsible=True)
    assert refusals_to_answer_by_key(own.key) == []
    assert AuditEvent.objects.latest("id").details == {"unit_id": 1, "is_responsible": True}
