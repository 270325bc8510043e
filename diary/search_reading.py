"""Reading very many versions for a search: each opened, its texts folded to one case (R31, R52).

Opening a version takes six microseconds of one core, and Python has but one at a time in a process. So of a
long diary a second process reads one half. It gets the keys through a pipe, and gives the texts back through
another: nothing of either lies in a file, an argument or an environment.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from diary.errors import DiaryError
from diary.rules.ids import ContractId, ReplicaId, Slot
from diary.rules.segment import VersionType
from diary.rules.unreadable import UNREADABLE
from diary.sealing import row
from diary.sealing.derive import KEY_BYTES
from diary.store import connection as files
from diary.store import versions
from diary.store.versions import WithContent

Folded = tuple[ReplicaId, int, Slot, ContractId, str]
"""A version's name, its place, and its texts, folded, a line each."""
EpochKey = tuple[ContractId, int, bytes]
KeyOf = Callable[[ContractId, int], bytes]


class _Seen(msgspec.Struct, gc=False):
    """The texts of a capture; reading no others halves the cost."""

    application: str
    title: str


class _Typed(msgspec.Struct, gc=False):
    """The texts of an entry, each with its stamp."""

    memo: tuple[str, tuple[int, ReplicaId]] | None
    label: tuple[str, tuple[int, ReplicaId]] | None


class _Order(msgspec.Struct):
    """What the second process is told: which file, from where in it, by which keys."""

    home: str
    after: int
    keys: list[EpochKey]


_OPENS_NOTHING = bytes(KEY_BYTES)  # where this device was granted no key
_seen = msgspec.json.Decoder(_Seen)
_typed = msgspec.json.Decoder(_Typed)


def folded(rows: Iterable[WithContent], key_of: KeyOf) -> Iterator[Folded]:
    """Yield the texts of versions; "" for one that does not open: its page says that it is defective."""
    for plain, (_, _, _, contract, slot, kind, replica, n) in row.glances(rows, key_of):
        yield replica, n, slot, contract, _text_of(kind, plain)


def _text_of(kind: VersionType, plain: bytes | None) -> str:
    if plain is None:
        return ""
    try:
        if kind == "capture":
            seen = _seen.decode(plain)
            return f"{seen.application}\n{seen.title}".casefold()
        typed = _typed.decode(plain)
    except UNREADABLE:
        return ""
    return "\n".join([said[0] for said in (typed.memo, typed.label) if said is not None]).casefold()


@dataclass(slots=True)
class Half:
    """A second process that reads what lies behind a place in the file, while this one reads the rest."""

    process: subprocess.Popen[bytes]
    told: list[bytes] = field(default_factory=list, repr=False)
    thread: threading.Thread | None = None

    @classmethod
    def begin(cls, home: Path, keys: list[EpochKey], *, after: int) -> Self | None:
        """Begin it; None where it cannot be begun."""
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "diary.search_reading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return None
        half = cls(process)
        order = msgspec.msgpack.encode(_Order(str(home), after, keys))
        # A pipe holds little: without somebody who reads all along, the other process would wait.
        half.thread = threading.Thread(target=half._talk, args=(order,), name="half-a-search", daemon=True)
        half.thread.start()
        return half

    def _talk(self, order: bytes) -> None:
        self.told.append(self.process.communicate(order)[0])

    def give_up(self) -> None:
        """End it before it has finished."""
        self.process.kill()
        if self.thread is not None:
            self.thread.join()

    def result(self) -> list[Folded] | None:
        """Return what it read, once it has; None where it did not finish."""
        assert self.thread is not None, "it was begun"
        self.thread.join()
        if self.process.returncode or not self.told:
            return None
        try:
            return msgspec.msgpack.decode(self.told[0], type=list[Folded])
        except UNREADABLE:
            return None


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> int:
    """Read one half, as the order on stdin says, and write it to stdout."""
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Order)
    keys = {(contract, epoch): key for contract, epoch, key in order.keys}

    def key_of(contract: ContractId, epoch: int) -> bytes:
        return keys.get((contract, epoch), _OPENS_NOTHING)

    try:
        connection = files.connect(Path(order.home))
    except DiaryError:
        return 1  # whoever asked has it open, and reads this half, too
    with files.reading(connection, Path(order.home) / files.FILE_NAME):
        rows = versions.all_with_content(connection, after=order.after)
        found = msgspec.msgpack.encode(list(folded(rows, key_of)))
    connection.close()
    sys.stdout.buffer.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
