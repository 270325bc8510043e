"""What a device left in the diary: its newest capture, which names it, and when it was heard of (R50)."""

import sqlite3

from diary.rules.ids import Millis, ReplicaId
from diary.store import versions
from diary.store.versions import StoredVersion

_NEWEST_CAPTURE = """
    SELECT n
      FROM version
     WHERE replica = :replica
       AND type = 'capture'
       AND sealed IS NOT NULL
     ORDER BY n DESC
     LIMIT 1
"""
_NEWEST_RECEIVED = """
    SELECT received_at_ms
      FROM version
     WHERE replica = :replica
       AND received_at_ms IS NOT NULL
     ORDER BY n DESC
     LIMIT 1
"""
_NEWEST_OF_ALL = """
    SELECT replica, n
      FROM version
     WHERE slot IS NOT NULL
       AND type = 'capture'
       AND sealed IS NOT NULL
     ORDER BY slot DESC
     LIMIT 1
"""


def newest_capture_of_all(connection: sqlite3.Connection) -> StoredVersion | None:
    """Return a capture of the latest slot that has its content; None for none."""
    row = connection.execute(_NEWEST_OF_ALL).fetchone()
    return None if row is None else versions.find(connection, (row[0], row[1]))


def newest_capture(connection: sqlite3.Connection, replica: ReplicaId) -> StoredVersion | None:
    """Return the newest capture of a replica that has its content; None for none."""
    row = connection.execute(_NEWEST_CAPTURE, {"replica": replica}).fetchone()
    return None if row is None else versions.find(connection, (replica, row[0]))


def newest_received_ms(connection: sqlite3.Connection, replica: ReplicaId) -> Millis | None:
    """Return when the server took the replica's newest version that is known here; None for never."""
    row = connection.execute(_NEWEST_RECEIVED, {"replica": replica}).fetchone()
    return None if row is None else Millis(row[0])
