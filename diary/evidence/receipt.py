"""What the server answers and what a feed holds (R37, R40, R45, R48, R56).

These are the messages' parts that a diary keeps; the messages themselves are in `sync.protocol`. In JSON,
bytes travel as base64 and headers as text.
"""

from collections.abc import Sequence

import msgspec

from diary.errors import PeerError
from diary.evidence import signature
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.unreadable import UNREADABLE


class ForgedAnswerError(PeerError):
    """An answer bears no signature by the server that this diary knows (R37d)."""

    says = "The answer is not signed by the server this diary is registered with."
    mend = "Nothing was taken from it. If the server was set up anew, register again: diary register URL."


class BrokenAnswerError(PeerError):
    """An answer was signed by the server and is no list of receipts and refusals (R37d)."""

    says = "The server signed an answer that cannot be read: {because}."
    mend = "Nothing was taken from it. Update this program or the server."


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag="receipt", tag_field="is"):
    """The server holds this version: its place in the contract's log and the instant of receipt (R56)."""

    replica: ReplicaId
    n: int
    contract: ContractId
    log_epoch: int
    index: int
    received_at_ms: int
    leaf: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal", tag_field="is", omit_defaults=True):
    """The server refuses this version; `reason` is a word of CLI.md, `because` a sentence (R37d).

    Where the name is answered so for ever (R40), `header_hash` and `body_hash`, in hexadecimal, say of which
    version: by them a server that lost the refusal takes it back (R43). Else they are "".
    """

    replica: ReplicaId
    n: int
    reason: str
    because: str
    refused_at_ms: int
    header_hash: str = ""
    body_hash: str = ""


class SignedPush(msgspec.Struct, frozen=True, kw_only=True):
    """A push as it was signed: SHA-256(header) ‖ SHA-256(body) a version, 64 bytes each (R48)."""

    replica: ReplicaId
    hashes: bytes
    signature: bytes


class SignedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer to one push, as it was signed: `text` is the exact JSON of the answers (R37d)."""

    text: str
    signature: bytes


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a contract's feed (R45).

    `push` is the hash of the signed push, in hexadecimal. `body` and `wrap` are None where the version was
    superseded or destroyed; `body_hash` stays, so that the leaf can still be computed.
    """

    log_epoch: int
    index: int
    received_at_ms: int
    push: str
    header: str
    body_hash: str
    body: bytes | None
    wrap: bytes | None


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a feed has been read: the log's epoch, the rows known, and the seals known (R45, R57)."""

    log_epoch: int
    size: int
    seals: int = 0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one feed, in order from the cursor, with the pushes that signed them by their hash.

    `proof` is the server's signature over their leaves (`diary.evidence.page_proof`), None for no rows.
    `before` is the leaf of the row before the first, in hexadecimal, None at the log's start: a reader who
    holds another one there was shown another log (R43, R56). `signed_head` says what `head` says and the
    root, under the server's signature (`diary.evidence.head`); `seals` are those behind the cursor's count
    (R57).
    """

    contract: ContractId
    rows: list[LogRow]
    pushes: dict[str, SignedPush]
    head: Cursor
    proof: bytes | None = None
    before: str | None = None
    signed_head: SignedStatement | None = None
    seals: list[SignedStatement] = []


_encoder = msgspec.json.Encoder()
_answers = msgspec.json.Decoder(list[Receipt | Refusal])


def sign_answer(answers: Sequence[Receipt | Refusal], key: signature.SigningKey) -> SignedAnswer:
    """Return the answers to one push with the server's one signature over all of them (R37d, R56)."""
    text = _encoder.encode(list(answers))
    return SignedAnswer(text=text.decode(), signature=signature.sign(key, signature.ANSWER, text))


def read_answer(signed: SignedAnswer, server_key: bytes) -> list[Receipt | Refusal]:
    """Return the answers that the server's Ed25519 key (32 bytes) signed, in the order of the push (R37d).

    Raises:
        ForgedAnswerError: That key did not sign them.
        BrokenAnswerError: It signed something else.
    """
    if not is_answer_of(signed, server_key):
        raise ForgedAnswerError
    try:
        return _answers.decode(signed.text)
    except UNREADABLE as error:
        raise BrokenAnswerError(because=error) from error


def is_answer_of(signed: SignedAnswer, server_key: bytes) -> bool:
    """Return whether a server signed the answer (R37d)."""
    return signature.verify(server_key, signature.ANSWER, signed.text.encode(), signed.signature)


def receipts_in(kept: SignedAnswer) -> dict[tuple[ReplicaId, int], Receipt]:
    """Return the receipts of an answer that was checked when it came, by the names they speak of (R56).

    Whose signature it bears is not looked at again.
    """
    return {(item.replica, item.n): item for item in _answers.decode(kept.text) if isinstance(item, Receipt)}
