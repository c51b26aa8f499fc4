"""Deliveries: what is tried again and until when, who holds nobody up, what a killed sender leaves behind."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from tests.notified import a_receiver, events_of, refusal, registered, told
from tests.running_site import database_url
from tests.webhook_server import HookServer, hooked
from xinzheng.apps.accounts.platforms import revoke_platform
from xinzheng.apps.codes.deliveries import LEASE, RETRIES, send_round
from xinzheng.apps.codes.delivering import deliver
from xinzheng.apps.codes.key_hooks import HOOKS
from xinzheng.apps.codes.models import Delivery, Notice, ReceiverDecision, Webhook
from xinzheng.apps.codes.notices import REPORT_ENDED, WEBHOOK_FAILING
from xinzheng.apps.codes.webhook_calls import try_webhook
from xinzheng.apps.codes.webhook_sending import send_in_background
from xinzheng.apps.codes.webhooks import Owner, deliveries_of, end_webhook, register_webhook
from xinzheng.apps.registry.key_rotation import rotate_key

pytestmark = pytest.mark.django_db


def test_what_fails_is_tried_again_later_and_later_then_its_owner_is_told(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    server.status = "500 Oops"
    notice = told(owner)
    now = timezone.now()
    for tries, wait in enumerate(RETRIES, 1):
        assert send_round(now) == 1
        (delivery,) = deliveries_of(webhook)
        assert (delivery.tries, delivery.answered, delivery.done_at) == (tries, 500, None)
        assert delivery.due_at == now + wait
        assert send_round(now + wait - timedelta(seconds=1)) == 0
        now += wait
    assert send_round(now) == 1
    assert send_round(now + timedelta(days=30)) == 0
    (delivery,) = deliveries_of(webhook)
    assert (delivery.tries, delivery.done_at, delivery.said) == (8, now, "对方应答500。")
    assert {got.headers["webhook-id"] for got in server.got} == {str(notice.pk)}
    webhook.refresh_from_db()
    assert webhook.failing_since == now
    assert Notice.objects.get(event=WEBHOOK_FAILING).client_id == owner.client_id
    assert events_of(webhook) == ["webhook-registered", "webhook-failing"]


def fail_for_good(webhook: Webhook) -> None:
    """The last try of what is on its way."""
    Delivery.objects.filter(webhook=webhook, done_at=None).update(tries=len(RETRIES), due_at=timezone.now())
    send_round()


def test_an_owner_is_told_once_until_a_call_succeeds_again(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    failing = Notice.objects.filter(event=WEBHOOK_FAILING)
    for status, expected in (("500 Oops", 1), ("500 Oops", 1), ("204 Fine", 1), ("404 Gone", 2)):
        server.status = status
        told(owner, f"status:{Notice.objects.count()}")
        fail_for_good(webhook)
        assert failing.count() == expected
    webhook.refresh_from_db()
    assert webhook.failing_since is not None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("302 Found", "对方应答302，要求转到别处，没有跟随。"),
        ("410 Gone", "对方应答410。"),
        ("101 Switch", "对方应答101。"),
    ],
)
def test_nothing_but_success_is_success(owner: Owner, server: HookServer, status: str, said: str) -> None:
    server.status = status
    webhook = registered(owner, server).webhook
    told(owner)
    send_round()
    (delivery,) = deliveries_of(webhook)
    assert (delivery.done_at, delivery.said) == (None, said)
    assert [got.line for got in server.got] == ["POST /hook HTTP/1.1"]


def test_what_the_other_side_says_is_kept_nowhere(owner: Owner, server: HookServer) -> None:
    """A server inside a network could otherwise be read by whoever gets a call to it."""
    server.status = "500 internal-secret"
    webhook = registered(owner, server).webhook
    told(owner)
    send_round()
    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM codes_delivery d")
        assert "internal-secret" not in cursor.fetchall()[0][0]
    assert "internal-secret" not in str(try_webhook(owner, webhook.pk, by="test"))


def test_a_revoked_platform_or_suspended_receiver_is_sent_nothing_more(owner: Owner, server: HookServer) -> None:
    bank = a_receiver()
    for of in (owner, Owner(receiver_id=bank.pk)):
        registered(of, server)
        told(of)
    assert Delivery.objects.count() == 2
    revoke_platform(owner.client_id, by="test")
    ReceiverDecision.objects.create(receiver=bank, state="suspended", by="test")
    send_round()
    assert server.got == []
    assert [d.done_at is not None and "停用" in d.said for d in Delivery.objects.all()] == [True, True]


def test_an_ended_webhook_is_sent_nothing_more_and_keeps_no_secret(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    told(owner, "status:1")
    end_webhook(owner, webhook.pk, by="test")
    told(owner, "status:2")
    assert (deliver(), send_round(), server.got) == (0, 0, [])
    webhook.refresh_from_db()
    assert (bytes(webhook.wrapped_key), bytes(webhook.secret_ct)) == (b"", b"")
    assert "停用" in Delivery.objects.get().said
    assert refusal(lambda: end_webhook(owner, webhook.pk, by="test")) == "unknown-webhook"
    assert rotate_key(by="test", hooks=HOOKS).rewrapped["codes_webhook"] == 0


def test_who_answers_late_holds_nobody_else_up(owner: Owner, server: HookServer, pair: Path) -> None:
    with hooked(pair, "hangs") as late:
        late.patience = 1.0
        slow = register_webhook(owner, late.url(host="localhost"), [REPORT_ENDED], by="test").webhook
        for number in range(20):
            told(owner, f"status:{number}")
        quick = registered(owner, server).webhook
        told(owner, "status:last")
        begun = time.monotonic()
        assert send_round() == 3
        assert time.monotonic() - begun < 4
    assert deliveries_of(quick)[0].answered == 200
    assert len(deliveries_of(slow)) == 20
    assert {d.said for d in deliveries_of(slow)} == {"", "连接不上，或者对方的应答无法解读。"}


def test_nothing_is_sent_within_a_transaction_of_somebodys_business(owner: Owner, server: HookServer) -> None:
    registered(owner, server)
    told(owner)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        send_round()
    assert server.got == []


def test_a_name_that_leads_inside_is_not_called_where_there_is_no_demonstration(
    owner: Owner, server: HookServer, settings: Any
) -> None:
    webhook = registered(owner, server).webhook
    settings.XINZHENG_WEBHOOKS_LOOPBACK = False
    told(owner)
    send_round()
    assert server.got == []
    assert deliveries_of(webhook)[0].said.startswith("回调地址")


KILLED = """
import django
django.setup()
from xinzheng.apps.codes.deliveries import send_round
send_round()
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_sender_leaves_its_call_to_be_made_again_under_the_same_id(
    owner: Owner, server: HookServer, settings: Any
) -> None:
    server.manner = "hangs"
    webhook = registered(owner, server).webhook
    notice = told(owner)
    environment = os.environ | {
        "XINZHENG_DATABASE_URL": database_url(),
        "XINZHENG_WEBHOOKS_LOOPBACK": "1",
        "XINZHENG_WEBHOOKS_ROOTS": settings.XINZHENG_WEBHOOKS_ROOTS,
    }
    with subprocess.Popen([sys.executable, "-c", KILLED], env=environment) as sender:
        wait_for(lambda: len(server.got) == 1)
        sender.kill()
    server.manner = "answers"
    assert send_round() == 0
    assert send_round(timezone.now() + LEASE) == 1
    assert [got.headers["webhook-id"] for got in server.got] == [str(notice.pk)] * 2
    (delivery,) = deliveries_of(webhook)
    assert (delivery.tries, delivery.answered) == (2, 200)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_send_at_once_one_sends(owner: Owner, server: HookServer) -> None:
    registered(owner, server)
    for number in range(2):
        told(owner, f"status:{number}")
    start = threading.Barrier(2)

    def send() -> None:
        start.wait()
        send_round()
        connections.close_all()

    both = [threading.Thread(target=send) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(server.got) == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_made_is_sent_in_the_background(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    told(owner)
    send_in_background()
    wait_for(lambda: deliveries_of(webhook)[0].done_at is not None)
    wait_for(lambda: not any(thread.name == "webhooks" for thread in threading.enumerate()))
    assert len(server.got) == 1


def wait_for(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
