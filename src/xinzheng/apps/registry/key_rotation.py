"""Replace the key-encryption key (更换密钥): every person's data key is wrapped anew, no ciphertext is touched.

Safe to kill at any moment. The order: the new key is written beside the old one; the old one is kept as a retired
file; the new one takes its place; persons are re-wrapped in one transaction; only when nothing is wrapped under a
retired key any more is it removed. Whenever it is broken off, unwrapping still finds the key, and rotating once more
finishes the work. Whoever wraps holds the lock shared, so that nothing is wrapped under the old key behind the back
of the re-wrapping.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.registry.keys import (
    HOLDERS,
    KEY_BYTES,
    KEY_ENCRYPTION,
    KEY_LOCK,
    RETIRED,
    has_rows,
    keep_secret,
    retired_keys,
    unwrap_key,
    wrap_held,
)
from xinzheng.apps.registry.models import PersonContact, PersonIdentity
from xinzheng.apps.registry.persons import contact_owner

NEXT = "person-key-encryption.next"
AT_ONCE = 2_000

Rewrap: TypeAlias = Callable[[bytes, str], bytes]
# The hook for a table of HOLDERS: called inside the transaction with a function (wrapped key, owner) -> the same data
# key under the new key, it re-wraps all rows of its table and returns how many. A table without a hook keeps its rows,
# and the retired key stays for them. The ledger's hooks are in its ``key_hooks``.
Hook: TypeAlias = Callable[[Rewrap], int]
NO_HOOKS: Mapping[str, Hook] = MappingProxyType({})


def hook_of(model: type[Model], owner: Callable[[Any], str]) -> Hook:
    """The hook of a table with a column ``wrapped_key``; ``owner`` by a row's key tells what that is bound to."""

    def rewrap_rows(rewrap: Rewrap) -> int:
        held, done = model._default_manager.exclude(wrapped_key=b"").order_by("pk"), 0
        for pk, wrapped in held.values_list("pk", "wrapped_key").iterator(chunk_size=AT_ONCE):
            model._default_manager.filter(pk=pk).update(wrapped_key=rewrap(bytes(wrapped), owner(pk)))
            done += 1
        return done

    return rewrap_rows


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done: data keys re-wrapped per table, retired key files that stay, and the tables they stay for."""

    rewrapped: Mapping[str, int]
    kept: tuple[str, ...]
    kept_for: tuple[str, ...]
    position: int


def rotate_key(*, by: str, hooks: Mapping[str, Hook] = NO_HOOKS) -> Rotation:
    """Make a new key-encryption key and wrap every data key under it (更换密钥加密密钥).

    Args:
        by: who does it.
        hooks: per table of ``keys.HOLDERS``, what re-wraps it; see :data:`Hook`.

    Raises:
        KeyFileError: a data key fits none of the key files; the transaction is undone, and nothing is lost.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY_LOCK])
        _switch(Path(settings.XINZHENG_KEYS))
        rewrapped = {"registry_personidentity": _rewrap_persons(), "registry_personcontact": _rewrap_contacts()}
        rewrapped |= {table: hook(_rewrapped) for table, hook in hooks.items()}
        entry = open_entry(kind="key-rotated", by=by, note={"rewrapped": rewrapped})
        record_event(who=by, action="key-rotated", object_kind="entry", object_id=entry.pk, details=rewrapped)
        position = take_position(entry)
        # Only these: another rotation may retire our own key as soon as this one lets go.
        retired = retired_keys()
    kept_for = tuple(table for table in HOLDERS if table not in rewrapped and has_rows(table))
    if not kept_for:
        for path in retired:
            path.unlink(missing_ok=True)
    return Rotation(rewrapped, tuple(path.name for path in retired if kept_for), kept_for, position)


def _switch(folder: Path) -> None:
    present, draft = folder / KEY_ENCRYPTION, folder / NEXT
    # Makes the first key where there is none, and refuses where it was lost.
    wrap_held(bytes(KEY_BYTES), "rotation")
    for broken_off in (*folder.glob(f"{NEXT}*"), *folder.glob(f"{RETIRED}.*")):
        broken_off.unlink(missing_ok=True)
    keep_secret(draft, secrets.token_bytes(KEY_BYTES))
    fingerprint = hashlib.sha256(present.read_bytes()).hexdigest()[:12]
    keep_secret(folder / f"person-key-encryption.retired-{fingerprint}.key", present.read_bytes())
    make_lasting(folder)
    draft.replace(present)
    make_lasting(folder)


def make_lasting(folder: Path) -> None:
    """What was renamed and removed in the folder survives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rewrap_persons() -> int:
    done, after = 0, 0
    while rows := list(PersonIdentity.objects.filter(pk__gt=after).order_by("pk").only("wrapped_key")[:AT_ONCE]):
        for row in rows:
            row.wrapped_key = _rewrapped(bytes(row.wrapped_key), f"subject:{row.pk}")
        PersonIdentity.objects.bulk_update(rows, ["wrapped_key"])
        done, after = done + len(rows), rows[-1].pk
    return done


def _rewrap_contacts() -> int:
    rows = [(pk, bytes(key)) for pk, key in PersonContact.objects.order_by("pk").values_list("pk", "wrapped_key")]
    for start in range(0, len(rows), AT_ONCE):
        anew = [
            PersonContact(subject_id=pk, wrapped_key=_rewrapped(wrapped, contact_owner(pk)))
            for pk, wrapped in rows[start : start + AT_ONCE]
        ]
        PersonContact.objects.bulk_update(anew, ["wrapped_key"])
    return len(rows)


def _rewrapped(wrapped: bytes, owner: str) -> bytes:
    return wrap_held(unwrap_key(wrapped, owner), owner)
