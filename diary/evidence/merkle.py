"""The contract's Merkle log: leaves, root, and the range that lets it grow (R56; RFC 6962, section 2.1).

A leaf says what was received, where and when; it holds hashes of what is sealed, never of what was written.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from diary.evidence.receipt import SignedPush
from diary.evidence.signature import PUSH, signed_message
from diary.rules.ids import ContractId
from diary.rules.segment import VersionType

HASH_BYTES = 32
_LEAF = b"\x00"  # RFC 6962: a leaf can never pass for an inner node
_NODE = b"\x01"
_encoder = msgspec.json.Encoder()


def push_hash(signed: SignedPush) -> bytes:
    """Return SHA-256 of a push as it was signed: its whole message ‖ its signature (R56)."""
    return hashlib.sha256(signed_message(PUSH, signed.hashes) + signed.signature).digest()


def leaf_hash(
    type_: VersionType,
    contract: ContractId,
    log_epoch: int,
    received_at_ms: int,
    header_hash: bytes,
    body_hash: bytes,
    push: bytes,
) -> bytes:
    """Return the leaf of one accepted version: SHA-256(0x00 ‖ JSON) (R56).

    The JSON is compact: [type, contract, log epoch, received at in milliseconds, header hash, body hash, push
    hash], the hashes in hexadecimal. A leaf's index is its place in the log and stands nowhere in it.
    """
    hashes = (header_hash.hex(), body_hash.hex(), push.hex())
    return hashlib.sha256(
        _LEAF + _encoder.encode((type_, contract, log_epoch, received_at_ms, *hashes))
    ).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the inner node over two subtrees (RFC 6962, section 2.1)."""
    return hashlib.sha256(_NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that a log needs to grow and to say its root: the roots of its complete subtrees (R56).

    `peaks` are those subtrees from the left, one for each binary one of `size`, the greatest first. Of ten
    million leaves they are at most 24.

    Raises:
        ValueError: There are not as many peaks as the size has, or one is no hash.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        if self.size < 0 or self.size.bit_count() != len(self.peaks):
            raise ValueError(f"{len(self.peaks)} peaks of a log of {self.size} leaves")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError("a peak is 32 bytes")

    @classmethod
    def from_bytes(cls, size: int, joined: bytes) -> "CompactRange":
        """Return the range whose peaks are joined, as `to_bytes` gave them.

        Raises:
            ValueError: They are not the peaks of such a log.
        """
        return cls(size, tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)))

    def to_bytes(self) -> bytes:
        """Return the peaks, 32 bytes each."""
        return b"".join(self.peaks)

    def extended(self, leaf_hashes: Iterable[bytes]) -> "CompactRange":
        """Return the range with these leaves behind what it has: about one hash a leaf."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaf_hashes:
            node, complete = leaf, size
            while complete & 1:
                node = hashlib.sha256(_NODE + peaks.pop() + node).digest()
                complete >>= 1
            peaks.append(node)
            size += 1
        return CompactRange(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """Return the Merkle tree hash of the log; of none, SHA-256 of nothing."""
        return folded(self.peaks)


def folded(subtrees: Sequence[bytes]) -> bytes:
    """Return the hash over complete subtrees from the greatest to the smallest; of none, that of nothing."""
    if not subtrees:
        return hashlib.sha256(b"").digest()
    node = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        node = node_hash(left, node)
    return node


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash of a log, its leaves in order; of none, SHA-256 of nothing (R56)."""
    return CompactRange().extended(leaf_hashes).root
