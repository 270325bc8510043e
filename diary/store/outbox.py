"""What waits to be sent, and since when it may go (R17, R38, R41)."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from diary.rules.deadline import UnsentSegment
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.store.versions import Name, numbers_of

_WAIT = """
    INSERT INTO outbox (replica, n, not_before_ms, held_for)
    VALUES (:replica, :n, :not_before_ms, :held_for)
        ON CONFLICT (replica, n) DO UPDATE
       SET not_before_ms = excluded.not_before_ms, held_for = excluded.held_for
"""
_LEAVE = """
    DELETE FROM outbox
     WHERE replica = :replica AND n = :n
"""
_LEAVE_ALL = """
    DELETE FROM outbox
     WHERE replica = :replica
       AND n IN (
           SELECT value
             FROM json_each(:ns)
           )
"""
# What is held is little at any time, and is looked for in the outbox first (CROSS JOIN keeps SQLite to that
# order); only what waits for the server may be years of it.
_HELD = """
    SELECT (
               SELECT count(*)
                 FROM outbox
           ),
           count(DISTINCT CASE WHEN outbox.not_before_ms > :now_ms THEN version.contract || version.slot END),
           count(DISTINCT CASE WHEN outbox.held_for = 'move' THEN version.contract || version.slot END)
      FROM outbox
     CROSS JOIN version
        ON version.replica = outbox.replica AND version.n = outbox.n
     WHERE version.slot IS NOT NULL
       AND (outbox.not_before_ms > :now_ms OR outbox.held_for = 'move')
"""
_SEGMENTS = """
    SELECT count(*)
      FROM (
           SELECT 1
             FROM outbox
             JOIN version
               ON version.replica = outbox.replica AND version.n = outbox.n
            WHERE version.slot IS NOT NULL
            GROUP BY version.slot, version.contract
           )
"""
_LATE = """
    SELECT count(DISTINCT contract || slot)
      FROM unasked
     WHERE slot < :late_before
"""
# Where nothing was ever sent, all that is here waits: the index alone tells.
_SEGMENTS_ALONE = """
    SELECT count(*)
      FROM (
           SELECT DISTINCT slot, contract
             FROM version
            WHERE slot IS NOT NULL
           )
"""
_LATE_PLACES = """
    SELECT DISTINCT contract, slot
      FROM unasked
     WHERE slot < :late_before
     ORDER BY slot, contract
"""
_UNSENT_SEGMENTS = """
    SELECT version.slot,
           EXISTS (
               SELECT 1
                 FROM version AS known
                WHERE known.slot = version.slot
                  AND known.contract = version.contract
                  AND known.received_at_ms IS NOT NULL
           ),
           max(outbox.not_before_ms) > :now_ms,
           max(outbox.held_for IS NOT NULL)
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
     WHERE version.slot >= :first
       AND version.slot < :end
     GROUP BY version.slot, version.contract
     ORDER BY version.slot, version.contract
"""
# The outbox first, which holds little where there is a server: see above.
_TYPED_BEFORE = """
    SELECT version.slot,
           (
               SELECT min(known.received_at_ms)
                 FROM version AS known
                WHERE known.slot = version.slot
                  AND known.contract = version.contract
           )
      FROM outbox
     CROSS JOIN version
        ON version.replica = outbox.replica AND version.n = outbox.n
     WHERE version.slot < :before
     GROUP BY version.slot, version.contract
    HAVING max(version.type = 'capture') = 0
     ORDER BY version.slot, version.contract
"""
_UNSENT_CAPTURES = """
    SELECT version.replica, version.n
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
     WHERE version.type = 'capture'
       AND version.push IS NULL
       AND version.replica = :replica
     ORDER BY version.n
"""
_ANSWER_LATE = """
    UPDATE outbox
       SET late_answered = 1
     WHERE replica = :replica AND n = :n
"""
_HOLD = """
    UPDATE outbox
       SET not_before_ms = max(not_before_ms, :not_before_ms)
     WHERE replica = :replica AND n = :n
