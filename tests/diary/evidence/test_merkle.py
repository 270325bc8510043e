"""The contract's log as RFC 6962 hashes it."""

import hashlib
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.merkle import leaf_hash, root_of
from diary.rules.ids import ContractId
from diary.rules.segment import VersionType
from tests.rule import rule
from tests.vector_file import vectors


class Fields(NamedTuple):
    type: VersionType
    contract: ContractId
    log_epoch: int
    received_at_ms: int
    header: str
    body: str
    push: str


class Leaf(msgspec.Struct, frozen=True):
    fields: Fields
    leaf: str


class Published(msgspec.Struct, frozen=True):
    inputs: list[str]
    roots: list[str]
    inclusion: list[tuple[int, int, list[str]]]
    consistency: list[tuple[int, int, list[str]]]


class MerkleFile(msgspec.Struct, frozen=True):
    published: Published
    leaves: list[Leaf]
    root: str


FILE = vectors("merkle", MerkleFile)
SOME = FILE.leaves[0].fields


def leaf_of(fields: Fields) -> bytes:
    header, body, push = (bytes.fromhex(text) for text in fields[4:])
    return leaf_hash(*fields[:4], header, body, push)


def tree_hash(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    below = 1
    while below * 2 < len(leaves):
        below *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:below]) + tree_hash(leaves[below:])).digest()


@rule("R56")
@pytest.mark.parametrize("size", range(len(FILE.published.roots)))
def test_the_published_roots_hold(size: int) -> None:
    inputs = [bytes.fromhex(text) for text in FILE.published.inputs[:size]]
    leaves = [hashlib.sha256(b"\x00" + text).digest() for text in inputs]
    assert root_of(leaves).hex() == FILE.published.roots[size]


@rule("R56")
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_the_one_that_the_definition_gives(leaves: list[bytes]) -> None:
    assert root_of(leaves) == tree_hash(leaves)


@rule("R56")
@pytest.mark.parametrize("leaf", FILE.leaves, ids=lambda leaf: leaf.fields.type)
def test_a_leaf_is_the_hash_of_its_fields(leaf: Leaf) -> None:
    assert leaf_of(leaf.fields).hex() == leaf.leaf


@rule("R56")
def test_a_log_of_leaves_has_the_root_of_the_vectors() -> None:
    assert root_of([bytes.fromhex(leaf.leaf) for leaf in FILE.leaves]).hex() == FILE.root


@rule("R56")
@pytest.mark.parametrize(
    "changed",
    [
        SOME._replace(type="entry"),
        SOME._replace(contract=ContractId("0" * 32)),
        SOME._replace(log_epoch=2),
        SOME._replace(received_at_ms=SOME.received_at_ms + 1),
        SOME._replace(header="00" * 32),
        SOME._replace(body="00" * 32),
        SOME._replace(push="00" * 32),
    ],
)
def test_a_leaf_says_all_of_what_was_received_where_and_when(changed: Fields) -> None:
    assert leaf_of(changed) != leaf_of(SOME)
