"""One version as it was pushed: hashed and parsed, before anything about it is judged (R40, R48)."""

import hashlib

import msgspec

from diary.rules.segment import Header, MalformedHeaderError, parse_header
from diary.rules.unreadable import UNREADABLE
from sync.protocol import WireVersion


class Pushed(msgspec.Struct, frozen=True):
    """One version as it came: `header` is None where it cannot be read, and `fault` says why.

    `n` is the number that the version bears, 0 where even that cannot be read.
    """

    text: str
    header: Header | None
    fault: str
    n: int
    header_hash: bytes
    body_hash: bytes
    body: bytes | None
    wrap: bytes | None


class _NumberOnly(msgspec.Struct):
    """The one field that names a version whose header is otherwise unreadable."""

    n: int = 0


_number_of = msgspec.json.Decoder(_NumberOnly)


def read(version: WireVersion) -> Pushed:
    """Return the version as it came, hashed and parsed; nothing is refused yet."""
    raw = version.header.encode()
    fault, header, n = "", None, 0
    try:
        header = parse_header(raw)
        n = header.n
    except MalformedHeaderError as error:
        fault = str(error).replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL's text holds no NUL
        n = _number_in(raw)
    return Pushed(
        text=version.header,
        header=header,
        fault=fault,
        n=n,
        header_hash=hashlib.sha256(raw).digest(),
        body_hash=hashlib.sha256(version.body or b"").digest(),
        body=version.body,
        wrap=version.wrap,
    )


def _number_in(raw: bytes) -> int:
    try:
        n = _number_of.decode(raw).n
    except UNREADABLE:
        return 0
    return n if 1 <= n < 2**53 else 0
