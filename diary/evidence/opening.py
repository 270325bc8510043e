"""How an account's logs go on at a server that was restored from an old backup (R43).

The server signs what it still knows: of each log the epoch, the size and the Merkle root of what it kept.
From there the log goes on in a new epoch; whoever knew more of it knows by this which rows were lost. Pure.
"""

import msgspec

from diary.errors import PeerError
from diary.evidence import signature
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.unreadable import UNREADABLE

FIRST_EPOCH = 1


class ForgedOpeningError(PeerError):
    """A statement that logs were begun anew bears no signature by this diary's server (R43)."""

    says = "The server says that it was restored, by a statement that it did not sign."
    mend = "Nothing was taken from it. If the server was set up anew, register again: diary register URL."


class BrokenOpeningError(PeerError):
    """The server signed a statement that says nothing (R43)."""

    says = "The server signed a statement about its restoring that cannot be read: {because}."
    mend = "Nothing was taken from it. Update this program or the server."


class KnownHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the server still knew of one log: its newest epoch, its size, its root in hexadecimal (R56)."""

    log_epoch: int
    size: int
    root: str


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """All logs of an account go on in a new epoch from the heads that are named (R43).

    A log that is not named was not known: it begins with no rows. `log_epoch` is greater than all before;
    it is the instant in milliseconds, so that a server restored twice from one backup gives no number twice.
    """

    account: AccountId
    log_epoch: int
    opened_at_ms: Millis
    heads: dict[ContractId, KnownHead]

    def kept(self, contract: ContractId) -> int:
        """Return how many rows of a log the server kept."""
        head = self.heads.get(contract)
        return head.size if head else 0


class SignedOpening(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as the server signed it: `text` is the exact JSON of an `Opening`."""

    text: str
    signature: bytes


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Opening)


def sign_opening(opening: Opening, key: signature.SigningKey) -> SignedOpening:
    """Return the statement under the server's signature (R43)."""
    text = _encoder.encode(opening)
    return SignedOpening(text=text.decode(), signature=signature.sign(key, signature.EPOCH, text))


def read_opening(signed: SignedOpening, server_key: bytes) -> Opening:
    """Return what the server's Ed25519 key (32 bytes) stated (R43).

    Raises:
        ForgedOpeningError: That key did not sign it.
        BrokenOpeningError: It signed something else.
    """
    text = signed.text.encode()
    if not signature.verify(server_key, signature.EPOCH, text, signed.signature):
        raise ForgedOpeningError
    try:
        opening = _decoder.decode(text)
    except UNREADABLE as error:
        raise BrokenOpeningError(because=error) from error
    if opening.log_epoch <= FIRST_EPOCH or any(head.size < 0 for head in opening.heads.values()):
        raise BrokenOpeningError(because="an epoch or a size is none")
    return opening
