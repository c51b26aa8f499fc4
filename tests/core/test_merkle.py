"""The tree of the log: RFC 6962's own vectors, somebody else's implementation, and nothing false ever proven."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.tlog import ConsistencyProof, ConsistencyProofInvalid, InclusionProof, InclusionProofInvalid

from xinzheng.core.merkle import (
    EMPTY_ROOT,
    consistency_path,
    edge_of,
    grown_nodes,
    holds_consistency,
    holds_inclusion,
    inclusion_path,
    leaf_hash,
    node_hash,
    node_of,
    nodes_asked,
    root_of,
    tree_of,
)

# The leaves and roots that the reference implementation of RFC 6962 is tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(f"leaf {n}".encode()) for n in range(520)]
TREE = node_of(tree_of(HASHES))
sizes = st.integers(1, len(HASHES))


def plain_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(plain_root(hashes[:k]), plain_root(hashes[k:]))


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_reference_implementation(size: int) -> None:
    tree = tree_of([leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert root_of(size, node_of(tree)).hex() == ROOTS[size]


def test_the_paths_are_those_of_the_reference_implementation() -> None:
    tree = node_of(tree_of([leaf_hash(leaf) for leaf in LEAVES]))
    assert [step.hex()[:8] for step in inclusion_path(0, 8, tree)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [step.hex()[:8] for step in inclusion_path(5, 8, tree)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert [step.hex()[:8] for step in inclusion_path(2, 3, tree)] == ["fac54203"]
    assert [step.hex()[:8] for step in consistency_path(1, 8, tree)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [step.hex()[:8] for step in consistency_path(6, 8, tree)] == ["0ebc5d34", "ca854ea1", "d37ee418"]
    assert [step.hex()[:8] for step in consistency_path(2, 5, tree)] == ["5f083f0a", "bc1a0643"]


def test_a_leaf_can_never_pass_for_a_node() -> None:
    left, right = HASHES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(sizes)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    assert root_of(size, TREE) == plain_root(HASHES[:size])


@given(st.lists(st.integers(0, 60), max_size=8))
def test_a_tree_grown_in_stretches_is_the_tree_built_at_once(stretches: list[int]) -> None:
    nodes: dict[tuple[int, int], bytes] = {}
    size = 0
    for count in stretches:
        edge = {coordinate: nodes[coordinate] for coordinate in edge_of(size)}
        for level, first, row in grown_nodes(size, HASHES[size : size + count], node_of(edge)):
            grown = {(level, first + at): hash_ for at, hash_ in enumerate(row)}
            assert not grown.keys() & nodes.keys()
            nodes |= grown
        size += count
    assert nodes == tree_of(HASHES[:size])


@given(st.data(), sizes)
def test_every_leaf_is_proven_and_another_implementation_agrees(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, root = inclusion_path(index, size, TREE), root_of(size, TREE)
    assert holds_inclusion(HASHES[index], index, (size, root), path)
    InclusionProof(index, size, list(path)).check(HASHES[index], root)


@given(st.data(), sizes)
def test_growth_is_proven_and_another_implementation_agrees(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(0, new))
    path, roots = consistency_path(old, new, TREE), (root_of(old, TREE), root_of(new, TREE))
    assert holds_consistency((old, roots[0]), (new, roots[1]), path)
    ConsistencyProof(old, new, list(path)).check(*roots)


def mangled(path: Sequence[bytes], data: st.DataObject) -> list[bytes]:
    """The path as a liar might give it: a step dropped, added, doubled, swapped or flipped."""
    steps = list(path)
    where = data.draw(st.integers(0, max(len(steps) - 1, 0)))
    how = data.draw(st.sampled_from(["drop", "add", "flip", "swap"]))
    if how == "drop":
        return steps[:where] + steps[where + 1 :]
    if how == "add":
        return [*steps[:where], data.draw(st.sampled_from(HASHES[:8])), *steps[where:]]
    if how == "flip" and steps:
        bit = data.draw(st.integers(0, 255))
        flipped = int.from_bytes(steps[where], "big") ^ 1 << bit
        return [*steps[:where], flipped.to_bytes(32, "big"), *steps[where + 1 :]]
    return steps[::-1]


@given(st.data(), sizes)
def test_whatever_is_claimed_of_a_leaf_holds_only_where_another_implementation_says_so(
    data: st.DataObject, size: int
) -> None:
    index, claimed = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size + 2))
    path, root = mangled(inclusion_path(index, size, TREE), data), root_of(size, TREE)
    try:
        InclusionProof(claimed, size, path).check(HASHES[index], root)
        theirs = True
    except InclusionProofInvalid:
        theirs = False
    assert holds_inclusion(HASHES[index], claimed, (size, root), path) is theirs
    assert not theirs or (claimed, path) == (index, list(inclusion_path(index, size, TREE)))


@given(st.data(), sizes)
def test_whatever_is_claimed_of_growth_holds_only_where_another_implementation_says_so(
    data: st.DataObject, new: int
) -> None:
    old, claimed = data.draw(st.integers(0, new)), data.draw(st.integers(0, new + 2))
    path, roots = mangled(consistency_path(old, new, TREE), data), (root_of(old, TREE), root_of(new, TREE))
    try:
        ConsistencyProof(claimed, new, path).check(*roots)
        theirs = True
    except ConsistencyProofInvalid:
        theirs = False
    assert holds_consistency((claimed, roots[0]), (new, roots[1]), path) is theirs


def test_nothing_is_proven_about_a_log_that_was_rewritten() -> None:
    other = node_of(tree_of([*HASHES[:3], leaf_hash(b"rewritten"), *HASHES[4:40]]))
    for old in range(4, 40):
        new = (40, root_of(40, other))
        assert not holds_consistency((old, root_of(old, TREE)), new, consistency_path(old, 40, other))


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_path_to_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="within the tree"):
        inclusion_path(index, size, TREE)
    assert not holds_inclusion(HASHES[0], index, (size, EMPTY_ROOT), ())


def test_a_tree_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="only grows"):
        consistency_path(4, 3, TREE)


def test_what_a_computation_asks_for_is_known_before_anything_is_fetched() -> None:
    asked = nodes_asked(lambda node: inclusion_path(300, 520, node))
    assert len(asked) == len(set(asked)) <= 10
    few = {coordinate: TREE(*coordinate) for coordinate in asked}
    assert inclusion_path(300, 520, node_of(few)) == inclusion_path(300, 520, TREE)
