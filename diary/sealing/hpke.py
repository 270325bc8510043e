"""Sealing to a public key: HPKE, base mode, one message (RFC 9180).

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. It is written out here because the public face of
`cryptography`'s own HPKE binds no additional data and cannot be given its ephemeral key; tests compare the
two, and hold this one against the RFC's vectors.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PUBLIC_BYTES = 32
_KEM_ID = (0x0020).to_bytes(2, "big")
_KDF_ID = (0x0001).to_bytes(2, "big")
_AEAD_ID = (0x0002).to_bytes(2, "big")
_KEM_SUITE = b"KEM" + _KEM_ID
_SUITE = b"HPKE" + _KEM_ID + _KDF_ID + _AEAD_ID
_BASE_MODE = b"\x00"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_NO_SALT = bytes(32)


def seal_to(
    public: bytes, plain: bytes, *, purpose: bytes, bound: bytes, ephemeral: bytes | None = None
) -> bytes:
    """Return enc ‖ ciphertext of `plain` for the holder of `public` (RFC 9180, section 6.1).

    `purpose` is the RFC's info, `bound` its aad. `ephemeral` is a private key of 32 random bytes, used once;
    None lets the library draw it.

    Raises:
        ValueError: `public` is no usable X25519 key.
    """
    once = X25519PrivateKey.from_private_bytes(ephemeral) if ephemeral else X25519PrivateKey.generate()
    encapsulated = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = _schedule(shared, encapsulated, public, purpose)
    return encapsulated + AESGCM(key).encrypt(nonce, plain, bound)


def open_sealed(sealed: bytes, private: bytes, *, purpose: bytes, bound: bytes) -> bytes:
    """Return what was sealed to the public key of `private`.

    Raises:
        InvalidTag: Sealed to another key, for another purpose or bound to something else, or altered.
        ValueError: Its ephemeral key is no usable one.
    """
    own = X25519PrivateKey.from_private_bytes(private)
    encapsulated = sealed[:PUBLIC_BYTES]
    shared = own.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    key, nonce = _schedule(shared, encapsulated, own.public_key().public_bytes_raw(), purpose)
    return AESGCM(key).decrypt(nonce, sealed[PUBLIC_BYTES:], bound)


def _schedule(shared: bytes, encapsulated: bytes, public: bytes, purpose: bytes) -> tuple[bytes, bytes]:
    """Return key and first nonce: KeySchedule of section 5.1."""
    secret = _shared_secret(shared, encapsulated, public)
    psk_hash = _extract(_SUITE, b"", b"psk_id_hash", b"")
    context = _BASE_MODE + psk_hash + _extract(_SUITE, b"", b"info_hash", purpose)
    root = _extract(_SUITE, secret, b"secret", b"")
    return (
        _expand(_SUITE, root, b"key", context, _KEY_BYTES),
        _expand(_SUITE, root, b"base_nonce", context, _NONCE_BYTES),
    )


def _shared_secret(shared: bytes, encapsulated: bytes, public: bytes) -> bytes:
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
