"""Whom verification trusts (信任), and which keys are published (公布的密钥)."""

from pathlib import Path
from typing import Any

from django.conf import settings

from xinzheng.apps.reports import ports


def keys_folder() -> Path:
    """Where the keys of signatures, seals and the log are kept."""
    folder: Path = settings.XINZHENG_KEYS / "signing"
    return folder


def current_trust() -> Any:
    """What a report's signature has to lead to: the roots, what was revoked, who may stamp."""
    return ports.signing().load_demo_trust(keys_folder())


def seal_keys() -> Any:
    """The published keys of the seals in QR codes, by key id."""
    return ports.signing().load_seal_public_keys(keys_folder())


def published_keys_json() -> dict[str, object]:
    """What the well-known address serves: every key ever published, its dates and what became of it."""
    raise NotImplementedError
