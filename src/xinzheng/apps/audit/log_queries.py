"""Read the transparency log (透明日志): its newest checkpoint, its nodes, and proofs of what stands in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from xinzheng.apps.audit import ports
from xinzheng.apps.audit.models import Checkpoint, LogNode
from xinzheng.core.inclusion import Inclusion
from xinzheng.core.merkle import Coordinate, consistency_path, inclusion_path, node_of, nodes_asked

PLACED = """
    SELECT leaf.data, place.index FROM audit_logleaf leaf JOIN audit_logplace place ON place.leaf_id = leaf.id
    WHERE {which} ORDER BY place.index
"""
OF_OBJECT = PLACED.format(which="leaf.object_id = %s AND leaf.kind = %s")
OF_OBJECT_ALL = PLACED.format(which="leaf.object_id = %s")
OF_HASH = PLACED.format(which="leaf.leaf_hash = %s")
NODES = """
    SELECT node.level, node.index, node.hash FROM audit_lognode node
    JOIN unnest(%s::smallint[], %s::bigint[]) AS asked (level, index) USING (level, index)
"""


@dataclass(frozen=True, slots=True)
class LogProof:
    """Inclusion proof (收录证明) of a leaf at the newest checkpoint, which was made at ``made_at``."""

    leaf: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    note: str
    made_at: datetime

    @property
    def inclusion(self) -> Inclusion:
        """The proof without its checkpoint."""
        return Inclusion(self.leaf, self.index, self.path)


def newest_checkpoint() -> Checkpoint | None:
    """The checkpoint of the greatest size; None before the log began."""
    return Checkpoint.objects.order_by("-size").first()


def public_key() -> Any:
    """The log's public key under its name; None before the log began."""
    return ports.transparency().published_log_key(settings.XINZHENG_KEYS / "log")


def nodes_at(asked: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
    """Those of the nodes that are stored, in one query."""
    wanted = list(asked)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NODES, [[level for level, _ in wanted], [index for _, index in wanted]])
        return {(level, index): bytes(hash_) for level, index, hash_ in cursor.fetchall()}


def tile_bytes(path: str) -> bytes | None:
    """The tile of an address below ``tile/``; None when the address is none, or the log does not reach so far."""
    tile = ports.transparency().tile_at(path)
    if tile is None:
        return None
    stored = LogNode.objects.filter(level=tile.tree_level, index__gte=tile.first, index__lt=tile.first + tile.width)
    row = [bytes(hash_) for hash_ in stored.order_by("index").values_list("hash", flat=True)]
    return b"".join(row) if len(row) == tile.width else None


def proof_for(kind: str, object_id: str) -> LogProof | None:
    """Proof of the newest leaf of a kind about an object, e.g. ``issued`` and a report number; None until sealed."""
    found = _proofs(OF_OBJECT, [object_id, kind])
    return found[-1] if found else None


def proofs_about(object_id: str) -> Sequence[LogProof]:
    """Proofs of all leaves about an object, in the order of the log, under one checkpoint."""
    return _proofs(OF_OBJECT_ALL, [object_id])


def proof_of_hash(leaf_hash: bytes) -> LogProof | None:
    """Proof of the leaf with this hash; None when there is none in the log."""
    found = _proofs(OF_HASH, [leaf_hash])
    return found[0] if found else None


def growth_proof(old: int, new: int) -> tuple[bytes, ...] | None:
    """That the log of ``old`` leaves is the beginning of that of ``new``; None where it never reached so far."""
    newest = newest_checkpoint()
    if newest is None or not 0 <= old <= new <= newest.size:
        return None
    asked = nodes_asked(lambda node: consistency_path(old, new, node))
    return consistency_path(old, new, node_of(nodes_at(asked)))


def _proofs(query: str, values: Sequence[str | bytes]) -> list[LogProof]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        leaves = [(bytes(data), index) for data, index in cursor.fetchall()]
    if not leaves:
        return []
    # Read after the places: a checkpoint covers at least what had a place before.
    newest = Checkpoint.objects.latest("size")
    asked: dict[Coordinate, None] = {}
    for _, index in leaves:
        asked |= dict.fromkeys(nodes_asked(lambda node, at=index: inclusion_path(at, newest.size, node)))  # type: ignore[misc]
    node = node_of(nodes_at(asked))
    return [
        LogProof(data, index, newest.size, inclusion_path(index, newest.size, node), newest.note, newest.made_at)
        for data, index in leaves
    ]
