"""What leaves, in which order, and what the server answered (R17, R25, R40, R41).

Statements over lists, each run once a push: a diary of years leaves in tens of thousands of versions.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from diary.evidence.receipt import Receipt
from diary.rules.ids import ContractId, Millis, Place, ReplicaId, Slot
from diary.rules.segment import Sealed
from diary.store import outbox
from diary.store.place_taken import PlaceTakenError
from diary.store.versions import Name

# Device lists before all else: they say that what follows is by a device (R50).
# (slot + 432) / 1008 numbers the weeks: slot 0 was a Thursday's first, three days after a Monday's.
_DUE = """
    SELECT version.id,
           length(version.header) + ifnull(length(sealed.body), 0) + ifnull(length(sealed.wrap), 0)
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
      LEFT JOIN sealed
        ON sealed.id = version.sealed
     WHERE outbox.not_before_ms <= :now_ms
       AND outbox.held_for IS NULL
       AND outbox.replica = :replica
       AND NOT (
           ifnull(version.slot < :open_from, 0)
           AND version.push IS NULL
           AND outbox.late_answered = 0
           AND EXISTS (
               SELECT 1
                 FROM unasked
                WHERE unasked.slot = version.slot
                  AND unasked.contract = version.contract
           )
       )
     ORDER BY version.slot IS NOT NULL,
              version.type <> 'device_list',
              version.slot < :open_from,
              (version.slot + 432) / 1008,
              version.replica,
              version.n
"""
_WAITING_DEVICE_LIST = """
    SELECT version.id
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
     WHERE version.type = 'device_list'
       AND version.contract = version.account
       AND version.replica = :replica
     ORDER BY version.n
     LIMIT 1
"""
# A refused version is no version any more, and was sent all the same.
_LAST_SENT = """
    SELECT max(
               ifnull(
                   (
                       SELECT n
                         FROM version
                        WHERE replica = :replica
                          AND push IS NOT NULL
                        ORDER BY n DESC
                        LIMIT 1
                   ),
                   0
               ),
               ifnull(
                   (
                       SELECT max(n)
                         FROM refusal
                        WHERE replica = :replica
                   ),
                   0
               )
           )
"""
_READ = """
    SELECT version.id, version.replica, version.n, version.contract, version.slot,
           version.header, sealed.body, sealed.wrap
      FROM json_each(:ids) AS wanted
      JOIN version
        ON version.id = wanted.value
      JOIN outbox
        ON outbox.replica = version.replica
       AND outbox.n = version.n
      LEFT JOIN sealed
        ON sealed.id = version.sealed
     ORDER BY wanted.key
"""
# A tracker writes a capture and the entry first written with it, one after the other.
_ARE_BY_HAND = """
    SELECT EXISTS (
           SELECT 1
             FROM json_each(:ids) AS wanted
             JOIN version
               ON version.id = wanted.value
            WHERE version.type <> 'capture'
              AND NOT EXISTS (
                  SELECT 1
                    FROM version AS capture
                   WHERE capture.replica = version.replica
                     AND capture.n = version.n - 1
                     AND capture.type = 'capture'
                     AND capture.contract = version.contract
                     AND capture.slot = version.slot
              )
           )
"""
# What the feed showed before its receipt came keeps the push that the server took (R56).
_MARK_PUSHED = """
    UPDATE version
       SET push = :push
     WHERE id IN (
           SELECT value
             FROM json_each(:ids)
           )
       AND received_at_ms IS NULL
"""
_NOTE_SENT = """
    INSERT INTO sent (sent_at_ms, server, what, name, bytes)
    VALUES (:sent_at_ms, :server, :what, :name, :bytes)
"""
# By name, not by row: should another process have dropped it, the row may be another one's.
_RECEIVED = """
    UPDATE version
       SET received_at_ms = :received_at_ms,
           log_epoch = :log_epoch,
           leaf_index = :first_index + n - :first_n
     WHERE replica = :replica
       AND n BETWEEN :first_n AND :last_n
"""
_AS_TAKEN = """
    UPDATE version
       SET push = ?3,
           body_hash = ?4
     WHERE replica = ?1
       AND n = ?2
"""
_WAITING = """
    SELECT count(*),
           min(outbox.not_before_ms) FILTER (
               WHERE outbox.not_before_ms > :now_ms
                 AND outbox.held_for IS NULL
           ),
           min(version.slot) FILTER (
               WHERE version.slot >= :open_from
           )
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
"""
_STORED = """
    SELECT type,
           count(*),
           sum(length(header) + ifnull(length(sealed.body), 0) + ifnull(length(sealed.wrap), 0))
      FROM version
      LEFT JOIN sealed
        ON sealed.id = version.sealed
     GROUP BY type
     UNION ALL
    SELECT 'picture',
           count(sealed.body),
           ifnull(sum(length(sealed.body)), 0)
      FROM picture
      LEFT JOIN sealed
        ON sealed.id = picture.sealed
     UNION ALL
    SELECT 'refusal',
           count(*),
           ifnull(sum(ifnull(length(header), 0) + ifnull(length(sealed.body), 0)), 0)
      FROM refusal
      LEFT JOIN sealed
        ON sealed.id = refusal.sealed
