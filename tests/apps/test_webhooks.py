"""Webhooks: who may have one, what is sent to it and signed, what is tried again, and what is never sent."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from tests.running_site import database_url
from tests.small_city import uscc
from tests.webhook_server import Got, HookServer, hooked, write_pair, write_roots
from xinzheng.apps.accounts.platforms import NewPlatform, register_platform, revoke_platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.deliveries import LEASE, RETRIES, deliver, send_round
from xinzheng.apps.codes.key_hooks import HOOKS
from xinzheng.apps.codes.models import Delivery, Notice, Receiver, ReceiverDecision, Webhook
from xinzheng.apps.codes.notice_events import APPLICATION_DONE, WEBHOOK_FAILING
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, tell
from xinzheng.apps.codes.webhook_calls import try_webhook
from xinzheng.apps.codes.webhook_secrets import OVERLAP, open_secrets
from xinzheng.apps.codes.webhook_sending import send_in_background
from xinzheng.apps.codes.webhooks import (
    MadeWebhook,
    Owner,
    deliveries_of,
    end_webhook,
    register_webhook,
    rotate_webhook_secret,
    webhooks_of,
)
from xinzheng.apps.registry.key_rotation import rotate_key
from xinzheng.core.errors import XinzhengError

pytestmark = pytest.mark.django_db

PUBLIC = "https://hooks.example.cn/xinzheng"
BODY = {"number": "SZ2026112200000015", "status": "revoked"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("pair"), "localhost")


@pytest.fixture(autouse=True)
def demonstration(settings: Any, tmp_path: Path) -> None:
    """This machine may be called."""
    settings.XINZHENG_WEBHOOKS_LOOPBACK = True
    settings.XINZHENG_WEBHOOKS_ROOTS = str(write_roots(tmp_path))


@pytest.fixture
def server(pair: Path) -> Iterator[HookServer]:
    with hooked(pair) as running:
        yield running


@pytest.fixture
def owner(db: None) -> Owner:
    """A platform."""
    return a_platform("苏商通")


def a_platform(name: str, receiver_id: int | None = None) -> Owner:
    new = NewPlatform(name, ["webhooks"], receiver_id=receiver_id)
    return Owner(register_platform(new, by="test").platform.pk)


def a_receiver(number: int = 1, state: str = "verified") -> Receiver:
    made = Receiver.objects.create(uscc=uscc(number), name="示例银行", kind="bank", created_by="test")
    ReceiverDecision.objects.create(receiver=made, state=state, by="test")
    return made


def registered(owner: Owner, server: HookServer, path: str = "/hook") -> MadeWebhook:
    events = [REPORT_ENDED, APPLICATION_DONE]
    return register_webhook(owner, server.url(path, host="localhost"), events, by="client:test")


def told(owner: Owner, source: str = "status:1", event: str = REPORT_ENDED) -> Notice:
    tell(event, source, [Addressee(owner.receiver_id, owner.client_id)], BODY)
    return Notice.objects.get(source=source, client_id=owner.client_id, receiver_id=owner.receiver_id)


def signatures(got: Got) -> list[str]:
    return got.headers["webhook-signature"].split(" ")


def signed_by(secret: str, got: Got) -> str:
    """As Standard Webhooks says it, computed apart."""
    said = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.{got.body.decode()}".encode()
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), said, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def refusal(deed: Callable[[], object]) -> str:
    with pytest.raises(XinzhengError) as refused:
        deed()
    return refused.value.code


def events_of(webhook: Webhook) -> list[str]:
    found = AuditEvent.objects.filter(object_kind="webhook", object_id=str(webhook.pk)).order_by("id")
    return list(found.values_list("action", flat=True))


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
    assert [deliver([notice.pk]), deliver([notice.pk]), deliver()] == [1, 0, 0]
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
    told(owner, "status:1")
    told(owner, "status:2")
    assert [deliver(), deliver()] == [4, 0]


def test_a_delivery_stands_and_falls_with_its_notice(owner: Owner, server: HookServer) -> None:
    registered(owner, server)
    with transaction.atomic():
        deliver([told(owner).pk])
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
    assert deliver() == 2
    send_round()
    assert {got.line.split(" ")[1] for got in server.got} == {"/bank", "/system"}
    assert all(deliveries_of(webhook)[0].done_at for webhook in made)


def test_for_a_day_after_a_change_the_former_secret_signs_too(owner: Owner, server: HookServer) -> None:
    first = registered(owner, server)
    second = rotate_webhook_secret(owner, first.webhook.pk, by="test")
    told(owner, "status:1")
    deliver()
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


def test_what_fails_is_tried_again_later_and_later_then_its_owner_is_told(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    server.status = "500 Oops"
    notice = told(owner)
    deliver()
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
        deliver()
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
    deliver()
    send_round()
    (delivery,) = deliveries_of(webhook)
    assert (delivery.done_at, delivery.said) == (None, said)
    assert [got.line for got in server.got] == ["POST /hook HTTP/1.1"]


def test_what_the_other_side_says_is_kept_nowhere(owner: Owner, server: HookServer) -> None:
    """A server inside a network could otherwise be read by whoever gets a call to it."""
    server.status = "500 internal-secret"
    webhook = registered(owner, server).webhook
    told(owner)
    deliver()
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
    assert deliver() == 2
    revoke_platform(owner.client_id, by="test")
    ReceiverDecision.objects.create(receiver=bank, state="suspended", by="test")
    send_round()
    assert server.got == []
    assert [d.done_at is not None and "停用" in d.said for d in Delivery.objects.all()] == [True, True]


def test_an_ended_webhook_is_sent_nothing_more_and_keeps_no_secret(owner: Owner, server: HookServer) -> None:
    webhook = registered(owner, server).webhook
    told(owner, "status:1")
    deliver()
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
        deliver()
        quick = registered(owner, server).webhook
        told(owner, "status:last")
        deliver()
        begun = time.monotonic()
        assert send_round() == 3
        assert time.monotonic() - begun < 4
    assert deliveries_of(quick)[0].answered == 200
    assert len(deliveries_of(slow)) == 20
    assert {d.said for d in deliveries_of(slow)} == {"", "连接不上，或者对方的应答无法解读。"}


def test_nothing_is_sent_within_a_transaction_of_somebodys_business(owner: Owner, server: HookServer) -> None:
    registered(owner, server)
    told(owner)
    deliver()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        send_round()
    assert server.got == []


def test_a_test_call_says_that_it_is_one(owner: Owner, server: HookServer) -> None:
    made = registered(owner, server)
    outcome = try_webhook(owner, made.webhook.pk, by="client:test")
    assert (outcome.status, outcome.said) == (200, "")
    assert json.loads(server.got[0].body)["type"] == "webhook-test"
    assert signatures(server.got[0]) == [signed_by(made.secret, server.got[0])]
    assert not Delivery.objects.exists()
    assert AuditEvent.objects.get(action="webhook-tried").details == {"answered": 200}


def test_a_name_that_leads_inside_is_not_called_where_there_is_no_demonstration(
    owner: Owner, server: HookServer, settings: Any
) -> None:
    webhook = registered(owner, server).webhook
    settings.XINZHENG_WEBHOOKS_LOOPBACK = False
    told(owner)
    deliver()
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
    deliver()
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
    deliver()
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
    deliver()
    send_in_background()
    wait_for(lambda: deliveries_of(webhook)[0].done_at is not None)
    wait_for(lambda: not any(thread.name == "webhooks" for thread in threading.enumerate()))
    assert len(server.got) == 1


def wait_for(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
