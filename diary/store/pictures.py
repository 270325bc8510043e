"""Pictures, sealed, beside the versions that name them (R25, R41)."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from diary.rules.ids import ContractId, Slot
from diary.rules.segment import Header, PictureName
from diary.store import sealed
from diary.store.versions import Name

_ADD = """
    INSERT INTO picture (replica, n, idx, name, contract, slot, size, at_server, sealed)
    VALUES (:replica, :n, :idx, :name, :contract, :slot, :size, :at_server, :sealed)
"""
_FIND = """
    SELECT replica, n, idx, name, contract, slot, size, at_server, sealed IS NOT NULL AS is_here
      FROM picture
     WHERE name = :name
     ORDER BY is_here DESC, replica, n, idx
     LIMIT 1
"""
_CIPHERTEXT = """
    SELECT sealed.body
      FROM picture
      JOIN sealed
        ON sealed.id = picture.sealed
     WHERE picture.name = :name
     LIMIT 1
"""
_DESTROY = """
    DELETE FROM picture
     WHERE replica = :replica AND n = :n
"""
_SENT = """
    UPDATE picture
       SET at_server = 1
     WHERE name = :name
"""
_NOT_HERE = """
    SELECT rowid
      FROM picture
     WHERE name = :name AND sealed IS NULL
"""
_FETCHED = """
    UPDATE picture
       SET sealed = :sealed
     WHERE rowid = :row
"""
# Only pictures of a row that the server has taken: it refuses others, and rows count first (R41).
_TO_SEND = """
    SELECT picture.replica, picture.n, picture.idx, picture.name, picture.contract, picture.slot,
           picture.size, picture.at_server, 1 AS is_here
      FROM picture
      JOIN version
        ON version.replica = picture.replica AND version.n = picture.n
     WHERE picture.at_server = 0
       AND picture.sealed IS NOT NULL
       AND version.received_at_ms IS NOT NULL
     ORDER BY picture.slot, picture.replica, picture.n, picture.idx
"""
_TO_FETCH = """
    SELECT replica, n, idx, name, contract, slot, size, at_server, 0 AS is_here
      FROM picture
     WHERE sealed IS NULL AND at_server = 1 AND thinned_at_ms IS NULL
     ORDER BY wanted_at_ms IS NULL, slot DESC, replica, n, idx
"""
# By chance, so that pictures which never come do not keep the others from being asked for.
_AWAITED = """
    SELECT name
      FROM picture
     WHERE sealed IS NULL AND at_server = 0
     ORDER BY random()
     LIMIT :limit
"""
_ABSENT = """
    UPDATE picture
       SET at_server = 0
     WHERE name = :name AND sealed IS NULL
"""
_ARRIVED = """
    UPDATE picture
       SET at_server = 1
     WHERE name IN (SELECT value FROM json_each(:names))
"""
# The condition of the index `picture_on_its_way`, word for word.
_ON_ITS_WAY = """
    SELECT name, at_server, sealed IS NOT NULL, coalesce(thinned_at_ms, wanted_at_ms) IS NOT NULL
      FROM picture
     WHERE slot >= :first AND slot < :end AND (at_server = 0 OR sealed IS NULL)
