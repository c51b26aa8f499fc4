"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from typing import Any

from django.conf import settings


def evidence_files() -> Any:
    """Looks into files given as evidence: ``examine_file``, ``ENDINGS``, ``MOST_PAGES``, ``MOST_PIXELS``."""
    return import_module(settings.XINZHENG_EVIDENCE)


def redress_terms() -> Any:
    """The dated terms of objections: ``load_redress_terms``."""
    return import_module(settings.XINZHENG_REDRESS_TERMS)


def repair_rules() -> Any:
    """The dated rules of repair, read once a process."""
    return import_module(settings.XINZHENG_REPAIR_RULES).repair_rules()
