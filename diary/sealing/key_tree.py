"""The keys of an account and of a device, and what they come from (R49, R50).

Twelve words are 16 bytes (BIP-39, English); from them come the root's signing key, which names the account
and signs its device list, and the recovery key, to which every epoch key is granted. A device's own three
secrets are random and lie at one place (`diary.sealing.keyring`). Nothing here shows a secret when printed.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from diary.errors import UsageError
from diary.evidence import signature
from diary.rules.ids import AccountId
from diary.rules.segment import Sealed
from diary.sealing.derive import KEY_BYTES, derive

if TYPE_CHECKING:
    from mnemonic import Mnemonic

PHRASE_WORDS = 12
ENTROPY_BYTES = 16
_ROOT = b"workdiary/1/root"
_ROOT_SIGN = _ROOT + b"/sign"
_ROOT_BOX = _ROOT + b"/box"
_TOKEN = b"workdiary/1/token"
_DIGEST = b"workdiary/1/recovery/keys\x00"


class WrongPhraseError(UsageError):
    """The words are no recovery phrase (R50)."""

    says = "This is not a recovery phrase: {because}."
    mend = "Compare it with what you wrote down: twelve English words in their order."


def new_phrase(entropy16: bytes) -> str:
    """Return the twelve words of 16 random bytes (BIP-39, English; R50)."""
    assert len(entropy16) == ENTROPY_BYTES, "twelve words hold 16 bytes"
    return _english().to_mnemonic(entropy16)


def entropy_of(phrase: str) -> bytes:
    """Return the 16 bytes that twelve words hold, however they are spaced or capitalised (R50).

    Raises:
        WrongPhraseError: Not twelve words, a word that is not on the list, or a failing checksum.
    """
    words = phrase.lower().split()
    if len(words) != PHRASE_WORDS:
        raise WrongPhraseError(because=f"it has {len(words)} words, not {PHRASE_WORDS}")
    for place, word in enumerate(words, start=1):
        if word not in _known_words():
            raise WrongPhraseError(because=f"word {place}, “{word}”, is not on the list")
    try:
        return bytes(_english().to_entropy(words))
    except ValueError as error:
        because = "each word is known, but the checksum fails: one is another word, or two are swapped"
        raise WrongPhraseError(because=because) from error


@dataclass(frozen=True, slots=True)
class Root:
    """The keys that a recovery phrase makes; held in memory only while it is needed (R50)."""

    sign_seed: bytes = field(repr=False)
    box_private: bytes = field(repr=False)

    @classmethod
    def from_phrase(cls, phrase: str) -> "Root":
        """Return the root of twelve words.

        Raises:
            WrongPhraseError: See `entropy_of`.
        """
        entropy = entropy_of(phrase)
        return cls(sign_seed=derive(entropy, _ROOT_SIGN), box_private=derive(entropy, _ROOT_BOX))

    @property
    def account(self) -> AccountId:
        """Return the account's id: the first 32 hexadecimal digits of SHA-256(root public key)."""
        from diary.evidence.device_list import account_of

        return account_of(self.sign_public)

    @property
    def sign_public(self) -> bytes:
        """Return the 32-byte Ed25519 public key."""
        return signature.public_of(self.sign_seed)

    @property
    def recovery_public(self) -> bytes:
        """Return the 32-byte X25519 public key to which keys are granted as "recovery"."""
        return _box_public(self.box_private)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a whole message (`signature.signed_message` makes one)."""
        return Ed25519PrivateKey.from_private_bytes(self.sign_seed).sign(message)

    def open_grant(self, sealed: Sealed) -> bytes:
        """Return the key that was granted to "recovery".

        Raises:
            WrongGrantError: It was sealed to another key, or altered.
        """
        from diary.sealing.grant import open_grant

        return open_grant(sealed, self.box_private)


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The three secrets of one device, 32 bytes each (R49)."""

    account_key: bytes = field(repr=False)
    sign_seed: bytes = field(repr=False)
    box_private: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what are no keys."""
        if any(len(key) != KEY_BYTES for key in (self.account_key, self.sign_seed, self.box_private)):
            raise ValueError("each of a device's keys has 32 bytes")

    @property
    def token(self) -> str:
        """Return what this device shows to the server with each request; the server keeps its hash."""
        return derive(self.sign_seed, _TOKEN).hex()

    @property
    def digest(self) -> str:
        """Return what tells these secrets from others; they are random, so that it gives nothing away."""
        secrets = self.account_key + self.sign_seed + self.box_private
        return hashlib.sha256(_DIGEST + secrets).hexdigest()

    @property
    def sign_public(self) -> bytes:
        """Return the 32-byte Ed25519 public key."""
        return signature.public_of(self.sign_seed)

    @property
    def box_public(self) -> bytes:
        """Return the 32-byte X25519 public key."""
        return _box_public(self.box_private)

    def sign(self, domain: signature.Domain, payload: bytes) -> bytes:
        """Return this device's signature over a payload in a domain (R48)."""
        return signature.sign(self.sign_seed, domain, payload)

    def open_grant(self, sealed: Sealed) -> bytes:
        """Return the key that was granted to this device.

        Raises:
            WrongGrantError: It was sealed to another key, or altered.
        """
        from diary.sealing.grant import open_grant

        return open_grant(sealed, self.box_private)


def _box_public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


@cache
def _english() -> "Mnemonic":
    from mnemonic import Mnemonic

    return Mnemonic("english")


@cache
def _known_words() -> frozenset[str]:
    return frozenset(_english().wordlist)
