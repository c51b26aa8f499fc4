"""Webhooks: who may have one, what is sent to it and signed, and for whom it is not."""

import base64
import json
import time
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.notified import BODY, a_platform, a_receiver, events_of, refusal, registered, signatures, signed_by, told
from tests.webhook_server import HookServer
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.deliveries import send_round
from xinzheng.apps.codes.delivering import deliver
from xinzheng.apps.codes.key_hooks import HOOKS
from xinzheng.apps.codes.models import Delivery, Notice, Webhook
from xinzheng.apps.codes.notice_events import APPLICATION_DONE
from xinzheng.apps.codes.notices import REPORT_ENDED, WEBHOOK_FAILING, Addressee, tell
from xinzheng.apps.codes.webhook_calls import try_webhook
from xinzheng.apps.codes.webhook_secrets import OVERLAP, open_secrets
from xinzheng.apps.codes.webhooks import (
    Owner,
    deliveries_of,
    end_webhook,
    register_webhook,
    rotate_webhook_secret,
    webhooks_of,
)
from xinzheng.apps.registry.key_rotation import rotate_key

pytestmark = pytest.mark.django_db

PUBLIC = "https://hooks.example.cn/xinzheng"


def test_the_secret_is_shown_once_and_kept_sealed(owner: Owner) -> None:
    made = register_webhook(owner, PUBLIC, [REPORT_ENDED], by="client:test")
    secret = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert len(secret) == 32
    with connection.cursor() as cursor:
        cursor.execute("SELECT w::text FROM codes_webhook w")
        ((row,),) = cursor.fetchall()
    for said in (made.secret, secret.hex(), base64.b64encode(secret).decode()[:20]):
        assert said not in row
    event = AuditEvent.objects.get(action="webhook-registered")
    assert event.details == {"host": "hooks.example.cn", "events": [REPORT_ENDED]}


@pytest.mark.parametrize(
    ("url", "events", "code"),
    [
        ("https://10.0.0.1/", [REPORT_ENDED], "webhook-address-refused"),
        ("http://hooks.example.cn/", [REPORT_ENDED], "webhook-address-refused"),
        ("https://hooks.example.cn/330502199001010014", [REPORT_ENDED], "webhook-address-refused"),
        ("https://hooks.example.cn/?tel=13800138000", [REPORT_ENDED], "webhook-address-refused"),
        (PUBLIC, [], "webhook-events-unfit"),
        (PUBLIC, [REPORT_ENDED, "everything"], "webhook-events-unfit"),
        (PUBLIC, [WEBHOOK_FAILING], "webhook-events-unfit"),
    ],
)
def test_an_address_or_event_that_is_unfit_is_refused(owner: Owner, url: str, events: list[str], code: str) -> None:
    assert refusal(lambda: register_webhook(owner, url, events, by="test")) == code
    assert not Webhook.objects.exists()


def test_an_owner_has_each_address_once_and_no_more_than_five(owner: Owner) -> None:
    for number in range(5):
        register_webhook(owner, f"{PUBLIC}/{number}", [REPORT_ENDED], by="test")
    assert refusal(lambda: register_webhook(owner, f"{PUBLIC}/0", [REPORT_ENDED], by="test")) == "webhook-exists"
    assert refusal(lambda: register_webhook(owner, PUBLIC, [REPORT_ENDED], by="test")) == "too-many-webhooks"
    end_webhook(owner, webhooks_of(owner)[0].pk, by="test")
    register_webhook(owner, PUBLIC, [REPORT_ENDED], by="test")


def test_somebody_elses_webhook_is_as_unknown_as_none(owner: Owner) -> None:
    made = register_webhook(owner, PUBLIC, [REPORT_ENDED], by="test").webhook
    for other in (a_platform("浙里办"), Owner(receiver_id=a_receiver().pk)):
        assert not webhooks_of(other)
        for deed in (rotate_webhook_secret, end_webhook, try_webhook):
            assert refusal(lambda deed=deed, other=other: deed(other, made.pk, by="test")) == "unknown-webhook"
    assert refusal(lambda: end_webhook(owner, made.pk + 1, by="test")) == "unknown-webhook"


def test_a_notice_arrives_once_and_signed(owner: Owner, server: HookServer) -> None:
    made = registered(owner, server)
    notice = told(owner)
    assert [deliver([notice.pk]), deliver()] == [0, 0]
    assert [send_round(), send_round()] == [1, 0]
    (got,) = server.got
    assert got.headers["webhook-id"] == str(notice.pk)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert signatures(got) == [signed_by(made.secret, got)]
    said = json.loads(got.body)
    assert (said["type"], said["data"]) == (REPORT_ENDED, BODY)
    assert datetime.fromisoformat(said["timestamp"]) == notice.at
    (delivery,) = deliveries_of(made.webhook)
    assert (delivery.answered, delivery.tries, delivery.said, delivery.due_at) == (200, 1, "", None)
    assert delivery.done_at is not None


