"""Wrapping the data keys of the codes app anew when the key-encryption key is replaced (更换密钥)."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.codes.models import BatchCheck, MailAddress, Webhook
from xinzheng.apps.registry.key_rotation import Hook, Rewrap


def batch_check_owner(check_id: uuid.UUID) -> str:
    """What the data key of a batch check is bound to."""
    return f"batch-check:{check_id}"


def webhook_owner(webhook_id: int) -> str:
    """What the data key of a webhook's secret is bound to."""
    return f"webhook:{webhook_id}"


def rewrap_batch_checks(rewrap: Rewrap) -> int:
    """Wrap the key of every batch check anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in BatchCheck.objects.values_list("pk", "wrapped_key") if key]
    for pk, wrapped in rows:
        BatchCheck.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, batch_check_owner(pk)))
    return len(rows)


def rewrap_webhooks(rewrap: Rewrap) -> int:
    """Wrap the key of every webhook's secret anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in Webhook.objects.values_list("pk", "wrapped_key") if key]
    for pk, wrapped in rows:
        Webhook.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, webhook_owner(pk)))
    return len(rows)


def mail_owner(account_id: int) -> str:
    """What the data key of an account's mail address is bound to."""
    return f"mail-address:{account_id}"


def rewrap_mail_addresses(rewrap: Rewrap) -> int:
    """Wrap the key of every mail address anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in MailAddress.objects.values_list("pk", "wrapped_key")]
    for pk, wrapped in rows:
        MailAddress.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, mail_owner(pk)))
    return len(rows)


# For every table of the codes app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        "codes_batchcheck": rewrap_batch_checks,
        "codes_webhook": rewrap_webhooks,
        "codes_mailaddress": rewrap_mail_addresses,
    }
)