"""
_LEFT = """
    SELECT count(*)
      FROM picture
      JOIN version
        ON version.replica = picture.replica AND version.n = picture.n
     WHERE picture.at_server = 0 AND picture.sealed IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """Where a picture belongs, and whether it lies here and at the server; `size` is its padded size.

    A file that came with a message is one too: its `slot` is that in which the message was written, or
    received from its writer.
    """

    version: Name
    index: int
    name: str
    contract: ContractId
    slot: Slot
    size: int
    at_server: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Whether a picture lies at the server, so far as is known, and here; or gave way here (R31).

    One that gave way and was asked for again has given way until it is here.
    """

    at_server: bool
    is_here: bool
    is_thinned: bool = False


def _stored(row: tuple[object, ...]) -> StoredPicture:
    replica, n, index, name, contract, slot, size, at_server, is_here = row
    return StoredPicture(
        version=(replica, n),  # type: ignore[arg-type]  # columns are typed by STRICT
        index=index,  # type: ignore[arg-type]
        name=name,  # type: ignore[arg-type]
        contract=contract,  # type: ignore[arg-type]
        slot=slot,  # type: ignore[arg-type]
        size=size,  # type: ignore[arg-type]
        at_server=bool(at_server),
        is_here=bool(is_here),
    )


def add(
    connection: sqlite3.Connection, header: Header, ciphertexts: tuple[bytes, ...] | None, slot: Slot
) -> None:
    """Store what a header names: with its ciphertexts, or as pictures yet to be fetched (R41).

    By `slot` they are in line: a capture's own, a message's by when it was written.
    """
    pictures: tuple[PictureName, ...] = header.pictures or ()
    for index, (name, size) in enumerate(pictures):
        connection.execute(
            _ADD,
            {
                "replica": header.replica,
                "n": header.n,
                "idx": index,
                "name": name,
                "contract": header.contract,
                "slot": slot,
                "size": size,
                "at_server": ciphertexts is None,
                "sealed": None if ciphertexts is None else sealed.add(connection, ciphertexts[index]),
            },
        )


def find(connection: sqlite3.Connection, name: str) -> StoredPicture | None:
    """Return where the picture of this name belongs, or None."""
    row = connection.execute(_FIND, {"name": name}).fetchone()
    return None if row is None else _stored(row)


def ciphertext(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return a picture's ciphertext, or None where it is not here."""
    row = connection.execute(_CIPHERTEXT, {"name": name}).fetchone()
    return None if row is None else bytes(row[0])


def destroy(connection: sqlite3.Connection, version: Name) -> None:
    """Destroy the pictures of one version (R25)."""
    connection.execute(_DESTROY, {"replica": version[0], "n": version[1]})


def mark_sent(connection: sqlite3.Connection, name: str) -> None:
    """Note that the server has the picture whole (R41)."""
    connection.execute(_SENT, {"name": name})


def keep(connection: sqlite3.Connection, name: str, fetched: bytes) -> bool:
    """Store a fetched picture; return False where no row names it any more: it was deleted meanwhile."""
    waiting = connection.execute(_NOT_HERE, {"name": name}).fetchall()
    for (row,) in waiting:
        connection.execute(_FETCHED, {"row": row, "sealed": sealed.add(connection, fetched)})
    return bool(waiting) or find(connection, name) is not None


def to_send(connection: sqlite3.Connection) -> tuple[StoredPicture, ...]:
    """Return the pictures that the server may have now, the oldest slot first (R41)."""
    return tuple(map(_stored, connection.execute(_TO_SEND)))


def to_fetch(connection: sqlite3.Connection) -> tuple[StoredPicture, ...]:
    """Return the pictures that are not here and may be at the server, the newest slot first (R41)."""
    return tuple(map(_stored, connection.execute(_TO_FETCH)))


def mark_absent(connection: sqlite3.Connection, name: str) -> None:
    """Note that the server did not have a picture when it was asked for it (R41)."""
    connection.execute(_ABSENT, {"name": name})


def awaited(connection: sqlite3.Connection, limit: int) -> list[str]:
    """Return up to so many pictures that neither are here nor were at the server, any of them (R41)."""
    return [name for (name,) in connection.execute(_AWAITED, {"limit": limit})]


def mark_arrived(connection: sqlite3.Connection, names: Sequence[str]) -> None:
    """Note that pictures have come to the server (R41)."""
    connection.execute(_ARRIVED, {"names": msgspec.json.encode(names).decode()})


def on_its_way(connection: sqlite3.Connection, slots: range) -> dict[str, Whereabouts]:
    """Return the pictures of a run of slots that do not lie both here and at the server, by name (R41)."""
    rows = connection.execute(_ON_ITS_WAY, {"first": slots.start, "end": slots.stop})
    return {
        name: Whereabouts(bool(at_server), bool(is_here), bool(is_thinned))
        for name, at_server, is_here, is_thinned in rows
    }


def left_to_send(connection: sqlite3.Connection) -> int:
    """Return how many pictures here the server does not have, rows not sent yet included."""
    return int(connection.execute(_LEFT).fetchone()[0])
