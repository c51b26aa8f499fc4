"""Calls to webhooks (回调请求): what is said, signed, and what came of it in words fit for the owner."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes import ports
from xinzheng.apps.codes.models import Notice, Webhook
from xinzheng.apps.codes.notice_events import WEBHOOK_TEST
from xinzheng.apps.codes.webhook_secrets import open_secrets
from xinzheng.apps.codes.webhooks import Owner, webhook_of
from xinzheng.core.webhook_signatures import signed_headers

log = structlog.get_logger(__name__)
HEADERS = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "xinzheng-webhooks/1"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: the status that was answered, if any, and what was wrong, in words."""

    status: int | None
    said: str
    is_final: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the other side has it now."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Said:
    """What a call says: a name that stays the same however often it is sent, the event, when it was, the facts."""

    message_id: str
    event: str
    at: datetime
    facts: Any


def call_of_notice(webhook: Webhook, notice: Notice, now: datetime) -> Any:
    """The call that tells a notice, signed for this moment. Raises KeyFileError where the secret cannot be opened."""
    return _call(webhook, Said(str(notice.pk), notice.event, notice.at, notice.body), now)


def make_call(call: Any) -> Outcome:
    """Make a call. It never fails: what went wrong is part of the outcome. Touches no database."""
    webhooks = ports.webhooks()
    try:
        status = webhooks.post(call, ports.call_rules())
    except webhooks.WebhookError as error:
        return Outcome(None, error.message)
    except Exception:
        log.exception("webhook-call-broken")
        return Outcome(None, "没有发送成功，稍后再发。")
    return Outcome(status, _words(status))


def try_webhook(owner: Owner, webhook_id: int, *, by: str) -> Outcome:
    """Make one call to a webhook that says it is a test, and wait for what comes of it; it is not repeated.

    Raises WebhookRefusedError ``unknown-webhook``, KeyFileError.
    """
    webhook, now = webhook_of(owner, webhook_id), timezone.now()
    outcome = make_call(_call(webhook, Said(f"test-{uuid4()}", WEBHOOK_TEST, now, {"webhook": webhook.pk}), now))
    facts = {"answered": outcome.status}
    record_event(who=by, action="webhook-tried", object_kind="webhook", object_id=webhook.pk, details=facts)
    return outcome


def _call(webhook: Webhook, said: Said, now: datetime) -> Any:
    told = {"type": said.event, "timestamp": timezone.localtime(said.at).isoformat(), "data": said.facts}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    secrets = open_secrets(webhook).good(now)
    headers = signed_headers(secrets, said.message_id, int(now.timestamp()), body)
    return ports.webhooks().Call(webhook.url, body, {**HEADERS, **headers})


def _words(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"对方应答{status}，要求转到别处，没有跟随。"
    return f"对方应答{status}。"
