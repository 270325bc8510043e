"""Where the file lies, which of its names were given up for others, and what waits under old ones (R42)."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from diary.rules.ids import ReplicaId
from diary.store.versions import Name

LIES_AT = "lies at"
_MACHINE_ID = Path("/etc/machine-id")
_WAITING = """
    SELECT version.replica, version.n
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica
       AND version.n = outbox.n
     WHERE version.replica = :replica
     ORDER BY version.n
"""
_KEEP = """
    INSERT INTO renamed (replica, n, header_hash, new_replica, new_n)
    VALUES (:replica, :n, :header_hash, :new_replica, :new_n)
"""
_RENAMED = """
    SELECT header_hash, new_replica, new_n
      FROM renamed
     WHERE replica = :replica AND n = :n
"""
_FORMER = """
    SELECT DISTINCT replica
      FROM renamed
"""


def lies_at(path: Path) -> str:
    """Return what tells this file from its copies: a hash of the machine's id and the file's number (R42).

    The number of its device is left out: it may change when the machine starts. Only a hash is kept, as the
    machine's id is nobody else's business.
    """
    machine = b""
    with suppress(OSError):
        machine = _MACHINE_ID.read_bytes().strip()
    return hashlib.sha256(b"%s %d" % (machine, path.stat().st_ino)).hexdigest()


def waiting(connection: sqlite3.Connection, replica: ReplicaId) -> Sequence[Name]:
    """Return the versions of one replica that the server has not answered, in the order of their n."""
    return [(ReplicaId(of), n) for of, n in connection.execute(_WAITING, {"replica": replica})]


def keep_renamed(connection: sqlite3.Connection, old: Name, header: bytes, new: Name) -> None:
    """Note that a version was sealed anew: another copy of this file may still send the old one (R42)."""
    names = {"replica": old[0], "n": old[1], "new_replica": new[0], "new_n": new[1]}
    connection.execute(_KEEP, names | {"header_hash": hashlib.sha256(header).digest()})


def renamed(connection: sqlite3.Connection, name: Name, header: bytes) -> Name | None:
    """Return the name under which this very version was sealed anew last, None where it was not (R42)."""
    found: Name | None = None
    digest: bytes | None = hashlib.sha256(header).digest()
    row = connection.execute(_RENAMED, {"replica": name[0], "n": name[1]}).fetchone()
    while row is not None and digest in {None, row[0]}:
        found, digest = (ReplicaId(row[1]), row[2]), None
        row = connection.execute(_RENAMED, {"replica": found[0], "n": found[1]}).fetchone()
    return found


def former(connection: sqlite3.Connection) -> frozenset[ReplicaId]:
    """Return the replicas of which versions were sealed anew."""
    return frozenset(ReplicaId(row[0]) for row in connection.execute(_FORMER))
