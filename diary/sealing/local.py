"""What never leaves this device is sealed under the account's key: drafts, history, settings (R46, R49).

A key for each purpose, so that a draft put where a setting belongs does not open. This file draws no
randomness: the nonce is an argument, 12 random bytes a sealing.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diary.errors import DamageError
from diary.sealing.derive import derive

NONCE_BYTES = 12
_TAG_BYTES = 16
_PURPOSE = "workdiary/1/local/"
_PURPOSES_AT_HAND = 32  # drafts are sealed every minute under the same few keys


class LocalDamageError(DamageError):
    """Something sealed on this device does not open (R46)."""

    says = "What this device kept for its {purpose} does not open: it was altered, or sealed by another key."
    mend = "Restore the diary from a backup, or sign in again with the recovery phrase."


def seal_local(plain: bytes, *, key: bytes, purpose: str, nonce: bytes) -> bytes:
    """Return `plain` sealed for `purpose` under the account's key: nonce ‖ ciphertext (R49)."""
    assert len(nonce) == NONCE_BYTES, "a nonce has 12 bytes"
    return nonce + _cipher(key, purpose).encrypt(nonce, plain, None)


def open_local(sealed: bytes, *, key: bytes, purpose: str) -> bytes:
    """Return what was sealed for `purpose` (R49).

    Raises:
        LocalDamageError: Altered, cut short, or sealed by another key or for another purpose.
    """
    if len(sealed) < NONCE_BYTES + _TAG_BYTES:
        raise LocalDamageError(purpose=purpose)
    try:
        return _cipher(key, purpose).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except InvalidTag as error:
        raise LocalDamageError(purpose=purpose) from error


@lru_cache(maxsize=_PURPOSES_AT_HAND)
def _cipher(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(derive(key, (_PURPOSE + purpose).encode()))
