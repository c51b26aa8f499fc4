"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings


def webhooks() -> Any:
    """Posts to webhooks: ``post``, ``check_address``, ``Call``, ``WebhookError``."""
    return import_module(settings.XINZHENG_WEBHOOKS)


def call_rules() -> Any:
    """What holds for calls to webhooks in this installation."""
    roots = Path(settings.XINZHENG_WEBHOOKS_ROOTS) if settings.XINZHENG_WEBHOOKS_ROOTS else None
    return webhooks().Rules(loopback=settings.XINZHENG_WEBHOOKS_LOOPBACK, roots=roots)
