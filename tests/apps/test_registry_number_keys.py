"""The key that numbers and phones are hashed under is replaced: nobody is lost or met as a stranger, killed or not."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from tests.apps.test_registry_keys import number, readable, register
from tests.running_site import database_url
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.registry.actions import erase_person, keep_phone, register_person, rotate_key, rotate_number_key
from xinzheng.apps.registry.keys import KEY_ENCRYPTION, NUMBER_HASH, KeyFileError
from xinzheng.apps.registry.models import PersonContact, PersonIdentity
from xinzheng.apps.registry.number_keys import ANYBODY, NEXT
from xinzheng.apps.registry.queries import find_by_phone, find_subject

pytestmark = pytest.mark.django_db

PHONE = "13812345678"
ROUNDS = 3
ROTATE_FOR_EVER = """
import django
django.setup()
from xinzheng.apps.registry.actions import rotate_number_key
print("ready", flush=True)
while True:
    rotate_number_key(by="test")
"""


@pytest.fixture(autouse=True)
def keys(settings: Settings, tmp_path: Path) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    return tmp_path / "keys"


def somebody() -> int:
    """A person with a phone."""
    subject_id = register_person(number(1), "示例1", by="test")
    keep_phone(subject_id, PHONE, by="test")
    return subject_id


def killed_before_the_switch(keys: Path, *, is_committed: bool) -> None:
    """The files as a kill leaves them after the next key was written: the database was rehashed or was not."""
    old = (keys / NUMBER_HASH).read_bytes()
    if is_committed:
        rotate_number_key(by="test")
        (keys / NUMBER_HASH).rename(keys / NEXT)
        (keys / NUMBER_HASH).write_bytes(old)
    else:
        (keys / NEXT).write_bytes(os.urandom(32))


def test_everybody_is_found_by_number_and_phone_and_the_old_key_is_gone(keys: Path) -> None:
    subject_id = somebody()
    register(range(2, 6))
    old = (keys / NUMBER_HASH).read_bytes()
    hashes = set(PersonIdentity.objects.values_list("number_hash", flat=True))
    phone = PersonContact.objects.get().phone_hash
    done = rotate_number_key(by="account:7")
    assert (done.persons, done.contacts) == (5, 1)
    assert (keys / NUMBER_HASH).read_bytes() != old
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    assert not {bytes(one) for one in hashes} & {
        bytes(one) for one in PersonIdentity.objects.values_list("number_hash", flat=True)
    }
    assert bytes(PersonContact.objects.get().phone_hash) != bytes(phone)
    assert readable(range(1, 6))
    assert find_by_phone(PHONE) == [subject_id]
    event = AuditEvent.objects.get(action="number-key-rotated")
    assert (event.who, event.details) == ("account:7", {"persons": 5, "contacts": 1})


def test_whoever_comes_again_is_the_same_person(keys: Path) -> None:
    subject_id = somebody()
    rotate_number_key(by="test")
    rotate_key(by="test")
    rotate_number_key(by="test")
    assert register_person(number(1), "示例1", by="test") == subject_id
    register(range(1, 3))
    assert PersonIdentity.objects.count() == 2


@pytest.mark.parametrize("is_committed", [True, False], ids=["rehashed", "not rehashed"])
def test_a_rotation_killed_before_the_switch_loses_nobody_and_the_next_one_finishes_it(
    keys: Path, is_committed: bool
) -> None:
    subject_id = somebody()
    killed_before_the_switch(keys, is_committed=is_committed)
    assert find_subject(number(1)) == subject_id
    assert find_by_phone(PHONE) == [subject_id]
    assert register_person(number(1), "示例1", by="test") == subject_id
    other = register_person(number(2), "示例2", by="test")
    keep_phone(other, PHONE, by="test")
    rotate_number_key(by="test")
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    assert readable(range(1, 3))
    assert find_by_phone(PHONE) == sorted((subject_id, other))


def test_a_rotation_that_is_undone_leaves_the_key_in_use(keys: Path) -> None:
    subject_id = somebody()
    old = (keys / NUMBER_HASH).read_bytes()
    PersonContact.objects.update(phone_ct=b"\0" * 40)
    with pytest.raises(KeyFileError), transaction.atomic():
        rotate_number_key(by="test")
    assert (keys / NUMBER_HASH).read_bytes() == old
    assert find_subject(number(1)) == subject_id


def test_who_comes_while_nobody_is_known_is_still_found_after_the_switch(keys: Path) -> None:
    register_person(number(1), "示例1", by="test")
    killed_before_the_switch(keys, is_committed=False)
    erase_person(find_subject(number(1)) or 0, by="test")
    other = register_person(number(2), "示例2", by="test")
    assert find_subject(number(2)) == other
    rotate_number_key(by="test")
    assert find_subject(number(2)) == other


def test_two_keys_of_another_installation_are_refused_and_left_alone(keys: Path) -> None:
    somebody()
    killed_before_the_switch(keys, is_committed=False)
    (keys / NUMBER_HASH).write_bytes(os.urandom(32))
    with pytest.raises(KeyFileError, match="从备份恢复") as error:
        find_subject(number(1))
    assert error.value.code == "number-key-does-not-fit"
    with pytest.raises(KeyFileError), transaction.atomic():
        rotate_number_key(by="test")
    assert (keys / NEXT).exists()


def test_who_reads_the_files_before_two_rotations_and_the_row_after_them_is_not_sent_to_the_backup(keys: Path) -> None:
    subject_id = somebody()
    killed_before_the_switch(keys, is_committed=False)
    rotated: list[str] = []

    def rotated_between(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql == ANYBODY and not rotated:
            rotated.append(sql)
            rotate_number_key(by="test")
            rotate_number_key(by="test")
        return execute(sql, *rest)

    with connection.execute_wrapper(rotated_between):
        assert find_subject(number(1)) == subject_id
    assert rotated


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killing_the_rotation_again_and_again_loses_nobody(keys: Path) -> None:
    subject_id = somebody()
    register(range(2, 150))
    moments = random.Random(11)
    environment = os.environ | {
        "XINZHENG_DATABASE_URL": database_url(), "XINZHENG_KEYS": str(keys), "PYTHONPATH": "src",
    }  # fmt: skip
    for turn in range(ROUNDS):
        child = subprocess.Popen(
            [sys.executable, "-c", ROTATE_FOR_EVER], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        end = time.monotonic() + moments.uniform(0.05, 0.3)
        while time.monotonic() < end:
            assert find_subject(number(1)) == subject_id  # while the key is being replaced under its feet
        register(range(150 + turn, 151 + turn))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert readable(range(1, 151 + turn))
        assert find_by_phone(PHONE) == [subject_id]
    rotate_number_key(by="test")
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    assert readable(range(1, 150 + ROUNDS))
    assert PersonIdentity.objects.count() == 149 + ROUNDS
