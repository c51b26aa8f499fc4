"""Who is notified (被通知者, 供测试): platforms and receivers with webhooks, notices to them, what signs a call."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest

from tests.small_city import uscc
from tests.webhook_server import Got, HookServer
from xinzheng.apps.accounts.platforms import NewPlatform, register_platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice, Receiver, ReceiverDecision, Webhook
from xinzheng.apps.codes.notice_events import APPLICATION_DONE
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, tell
from xinzheng.apps.codes.webhooks import MadeWebhook, Owner, register_webhook
from xinzheng.core.errors import XinzhengError

BODY = {"number": "SZ2026112200000015", "status": "revoked"}


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


def events_of(webhook: Webhook) -> list[str]:
    found = AuditEvent.objects.filter(object_kind="webhook", object_id=str(webhook.pk)).order_by("id")
    return list(found.values_list("action", flat=True))


def refusal(deed: Callable[[], object]) -> str:
    with pytest.raises(XinzhengError) as refused:
        deed()
    return refused.value.code
