"""The key-encryption key: never silently replaced, and replaced on purpose without losing anybody, killed or not."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django import Settings

from tests.running_site import database_url
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import Batch, Upload
from xinzheng.apps.registry import key_rotation
from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects, rotate_key
from xinzheng.apps.registry.keys import (
    KEY_ENCRYPTION,
    KEY_LOCK,
    NUMBER_HASH,
    KeyFileError,
    retired_keys,
    unwrap_key,
    wrap_key,
)
from xinzheng.apps.registry.models import PersonIdentity
from xinzheng.apps.registry.queries import find_subject, subject_at
from xinzheng.core.identifiers import identity_check_character

pytestmark = pytest.mark.django_db

DATA_KEY = b"k" * 32
ROUNDS = 6
ROTATE_FOR_EVER = """
import django
django.setup()
from xinzheng.apps.registry.actions import rotate_key
print("ready", flush=True)
while True:
    rotate_key(by="test")
"""


@pytest.fixture(autouse=True)
def keys(settings: Settings, tmp_path: Path) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    return tmp_path / "keys"


def number(serial: int) -> str:
    first = f"33050219900101{serial:03d}"
    return first + identity_check_character(first)


@transaction.atomic
def register(serials: range) -> None:
    entry = open_entry(kind="test", by="test")
    register_unknown_subjects([Sighting(number(n), f"示例{n}", is_person=True) for n in serials], entry=entry)
    take_position(entry)


def readable(serials: range) -> bool:
    """Whether each person is found by number and shown by the number's own mask."""
    position = head_position()
    found = [subject_at(find_subject(number(n)) or 0, position) for n in serials]
    return all(who.name == "示" + "＊" * (len(str(n)) + 1) for n, who in zip(serials, found, strict=True))


def an_upload(wrapped: bytes) -> None:
    Upload.objects.create(
        by="test", unit_uscc="x", domain="d", kind="k", mode="increment", file_name="a.csv", wrapped_key=wrapped
    )


def a_batch() -> None:
    counts = dict.fromkeys(("lines", "new", "changed", "identical", "rejected", "duplicate"), 0)
    kind = {"kind": "administrative_penalty", "mode": "increment", "domain": "d", "file_name": "a.csv"}
    entry = open_entry(kind="batch", by="test")
    wrapped = wrap_key(DATA_KEY, f"batch:{entry.pk}")
    Batch.objects.create(entry=entry, unit_id=1, file_sha256=b"", wrapped_key=wrapped, **counts, **kind)


@pytest.mark.parametrize("hold", [a_batch, lambda: an_upload(wrap_key(DATA_KEY, "upload:1"))], ids=["batch", "upload"])
def test_a_lost_key_that_batches_or_uploads_need_is_not_silently_replaced(keys: Path, hold: Callable[[], None]) -> None:
    hold()
    (keys / KEY_ENCRYPTION).unlink()
    with pytest.raises(KeyFileError, match="从备份恢复"):
        wrap_key(DATA_KEY, "batch:2")
    assert not (keys / KEY_ENCRYPTION).exists()


def test_before_anything_is_wrapped_the_key_is_made_anew(keys: Path) -> None:
    wrap_key(DATA_KEY, "batch:1")
    (keys / KEY_ENCRYPTION).unlink()
    an_upload(b"")
    assert unwrap_key(wrap_key(DATA_KEY, "batch:1"), "batch:1") == DATA_KEY


def test_rotating_wraps_everybody_anew_and_leaves_one_key(keys: Path) -> None:
    register(range(5))
    old = (keys / KEY_ENCRYPTION).read_bytes()
    wrapped = list(PersonIdentity.objects.order_by("pk").values_list("wrapped_key", "name_ct", "number_ct"))
    rotation = rotate_key(by="account:7")
    assert (dict(rotation.rewrapped), rotation.kept) == ({"registry_personidentity": 5}, ())
    assert (keys / KEY_ENCRYPTION).read_bytes() != old
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    after = list(PersonIdentity.objects.order_by("pk").values_list("wrapped_key", "name_ct", "number_ct"))
    assert all(bytes(a[0]) != bytes(b[0]) and a[1:] == b[1:] for a, b in zip(after, wrapped, strict=True))
    assert readable(range(5))
    assert AuditEvent.objects.filter(action="key-rotated", who="account:7").exists()


def test_the_old_key_stays_for_batches_which_nobody_may_update(keys: Path) -> None:
    a_batch()
    rotation = rotate_key(by="test")
    assert rotation.kept_for == ("ledger_batch",)
    assert [path.name for path in retired_keys()] == list(rotation.kept)
    batch = Batch.objects.get()
    for _ in range(2):
        assert unwrap_key(bytes(batch.wrapped_key), f"batch:{batch.pk}") == DATA_KEY
        rotate_key(by="test")


def test_a_hook_re_wraps_the_keys_of_an_app_above_and_the_old_key_goes(keys: Path) -> None:
    an_upload(wrap_key(DATA_KEY, "upload:1"))

    def hook(rewrap: key_rotation.Rewrap) -> int:
        upload = Upload.objects.get()
        upload.wrapped_key = rewrap(bytes(upload.wrapped_key), "upload:1")
        upload.save()
        return 1

    rotation = rotate_key(by="test", hooks={"ledger_upload": hook})
    assert dict(rotation.rewrapped) == {"registry_personidentity": 0, "ledger_upload": 1}
    assert retired_keys() == []
    assert unwrap_key(bytes(Upload.objects.get().wrapped_key), "upload:1") == DATA_KEY


def test_a_rotation_that_is_undone_after_the_switch_loses_nobody_and_can_be_repeated(keys: Path) -> None:
    register(range(3))

    def hook(rewrap: key_rotation.Rewrap) -> int:
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError):
        rotate_key(by="test", hooks={"ledger_upload": hook})
    assert len(retired_keys()) == 1
    assert readable(range(3))
    register(range(3, 5))
    assert rotate_key(by="test").rewrapped["registry_personidentity"] == 5
    assert retired_keys() == []
    assert readable(range(5))


def test_a_key_of_another_installation_is_refused_before_anything_is_removed(keys: Path) -> None:
    register(range(2))
    own = (keys / KEY_ENCRYPTION).read_bytes()
    (keys / KEY_ENCRYPTION).write_bytes(b"x" * 32)
    with pytest.raises(KeyFileError) as refused:
        rotate_key(by="test")
    assert refused.value.code == "key-does-not-fit"
    (keys / KEY_ENCRYPTION).write_bytes(own)
    assert readable(range(2))


@pytest.mark.django_db(transaction=True)
def test_who_wraps_keeps_the_key_from_being_rotated_until_the_commit(
    second_connection: psycopg.Connection[None],
) -> None:
    second_connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [KEY_LOCK])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY_LOCK])
        assert cursor.fetchone() == (False,)
    second_connection.rollback()
    assert rotate_key(by="test").kept == ()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killing_the_rotation_again_and_again_loses_nobody(keys: Path) -> None:
    register(range(200))
    moments = random.Random(7)
    environment = os.environ | {
        "XINZHENG_DATABASE_URL": database_url(), "XINZHENG_KEYS": str(keys), "PYTHONPATH": "src",
    }  # fmt: skip
    for turn in range(ROUNDS):
        child = subprocess.Popen(
            [sys.executable, "-c", ROTATE_FOR_EVER], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.3))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert readable(range(200))
        register(range(200 + turn, 201 + turn))
    rotate_key(by="test")
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    assert readable(range(200 + ROUNDS))
