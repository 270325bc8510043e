"""A log's leaves and inner nodes in tiles, so that every root and proof is a few reads away (R56).

A tile holds up to 64 neighbouring hashes of one tile level: level 0 the leaves, level 1 the roots of whole
tiles of leaves, and so on. Only complete subtrees are in it; what lies between two tile levels is hashed
when it is asked for. Where tiles lie is the caller's to know: this file never asks the disk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from diary.evidence.merkle import HASH_BYTES, CompactRange, folded, root_of
from diary.evidence.proof import consistency_proof, inclusion_proof, subtrees

TILE_BITS = 6  # 2 KB a tile: a row that is added alone writes one, a proof on ten million reads about eight
TILE_WIDTH = 1 << TILE_BITS

Tile = tuple[int, int]
"""Tile level and place."""

ReadTile = Callable[[Tile], bytes]
"""Return a tile's hashes, 32 bytes each; none where there is no such tile."""


@dataclass(slots=True)
class Tiles:
    """A log of `size` leaves over its tiles; `changed` are those that `extend` wrote."""

    size: int
    read: ReadTile
    changed: dict[Tile, bytes] = field(default_factory=dict)
    _at_hand: dict[Tile, bytes] = field(default_factory=dict)

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Put these leaves behind what the log has; the tiles to be kept are then in `changed`."""
        level, coming, first = 0, list(leaf_hashes), self.size
        self.size += len(coming)
        while coming:
            whole = self._append(level, first, coming)
            level, first, coming = level + 1, first >> TILE_BITS, whole

    def _append(self, level: int, first: int, coming: list[bytes]) -> list[bytes]:
        """Put hashes into the tiles of one level; return the roots of those that are whole now."""
        whole: list[bytes] = []
        at = 0
        while at < len(coming):
            place, within = divmod(first + at, TILE_WIDTH)
            part = coming[at : at + TILE_WIDTH - within]
            held = self._tile((level, place)) if within else b""
            tile = held[: within * HASH_BYTES] + b"".join(part)
            self.changed[level, place] = self._at_hand[level, place] = tile
            at += len(part)
            if within + len(part) == TILE_WIDTH:
                whole.append(root_of(_hashes(tile)))
        return whole

    def leaf(self, index: int) -> bytes:
        """Return one leaf."""
        return self.node(0, index)

    def node(self, level: int, place: int) -> bytes:
        """Return the root of the complete subtree of 2**level leaves at that place."""
        tile_level, above = divmod(level, TILE_BITS)
        first = place << above
        tile = self._tile((tile_level, first >> TILE_BITS))
        start = (first & (TILE_WIDTH - 1)) * HASH_BYTES
        part = tile[start : start + (HASH_BYTES << above)]
        assert len(part) == HASH_BYTES << above, "a subtree that is asked for is complete"
        return part if above == 0 else root_of(_hashes(part))

    def range_at(self, size: int) -> CompactRange:
        """Return what the log was when it had so many leaves."""
        assert 0 <= size <= self.size, "no log is known beyond its size"
        return CompactRange(size, tuple(self.node(level, place) for level, place in subtrees(0, size)))

    def root_at(self, size: int) -> bytes:
        """Return the root that the log had at a size."""
        return folded(self.range_at(size).peaks)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of a leaf at a size (see `inclusion_proof`)."""
        return inclusion_proof(index, size, self.node)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that the log only grew from one size to another (see `consistency_proof`)."""
        return consistency_proof(old, size, self.node)

    def _tile(self, tile: Tile) -> bytes:
        if tile not in self._at_hand:
            self._at_hand[tile] = self.read(tile)
        return self._at_hand[tile]


def last_tiles(size: int) -> Iterable[tuple[Tile, int]]:
    """Yield for each tile level the last tile of a log of `size` leaves, and how many hashes it holds.

    A level that holds nothing yields its first tile with none: what lies there is of a longer log.
    """
    level, count = 0, size
    while True:
        place = count >> TILE_BITS
        yield (level, place), count & (TILE_WIDTH - 1)
        if not count:
            return
        level, count = level + 1, count >> TILE_BITS


def _hashes(joined: bytes) -> list[bytes]:
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
