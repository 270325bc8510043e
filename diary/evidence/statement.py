"""What a server states: the exact JSON text, and its signature in the domain of its kind (R37d, R56, R57)."""

from typing import TypeVar

import msgspec

from diary.errors import PeerError
from diary.evidence import signature
from diary.rules.unreadable import UNREADABLE

_Value = TypeVar("_Value")


class ForgedStatementError(PeerError):
    """A statement bears no signature by the server that this diary knows (R56)."""

    says = "The server shows a {what} that it did not sign."
    mend = "Nothing was taken from it. If the server was set up anew, register again: diary register URL."


class BrokenStatementError(PeerError):
    """The server signed a statement that says nothing (R56)."""

    says = "The server signed a {what} that cannot be read: {because}."
    mend = "Nothing was taken from it. Update this program or the server."


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as the server signed it: `text` is exact, and kept as it came."""

    text: str
    signature: bytes


_encoder = msgspec.json.Encoder(order="deterministic")


def sign_statement(
    value: msgspec.Struct, domain: signature.Domain, key: signature.SigningKey
) -> SignedStatement:
    """Return the value as JSON text under the server's signature."""
    text = _encoder.encode(value)
    return SignedStatement(text=text.decode(), signature=signature.sign(key, domain, text))


def read_statement(
    signed: SignedStatement,
    domain: signature.Domain,
    decoder: msgspec.json.Decoder[_Value],
    server_key: bytes,
    what: str,
) -> _Value:
    """Return what the server's Ed25519 key (32 bytes) stated; `what` names it to a person.

    Raises:
        ForgedStatementError: That key did not sign it in this domain.
        BrokenStatementError: It signed something else.
    """
    text = signed.text.encode()
    if not signature.verify(server_key, domain, text, signed.signature):
        raise ForgedStatementError(what=what)
    try:
        return decoder.decode(text)
    except UNREADABLE as error:
        raise BrokenStatementError(what=what, because=error) from error