"""
_SENT = """
    SELECT sent_at_ms, server, what, name, bytes
      FROM sent
     ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of one kind is stored here (R55)."""

    what: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class SentNote:
    """One push or picture as it was noted before it left: `name` is its hash (R55)."""

    sent_at_ms: Millis
    server: str
    what: str
    name: str
    size: int


class Due(msgspec.Struct, frozen=True, gc=False):
    """A version that may be sent now: its row in the file, and the bytes it takes of a push (R44)."""

    id: int
    size: int


class AsTaken(msgspec.Struct, frozen=True, gc=False):
    """By which push, and with which content, the server took a version: its leaf is made of both (R56)."""

    replica: ReplicaId
    n: int
    push: str
    body_hash: bytes


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A version on its way out; its place is None where it has no slot."""

    id: int
    name: Name
    place: Place | None
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits: versions in all, when the next held one may go, the earliest slot of an open week."""

    versions: int
    next_release_ms: Millis | None
    first_open_slot: Slot | None


def due(
    connection: sqlite3.Connection, replica: ReplicaId, now_ms: Millis, open_from: Slot
) -> tuple[Due, ...]:
    """Return what a replica may send: lists, what else has no slot, by nearest lock, locked weeks last (R41).

    `open_from` is the first slot of the earliest week that is not locked.
    """
    bound = {"replica": replica, "now_ms": now_ms, "open_from": open_from}
    rows = connection.execute(_DUE, bound)
    return tuple(Due(id_, size) for id_, size in rows)


def are_by_hand(connection: sqlite3.Connection, ids: Iterable[int]) -> bool:
    """Return whether any of the versions is none that a tracker writes at the end of a slot."""
    return bool(connection.execute(_ARE_BY_HAND, {"ids": _json(ids)}).fetchone()[0])


def waiting_device_list(connection: sqlite3.Connection, replica: ReplicaId) -> int | None:
    """Return a replica's first device list that waits to be sent, None for none (R50)."""
    row = connection.execute(_WAITING_DEVICE_LIST, {"replica": replica}).fetchone()
    return None if row is None else int(row[0])


def last_sent(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the greatest n of a replica that ever left this file, 0 for none (R42)."""
    return int(connection.execute(_LAST_SENT, {"replica": replica}).fetchone()[0])


def read(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Outgoing]:
    """Return those of the versions that still wait, in the order asked for."""
    return [
        Outgoing(
            id_,
            (ReplicaId(replica), n),
            None if slot is None else (ContractId(contract), Slot(slot)),
            Sealed(header=header, body=body, wrap=wrap),
        )
        for id_, replica, n, contract, slot, header, body, wrap in connection.execute(
            _READ, {"ids": _json(ids)}
        )
    ]


def mark_pushed(connection: sqlite3.Connection, ids: Iterable[int], push: str) -> None:
    """Note the push in which versions are about to leave; from here on others may know them (R25)."""
    connection.execute(_MARK_PUSHED, {"push": push, "ids": _json(ids)})


def note_sent(
    connection: sqlite3.Connection, *, sent_at_ms: Millis, server: str, what: str, name: str, size: int
) -> None:
    """Note what is about to be sent, when and to whom (R55)."""
    note = {"sent_at_ms": sent_at_ms, "server": server, "what": what, "name": name, "bytes": size}
    connection.execute(_NOTE_SENT, note)


def stored(connection: sqlite3.Connection) -> tuple[Kept, ...]:
    """Return how much of each kind is stored (R55)."""
    return tuple(Kept(*row) for row in connection.execute(_STORED))


def sent(connection: sqlite3.Connection) -> tuple[SentNote, ...]:
    """Return what was sent, the oldest first (R55)."""
    return tuple(SentNote(*row) for row in connection.execute(_SENT))


def receive(connection: sqlite3.Connection, received: Sequence[Receipt]) -> None:
    """Note that the server holds these versions, a run of them that follow each other at once (R56).

    Raises:
        PlaceTakenError: Another version is known to stand where one of them is said to.
    """
    try:
        connection.executemany(_RECEIVED, _runs(received))
    except sqlite3.IntegrityError as error:
        raise PlaceTakenError(received) from error
    outbox.leave_all(connection, ((receipt.replica, receipt.n) for receipt in received))


def _runs(received: Iterable[Receipt]) -> Iterator[dict[str, str | int]]:
    """Yield what is to be noted of versions whose numbers and places follow each other, as most do."""
    run: dict[str, str | int] = {}
    next_to_come = None
    for one in received:
        place = (one.replica, one.n, one.received_at_ms, one.log_epoch, one.index)
        if place != next_to_come:
            if run:
                yield run
            run = {
                "replica": one.replica,
                "first_n": one.n,
                "received_at_ms": one.received_at_ms,
                "log_epoch": one.log_epoch,
                "first_index": one.index,
            }
        run["last_n"] = one.n
        next_to_come = (one.replica, one.n + 1, one.received_at_ms, one.log_epoch, one.index + 1)
    if run:
        yield run


def note_as_taken(connection: sqlite3.Connection, taken: Iterable[AsTaken]) -> None:
    """Note by which push, and with which content, the server took versions (R40, R56)."""
    connection.executemany(_AS_TAKEN, [msgspec.structs.astuple(each) for each in taken])


def queue(connection: sqlite3.Connection, now_ms: Millis, open_from: Slot) -> Queue:
    """Return what waits (R17, R31)."""
    return Queue(*connection.execute(_WAITING, {"now_ms": now_ms, "open_from": open_from}).fetchone())


def _json(ids: Iterable[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()
