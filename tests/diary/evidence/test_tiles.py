"""A log's tree in tiles: every root and every proof from what is kept (R56)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.merkle import HASH_BYTES, root_of
from diary.evidence.proof import proves_consistency, proves_inclusion
from diary.evidence.tiles import TILE_WIDTH, Tile, Tiles, last_tiles
from tests.rule import rule

LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(3 * TILE_WIDTH**2 // 2)]
SIZES = st.one_of(st.integers(0, 200), st.integers(0, len(LEAVES)))


class Kept:
    def __init__(self) -> None:
        self.tiles: dict[Tile, bytes] = {}
        self.size = 0

    def log(self) -> Tiles:
        return Tiles(self.size, lambda tile: self.tiles.get(tile, b""))

    def grow(self, end: int) -> None:
        log = self.log()
        log.extend(LEAVES[self.size : end])
        self.tiles |= log.changed
        self.size = log.size

    def cut(self, size: int) -> None:
        for (level, place), count in last_tiles(size):
            kept = self.tiles.get((level, place), b"")[: count * HASH_BYTES]
            self.tiles = {
                tile: hashes
                for tile, hashes in self.tiles.items()
                if tile < (level, place) or tile[0] > level
            }
            if kept:
                self.tiles[level, place] = kept
        self.tiles = {tile: hashes for tile, hashes in self.tiles.items() if tile[0] <= level}
        self.size = size


@rule("R56")
@given(st.lists(SIZES, min_size=1, max_size=5), SIZES)
def test_every_root_is_had_from_the_tiles_however_the_log_grew(steps: list[int], size: int) -> None:
    kept = Kept()
    for end in sorted(steps):
        kept.grow(end)
    at = min(size, kept.size)
    assert kept.log().root_at(at) == root_of(LEAVES[:at])


@rule("R56")
@given(SIZES, st.data())
def test_proofs_from_the_tiles_hold(size: int, data: st.DataObject) -> None:
    kept = Kept()
    kept.grow(max(size, 1))
    at = data.draw(st.integers(1, kept.size))
    index, old = data.draw(st.integers(0, at - 1)), data.draw(st.integers(1, at))
    log = kept.log()
    root = log.root_at(at)
    assert proves_inclusion(index, at, LEAVES[index], log.inclusion(index, at), root)
    assert log.leaf(index) == LEAVES[index]
    assert proves_consistency(old, at, log.consistency(old, at), log.root_at(old), root)


@rule("R43")
@given(SIZES, SIZES, SIZES)
def test_a_log_that_is_cut_grows_as_if_it_had_never_been_longer(longest: int, cut: int, end: int) -> None:
    kept, never = Kept(), Kept()
    kept.grow(longest)
    kept.cut(min(cut, longest))
    for log in (kept, never):
        log.grow(max(end, kept.size))
    assert kept.tiles == never.tiles
    assert kept.log().root_at(kept.size) == root_of(LEAVES[: kept.size])


@rule("R56")
def test_a_log_has_no_root_of_rows_that_it_has_not() -> None:
    with pytest.raises(AssertionError):
        Kept().log().root_at(1)
