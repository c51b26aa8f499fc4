"""Webhooks (回调): a platform or a receiver names an address that notices are posted to; its secret is shown once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER, PHONE
from xinzheng.apps.codes import ports
from xinzheng.apps.codes.models import Delivery, Receiver, Webhook
from xinzheng.apps.codes.notice_events import EVENTS
from xinzheng.apps.codes.webhook_secrets import Secrets, first_secrets, next_secrets, open_secrets, seal_secrets
from xinzheng.core.errors import XinzhengError
from xinzheng.core.webhook_signatures import secret_text

MOST = 5
ENDED = "回调已停用，没有发送。"


class WebhookRefusedError(XinzhengError):
    """A webhook is not registered or not changed."""

    code = "webhook-refused"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose webhook it is: a platform's client or a receiver, one of the two."""

    client_id: str = ""
    receiver_id: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """As the table has it."""
        return {"client_id": self.client_id, "receiver_id": self.receiver_id}


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A webhook just registered, or with a new secret, shown this once; until when the former one signs, too."""

    webhook: Webhook
    secret: str
    former_until: datetime | None


@transaction.atomic
def register_webhook(owner: Owner, url: str, events: Collection[str], *, by: str) -> MadeWebhook:
    """Register an address that notices of these events are posted to from now on (登记回调).

    Raises:
        AddressRefusedError: ``webhook-address-refused``, the address is none that may be called.
        WebhookRefusedError: ``webhook-events-unfit``, ``webhook-exists`` or ``too-many-webhooks``.
    """
    target = ports.webhooks().check_address(url, ports.call_rules())
    if IDENTITY_NUMBER.search(url) or PHONE.search(url):
        raise WebhookRefusedError("回调地址里不能有身份号码、手机号码。", code="webhook-address-refused")
    if not events or not set(events) <= set(EVENTS):
        raise WebhookRefusedError(f"请选择通知事项，可选的有：{'、'.join(EVENTS)}。", code="webhook-events-unfit")
    _lock(owner)
    present = [webhook.url for webhook in webhooks_of(owner)]
    if url in present:
        raise WebhookRefusedError("这个地址已经登记，不用再登记；要换密钥的，请更换。", code="webhook-exists")
    if len(present) >= MOST:
        raise WebhookRefusedError(f"至多登记{MOST}个回调，请先停用不用的。", code="too-many-webhooks")
    chosen = [event for event in EVENTS if event in events]
    made = Webhook.objects.create(**owner.columns, url=url, events=chosen, created_by=by)
    facts = {"host": target.host, "events": chosen}
    record_event(who=by, action="webhook-registered", object_kind="webhook", object_id=made.pk, details=facts)
    return _sealed(made, first_secrets())


@transaction.atomic
def rotate_webhook_secret(owner: Owner, webhook_id: int, *, by: str) -> MadeWebhook:
    """Make a new secret (更换回调密钥); for a day calls carry a signature of the former one, too.

    Raises WebhookRefusedError ``unknown-webhook``.
    """
    found = _held(owner, webhook_id)
    made = _sealed(found, next_secrets(open_secrets(found), timezone.now()))
    record_event(who=by, action="webhook-secret-rotated", object_kind="webhook", object_id=found.pk)
    return made


@transaction.atomic
def end_webhook(owner: Owner, webhook_id: int, *, by: str) -> None:
    """End a webhook (停用回调): nothing more is sent, not what is waiting either; its secret is destroyed.

    Raises WebhookRefusedError ``unknown-webhook``.
    """
    found = _held(owner, webhook_id)
    found.ended_at = timezone.now()
    found.wrapped_key = found.secret_ct = b""
    found.save(update_fields=["ended_at", "wrapped_key", "secret_ct"])
    Delivery.objects.filter(webhook=found, done_at=None).update(done_at=found.ended_at, due_at=None, said=ENDED)
    record_event(who=by, action="webhook-ended", object_kind="webhook", object_id=found.pk)


def webhooks_of(owner: Owner) -> QuerySet[Webhook]:
    """The owner's webhooks in use, oldest first."""
    return Webhook.objects.filter(**owner.columns, ended_at=None).order_by("pk")


def webhook_of(owner: Owner, webhook_id: int) -> Webhook:
    """A webhook of the owner's in use; somebody else's is as unknown as none. Raises ``unknown-webhook``."""
    return _one(webhooks_of(owner), webhook_id)


def deliveries_of(webhook: Webhook, most: int = 20) -> list[Delivery]:
    """The last deliveries to a webhook, latest first, each with its notice."""
    return list(Delivery.objects.filter(webhook=webhook).select_related("notice").order_by("-pk")[:most])


def last_deliveries(owner: Owner, most: int = 20) -> list[Delivery]:
    """The last deliveries to any webhook of the owner's in use, latest first, each with its notice and webhook."""
    found = Delivery.objects.filter(webhook__in=webhooks_of(owner)).select_related("notice", "webhook")
    return list(found.order_by("-pk")[:most])


def _held(owner: Owner, webhook_id: int) -> Webhook:
    return _one(webhooks_of(owner).select_for_update(), webhook_id)


def _one(among: QuerySet[Webhook], webhook_id: int) -> Webhook:
    found = among.filter(pk=webhook_id).first()
    if found is None:
        raise WebhookRefusedError("没有这个回调，或者已经停用，请核对编号。", code="unknown-webhook")
    return found


def _lock(owner: Owner) -> None:
    """Let whoever registers for the same owner wait, so that they count alike."""
    if owner.client_id:
        Platform.objects.select_for_update().get(pk=owner.client_id)
    elif owner.receiver_id is not None:
        Receiver.objects.select_for_update().get(pk=owner.receiver_id)


def _sealed(webhook: Webhook, kept: Secrets) -> MadeWebhook:
    seal_secrets(webhook, kept)
    return MadeWebhook(webhook, secret_text(kept.present), kept.former_until)
