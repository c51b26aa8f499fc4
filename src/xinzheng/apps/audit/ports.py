"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from typing import Any

from django.conf import settings


def transparency() -> Any:
    """The log's key, checkpoints and tiles."""
    return import_module(settings.XINZHENG_TRANSPARENCY)


def signing() -> Any:
    """Keys, seals and signatures."""
    return import_module(settings.XINZHENG_SIGNING)
