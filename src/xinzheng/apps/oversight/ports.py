"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from typing import Any

from django.conf import settings


def bulletin_renderer() -> Any:
    """Sets a bulletin: ``render_bulletin``."""
    return import_module(settings.XINZHENG_BULLETIN)


def workbook_writer() -> Any:
    """Writes workbooks: ``write_workbook``, ``Sheet``."""
    return import_module(settings.XINZHENG_WORKBOOK_OUT)


def server() -> Any:
    """The embedded database server: ``backups_in``, ``replicas_of``."""
    return import_module(settings.XINZHENG_SERVER)
