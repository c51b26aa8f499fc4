"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from typing import Any

from django.conf import settings


def renderer() -> Any:
    """Renders and rehearses documents: ``render_report``, ``rehearse``."""
    return import_module(settings.XINZHENG_RENDERER)


def signing() -> Any:
    """Keys, seals and signatures."""
    return import_module(settings.XINZHENG_SIGNING)


def policy_files() -> Any:
    """Policy packs on disk, and packs given as bytes."""
    return import_module(settings.XINZHENG_POLICY_FILES)


def deployment_files() -> Any:
    """A city's deployment file."""
    return import_module(settings.XINZHENG_DEPLOYMENT_FILES)


def calendars() -> Any:
    """Working-day calendars."""
    return import_module(settings.XINZHENG_CALENDAR)
