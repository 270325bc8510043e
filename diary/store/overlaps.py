"""Slots that the server says another contract of the freelancer's has: they do not bill here (R28).

Only a client's replica holds any: it cannot see the other contracts.
"""

import sqlite3
from collections.abc import Iterable

from diary.rules.ids import ContractId, Slot

OVERLAP = """
CREATE TABLE overlap (
    contract TEXT NOT NULL CHECK (length(contract) = 32),
    slot INTEGER NOT NULL CHECK (slot >= 0),
    PRIMARY KEY (contract, slot)
) STRICT, WITHOUT ROWID
"""
_IN = """
    SELECT slot
      FROM overlap
     WHERE contract = :contract AND slot >= :first AND slot < :end
"""
_FORGET = """
    DELETE FROM overlap
     WHERE contract = :contract AND slot >= :first
"""
_ADD = """
    INSERT INTO overlap (contract, slot)
    VALUES (:contract, :slot)
"""
_END = 2**62


def lay_overlaps(connection: sqlite3.Connection) -> None:
    """Lay the table of what the server states about slots (R28)."""
    connection.execute(OVERLAP)


def stated(connection: sqlite3.Connection, contract: ContractId, slots: range) -> frozenset[Slot]:
    """Return those of the slots that the server said another contract has."""
    asked = {"contract": contract, "first": slots.start, "end": slots.stop}
    return frozenset(Slot(slot) for (slot,) in connection.execute(_IN, asked))


def state(connection: sqlite3.Connection, contract: ContractId, first: Slot, slots: Iterable[Slot]) -> bool:
    """Note what the server states from `first` on, in place of what it said before; return if it is news."""
    new = frozenset(slots)
    if stated(connection, contract, range(first, _END)) == new:
        return False
    connection.execute(_FORGET, {"contract": contract, "first": first})
    connection.executemany(_ADD, ({"contract": contract, "slot": slot} for slot in sorted(new)))
    return True
