"""Which pages one answer holds of an account's feeds, the same for every storage (R43, R45).

The storage reads; this file counts. It never asks the disk or the network.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from diary.evidence.merkle import CompactRange
from diary.evidence.receipt import Cursor, Page
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId
from sync.server import storage_rows
from sync.server.storage import NO_ROOTS, Feed

LogRow = Sequence[Any]
"""Contract, epoch, size, peaks and seals, as the rows of `ALL_LOGS` are."""


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

ReadSeals = Callable[[ContractId, int], list[SignedStatement]]
"""Return a contract's seals past a number, as many as a page takes (R57)."""


def feed_of(
    logs: Sequence[LogRow],
    cursors: Mapping[ContractId, Cursor],
    room: Room,
    *,
    log_epoch: Callable[[], int],
    leaves: Callable[[ContractId], Iterable[bytes]],
    read_from: ReadFrom,
    seals: ReadSeals,
    only: ContractId | None = None,
    roots_read: Mapping[ContractId, str] = NO_ROOTS,
) -> Feed:
    """Return what an account's logs hold past the cursors (see `Storage.feed`).

    `log_epoch` returns the account's epoch, asked for only where a log is not known; `leaves` those of a log
    that was kept before ranges were.
    """
    if only is not None:
        logs = [log for log in logs if log[0] == only]
        cursors = {contract: cursor for contract, cursor in cursors.items() if contract == only}
    pages = _pages_of_unknown(cursors, logs, log_epoch)
    hashes = [b""] * len(pages)
    roots = [CompactRange().root] * len(pages)
    for contract, *log_row in logs:
        log = storage_rows.log(log_row, partial(leaves, contract))
        head, size, epoch = log.cursor, log.size, log.log_epoch
        read = cursors.get(contract, Cursor(epoch, 0))
        if read == head and (contract not in roots_read or roots_read[contract] == log.leaves.root.hex()):
            continue
        if room.rows <= 0 or room.size <= 0:
            return Feed(pages, True, hashes, roots)
        # In another epoch it is read from its start (R43).
        first, known = (read.size, read.seals) if read.log_epoch == epoch else (0, 0)
        found = read_from(contract, head, first, room)
        new = seals(contract, known) if log.seals > known else []
        pages.append(msgspec.structs.replace(found.page, seals=new) if new else found.page)
        hashes.append(found.leaves)
        roots.append(log.leaves.root)
        if first + len(found.page.rows) < size or known + len(new) < log.seals:
            return Feed(pages, True, hashes, roots)
        room = Room(room.rows - len(found.page.rows), room.size - found.cost)
    return Feed(pages, False, hashes, roots)


def _pages_of_unknown(
    cursors: Mapping[ContractId, Cursor], logs: Iterable[LogRow], log_epoch: Callable[[], int]
) -> list[Page]:
    """Return a page without rows for each log that the asker has rows of and the account has not (R43)."""
    known = {contract for contract, *_ in logs}
    unknown = [contract for contract, cursor in cursors.items() if contract not in known and cursor.size]
    if not unknown:
        return []
    head = Cursor(log_epoch(), 0)
    return [Page(contract=contract, rows=[], pushes={}, head=head) for contract in unknown]
