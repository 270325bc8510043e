"""Ed25519 signatures, each in a domain of its own (R48).

What is signed is the domain's UTF-8, a zero byte, then the payload, so that a signature given for one end
never counts for another.
"""

from typing import Final, Literal, TypeAlias, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Domain = Literal[
    "workdiary/1/push",
    "workdiary/1/device-list",
    "workdiary/1/answer",
    "workdiary/1/root-proof",
    "workdiary/1/head",
    "workdiary/1/epoch",
    "workdiary/1/heal",
    "workdiary/1/page",
    "workdiary/1/joining",
    "workdiary/1/seal",
    "workdiary/1/bundle",
    "workdiary/1/invoice",
    "workdiary/1/invoice-part",
]
PUSH: Final = "workdiary/1/push"
DEVICE_LIST: Final = "workdiary/1/device-list"
ANSWER: Final = "workdiary/1/answer"
ROOT_PROOF: Final = "workdiary/1/root-proof"
HEAD: Final = "workdiary/1/head"
EPOCH: Final = "workdiary/1/epoch"
HEAL: Final = "workdiary/1/heal"
PAGE: Final = "workdiary/1/page"
JOINING: Final = "workdiary/1/joining"
SEAL: Final = "workdiary/1/seal"
BUNDLE: Final = "workdiary/1/bundle"
INVOICE: Final = "workdiary/1/invoice"
INVOICE_PART: Final = "workdiary/1/invoice-part"
DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)

# A seed, or what is made of it: that takes as long as a signature, and a server signs all day.
SigningKey: TypeAlias = bytes | Ed25519PrivateKey

SIGNATURE_BYTES = 64
PUBLIC_BYTES = 32


def signed_message(domain: Domain, payload: bytes) -> bytes:
    """Return the bytes that are signed: domain ‖ 0x00 ‖ payload (R48)."""
    return domain.encode() + b"\x00" + payload


def sign(key: SigningKey, domain: Domain, payload: bytes) -> bytes:
    """Return the 64-byte signature by the key, or by the one that its 32-byte seed makes (RFC 8032)."""
    private = key if isinstance(key, Ed25519PrivateKey) else Ed25519PrivateKey.from_private_bytes(key)
    return private.sign(signed_message(domain, payload))


def public_of(seed: bytes) -> bytes:
    """Return the 32-byte public key of a signing seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def verify(public: bytes, domain: Domain, payload: bytes, signature: bytes) -> bool:
    """Return whether `signature` is by `public` over this payload in this domain (R48).

    A key or signature that is none at all does not verify; it raises nothing.
    """
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed_message(domain, payload))
    except (InvalidSignature, ValueError):
        return False
    return True
