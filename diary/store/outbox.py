"""What waits to be sent, and since when it may go (R17, R38, R41)."""

import sqlite3
from dataclasses import dataclass

from diary.rules.ids import Millis
from diary.store.versions import Name

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
_COUNTS = """
    SELECT count(DISTINCT CASE WHEN version.slot IS NOT NULL THEN version.contract || version.slot END),
           count(DISTINCT CASE WHEN version.slot IS NOT NULL AND outbox.not_before_ms > :now_ms
                               THEN version.contract || version.slot END),
           count(DISTINCT CASE WHEN outbox.held_for = 'late' THEN version.contract || version.slot END),
           count(*)
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica AND version.n = outbox.n
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many segments wait: all, those in their notice period, those held as late; and all versions."""

    segments: int
    held: int
    late_held: int
    versions: int


def wait(
    connection: sqlite3.Connection, name: Name, not_before_ms: int = 0, held_for: str | None = None
) -> None:
    """Let a version wait to be sent, not before an instant, nor while a question is open (R17, R38)."""
    bound = {"replica": name[0], "n": name[1], "not_before_ms": not_before_ms, "held_for": held_for}
    connection.execute(_WAIT, bound)


def leave(connection: sqlite3.Connection, name: Name) -> None:
    """Take a version out: the server has answered, or there is nothing left to send."""
    connection.execute(_LEAVE, {"replica": name[0], "n": name[1]})


def waiting(connection: sqlite3.Connection, now_ms: Millis) -> Waiting:
    """Return how much waits."""
    return Waiting(*connection.execute(_COUNTS, {"now_ms": now_ms}).fetchone())
