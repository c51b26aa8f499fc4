"""Inclusion proofs (收录证明): that leaves stand in the log at a checkpoint; as JSON, to be kept beside a report."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xinzheng.core.errors import XinzhengError
from xinzheng.core.merkle import HASH_BYTES, holds_inclusion, leaf_hash

FORMAT = "xinzheng.proof/1"
GROWTH_FORMAT = "xinzheng.consistency/1"
MOST_LEAVES, MOST_STEPS, MOST_LEAF_CHARACTERS = 16, 64, 1024


class ProofError(XinzhengError):
    """A proof that cannot be read."""

    code = "proof-invalid"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf's bytes, its place counted from 0, and the hashes from it to the root, its neighbour first."""

    leaf: bytes
    index: int
    path: tuple[bytes, ...]

    def holds_in(self, head: tuple[int, bytes]) -> bool:
        """Whether the leaf stands in the log of this size and root."""
        return holds_inclusion(leaf_hash(self.leaf), self.index, head, self.path)


def proof_document(checkpoint: str, leaves: Iterable[Inclusion]) -> dict[str, object]:
    """Leaves under one checkpoint, ready for JSON."""
    shown = [
        {"leaf": one.leaf.decode("ascii"), "index": one.index, "path": [_base64(hash_) for hash_ in one.path]}
        for one in leaves
    ]
    return {"format": FORMAT, "checkpoint": checkpoint, "leaves": shown}


def growth_document(old: int, new: int, path: Iterable[bytes]) -> dict[str, object]:
    """A proof that the log of ``old`` leaves is the beginning of that of ``new``, ready for JSON."""
    return {"format": GROWTH_FORMAT, "old": old, "new": new, "path": [_base64(hash_) for hash_ in path]}


def read_proof(text: str) -> tuple[str, Sequence[Inclusion]]:
    """The checkpoint and the leaves of a proof's JSON; nothing is checked but its form. Raises ProofError."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or not 0 < len(document["leaves"]) <= MOST_LEAVES:
            raise ProofError(f"收录证明应为 {FORMAT} 格式。")
        return _text(document["checkpoint"]), [_inclusion(one) for one in document["leaves"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ProofError("收录证明读不出来，请重新下载 proof.json。") from None


def _inclusion(shown: Mapping[str, Any]) -> Inclusion:
    leaf, index, path = _text(shown["leaf"]), shown["index"], shown["path"]
    if type(index) is not int or not isinstance(path, list):
        raise TypeError
    hashes = tuple(_hash(one) for one in path)
    if not 0 <= index < 1 << MOST_STEPS or len(hashes) > MOST_STEPS or len(leaf) > MOST_LEAF_CHARACTERS:
        raise ValueError
    return Inclusion(leaf.encode("ascii"), index, hashes)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _hash(value: object) -> bytes:
    try:
        found = base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(found) != HASH_BYTES:
        raise ValueError
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
