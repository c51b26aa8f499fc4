"""The Merkle tree of the transparency log (默克尔树, RFC 6962 section 2; the checks are RFC 9162 section 2.1).

A node is named by its level and its place on the level, counted from 0: ``(0, i)`` is the hash of leaf ``i``, and
``(level, i)`` that of the complete subtree of ``2 ** level`` leaves beginning at leaf ``i * 2 ** level``. Complete
subtrees never change, so they are all that is stored; what lies to their right is computed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

Coordinate = tuple[int, int]
Node = Callable[[int, int], bytes]
EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 0x00 and the data, so that no leaf can pass for a node."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours: SHA-256 of 0x01 and both."""
    return sha256(b"\1" + left + right).digest()


def root_of(size: int, node: Node) -> bytes:
    """The root of the first ``size`` leaves; of none, the hash of nothing."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """The hashes that lead from leaf ``index`` to the root of ``size`` leaves, the leaf's neighbour first."""
    if not 0 <= index < size:
        raise ValueError("the leaf must lie within the tree")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    return tuple(_range_hash(*span, node) for span in reversed(path))


def consistency_path(old: int, new: int, node: Node) -> tuple[bytes, ...]:
    """The hashes that show the tree of ``old`` leaves to be the beginning of that of ``new``; none for 0 or equals."""
    if not 0 <= old <= new:
        raise ValueError("a tree only grows")
    if old in (0, new):
        return ()
    begin, end, path = 0, new, []
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    if begin:
        path.append((begin, end))
    return tuple(_range_hash(*span, node) for span in reversed(path))


def holds_inclusion(leaf: bytes, index: int, head: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the path leads from the leaf's hash at ``index`` to the head, a size and a root."""
    size, root = head
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(hash_, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def holds_consistency(old: tuple[int, bytes], new: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the path shows the old head, a size and a root, to be of the beginning of the new head's tree."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT and new_size > 0
    if not 0 < old_size < new_size or not path:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    rest = list(path) if place else [old_root, *path]
    older = newer = rest[0]
    for hash_ in rest[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(hash_, older), node_hash(hash_, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and (older, newer) == (old_root, new_root)


def grown_nodes(size: int, hashes: Sequence[bytes], node: Node) -> Iterator[tuple[int, int, Sequence[bytes]]]:
    """The nodes that become complete when leaves of these hashes follow the first ``size``.

    For each level from 0: the level, the place of the first, and their hashes one after the other.
    """
    level, first, made = 0, size, list(hashes)
    while made:
        yield level, first, made
        if first & 1:
            made, first = [node(level, first - 1), *made], first - 1
        made = [node_hash(made[i], made[i + 1]) for i in range(0, len(made) - 1, 2)]
        level, first = level + 1, first >> 1


class Growth:
    """A tree as it grows (生长中的树), of which only the right edge is kept: at most one subtree a level."""

    def __init__(self, size: int = 0, edge: Mapping[Coordinate, bytes] | None = None) -> None:
        """Begin at nothing, or at ``size`` leaves whose ``edge_of(size)`` is given."""
        self.size = size
        self._edge = dict(edge or {})

    def add(self, hashes: Sequence[bytes]) -> list[tuple[int, int, Sequence[bytes]]]:
        """Let leaves of these hashes follow; what became complete, as ``grown_nodes`` gives it."""
        made = list(grown_nodes(self.size, hashes, node_of(self._edge)))
        self.size += len(hashes)
        rows = {level: (first, row) for level, first, row in made}
        edge = {}
        for level, index in edge_of(self.size):
            first, row = rows.get(level, (index + 1, ()))
            edge[level, index] = row[index - first] if index >= first else self._edge[level, index]
        self._edge = edge
        return made

    def root(self) -> bytes:
        """The root of all that was added."""
        return root_of(self.size, node_of(self._edge))


def edge_of(size: int) -> tuple[Coordinate, ...]:
    """The complete subtrees that ``size`` leaves consist of, the largest first."""
    return tuple(_cover(0, size))


def nodes_asked(work: Callable[[Node], object]) -> tuple[Coordinate, ...]:
    """Which nodes a computation of this module asks for, so that all can be fetched at once."""
    asked: list[Coordinate] = []

    def note(level: int, index: int) -> bytes:
        asked.append((level, index))
        return EMPTY_ROOT

    work(note)
    return tuple(dict.fromkeys(asked))


def node_of(found: Mapping[Coordinate, bytes]) -> Node:
    """Nodes from a mapping; one that is not there raises KeyError."""
    return lambda level, index: found[level, index]


def tree_of(hashes: Iterable[bytes]) -> dict[Coordinate, bytes]:
    """Every complete subtree over leaves of these hashes."""
    grown = grown_nodes(0, list(hashes), _no_node)
    return {(level, first + at): made for level, first, row in grown for at, made in enumerate(row)}


def _no_node(level: int, index: int) -> bytes:
    raise KeyError((level, index))


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _cover(begin: int, end: int) -> Iterator[Coordinate]:
    """The complete subtrees of a range that begins where RFC 6962 splits a tree, the largest first."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def _range_hash(begin: int, end: int, node: Node) -> bytes:
    """The hash of a range of leaves that RFC 6962's splitting makes: from the last subtree to the first."""
    parts = [node(level, index) for level, index in _cover(begin, end)]
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
