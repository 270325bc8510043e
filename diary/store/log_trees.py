"""How far each log was read, and the Merkle tree over what was read of it (R45, R56).

The tree has as many leaves as the cursor counts rows, always: every growth and every cut moves both. It holds
the leaves as the server showed them or gave receipts for them, whatever becomes of the rows.
"""

import sqlite3
from collections.abc import Sequence

from diary.evidence.merkle import HASH_BYTES
from diary.evidence.receipt import Cursor
from diary.evidence.tiles import Tile, Tiles, last_tiles
from diary.rules.ids import ContractId
from diary.store import heads

_TILE = """
    SELECT hashes
      FROM log_tile
     WHERE contract = :contract AND level = :level AND place = :place
"""
_KEEP = """
    INSERT INTO log_tile (contract, level, place, hashes)
    VALUES (:contract, :level, :place, :hashes)
        ON CONFLICT (contract, level, place) DO UPDATE SET hashes = excluded.hashes
"""
_CUT = """
    DELETE FROM log_tile
     WHERE contract = :contract AND level = :level AND place >= :place
"""
_CUT_LEVELS = "DELETE FROM log_tile WHERE contract = :contract AND level > :level"
_FORGET = "DELETE FROM log_tile WHERE contract = :contract"
_CURSOR = """
    SELECT log_epoch, size
      FROM log_head
     WHERE contract = :contract
"""
_MOVE = """
    INSERT INTO log_head (contract, log_epoch, size, root)
    VALUES (:contract, :log_epoch, :size, NULL)
        ON CONFLICT (contract) DO UPDATE
       SET seals = iif(log_epoch = excluded.log_epoch, seals, 0),
           log_epoch = excluded.log_epoch,
           size = excluded.size,
           root = NULL
"""
_NOTE_ROOT = """
    UPDATE log_head
       SET root = :root
     WHERE contract = :contract
       AND size = :size
"""
_ROOTS = """
    SELECT contract, size, root
      FROM log_head
     WHERE size > 0
     ORDER BY contract
"""
_NOTE_SEALS = """
    UPDATE log_head
       SET seals = seals + :count
     WHERE contract = :contract
"""


def tree(connection: sqlite3.Connection, contract: ContractId) -> Tiles:
    """Return the tree over a log as far as it was read."""
    row = connection.execute(_CURSOR, {"contract": contract}).fetchone()

    def read(tile: Tile) -> bytes:
        level, place = tile
        found = connection.execute(_TILE, {"contract": contract, "level": level, "place": place}).fetchone()
        return found[0] if found else b""

    return Tiles(row[1] if row else 0, read)


def grow(
    connection: sqlite3.Connection, contract: ContractId, log_epoch: int, leaves: Sequence[bytes]
) -> Tiles:
    """Note that a log was read on by these leaves, which follow what was read; return the tree."""
    grown = tree(connection, contract)
    if not grown.size:  # whatever lies there is of a log that is read anew
        connection.execute(_FORGET, {"contract": contract})
    grown.extend(leaves)
    tiles = (
        {"contract": contract, "level": level, "place": place, "hashes": hashes}
        for (level, place), hashes in grown.changed.items()
    )
    connection.executemany(_KEEP, tiles)
    _move(connection, contract, Cursor(log_epoch, grown.size))
    return grown


def cut(connection: sqlite3.Connection, contract: ContractId, cursor: Cursor) -> None:
    """Note that a log was read no further than the cursor, which names no more rows than were read."""
    known = tree(connection, contract)
    size = min(cursor.size, known.size)
    for (level, place), count in last_tiles(size):
        kept = known.read((level, place))[: count * HASH_BYTES]
        connection.execute(_CUT, {"contract": contract, "level": level, "place": place})
        if kept:
            connection.execute(_KEEP, {"contract": contract, "level": level, "place": place, "hashes": kept})
    connection.execute(_CUT_LEVELS, {"contract": contract, "level": level})
    _move(connection, contract, Cursor(cursor.log_epoch, size))


def rewind(connection: sqlite3.Connection, contract: ContractId, size: int) -> None:
    """Have a log read again from row `size`: a content that was given up is needed after all (R37d)."""
    row = connection.execute(_CURSOR, {"contract": contract}).fetchone()
    if row and row[1] > size:
        cut(connection, contract, Cursor(row[0], size))
        heads.uncheck(connection, contract, size)


def note_root(connection: sqlite3.Connection, contract: ContractId, size: int, root: str) -> None:
    """Note the root of a log as far as it was read, so that it need not be worked out for each question.

    Whatever moves the cursor forgets it again.
    """
    connection.execute(_NOTE_ROOT, {"contract": contract, "size": size, "root": root})


def roots(connection: sqlite3.Connection) -> dict[ContractId, str]:
    """Return the root of each log as far as it was read, in hexadecimal (R56)."""
    return {
        contract: root or tree(connection, contract).root_at(size).hex()
        for contract, size, root in connection.execute(_ROOTS).fetchall()
    }


def note_seals(connection: sqlite3.Connection, contract: ContractId, count: int) -> None:
    """Note that so many more seals of a contract came (R57)."""
    connection.execute(_NOTE_SEALS, {"contract": contract, "count": count})


def _move(connection: sqlite3.Connection, contract: ContractId, cursor: Cursor) -> None:
    bound = {"contract": contract, "log_epoch": cursor.log_epoch, "size": cursor.size}
    connection.execute(_MOVE, bound)
