"""Secrets of webhooks (回调密钥): sealed under the key outside the database, shown once; the former signs for a day."""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from xinzheng.apps.codes.key_hooks import webhook_owner
from xinzheng.apps.codes.models import Webhook
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key

SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret in use, and the one before it as long as it signs too."""

    present: bytes
    former: bytes | None = None
    former_until: datetime | None = None

    def good(self, now: datetime) -> tuple[bytes, ...]:
        """What calls are signed with at a moment, the present one first."""
        if self.former is None or self.former_until is None or self.former_until <= now:
            return (self.present,)
        return (self.present, self.former)


def first_secrets() -> Secrets:
    """Of a new webhook."""
    return Secrets(secrets.token_bytes(SECRET_BYTES))


def next_secrets(before: Secrets, now: datetime) -> Secrets:
    """A fresh secret; the one in use so far signs too until the overlap is over."""
    return Secrets(secrets.token_bytes(SECRET_BYTES), before.present, now + OVERLAP)


def seal_secrets(webhook: Webhook, kept: Secrets) -> None:
    """Put the secrets, sealed under a fresh data key, into the webhook's row. Needs a transaction."""
    owner, key = webhook_owner(webhook.pk), new_data_key()
    former = None if kept.former is None else base64.b64encode(kept.former).decode()
    until = None if kept.former_until is None else kept.former_until.isoformat()
    text = json.dumps({"present": base64.b64encode(kept.present).decode(), "former": former, "former_until": until})
    webhook.wrapped_key = wrap_key(key, owner)
    webhook.secret_ct = encrypt(key, text.encode(), owner)
    webhook.save(update_fields=["wrapped_key", "secret_ct"])


def open_secrets(webhook: Webhook) -> Secrets:
    """The secrets of a webhook in use. Raises KeyFileError where no key fits."""
    owner = webhook_owner(webhook.pk)
    text = decrypt(unwrap_key(bytes(webhook.wrapped_key), owner), bytes(webhook.secret_ct), owner)
    kept = json.loads(text)
    former = None if kept["former"] is None else base64.b64decode(kept["former"])
    until = None if kept["former_until"] is None else datetime.fromisoformat(kept["former_until"])
    return Secrets(base64.b64decode(kept["present"]), former, until)
