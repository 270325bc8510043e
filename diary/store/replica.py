"""This file's replica and its one counter (R33, R42)."""

import sqlite3

from diary.rules.ids import Millis, ReplicaId

_BEGIN = """
    INSERT INTO replica (replica, last_n, since_ms)
    VALUES (:replica, 0, :since_ms)
"""
_NEWEST = """
    SELECT replica
      FROM replica
     ORDER BY rowid DESC
     LIMIT 1
"""
_NEXT = """
    UPDATE replica
       SET last_n = last_n + 1
     WHERE replica = :replica
 RETURNING last_n
"""
_GO_ON = """
    UPDATE replica
       SET last_n = max(last_n, :n)
     WHERE replica = :replica
"""
_LAST = """
    SELECT last_n
      FROM replica
     WHERE replica = :replica
"""


def begin(connection: sqlite3.Connection, replica: ReplicaId, since_ms: Millis) -> None:
    """Make `replica` the one that this file writes as from now on."""
    connection.execute(_BEGIN, {"replica": replica, "since_ms": since_ms})


def newest(connection: sqlite3.Connection) -> ReplicaId | None:
    """Return the replica that this file writes as; None in a file whose making was cut short."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else ReplicaId(row[0])


def next_n(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the next number of this replica; given back only if the transaction around it is (R33)."""
    return int(connection.execute(_NEXT, {"replica": replica}).fetchall()[0][0])


def go_on_behind(connection: sqlite3.Connection, replica: ReplicaId, n: int) -> None:
    """Give away no number up to `n` any more: the server knows a version of it already (R42)."""
    connection.execute(_GO_ON, {"replica": replica, "n": n})


def last_n(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the greatest number this replica gave away, 0 for none (R42)."""
    row = connection.execute(_LAST, {"replica": replica}).fetchone()
    return 0 if row is None else int(row[0])
