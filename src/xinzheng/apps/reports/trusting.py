"""Whom verification trusts (信任), and which keys are published (公布的密钥)."""

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from xinzheng.apps.audit.keys import LOG, key_histories
from xinzheng.apps.reports import ports

WAITING_SECONDS = 2.0


def keys_folder() -> Path:
    """Where the keys of signatures, seals and the log are kept."""
    folder: Path = settings.XINZHENG_KEYS / "signing"
    return folder


def current_trust() -> Any:
    """What a report's signature has to lead to: the roots, what was revoked, who may stamp, what became of each key.

    What the database once knew of a key counts although the folder, put back from a backup, may have forgotten it.
    """
    signing = ports.signing()
    told = (asdict(one) for one in key_histories() if one.purpose != LOG)
    return signing.load_demo_trust(keys_folder()).knowing(signing.PublishedKey(**one) for one in told)


def examined(source: BinaryIO, trust: Any = None, waiting_seconds: float = WAITING_SECONDS) -> Any:
    """The facts about a stranger's file, examined in a process of its own, bounded in time and memory.

    ``trust`` is today's unless it is given; ``waiting_seconds`` is how long the file waits while others are examined.
    """
    examiner = import_module(f"{settings.XINZHENG_SIGNING}.examiner")
    limits = examiner.Limits(waiting_seconds=waiting_seconds)
    return examiner.examine(source, current_trust() if trust is None else trust, limits)


def seal_keys() -> Any:
    """The published keys of the seals in QR codes, by key id."""
    return ports.signing().load_seal_public_keys(keys_folder())
