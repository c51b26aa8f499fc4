"""Wrapping the data keys of the codes app anew when the key-encryption key is replaced (更换密钥)."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.codes.models import BatchCheck, MailAddress, Webhook
from xinzheng.apps.registry.key_rotation import Hook, hook_of


def batch_check_owner(check_id: uuid.UUID) -> str:
    """What the data key of a batch check is bound to."""
    return f"batch-check:{check_id}"


def webhook_owner(webhook_id: int) -> str:
    """What the data key of a webhook's secret is bound to."""
    return f"webhook:{webhook_id}"


def mail_owner(account_id: int) -> str:
    """What the data key of an account's mail address is bound to."""
    return f"mail-address:{account_id}"


# For every table of the codes app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        "codes_batchcheck": hook_of(BatchCheck, batch_check_owner),
        "codes_webhook": hook_of(Webhook, webhook_owner),
        "codes_mailaddress": hook_of(MailAddress, mail_owner),
    }
)
