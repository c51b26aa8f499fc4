"""Wrapping the ledger's data keys anew when the key-encryption key is replaced (更换密钥)."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import QuerySet

from xinzheng.apps.ledger.key_models import BatchKey
from xinzheng.apps.ledger.map_models import MapSample
from xinzheng.apps.ledger.map_samples import sample_owner
from xinzheng.apps.ledger.models import Batch, Upload
from xinzheng.apps.ledger.raw_files import batch_owner
from xinzheng.apps.ledger.uploads import upload_owner
from xinzheng.apps.registry.key_rotation import Hook, Rewrap, hook_of

AT_ONCE = 2_000


def rewrap_batches(rewrap: Rewrap) -> int:
    """Wrap the key of every batch anew, beside the batch; how many."""
    done, after = 0, 0
    while batches := _next(Batch.objects.all(), after):
        kept = BatchKey.objects.in_bulk([batch_id for batch_id, _ in batches])
        anew = [
            BatchKey(
                batch_id=key, wrapped_key=rewrap(bytes(kept[key].wrapped_key if key in kept else own), batch_owner(key))
            )
            for key, own in batches
        ]
        BatchKey.objects.bulk_create(
            anew, update_conflicts=True, unique_fields=["batch_id"], update_fields=["wrapped_key"]
        )
        done, after = done + len(batches), batches[-1][0]
    return done


def _next(batches: "QuerySet[Batch]", after: int) -> list[tuple[int, bytes]]:
    rows = batches.filter(pk__gt=after).order_by("pk").values_list("pk", "wrapped_key")
    return [(key, bytes(wrapped)) for key, wrapped in rows[:AT_ONCE]]


# For every table of the ledger whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        "ledger_batch": rewrap_batches,
        "ledger_upload": hook_of(Upload, upload_owner),
        "ledger_mapsample": hook_of(MapSample, sample_owner),
    }
)
