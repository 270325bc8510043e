"""A server's address, and the key that it must answer with: `https://diary.example#KEY` (R50).

A key is 64 hexadecimal digits; spaces and colons between them are for the eye.
"""

import re
from dataclasses import dataclass

from diary.errors import PeerError, UsageError

_KEY = re.compile(r"[0-9a-f]{64}")
_FOR_THE_EYE = re.compile(r"[\s:]")
GROUP_DIGITS = 8


class NoServerKeyError(UsageError):
    """What should be a server's key is none."""

    says = "“{given}” is no key of a server."
    mend = "It is 64 hexadecimal digits, as `diary register` shows them after the first contact."


class TwoServerKeysError(UsageError):
    """An address names one key and the option another."""

    says = "The address names another key than --key."
    mend = "Ask who runs the server which of them is right."


class UnexpectedKeyError(PeerError):
    """A server answers with another key than the one it must have (R50)."""

    says = "server_key: {url} answers with another key than it should: {found}."
    mend = (
        "Nothing was sent to it. Either somebody stands between, or its key was made anew: ask who runs it, "
        "by another way than this, which key it has."
    )


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, and its key in hexadecimal where that is known before the first contact."""

    url: str
    key: str | None


def read_address(text: str, key: str | None = None) -> ServerAddress:
    """Return the address and the key that it, or the option beside it, names.

    Raises:
        NoServerKeyError: What is named is no key.
        TwoServerKeysError: They name two.
    """
    url, _, behind = text.strip().partition("#")
    named = [_key_of(given) for given in (behind, key or "") if given]
    if len(set(named)) > 1:
        raise TwoServerKeysError
    return ServerAddress(url, named[0] if named else None)


def in_groups(key: str) -> str:
    """Return a key so that two people can compare it."""
    return " ".join(key[at : at + GROUP_DIGITS] for at in range(0, len(key), GROUP_DIGITS))


def require_key(url: str, found: str, expected: str | None) -> None:
    """Check that a server answers with the key that it must have; None for any.

    Raises:
        UnexpectedKeyError: It does not.
    """
    if expected is not None and found != expected:
        raise UnexpectedKeyError(url=url, found=in_groups(found))


def _key_of(given: str) -> str:
    key = _FOR_THE_EYE.sub("", given).lower()
    if not _KEY.fullmatch(key):
        raise NoServerKeyError(given=given)
    return key
