"""One key out of another (RFC 5869): HKDF-SHA256 with an empty salt, one block of output.

Every key below an epoch key, a row key, the account key or the root is made here, each by an info string of
its own, so that no key ever serves two ends (R47, R49).
"""

import hmac

KEY_BYTES = 32
_EMPTY_SALT = bytes(32)  # RFC 5869, section 2.2: an absent salt is as many zeros as the hash is long
_FIRST_BLOCK = b"\x01"


def extract(key: bytes) -> bytes:
    """Return the pseudorandom key of `key` (RFC 5869, section 2.2), for those who derive several from one."""
    return hmac.digest(_EMPTY_SALT, key, "sha256")


def expand(pseudorandom_key: bytes, info: bytes) -> bytes:
    """Return the first 32 bytes of output for `info` (RFC 5869, section 2.3)."""
    # Two HMAC calls cost half of what a HKDF object does, and four keys are derived for every row.
    return hmac.digest(pseudorandom_key, info + _FIRST_BLOCK, "sha256")


def derive(key: bytes, info: bytes) -> bytes:
    """Return the 32-byte key that `info` names under `key`: HKDF(key, info)."""
    return expand(extract(key), info)
