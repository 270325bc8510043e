"""Which pages one answer holds of an account's feeds, the same for every storage (R43, R45).

The storage reads; this file counts. It never asks the disk or the network.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from diary.evidence.receipt import Cursor, Page
from diary.rules.ids import ContractId
from sync.server.storage import Feed

Log = tuple[ContractId, int, int]  # contract, epoch and size, as the rows of `ALL_LOGS` are


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows and about how many bytes an answer may still hold."""

    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page with its rows' leaves, 32 bytes each, and about how many bytes it is on the wire."""

    page: Page
    leaves: bytes
    cost: int


ReadFrom = Callable[[ContractId, Cursor, int, Room], ReadPage]
"""Return the rows of a log from an index on, up to its head, as many as there is room for."""


def feed_of(
    logs: Sequence[Log],
    cursors: Mapping[ContractId, Cursor],
    room: Room,
    *,
    log_epoch: Callable[[], int],
    read_from: ReadFrom,
    only: ContractId | None = None,
) -> Feed:
    """Return what an account's logs hold past the cursors (see `Storage.feed`).

    `log_epoch` returns the account's epoch, asked for only where a log is not known.
    """
    if only is not None:
        logs = [log for log in logs if log[0] == only]
        cursors = {contract: cursor for contract, cursor in cursors.items() if contract == only}
    pages = _pages_of_unknown(cursors, logs, log_epoch)
    leaves = [b""] * len(pages)
    for contract, epoch, size in logs:
        head = Cursor(epoch, size)
        read = cursors.get(contract, Cursor(epoch, 0))
        if read == head:
            continue
        if room.rows <= 0 or room.size <= 0:
            return Feed(pages, True, leaves)
        # In another epoch it is read from its start (R43).
        first = read.size if read.log_epoch == epoch else 0
        found = read_from(contract, head, first, room)
        pages.append(found.page)
        leaves.append(found.leaves)
        if first + len(found.page.rows) < size:
            return Feed(pages, True, leaves)
        room = Room(room.rows - len(found.page.rows), room.size - found.cost)
    return Feed(pages, False, leaves)


def _pages_of_unknown(
    cursors: Mapping[ContractId, Cursor], logs: Iterable[Log], log_epoch: Callable[[], int]
) -> list[Page]:
    """Return a page without rows for each log that the asker has rows of and the account has not (R43)."""
    known = {contract for contract, _, _ in logs}
    unknown = [contract for contract, cursor in cursors.items() if contract not in known and cursor.size]
    if not unknown:
        return []
    head = Cursor(log_epoch(), 0)
    return [Page(contract=contract, rows=[], pushes={}, head=head) for contract in unknown]
