"""When the key-encryption key is replaced, every file can still be read, and no old key is needed any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction

from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.codes.key_hooks import HOOKS as CODES_HOOKS
from xinzheng.apps.ledger.actions import fetch_raw_file, queue_upload, submit_batch
from xinzheng.apps.ledger.key_hooks import HOOKS
from xinzheng.apps.ledger.key_models import BatchKey
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.apps.oversight.key_hooks import HOOKS as OVERSIGHT_HOOKS
from xinzheng.apps.redress.key_hooks import HOOKS as REDRESS_HOOKS
from xinzheng.apps.registry.key_hooks import HOOKS as ACCOUNT_HOOKS
from xinzheng.apps.registry.key_rotation import rotate_key
from xinzheng.apps.registry.keys import HOLDERS, KEY_ENCRYPTION, KeyFileError, forget_keys, retired_keys, unwrap_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keys(tmp_path: Path, settings: LazySettings) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    forget_keys()
    return tmp_path / "keys"


@pytest.fixture
def city(transactional_db: None, tmp_path: Path, keys: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def content_of(batch_id: int) -> bytes:
    kept = fetch_raw_file(batch_id=batch_id, by=BY)
    with kept.content as file:
        return file.read()


def test_every_table_with_keys_of_its_own_has_a_hook() -> None:
    hooks = {*HOOKS, *CODES_HOOKS, *ACCOUNT_HOOKS, *REDRESS_HOOKS, *OVERSIGHT_HOOKS, "registry_personcontact"}
    assert hooks == set(HOLDERS)


def test_batches_and_uploads_are_read_under_the_new_key_alone(city: SmallCity, keys: Path) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    batch = submit_batch(delivery, by=BY).batch
    waiting = queue_upload(replace(city.delivery([city.penalty(uscc(2), "苏税罚〔2026〕2号")])), by=BY)
    for _ in range(2):
        rotation = rotate_key(by=BY, hooks=HOOKS)
        assert (rotation.rewrapped["ledger_batch"], rotation.rewrapped["ledger_upload"]) == (1, 1)
        assert (rotation.kept, rotation.kept_for, retired_keys()) == ((), (), [])
        assert content_of(batch) == delivery.file.read_bytes()
    assert BatchKey.objects.count() == 1
    taken = take_in_upload(waiting.pk)
    assert taken is not None
    assert taken.new == 1
    assert [path.name for path in keys.glob("person-key-encryption*")] == [KEY_ENCRYPTION]
    # What the batch itself holds opens nothing any more: history stays as it is, and the old key is gone.
    with pytest.raises(KeyFileError):
        unwrap_key(bytes(Batch.objects.get(pk=batch).wrapped_key), f"batch:{batch}")


def test_a_rotation_that_breaks_off_leaves_every_file_readable(city: SmallCity) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    batch = submit_batch(delivery, by=BY).batch

    def broken(_rewrap: object) -> int:
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError), transaction.atomic():
        rotate_key(by=BY, hooks=dict(HOOKS) | {"ledger_upload": broken})
    assert len(retired_keys()) == 1
    assert not BatchKey.objects.exists()
    assert content_of(batch) == delivery.file.read_bytes()
    rotate_key(by=BY, hooks=HOOKS)
    assert retired_keys() == []
    assert content_of(batch) == delivery.file.read_bytes()
