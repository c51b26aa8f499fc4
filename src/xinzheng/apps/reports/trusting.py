"""Whom verification trusts (信任), and which keys are published (公布的密钥)."""

from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from xinzheng.apps.reports import ports


def keys_folder() -> Path:
    """Where the keys of signatures, seals and the log are kept."""
    folder: Path = settings.XINZHENG_KEYS / "signing"
    return folder


def current_trust() -> Any:
    """What a report's signature has to lead to: the roots, what was revoked, who may stamp."""
    return ports.signing().load_demo_trust(keys_folder())


def examined(source: BinaryIO) -> Any:
    """The facts about a stranger's file, examined in a process of its own, bounded in time and memory."""
    return import_module(f"{settings.XINZHENG_SIGNING}.examiner").examine(source, current_trust())


def seal_keys() -> Any:
    """The published keys of the seals in QR codes, by key id."""
    return ports.signing().load_seal_public_keys(keys_folder())
