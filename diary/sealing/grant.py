"""A key granted to one device or to "recovery": sealed to its public key, bound to the header (R49).

The body is HPKE's enc ‖ ciphertext of the 32-byte key (RFC 9180, base mode, X25519, HKDF-SHA256,
AES-256-GCM), with info "workdiary/1/grant" ‖ 0x00 ‖ SHA-256(header) and no AAD: the info binds the header as
well as an AAD would, and the library takes it. A grant has no wrap.
"""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from diary.errors import DamageError
from diary.rules.segment import Header, Sealed, parse_header
from diary.sealing.derive import KEY_BYTES

GRANT_BYTES = 32 + KEY_BYTES + 16  # ephemeral public key, key, tag
_PURPOSE = b"workdiary/1/grant\x00"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class WrongGrantError(DamageError):
    """A grant does not open: it was sealed to another key, put under another header, or altered (R49)."""

    says = "The key granted to {to} in version {replica}:{n} does not open."
    mend = "Sync again; another of your devices can grant the key anew."


def seal_grant(header: Header, key: bytes, to_public: bytes) -> Sealed:
    """Return the version that grants `key` to the holder of `to_public` (R49).

    The library draws the one-time key: no two grants are alike.

    Raises:
        ValueError: `to_public` is no usable X25519 key.
    """
    assert header.grant is not None, "a grant's header says to whom"
    assert len(key) == KEY_BYTES, "what is granted is one key of 32 bytes"
    raw = header.to_bytes()
    body = SUITE.encrypt(key, X25519PublicKey.from_public_bytes(to_public), _info(raw))
    return Sealed(header=raw, body=body, wrap=None)


def open_grant(sealed: Sealed, private: bytes) -> bytes:
    """Return the 32-byte key that was granted to the holder of `private` (R49).

    Raises:
        WrongGrantError: Sealed to another key or under another header, or altered.
    """
    body = sealed.body or b""
    try:
        if len(body) == GRANT_BYTES:
            return SUITE.decrypt(body, X25519PrivateKey.from_private_bytes(private), _info(sealed.header))
    except (InvalidTag, ValueError) as error:
        raise _wrong_grant(sealed) from error
    raise _wrong_grant(sealed)


def _info(header: bytes) -> bytes:
    return _PURPOSE + hashlib.sha256(header).digest()


def _wrong_grant(sealed: Sealed) -> WrongGrantError:
    try:
        header = parse_header(sealed.header)
    except ValueError:
        return WrongGrantError(to="nobody", replica="?", n=0)
    to = header.grant.to if header.grant else "nobody"
    return WrongGrantError(to=to, replica=header.replica, n=header.n)
