"""Which key identity numbers and phones are hashed under (号码检索密钥), also while it is being replaced.

There is one key file. Only while the key is replaced the next one stands beside it; then the database says which of
the two its rows are under: all rows change in one transaction, so that any one of them tells.
"""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import connection

from xinzheng.apps.registry.keys import NUMBER_HASH, KeyFileError, decrypt, key_in, number_hash_key, unwrap_key

NEXT = f"{NUMBER_HASH}.next"
ANYBODY = "SELECT subject_id, number_hash, wrapped_key, number_ct FROM registry_personidentity LIMIT 1"
Found = TypeVar("Found")


def number_key_in_use() -> bytes:
    """The key the hashes in the database are under.

    For who writes hashes this holds until the commit if :func:`~xinzheng.apps.registry.keys.hold_keys` came before.

    Raises:
        KeyFileError: ``number-key-does-not-fit``: neither of two key files is the one the database was written under.
    """
    files = _key_files()
    while (key := _fitting(*files)) is None:
        # Between the files and the row, one rotation can have ended and another begun.
        before, files = files, _key_files()
        if files == before:
            message = f"号码检索密钥与数据库不符，请从备份恢复 {Path(settings.XINZHENG_KEYS) / NUMBER_HASH}。"
            raise KeyFileError(message, code="number-key-does-not-fit")
    return key


def next_number_key() -> bytes | None:
    """The key that is about to take the place of the present one; None while none is replaced."""
    try:
        return key_in(Path(settings.XINZHENG_KEYS) / NEXT)
    except FileNotFoundError:
        return None


def under_one_key(ask: Callable[[bytes], Found]) -> Found:
    """What ``ask`` finds under the key in use; it is asked again where the key was replaced meanwhile."""
    while True:
        key = number_key_in_use()
        found = ask(key)
        if number_key_in_use() == key:
            return found


def number_hash(key: bytes, normalised: str) -> bytes:
    """HMAC-SHA256 of a normalised identity number."""
    return hmac.digest(key, normalised.encode(), hashlib.sha256)


def phone_hash(key: bytes, normalised: str) -> bytes:
    """HMAC-SHA256 of a normalised phone; the prefix keeps phones apart from identity numbers under the same key."""
    return hmac.digest(key, f"phone:{normalised}".encode(), hashlib.sha256)


def person_owner(subject_id: int) -> str:
    """What the data key of a person is bound to."""
    return f"subject:{subject_id}"


def _key_files() -> tuple[bytes, bytes | None]:
    # The next key is looked for first: it takes the place of the present one, and is never the older of the two.
    coming = next_number_key()
    return number_hash_key(), coming


def _fitting(present: bytes, coming: bytes | None) -> bytes | None:
    if coming is None:
        return present
    with connection.cursor() as cursor:
        cursor.execute(ANYBODY)
        row = cursor.fetchone()
    if row is None:
        # Nothing is under either; what is written from now on stays right when the next one takes its place.
        return coming
    subject_id, hashed, wrapped, sealed = row
    owner = person_owner(subject_id)
    number = decrypt(unwrap_key(bytes(wrapped), owner), bytes(sealed), f"{owner}:number").decode()
    for key in (present, coming):
        if hmac.compare_digest(number_hash(key, number), bytes(hashed)):
            return key
    return None
