"""Webhooks (回调): post to addresses that strangers name, without reaching into our own networks."""

from xinzheng.adapters.webhooks.addresses import Rules, Target, check_address
from xinzheng.adapters.webhooks.errors import (
    AddressRefusedError,
    CertificateRefusedError,
    NotReachedError,
    WebhookError,
)
from xinzheng.adapters.webhooks.posting import Call, post

__all__ = [
    "AddressRefusedError",
    "Call",
    "CertificateRefusedError",
    "NotReachedError",
    "Rules",
    "Target",
    "WebhookError",
    "check_address",
    "post",
]
