"""Reading `tests/vectors/*.json`, which bind Python and JavaScript to one format."""

from pathlib import Path
from typing import TypeVar

import msgspec

_FOLDER = Path(__file__).parent / "vectors"
_File = TypeVar("_File")


class SealedText(msgspec.Struct, frozen=True, kw_only=True):
    """A version as a vector shows it: the header's text, body and wrap in hexadecimal."""

    header: str
    body: str | None
    wrap: str | None = None


def vectors(name: str, shape: type[_File]) -> _File:
    """Return the vectors of one format, in the shape that a test reads."""
    return msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes(), type=shape)


def raw(text: str | None) -> bytes | None:
    """Return the bytes of hexadecimal text; None stays None."""
    return None if text is None else bytes.fromhex(text)
