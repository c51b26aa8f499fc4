"""Replace the key under which identity numbers and phones are hashed (更换号码检索密钥).

Safe to kill at any moment. The order: the next key is written beside the present one; every hash is made anew in one
transaction; then the next key takes the place of the present one, which is gone with that. While two files stand there
the database says which of them is meant (see ``number_keys``), and rotating once more finishes what was broken off.
Whoever writes hashes holds the lock shared, so that none is written under the old key behind the back of this.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.registry.key_rotation import make_lasting
from xinzheng.apps.registry.keys import (
    KEY_BYTES,
    KEY_LOCK,
    NUMBER_HASH,
    decrypt,
    keep_secret,
    number_hash_key,
    unwrap_key,
)
from xinzheng.apps.registry.number_keys import (
    NEXT,
    next_number_key,
    number_hash,
    number_key_in_use,
    person_owner,
    phone_hash,
)
from xinzheng.apps.registry.persons import contact_owner

AT_ONCE = 2_000
PERSONS = """
SELECT subject_id, wrapped_key, number_ct FROM registry_personidentity
WHERE subject_id > %s ORDER BY subject_id LIMIT %s
"""
CONTACTS = """
SELECT subject_id, wrapped_key, phone_ct FROM registry_personcontact
WHERE subject_id > %s ORDER BY subject_id LIMIT %s
"""
WRITE_PERSONS = """
UPDATE registry_personidentity p SET number_hash = v.hashed
FROM unnest(%s::bigint[], %s::bytea[]) AS v (subject_id, hashed) WHERE p.subject_id = v.subject_id
"""
WRITE_CONTACTS = """
UPDATE registry_personcontact p SET phone_hash = v.hashed
FROM unnest(%s::bigint[], %s::bytea[]) AS v (subject_id, hashed) WHERE p.subject_id = v.subject_id
"""
Row = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Rehashed:
    """How many identity numbers and phones were hashed anew."""

    persons: int
    contacts: int


def rotate_number_key(*, by: str) -> Rehashed:
    """Make a new key and hash every identity number and phone under it; the old key file is gone afterwards.

    Args:
        by: who does it.

    Raises:
        KeyFileError: a person cannot be opened with the key files there are; the transaction is undone, and the key
            in use stays in use.
    """
    folder = Path(settings.XINZHENG_KEYS)
    with transaction.atomic():
        _hold_alone()
        _settle(folder)
        key = secrets.token_bytes(KEY_BYTES)
        keep_secret(folder / NEXT, key)
        make_lasting(folder)
        done = Rehashed(_rehash_persons(key), _rehash_contacts(key))
        details = {"persons": done.persons, "contacts": done.contacts}
        record_event(who=by, action="number-key-rotated", object_kind="key", object_id="number-hash", details=details)
    with transaction.atomic():
        # Another rotation may have come between: the files are put right by what the database says, not by what we did.
        _hold_alone()
        _settle(folder)
    return done


def _settle(folder: Path) -> None:
    """Leave only the key file the database is under: finish a rotation that was broken off, or forget it."""
    number_hash_key()  # makes the first key where there is none, and refuses where it was lost
    coming = next_number_key()
    if coming is not None and number_key_in_use() == coming:
        (folder / NEXT).replace(folder / NUMBER_HASH)
    else:
        (folder / NEXT).unlink(missing_ok=True)
    for broken_off in folder.glob(f"{NEXT}.*"):
        broken_off.unlink(missing_ok=True)
    make_lasting(folder)


def _rehash_persons(key: bytes) -> int:
    def hashed(row: Row) -> bytes:
        subject_id, wrapped, sealed = row
        owner = person_owner(subject_id)
        return number_hash(key, decrypt(unwrap_key(wrapped, owner), sealed, f"{owner}:number").decode())

    return _rehash(PERSONS, WRITE_PERSONS, hashed)


def _rehash_contacts(key: bytes) -> int:
    def hashed(row: Row) -> bytes:
        subject_id, wrapped, sealed = row
        owner = contact_owner(subject_id)
        return phone_hash(key, decrypt(unwrap_key(wrapped, owner), sealed, owner).decode())

    return _rehash(CONTACTS, WRITE_CONTACTS, hashed)


def _rehash(select: str, write: str, hashed: Callable[[Row], bytes]) -> int:
    done = 0
    for rows in _slices(select):
        with connection.cursor() as cursor:
            cursor.execute(write, [[row[0] for row in rows], [hashed(row) for row in rows]])
        done += len(rows)
    return done


def _slices(select: str) -> Iterator[list[Row]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(select, [after, AT_ONCE])
            rows = [(key, bytes(wrapped), bytes(sealed)) for key, wrapped, sealed in cursor.fetchall()]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _hold_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY_LOCK])
