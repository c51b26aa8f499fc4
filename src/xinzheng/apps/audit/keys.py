"""Published keys and their history (公布的密钥): what came into use when, was retired, or became known to others."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.audit import ports
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.log_queries import newest_checkpoint, public_key
from xinzheng.apps.audit.models import KeyEvent
from xinzheng.core.errors import XinzhengError

FORMAT = "xinzheng.keys/1"
LOG = "log"
PUBLISHED, RETIRED, COMPROMISED = "published", "retired", "compromised"


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """A published key (公布的密钥): ``material`` is a certificate or a public key, DER.

    Since ``until_at`` nothing new is signed with it; what it signed from ``compromised_at`` on proves nothing.
    """

    key_id: str
    purpose: str
    material: bytes
    from_at: datetime
    until_at: datetime | None = None
    compromised_at: datetime | None = None
    reason: str = ""

    @property
    def status(self) -> str:
        """``current``, ``retired`` or ``compromised``."""
        if self.compromised_at is not None:
            return COMPROMISED
        return RETIRED if self.until_at is not None else "current"


def key_histories() -> list[KeyHistory]:
    """Every key ever published, oldest first: what the database remembers, and what the key folders hold now."""
    found = {(one.key_id, one.purpose): one for one in _held()}
    for event in KeyEvent.objects.order_by("id"):
        key = (event.key_id, event.purpose)
        known = found.get(key) or KeyHistory(event.key_id, event.purpose, bytes(event.material), event.effective_at)
        found[key] = _after(known, event)
    return sorted(found.values(), key=lambda one: (one.from_at, one.purpose, one.key_id))


def note_keys() -> int:
    """Write down what the key folders hold and the database does not know yet; how many events that were.

    A key of the log that another has taken the place of is retired by that.
    """
    known = set(KeyEvent.objects.values_list("key_id", "purpose", "event"))
    held = list(_held())
    told = (event for one in [*held, *_replaced(held)] for event in _events(one))
    new = [event for event in told if (event.key_id, event.purpose, event.event) not in known]
    return len(KeyEvent.objects.bulk_create(new, ignore_conflicts=True))


def give_up_log_key(key_id: str, since: datetime, reason: str, by: str) -> None:
    """Publish that others may have a key of the log since then, so that what it signs proves nothing any more.

    Raises:
        XinzhengError: ``log-key-unknown``, or ``log-key-given-up`` when that stands already.
    """
    note_keys()
    known = next((one for one in key_histories() if (one.purpose, one.key_id) == (LOG, key_id)), None)
    if known is None:
        raise XinzhengError("日志没有用过这把密钥；编号是公钥文本中间的八个字符。", code="log-key-unknown")
    if known.compromised_at is not None:
        raise XinzhengError("这把密钥已经公布为泄露。", code="log-key-given-up")
    with transaction.atomic():
        KeyEvent.objects.create(
            key_id=key_id,
            purpose=LOG,
            event=COMPROMISED,
            material=known.material,
            effective_at=since,
            reason=reason,
        )
        record_event(who=by, action="log-key-given-up", object_kind="key", object_id=key_id)


def log_keys() -> list[bytes]:
    """The log's keys, 32 bytes each, the newest first."""
    histories = [one for one in key_histories() if one.purpose == LOG]
    return [ports.transparency().raw_key(one.material) for one in reversed(histories)]


def keys_document() -> dict[str, object]:
    """What the well-known address serves."""
    log = public_key()
    newest = newest_checkpoint()
    return {
        "format": FORMAT,
        "host": settings.XINZHENG_HOST,
        "keys": [_shown(one) for one in key_histories()],
        "log": log
        and {
            "origin": log.name,
            "vkey": str(log),
            "address": "/log/checkpoint",
            "checkpoint": newest.note if newest else None,
        },
    }


def _held() -> Iterable[KeyHistory]:
    signing, folder = ports.signing(), settings.XINZHENG_KEYS / "signing"
    for one in signing.published_keys(folder) if folder.exists() else ():
        yield KeyHistory(
            one.key_id, one.purpose, one.material, one.from_at, one.until_at, one.compromised_at, one.reason
        )
    transparency = ports.transparency()
    folder = settings.XINZHENG_KEYS / "log"
    log = transparency.published_log_key(folder)
    if log is not None:
        yield KeyHistory(log.key_id.hex(), LOG, transparency.spki_of(log), transparency.made_at(folder))


def _replaced(held: Iterable[KeyHistory]) -> Iterable[KeyHistory]:
    current = {one.key_id: one for one in held if one.purpose == LOG}
    if current:
        since = max(one.from_at for one in current.values())
        for event in KeyEvent.objects.filter(purpose=LOG, event=PUBLISHED).exclude(key_id__in=current):
            yield KeyHistory(event.key_id, LOG, bytes(event.material), event.effective_at, until_at=since)


def _events(one: KeyHistory) -> Iterable[KeyEvent]:
    told = ((PUBLISHED, one.from_at), (RETIRED, one.until_at), (COMPROMISED, one.compromised_at))
    for event, at in told:
        if at is not None:
            reason = one.reason if event == COMPROMISED else ""
            yield KeyEvent(
                key_id=one.key_id,
                purpose=one.purpose,
                event=event,
                material=one.material,
                effective_at=at,
                reason=reason,
            )


def _after(known: KeyHistory, event: KeyEvent) -> KeyHistory:
    """The history with one event of the database, which is never forgotten, laid over what a folder says."""
    if event.event == RETIRED:
        return replace(known, until_at=event.effective_at, reason=event.reason or known.reason)
    if event.event == COMPROMISED:
        return replace(known, compromised_at=event.effective_at, reason=event.reason or known.reason)
    return replace(known, from_at=min(known.from_at, event.effective_at))


def _shown(one: KeyHistory) -> dict[str, Any]:
    form, algorithm = ports.transparency().form_and_algorithm(one.material)
    ended = one.compromised_at or one.until_at
    return {
        "id": one.key_id,
        "purpose": one.purpose,
        "algorithm": algorithm,
        form: base64.b64encode(one.material).decode("ascii"),
        "from": _text(one.from_at),
        "until": one.until_at and _text(one.until_at),
        "status": one.status,
        "since": _text(ended or one.from_at),
        "reason": one.reason,
    }


def _text(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")
