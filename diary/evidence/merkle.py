"""The contract's Merkle log: leaves and root (R56; RFC 6962, section 2.1).

A leaf says what was received, where and when; it holds hashes of what is sealed, never of what was written.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from diary.evidence.receipt import SignedPush
from diary.evidence.signature import PUSH, signed_message
from diary.rules.ids import ContractId
from diary.rules.segment import VersionType

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


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of a log, its leaves in order; of none, SHA-256 of nothing (R56)."""
    if not leaf_hashes:
        return hashlib.sha256(b"").digest()
    level = list(leaf_hashes)
    while len(level) > 1:
        # Pairing from the left and carrying an odd last one up splits at the greatest power of two below the
        # size, as the RFC defines it by recursion.
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs] + odd
    return level[0]
