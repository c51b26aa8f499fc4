"""The key-encryption key: never silently replaced, and replaced on purpose without losing anybody, killed or not."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from pytest_django import Settings

from tests.running_site import database_url
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, MandateRequest, Role
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.key_hooks import HOOKS as CODES_HOOKS
from xinzheng.apps.codes.key_hooks import batch_check_owner, webhook_owner
from xinzheng.apps.codes.models import BatchCheck, Receiver, Webhook
from xinzheng.apps.ledger.key_hooks import HOOKS as LEDGER_HOOKS
from xinzheng.apps.ledger.models import Batch, Upload
from xinzheng.apps.registry import key_rotation
from xinzheng.apps.registry.actions import Sighting, keep_phone, register_person, register_unknown_subjects, rotate_key
from xinzheng.apps.registry.key_hooks import HOOKS as ACCOUNT_HOOKS
from xinzheng.apps.registry.key_hooks import SECOND_FACTOR
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
from xinzheng.apps.registry.queries import find_subject, phone_of, subject_at
from xinzheng.core.identifiers import identity_check_character
from xinzheng.web.sign_in.second_factor import OWNER, Adapter

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
    assert (dict(rotation.rewrapped), rotation.kept) == (
        {"registry_personidentity": 5, "registry_personcontact": 0},
        (),
    )
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
    assert dict(rotation.rewrapped) == {
        "registry_personidentity": 0,
        "registry_personcontact": 0,
        "ledger_upload": 1,
    }
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


def test_letters_phones_and_second_factors_are_wrapped_anew_and_stay_readable(keys: Path) -> None:
    subject_id = register_person(number(1), "示例甲", by="test")
    keep_phone(subject_id, "13812345678", by="test")
    account = open_account(NewAccount("auditor", "示例甲", Role.AUDITOR), by="test")
    request = MandateRequest.objects.create(
        account=account, subject_id=1, scopes=[], until_date=date(2027, 1, 1), letter_ct=b"c"
    )
    MandateRequest.objects.update(wrapped_key=wrap_key(DATA_KEY, f"mandate-request:{request.pk}"))
    for kind, name in (("totp", "secret"), ("recovery_codes", "seed")):
        data = {name: Adapter().encrypt(kind), "used_mask": 3}
        Authenticator.objects.create(user=account, type=kind, data=data)
    Authenticator.objects.create(user=account, type="webauthn", data={"name": "示例"})
    check, hook = a_check(account), a_webhook()
    rotation = rotate_key(by="test", hooks={**LEDGER_HOOKS, **CODES_HOOKS, **ACCOUNT_HOOKS})
    told = {table: count for table, count in rotation.rewrapped.items() if count}
    assert told == {
        "registry_personidentity": 1,
        "registry_personcontact": 1,
        "accounts_mandaterequest": 1,
        "mfa_authenticator": 2,
        "codes_batchcheck": 1,
        "codes_webhook": 1,
    }
    assert {path.name for path in keys.iterdir()} == {KEY_ENCRYPTION, NUMBER_HASH}
    assert phone_of(subject_id) == "13812345678"
    request.refresh_from_db()
    assert unwrap_key(bytes(request.wrapped_key), f"mandate-request:{request.pk}") == DATA_KEY
    for factor in Authenticator.objects.exclude(type="webauthn"):
        (sealed,) = (factor.data[name] for name in ("secret", "seed") if name in factor.data)
        assert (Adapter().decrypt(sealed), factor.data["used_mask"]) == (factor.type, 3)
    check.refresh_from_db()
    hook.refresh_from_db()
    assert unwrap_key(bytes(check.wrapped_key), batch_check_owner(check.pk)) == DATA_KEY
    assert unwrap_key(bytes(hook.wrapped_key), webhook_owner(hook.pk)) == DATA_KEY


def a_check(account: Account) -> BatchCheck:
    receiver = Receiver.objects.create(uscc="x", name="示例银行", kind="bank", created_by="test")
    check = BatchCheck(receiver=receiver, account_id=account.pk, file_name="a.csv", asked_ct=b"")
    check.wrapped_key = wrap_key(DATA_KEY, batch_check_owner(check.pk))
    check.save()
    return check


def a_webhook() -> Webhook:
    hook = Webhook.objects.create(client_id="a", url="https://example.com", secret_ct=b"", events=[], wrapped_key=b"")
    hook.wrapped_key = wrap_key(DATA_KEY, webhook_owner(hook.pk))
    hook.save()
    return hook


def test_without_its_hook_the_old_key_stays_for_second_factors(keys: Path) -> None:
    account = open_account(NewAccount("auditor", "示例甲", Role.AUDITOR), by="test")
    factor = Authenticator.objects.create(user=account, type="totp", data={"secret": Adapter().encrypt("示例")})
    assert OWNER == SECOND_FACTOR
    assert rotate_key(by="test").kept_for == ("mfa_authenticator",)
    assert Adapter().decrypt(factor.data["secret"]) == "示例"
    rotate_key(by="test", hooks=ACCOUNT_HOOKS)
    factor.refresh_from_db()
    assert (Adapter().decrypt(factor.data["secret"]), retired_keys()) == ("示例", [])
