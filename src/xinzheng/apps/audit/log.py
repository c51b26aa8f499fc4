"""Writing the transparency log (透明日志): a leaf with the fact it tells, its place later."""

from xinzheng.apps.audit.models import LogLeaf
from xinzheng.core.merkle import leaf_hash


def add_leaf(*, data: bytes, kind: str, object_id: str) -> None:
    """Write a leaf within the caller's transaction; no lock is taken, so that nothing waits for the log."""
    LogLeaf.objects.create(data=data, leaf_hash=leaf_hash(data), kind=kind, object_id=object_id)