def test_the_sweep_finds_what_nobody_made_a_delivery_for(owner: Owner, server: HookServer) -> None:
    registered(owner, server, "/a")
    registered(owner, server, "/b")
    for number in range(2):
        Notice.objects.create(event=REPORT_ENDED, source=f"status:{number}", client_id=owner.client_id, body=BODY)
    assert [deliver(), deliver()] == [4, 0]


def test_a_delivery_stands_and_falls_with_its_notice(owner: Owner, server: HookServer) -> None:
    registered(owner, server)
    with transaction.atomic():
        told(owner)
        assert Delivery.objects.count() == 1
        transaction.set_rollback(True)
    assert (Notice.objects.count(), Delivery.objects.count()) == (0, 0)


def test_nobody_is_sent_what_is_not_for_him(owner: Owner, server: HookServer) -> None:
    """Neither what is another's, nor what was not chosen, nor what was before, nor what a webhook tells of itself."""
    made = register_webhook(owner, server.url(host="localhost"), [REPORT_ENDED], by="test").webhook
    before = made.created_at - timedelta(seconds=1)
    Notice.objects.create(event=REPORT_ENDED, source="status:before", client_id=owner.client_id, body=BODY, at=before)
    told(owner, "status:now")
    told(a_platform("浙里办"), "status:1")
    told(Owner(receiver_id=a_receiver().pk), "status:2")
    told(owner, "application:1", APPLICATION_DONE)
    told(owner, "webhook:1", WEBHOOK_FAILING)
    tell(REPORT_ENDED, "status:subject", [Addressee(subject_id=1)], BODY)
    deliver()
    assert [d.notice.source for d in deliveries_of(made)] == ["status:now"]


def test_a_receiver_is_told_and_so_is_the_platform_that_is_its_own(server: HookServer) -> None:
    bank = a_receiver()
    made = [
        registered(Owner(receiver_id=bank.pk), server, "/bank").webhook,
        registered(a_platform("银行的系统", bank.pk), server, "/system").webhook,
    ]
    registered(a_platform("别家银行的系统", a_receiver(2).pk), server, "/other")
    told(Owner(receiver_id=bank.pk))
    assert Delivery.objects.count() == 2
    send_round()
    assert {got.line.split(" ")[1] for got in server.got} == {"/bank", "/system"}
    assert all(deliveries_of(webhook)[0].done_at for webhook in made)


def test_for_a_day_after_a_change_the_former_secret_signs_too(owner: Owner, server: HookServer) -> None:
    first = registered(owner, server)
    second = rotate_webhook_secret(owner, first.webhook.pk, by="test")
    told(owner, "status:1")
    send_round()
    assert signatures(server.got[0]) == [signed_by(made.secret, server.got[0]) for made in (second, first)]
    third = rotate_webhook_secret(owner, first.webhook.pk, by="test")
    try_webhook(owner, first.webhook.pk, by="test")
    assert signatures(server.got[1]) == [signed_by(made.secret, server.got[1]) for made in (third, second)]
    assert events_of(first.webhook)[1:3] == ["webhook-secret-rotated"] * 2


def test_when_the_overlap_is_over_the_present_secret_alone_signs(owner: Owner, server: HookServer) -> None:
    first = registered(owner, server)
    second = rotate_webhook_secret(owner, first.webhook.pk, by="test")
    kept = open_secrets(Webhook.objects.get(pk=first.webhook.pk))
    assert len(kept.good(timezone.now() + OVERLAP - timedelta(minutes=1))) == 2
    assert len(kept.good(timezone.now() + OVERLAP)) == 1
    assert second.secret.endswith(base64.b64encode(kept.present).decode())


def test_secrets_open_after_the_key_that_seals_them_was_replaced(owner: Owner, server: HookServer) -> None:
    made = registered(owner, server)
    assert rotate_key(by="test", hooks=HOOKS).rewrapped["codes_webhook"] == 1
    assert try_webhook(owner, made.webhook.pk, by="test").is_good
    assert signatures(server.got[0]) == [signed_by(made.secret, server.got[0])]


def test_a_test_call_says_that_it_is_one(owner: Owner, server: HookServer) -> None:
    made = registered(owner, server)
    outcome = try_webhook(owner, made.webhook.pk, by="client:test")
    assert (outcome.status, outcome.said) == (200, "")
    assert json.loads(server.got[0].body)["type"] == "webhook-test"
    assert signatures(server.got[0]) == [signed_by(made.secret, server.got[0])]
    assert not Delivery.objects.exists()
    assert AuditEvent.objects.get(action="webhook-tried").details == {"answered": 200}
