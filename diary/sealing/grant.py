"""A key granted to one device or to "recovery": sealed to its public key, bound to the header (R49).

The body is HPKE's enc ‖ ciphertext of the 32-byte key, with info "workdiary/1/grant" and AAD =
SHA-256(header); a grant has no wrap.
"""

import hashlib

from cryptography.exceptions import InvalidTag

from diary.errors import DamageError
from diary.rules.segment import Header, Sealed, parse_header
from diary.sealing.derive import KEY_BYTES
from diary.sealing.hpke import open_sealed, seal_to

GRANT_BYTES = 32 + KEY_BYTES + 16  # ephemeral public key, key, tag
_PURPOSE = b"workdiary/1/grant"


class WrongGrantError(DamageError):
    """A grant does not open: it was sealed to another key, put under another header, or altered (R49)."""

    says = "The key granted to {to} in version {replica}:{n} does not open."
    mend = "Sync again; another of your devices can grant the key anew."


def seal_grant(header: Header, key: bytes, to_public: bytes, *, ephemeral: bytes | None = None) -> Sealed:
    """Return the version that grants `key` to the holder of `to_public` (R49).

    `ephemeral` is 32 random bytes, used once; with None the library draws them.

    Raises:
        ValueError: `to_public` is no usable X25519 key.
    """
    assert header.grant is not None, "a grant's header says to whom"
    assert len(key) == KEY_BYTES, "what is granted is one key of 32 bytes"
    raw = header.to_bytes()
    bound = hashlib.sha256(raw).digest()
    body = seal_to(to_public, key, purpose=_PURPOSE, bound=bound, ephemeral=ephemeral)
    return Sealed(header=raw, body=body, wrap=None)


def open_grant(sealed: Sealed, private: bytes) -> bytes:
    """Return the 32-byte key that was granted to the holder of `private` (R49).

    Raises:
        WrongGrantError: Sealed to another key or under another header, or altered.
    """
    body = sealed.body or b""
    try:
        if len(body) == GRANT_BYTES:
            bound = hashlib.sha256(sealed.header).digest()
            return open_sealed(body, private, purpose=_PURPOSE, bound=bound)
    except (InvalidTag, ValueError) as error:
        raise _wrong_grant(sealed) from error
    raise _wrong_grant(sealed)


def _wrong_grant(sealed: Sealed) -> WrongGrantError:
    try:
        header = parse_header(sealed.header)
    except ValueError:
        return WrongGrantError(to="nobody", replica="?", n=0)
    to = header.grant.to if header.grant else "nobody"
    return WrongGrantError(to=to, replica=header.replica, n=header.n)
