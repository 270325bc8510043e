"""HPKE written apart from the product, to hold the library to the RFC (RFC 9180, base mode, one message).

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Unlike the library's public face it takes the
sender's one-time key, so that the vectors' bytes can be made again.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM_ID = (0x0020).to_bytes(2, "big")
_KDF_ID = (0x0001).to_bytes(2, "big")
_AEAD_ID = (0x0002).to_bytes(2, "big")
_KEM_SUITE = b"KEM" + _KEM_ID
_SUITE = b"HPKE" + _KEM_ID + _KDF_ID + _AEAD_ID
_BASE_MODE = b"\x00"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_NO_SALT = bytes(32)


def seal_to(public: bytes, plain: bytes, *, purpose: bytes, ephemeral: bytes) -> bytes:
    """Return enc ‖ ciphertext of `plain` for the holder of `public` (section 6.1); `purpose` is its info."""
    once = X25519PrivateKey.from_private_bytes(ephemeral)
    encapsulated = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = _schedule(shared, encapsulated, public, purpose)
    return encapsulated + AESGCM(key).encrypt(nonce, plain, None)


def _schedule(shared: bytes, encapsulated: bytes, public: bytes, purpose: bytes) -> tuple[bytes, bytes]:
    """Return key and first nonce: KeySchedule of section 5.1."""
    secret = shared_secret(shared, encapsulated, public)
    psk_hash = _extract(_SUITE, b"", b"psk_id_hash", b"")
    context = _BASE_MODE + psk_hash + _extract(_SUITE, b"", b"info_hash", purpose)
    root = _extract(_SUITE, secret, b"secret", b"")
    return (
        _expand(_SUITE, root, b"key", context, _KEY_BYTES),
        _expand(_SUITE, root, b"base_nonce", context, _NONCE_BYTES),
    )


def shared_secret(shared: bytes, encapsulated: bytes, public: bytes) -> bytes:
    """Return the shared secret of both sides: ExtractAndExpand of section 4.1."""
    mixed = _extract(_KEM_SUITE, b"", b"eae_prk", shared)
    return _expand(_KEM_SUITE, mixed, b"shared_secret", encapsulated + public, _KEY_BYTES)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """Return LabeledExtract (section 4)."""
    return hmac.digest(salt or _NO_SALT, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, context: bytes, length_bytes: int) -> bytes:
    """Return LabeledExpand (section 4) of at most one block of 32 bytes."""
    labelled = length_bytes.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return hmac.digest(key, labelled + b"\x01", "sha256")[:length_bytes]
