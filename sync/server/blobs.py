"""The contract of the place where sealed pictures lie: parts that grow, and whole ones (R25, R41, R69).

Every place passes `tests/sync/server/test_blobs.py`. Several threads and several server processes may ask
at once, and any of them may be killed between any two steps. What a name stands for is fixed, since the name
is the hash of the bytes: whoever writes at an offset writes what is there already or belongs there, and what
does not is found when the whole is hashed. So two uploads of one picture cannot harm each other.

What was acknowledged is durable. Where the place cannot be reached or is full, every verb raises
`BusyError`: nothing was stored that an answer speaks of, and the request may be sent again.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from diary.rules.ids import AccountId, Millis

PICTURE_NAME = re.compile(r"[0-9a-f]{64}")
ACCOUNT_NAME = re.compile(r"[0-9a-f]{32}")

Blob: TypeAlias = tuple[AccountId, str]


@dataclass(frozen=True, slots=True)
class Upload:
    """How far a picture has come: bytes held from its start, and whether it is whole."""

    size: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """The picture is whole, by this request or by one before it."""


@dataclass(frozen=True, slots=True)
class WrongHash:
    """The bytes do not make the name: all of the upload was dropped."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The upload goes on at another place than was thought: at byte `held`. Nothing was stored."""

    held: int


Finished: TypeAlias = Whole | WrongHash | Elsewhere


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that lies there: whose it is, when it was last written, whether it is of an upload only."""

    account: AccountId
    name: str
    written_ms: Millis
    is_part: bool

    @property
    def key(self) -> str:
        """Return where it stands in the order of `Blobs.listed`."""
        return f"{self.account}/{self.name}"


class Blobs(Protocol):
    """Pictures by account and name; a name is SHA-256 of the bytes in hexadecimal."""

    def upload(self, account: AccountId, name: str) -> Upload:
        """Return how much is held durably of a picture: 0 bytes for none."""
        ...

    def append(self, account: AccountId, name: str, offset: int, part: bytes) -> int:
        """Put `part` behind the first `offset` bytes, durably, and return how many bytes are held now.

        Where more or less is held than `offset`, nothing changes and what is held is returned.
        """
        ...

    def finish(self, account: AccountId, name: str, offset: int, last: bytes) -> Finished:
        """Put the last part behind the first `offset` bytes and make the whole the picture, in one step.

        At offset 0 it is all of the picture and takes the place of what was held. A picture that is whole
        is left as it is.
        """
        ...

    def read(self, account: AccountId, name: str, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a whole picture from `start`, which lies within it.

        Raises:
            FileNotFoundError: There is no such picture.
        """
        ...

    def remove(self, blobs: Collection[Blob]) -> None:
        """Remove pictures and what is held of their uploads, durably; no harm when there are none."""
        ...

    def drop_parts(self, blobs: Collection[Blob]) -> None:
        """Remove what is held of uploads; whole pictures stay."""
        ...

    def listed(self, after: str) -> Iterator[Found]:
        """Yield what lies there behind the key `after`, in the order of keys; "" begins at the start."""
        ...

    def close(self) -> None:
        """Release what the place holds; nothing may be asked afterwards."""
        ...


def require_names(account: AccountId, name: str) -> None:
    """Check that both are hexadecimal digits: they come from the network and become a place.

    Raises:
        FileNotFoundError: They are not, so nothing can lie there.
    """
    if not PICTURE_NAME.fullmatch(name) or not ACCOUNT_NAME.fullmatch(account):
        raise FileNotFoundError(name)