"""
_HOLD_FOR_MOVE = """
    UPDATE outbox
       SET held_for = :held_for
     WHERE replica = :replica AND n = :n
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many segments wait, and how many versions.

    Among all segments are those in their notice period, those held as late, and those held to be moved.
    """

    segments: int
    held: int
    late_held: int
    moves_held: int
    versions: int


def wait(
    connection: sqlite3.Connection, name: Name, not_before_ms: int = 0, held_for: str | None = None
) -> None:
    """Let a version wait to be sent, not before an instant, nor while a question is open (R17, R38)."""
    bound = {"replica": name[0], "n": name[1], "not_before_ms": not_before_ms, "held_for": held_for}
    connection.execute(_WAIT, bound)


def hold(connection: sqlite3.Connection, name: Name, not_before_ms: int) -> None:
    """Let a version that waits go no sooner than an instant (R17)."""
    connection.execute(_HOLD, {"replica": name[0], "n": name[1], "not_before_ms": not_before_ms})


def leave(connection: sqlite3.Connection, name: Name) -> None:
    """Take a version out: the server has answered, or there is nothing left to send."""
    connection.execute(_LEAVE, {"replica": name[0], "n": name[1]})


def leave_all(connection: sqlite3.Connection, names: Iterable[Name]) -> None:
    """Take versions out, as `leave` does one."""
    for replica, ns in numbers_of(names).items():
        connection.execute(_LEAVE_ALL, {"replica": replica, "ns": ns})


def waiting(
    connection: sqlite3.Connection, now_ms: Millis, late_before: Slot, *, has_server: bool = True
) -> Waiting:
    """Return how much waits; what was never sent of a slot before `late_before` is late (R38).

    Without a server nothing is late, since nothing was to be there (R50).
    """
    versions, held, moves = connection.execute(_HELD, {"now_ms": now_ms}).fetchone()
    (segments,) = connection.execute(_SEGMENTS if has_server else _SEGMENTS_ALONE).fetchone()
    late = 0
    if has_server:
        (late,) = connection.execute(_LATE, {"late_before": late_before}).fetchone()
    return Waiting(segments, held, late, moves, versions)


def late_places(connection: sqlite3.Connection, late_before: Slot) -> tuple[tuple[ContractId, Slot], ...]:
    """Return the segments that would be late and of which nobody was asked yet (R38)."""
    rows = connection.execute(_LATE_PLACES, {"late_before": late_before})
    return tuple((ContractId(contract), Slot(slot)) for contract, slot in rows)


def unsent_segments(
    connection: sqlite3.Connection, slots: range, now_ms: Millis
) -> tuple[UnsentSegment, ...]:
    """Return the segments within a run of slots of which anything waits to be sent (R31)."""
    bound = {"first": slots.start, "end": slots.stop, "now_ms": now_ms}
    return tuple(
        UnsentSegment(Slot(slot), known=bool(known), held=bool(held), asked=bool(asked))
        for slot, known, held, asked in connection.execute(_UNSENT_SEGMENTS, bound)
    )


def typed_before(connection: sqlite3.Connection, before: Slot) -> tuple[tuple[Slot, Millis | None], ...]:
    """Return the slots before one of which only what was typed waits, and when the server first had of them.

    None where it never had anything.
    """
    return tuple(
        (Slot(slot), None if received is None else Millis(received))
        for slot, received in connection.execute(_TYPED_BEFORE, {"before": before})
    )


def unsent_captures(connection: sqlite3.Connection, replica: ReplicaId) -> tuple[Name, ...]:
    """Return the captures of a replica that never left (R20)."""
    rows = connection.execute(_UNSENT_CAPTURES, {"replica": replica})
    return tuple((ReplicaId(of), n) for of, n in rows)


def answer_late(connection: sqlite3.Connection, name: Name) -> None:
    """Note that a version may be sent though it is late (R38)."""
    connection.execute(_ANSWER_LATE, {"replica": name[0], "n": name[1]})


def hold_for_move(connection: sqlite3.Connection, name: Name, *, hold: bool) -> None:
    """Hold a version until its freelancer agrees to its move, or hold it no longer (R20)."""
    bound = {"replica": name[0], "n": name[1], "held_for": "move" if hold else None}
    connection.execute(_HOLD_FOR_MOVE, bound)
