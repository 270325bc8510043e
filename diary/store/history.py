"""What stood in a segment before an act, sealed, until it is removed or its week freezes (R26)."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from diary.rules.ids import ContractId, Millis, Slot
from diary.store import sealed

ActKind = Literal["edit", "add"]

_BEGIN = """
    INSERT INTO act (kind, at_ms)
    VALUES (:kind, :at_ms)
"""
_KEEP = """
    INSERT INTO history (act, contract, slot, sealed)
    VALUES (:act, :contract, :slot, :sealed)
"""
_LAST = """
    SELECT id, kind
      FROM act
     WHERE undone = 0 AND EXISTS (SELECT 1 FROM history WHERE history.act = act.id)
     ORDER BY id DESC
     LIMIT 1
"""
_COUNT = """
    SELECT count(*)
      FROM history
     WHERE act = :act
"""
_OF_ACT = """
    SELECT history.contract, history.slot, sealed.body
      FROM history
      JOIN sealed
        ON sealed.id = history.sealed
     WHERE history.act = :act
     ORDER BY history.slot, history.contract
"""
_AT_PLACE = """
    SELECT sealed.body
      FROM history
      JOIN sealed
        ON sealed.id = history.sealed
     WHERE history.contract = :contract AND history.slot = :slot
     ORDER BY history.act
"""
_PLACES = """
    SELECT DISTINCT contract, slot
      FROM history
"""
_UNDONE = """
    UPDATE act
       SET undone = 1
     WHERE id = :act
"""
_FORGET_PLACE = """
    DELETE FROM history
     WHERE contract = :contract AND slot = :slot
"""
_FORGET_BEFORE = """
    DELETE FROM history
     WHERE slot < :slot
"""
_HOLDS_BEFORE = """
    SELECT EXISTS (SELECT 1 FROM history WHERE slot < :slot)
"""
_FORGET_ACTS = """
    DELETE FROM act
     WHERE NOT EXISTS (SELECT 1 FROM history WHERE history.act = act.id)
"""


@dataclass(frozen=True, slots=True)
class Before:
    """What stood at one place before an act, sealed."""

    contract: ContractId
    slot: Slot
    sealed: bytes


def begin(connection: sqlite3.Connection, kind: ActKind, at_ms: Millis) -> int:
    """Begin an act that can be undone; return its number."""
    return connection.execute(_BEGIN, {"kind": kind, "at_ms": at_ms}).lastrowid or 0


def keep(connection: sqlite3.Connection, act: int, before: Before) -> None:
    """Store what stood at a place before an act."""
    bound = {"act": act, "contract": before.contract, "slot": before.slot}
    connection.execute(_KEEP, bound | {"sealed": sealed.add(connection, before.sealed)})


def last_act(connection: sqlite3.Connection) -> tuple[int, ActKind] | None:
    """Return the newest act not yet undone of which anything can still be undone, or None."""
    row = connection.execute(_LAST).fetchone()
    return None if row is None else (row[0], row[1])


def count(connection: sqlite3.Connection, act: int) -> int:
    """Return how many places of an act can still be undone."""
    return int(connection.execute(_COUNT, {"act": act}).fetchone()[0])


def of_act(connection: sqlite3.Connection, act: int) -> tuple[Before, ...]:
    """Return what an act changed, place by place."""
    rows = connection.execute(_OF_ACT, {"act": act})
    return tuple(Before(ContractId(contract), Slot(slot), content) for contract, slot, content in rows)


def at_place(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[bytes, ...]:
    """Return what stood at a place before each act, the oldest first."""
    return tuple(row[0] for row in connection.execute(_AT_PLACE, {"contract": contract, "slot": slot}))


def places(connection: sqlite3.Connection) -> tuple[tuple[ContractId, Slot], ...]:
    """Return every place of which anything is kept."""
    return tuple((ContractId(contract), Slot(slot)) for contract, slot in connection.execute(_PLACES))


def mark_undone(connection: sqlite3.Connection, act: int) -> None:
    """Let an act not be undone again."""
    connection.execute(_UNDONE, {"act": act})


def forget_place(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> int:
    """Destroy what stood at a removed place (R25); return how many texts went."""
    forgotten = connection.execute(_FORGET_PLACE, {"contract": contract, "slot": slot}).rowcount
    if forgotten:
        connection.execute(_FORGET_ACTS)
    return forgotten


def forget_before(connection: sqlite3.Connection, slot: Slot) -> int:
    """Destroy the history of all slots before one: their weeks are frozen (R26); return how many went."""
    forgotten = connection.execute(_FORGET_BEFORE, {"slot": slot}).rowcount
    if forgotten:
        connection.execute(_FORGET_ACTS)
    return forgotten


def holds_before(connection: sqlite3.Connection, slot: Slot) -> bool:
    """Return whether any history of a slot before one is kept."""
    return bool(connection.execute(_HOLDS_BEFORE, {"slot": slot}).fetchone()[0])


def forget_empty(connection: sqlite3.Connection) -> None:
    """Forget acts that changed nothing."""
    connection.execute(_FORGET_ACTS)
