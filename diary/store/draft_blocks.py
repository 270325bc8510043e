"""Where drafts lie sealed: blocks of one size, written over in place, that never move (R19, R25).

A draft is sealed anew every minute and gone after its slot. In `sealed`, whose rows are only added and
emptied (see `diary.store.sealed`), every minute would leave a row's room that nothing uses again. So the text
and the pictures of drafts are cut into blocks of one size. SQLite writes a row over in its place where the
new one is as long: no row moves, and nothing of the older one is left beside it. A block that a draft lets go
of is zeroed, and the next draft takes it: the file holds as many as drafts ever needed at once. The schema's
triggers hold it to that.
"""

import sqlite3

from diary.rules.ids import ContractId, Slot
from diary.sealing.padding import pad, unpad

BLOCK_BYTES = 8_000  # one fills a page of 8 KiB, which a commit writes whole anyway

_BLOCKS = """
    SELECT block
      FROM draft_part
     WHERE contract = :contract AND slot = :slot AND part = :part
     ORDER BY place
"""
_BYTES = """
    SELECT draft_block.bytes
      FROM draft_part
      JOIN draft_block
        ON draft_block.id = draft_part.block
     WHERE contract = :contract AND slot = :slot AND part = :part
     ORDER BY place
"""
_WRITE_OVER = """
    UPDATE draft_block
       SET bytes = :bytes
     WHERE id = :id
"""
_FREE = """
    SELECT min(id)
      FROM draft_block
     WHERE id NOT IN (SELECT block FROM draft_part)
"""
_ADD = """
    INSERT INTO draft_block (bytes)
    VALUES (:bytes)
"""
_TAKE = """
    INSERT INTO draft_part (contract, slot, part, place, block)
    VALUES (:contract, :slot, :part, :place, :block)
"""
_LET_GO = """
    DELETE FROM draft_part
     WHERE contract = :contract AND slot = :slot AND part = :part AND place >= :place
"""


def write(connection: sqlite3.Connection, contract: ContractId, slot: Slot, part: int, sealed: bytes) -> None:
    """Put a part of a draft over its older self, within a transaction; part 0 is its text."""
    bound = {"contract": contract, "slot": slot, "part": part}
    padded = pad(sealed, BLOCK_BYTES)
    held = [row[0] for row in connection.execute(_BLOCKS, bound)]
    for place, start in enumerate(range(0, len(padded), BLOCK_BYTES)):
        block = padded[start : start + BLOCK_BYTES]
        if place < len(held):
            connection.execute(_WRITE_OVER, {"id": held[place], "bytes": block})
        else:
            connection.execute(_TAKE, {**bound, "place": place, "block": _put(connection, block)})
    if len(held) * BLOCK_BYTES > len(padded):
        connection.execute(_LET_GO, {**bound, "place": len(padded) // BLOCK_BYTES})


def _put(connection: sqlite3.Connection, block: bytes) -> int:
    """Write a block where no draft holds one, else behind the last; return its number."""
    free: int | None = connection.execute(_FREE).fetchone()[0]
    if free is None:
        added = connection.execute(_ADD, {"bytes": block}).lastrowid
        assert added is not None, "an inserted row has a number"
        return added
    connection.execute(_WRITE_OVER, {"id": free, "bytes": block})
    return free


def read(connection: sqlite3.Connection, contract: ContractId, slot: Slot, part: int) -> bytes | None:
    """Return a part of a draft as it was sealed, None where there is none; damaged bytes do not open."""
    bound = {"contract": contract, "slot": slot, "part": part}
    padded = b"".join(row[0] for row in connection.execute(_BYTES, bound))
    if not padded:
        return None
    sealed = unpad(padded, BLOCK_BYTES)
    return padded if sealed is None else sealed
