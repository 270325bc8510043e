"""Proofs over a contract's log as RFC 9162 makes and checks them."""

import hashlib
from collections.abc import Sequence

import msgspec
import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.merkle import CompactRange, folded, root_of
from diary.evidence.proof import (
    Nodes,
    consistency_proof,
    inclusion_proof,
    proves_consistency,
    proves_inclusion,
    tree_hash,
)
from tests.rule import rule
from tests.vector_file import vectors

Path = tuple[int, int, list[str]]


class Published(msgspec.Struct, frozen=True):
    inputs: list[str]
    roots: list[str]
    inclusion: list[Path]
    consistency: list[Path]


class MerkleFile(msgspec.Struct, frozen=True):
    published: Published


FILE = vectors("merkle", MerkleFile).published
SIZES = st.integers(min_value=1, max_value=200)


def leaves(inputs: Sequence[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + each).digest() for each in inputs]


def numbered(size: int) -> list[bytes]:
    return leaves([str(number).encode() for number in range(size)])


def nodes_of(all_leaves: Sequence[bytes]) -> Nodes:
    def node(level: int, place: int) -> bytes:
        return root_of(all_leaves[place << level : (place + 1) << level])

    return node


PUBLISHED = leaves([bytes.fromhex(text) for text in FILE.inputs])


@rule("R56")
@pytest.mark.parametrize(("index", "size", "path"), FILE.inclusion)
def test_a_published_inclusion_proof_is_made_and_holds(index: int, size: int, path: list[str]) -> None:
    made = inclusion_proof(index, size, nodes_of(PUBLISHED))
    assert [node.hex() for node in made] == path
    assert proves_inclusion(index, size, PUBLISHED[index], made, bytes.fromhex(FILE.roots[size]))


@rule("R56")
@pytest.mark.parametrize(("old", "size", "path"), FILE.consistency)
def test_a_published_consistency_proof_is_made_and_holds(old: int, size: int, path: list[str]) -> None:
    made = consistency_proof(old, size, nodes_of(PUBLISHED))
    assert [node.hex() for node in made] == path
    roots = bytes.fromhex(FILE.roots[old]), bytes.fromhex(FILE.roots[size])
    assert proves_consistency(old, size, made, *roots)


@rule("R56")
@given(SIZES, st.data())
def test_another_hands_proofs_are_the_same(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        theirs.append_entry(str(number).encode())
    ours = numbered(size)
    assert theirs.get_root() == root_of(ours)
    path = inclusion_proof(index, size, nodes_of(ours))
    assert theirs.prove_inclusion(index + 1).serialize()["path"] == [
        node.hex() for node in (ours[index], *path)
    ]
    # Its consistency proofs are written otherwise: that both hold for the same two roots is what counts.
    pymerkle.verify_consistency(theirs.get_root(old), theirs.get_root(), theirs.prove_consistency(old))
    grown = consistency_proof(old, size, nodes_of(ours))
    assert proves_consistency(old, size, grown, theirs.get_root(old), theirs.get_root())


@rule("R56")
@given(SIZES, st.data())
def test_a_proof_holds_for_its_own_leaf_place_and_root_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    ours = numbered(size)
    path, root = inclusion_proof(index, size, nodes_of(ours)), root_of(ours)
    assert proves_inclusion(index, size, ours[index], path, root)
    other = data.draw(
        st.integers(0, size - 1).filter(lambda one: one != index) if size > 1 else st.just(size)
    )
    assert not proves_inclusion(other, size, ours[index], path, root)
    assert not proves_inclusion(index, size, bytes(32), path, root)
    assert not proves_inclusion(index, size, ours[index], [*path, bytes(32)], root)
    assert not path or not proves_inclusion(index, size, ours[index], path[:-1], root)


@rule("R56")
@given(SIZES, st.data())
def test_no_proof_joins_a_log_to_one_that_began_otherwise(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    ours = numbered(size)
    forked = [*ours[:changed], bytes(32), *ours[changed + 1 :]]
    for path in (consistency_proof(old, size, nodes_of(log)) for log in (ours, forked)):
        assert not proves_consistency(old, size, path, root_of(ours[:old]), root_of(forked))


@rule("R56")
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(0, 70))
def test_a_log_grows_from_its_compact_range_alone(all_leaves: list[bytes], cut: int) -> None:
    kept = CompactRange().extended(all_leaves[:cut])
    read = CompactRange.from_bytes(kept.size, kept.to_bytes())
    assert read.extended(all_leaves[cut:]).root == root_of(all_leaves)


@rule("R56")
@given(SIZES)
def test_a_log_that_a_subtree_may_begin_is_hashed_from_its_nodes(size: int) -> None:
    ours = numbered(size)
    assert tree_hash(0, size, nodes_of(ours)) == root_of(ours)


@rule("R56")
@pytest.mark.parametrize(("size", "peaks"), [(1, ()), (0, (bytes(32),)), (1, (bytes(31),)), (-1, ())])
def test_what_is_no_range_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="peak"):
        CompactRange(size, peaks)


@rule("R56")
def test_nothing_is_proven_of_a_leaf_or_a_log_that_is_not_there() -> None:
    nodes = nodes_of(numbered(4))
    for index, size in ((4, 4), (-1, 4), (0, 0)):
        with pytest.raises(ValueError, match="leaf"):
            inclusion_proof(index, size, nodes)
        assert not proves_inclusion(index, size, bytes(32), [], bytes(32))
    for old, size in ((0, 4), (5, 4)):
        with pytest.raises(ValueError, match="log"):
            consistency_proof(old, size, nodes)
        assert not proves_consistency(old, size, [], bytes(32), bytes(32))
    assert folded(()) == hashlib.sha256().digest()
