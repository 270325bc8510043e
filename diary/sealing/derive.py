"""One key out of another (RFC 5869): HKDF-SHA256 with an empty salt, one block of output.

Every key below an epoch key, a row key, the account key or the root is made here, each by an info string of
its own, so that no key ever serves two ends (R47, R49).

HMAC (RFC 2104) is written out as its two hashes: three keys are derived for every row that is opened, and a
library's HMAC looks its hash up anew for each, which costs more than the hashing.
"""

from hashlib import sha256

KEY_BYTES = 32
_BLOCK_BYTES = 64  # SHA-256 hashes so many bytes at a time; a key is filled up to them with zeros
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
# RFC 5869, section 2.2: an absent salt is as many zeros as the hash is long; filled up, a block of zeros.
_INNER_OF_NO_SALT = bytes(_BLOCK_BYTES).translate(_INNER)
_OUTER_OF_NO_SALT = bytes(_BLOCK_BYTES).translate(_OUTER)
_FIRST_BLOCK = b"\x01"


def extract(key: bytes) -> bytes:
    """Return the pseudorandom key of `key` (RFC 5869, section 2.2), for those who derive several from one."""
    return sha256(_OUTER_OF_NO_SALT + sha256(_INNER_OF_NO_SALT + key).digest()).digest()


def expand(pseudorandom_key: bytes, info: bytes) -> bytes:
    """Return the first 32 bytes of output for `info` (RFC 5869, section 2.3).

    `pseudorandom_key` is what `extract` returned.
    """
    assert len(pseudorandom_key) <= _BLOCK_BYTES, "a longer key would be hashed first (RFC 2104, section 2)"
    block = pseudorandom_key.ljust(_BLOCK_BYTES, b"\x00")
    inner = sha256(block.translate(_INNER) + info + _FIRST_BLOCK).digest()
    return sha256(block.translate(_OUTER) + inner).digest()


def derive(key: bytes, info: bytes) -> bytes:
    """Return the 32-byte key that `info` names under `key`: HKDF(key, info)."""
    return expand(extract(key), info)
