"""Refused changes: kept sealed as they were, of a deletion only place and time (R37d)."""

import sqlite3
from dataclasses import dataclass

from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.refusals import What
from diary.rules.segment import Sealed
from diary.store import sealed as contents
from diary.store.versions import Name

# In the order of the view `refused`.
Row = tuple[
    str, int, str, int | None, What, str, str, int, bytes | None, bytes | None, bytes | None, int, int | None
]

_KEEP = """
    INSERT INTO refusal (replica, n, contract, slot, what, reason, because, refused_at_ms, header, sealed)
    VALUES (:replica, :n, :contract, :slot, :what, :reason, :because, :refused_at_ms, :header, :sealed)
"""
_ALL = """
    SELECT *
      FROM refused
     ORDER BY refused_at_ms DESC, id DESC
"""
_IN_SLOTS = """
    SELECT *
      FROM refused
     WHERE slot >= :first AND slot < :end
     ORDER BY slot, contract, id
"""
_FIND = """
    SELECT *
      FROM refused
     WHERE replica = :replica AND n = :n
"""
_DROP_PICTURES = """
    DELETE FROM picture
     WHERE EXISTS (
           SELECT 1
             FROM refusal
            WHERE refusal.replica = picture.replica
              AND refusal.n = picture.n
              AND refusal.contract = :contract
              AND refusal.slot = :slot)
"""
_COUNTS = """
    SELECT count(*),
           ifnull(sum(what = 'deletion'), 0)
      FROM refusal
     WHERE dismissed_at_ms IS NULL
"""
_DELETIONS = """
    SELECT *
      FROM refused
     WHERE what = 'deletion' AND dismissed_at_ms IS NULL
     ORDER BY id
"""
_DISMISS = """
    UPDATE refusal
       SET dismissed_at_ms = :at_ms
     WHERE id = :id AND dismissed_at_ms IS NULL
"""
_FORGET = """
    UPDATE refusal
       SET header = NULL,
           sealed = NULL,
           dismissed_at_ms = ifnull(dismissed_at_ms, :at_ms)
     WHERE id = :id
"""
_DROP_PICTURES_OF = """
    DELETE FROM picture
     WHERE EXISTS (
           SELECT 1
             FROM refusal
            WHERE refusal.replica = picture.replica
              AND refusal.n = picture.n
              AND refusal.id = :id)
"""
_NAMES = "SELECT replica, n FROM refusal"
_WITHDRAW = "DELETE FROM refusal WHERE replica = :replica AND n = :n"
_FORGET_CONTENT = """
    UPDATE refusal
       SET header = NULL,
           sealed = NULL
     WHERE contract = :contract AND slot = :slot AND header IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """One refused change; `sealed` is None for a deletion, or once its content was destroyed.

    `id` is its number in this file, 0 before it is kept; `dismissed_at_ms` is when its freelancer put it
    away, None while it is still to be looked at.
    """

    name: Name
    contract: ContractId
    slot: Slot | None
    what: What
    reason: str
    because: str
    refused_at_ms: Millis
    sealed: Sealed | None
    id: int = 0
    dismissed_at_ms: Millis | None = None


def keep(connection: sqlite3.Connection, refusal: KeptRefusal) -> None:
    """Keep a refusal; one already kept stays as it is."""
    if find(connection, refusal.name) is not None:
        return
    sealed = refusal.sealed
    connection.execute(
        _KEEP,
        {
            "replica": refusal.name[0],
            "n": refusal.name[1],
            "contract": refusal.contract,
            "slot": refusal.slot,
            "what": refusal.what,
            "reason": refusal.reason,
            "because": refusal.because,
            "refused_at_ms": refusal.refused_at_ms,
            "header": sealed.header if sealed else None,
            "sealed": contents.add(connection, sealed.body, sealed.wrap) if sealed else None,
        },
    )


def _kept(row: Row) -> KeptRefusal:
    replica, n, contract, slot, what, reason, because, refused_at_ms, header, wrap, body, id_, dismissed = row
    return KeptRefusal(
        name=(ReplicaId(replica), n),
        contract=ContractId(contract),
        slot=None if slot is None else Slot(slot),
        what=what,
        reason=reason,
        because=because,
        refused_at_ms=Millis(refused_at_ms),
        sealed=None if header is None else Sealed(header=header, body=body, wrap=wrap),
        id=id_,
        dismissed_at_ms=None if dismissed is None else Millis(dismissed),
    )


def everything(connection: sqlite3.Connection) -> tuple[KeptRefusal, ...]:
    """Return all refusals, the newest first."""
    return tuple(map(_kept, connection.execute(_ALL)))


def in_slots(connection: sqlite3.Connection, slots: range) -> tuple[KeptRefusal, ...]:
    """Return the refusals of a run of slots, by slot and contract, the oldest first."""
    return tuple(map(_kept, connection.execute(_IN_SLOTS, {"first": slots.start, "end": slots.stop})))


def find(connection: sqlite3.Connection, name: Name) -> KeptRefusal | None:
    """Return the refusal of a version, or None."""
    row = connection.execute(_FIND, {"replica": name[0], "n": name[1]}).fetchone()
    return None if row is None else _kept(row)


def counts(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many refusals are still to be looked at, and how many of them are of deletions."""
    every, deletions = connection.execute(_COUNTS).fetchone()
    return int(every), int(deletions)


def deletions(connection: sqlite3.Connection) -> tuple[KeptRefusal, ...]:
    """Return the refused deletions that are still to be looked at, the oldest first."""
    return tuple(map(_kept, connection.execute(_DELETIONS)))


def dismiss(connection: sqlite3.Connection, number: int, at_ms: Millis) -> bool:
    """Put a refusal away; False where there is none of this number that is still to be looked at."""
    return connection.execute(_DISMISS, {"id": number, "at_ms": at_ms}).rowcount > 0


def forget(connection: sqlite3.Connection, number: int, at_ms: Millis) -> bool:
    """Destroy what one refusal keeps, but for place, time and reason; False where there is none (R25).

    The row stays: its number was sent, and must never be taken for one that was not (R42).
    """
    bound = {"id": number, "at_ms": at_ms}
    connection.execute(_DROP_PICTURES_OF, bound)
    return connection.execute(_FORGET, bound).rowcount > 0


def names(connection: sqlite3.Connection) -> set[Name]:
    """Return the names of everything that was refused."""
    return {(ReplicaId(replica), n) for replica, n in connection.execute(_NAMES)}


def withdraw(connection: sqlite3.Connection, name: Name) -> None:
    """Take a refusal out of the list: the version turned out to be received; its pictures stay its own."""
    connection.execute(_WITHDRAW, {"replica": name[0], "n": name[1]})


def forget_content(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> int:
    """Destroy the content of what was refused in a segment that is removed (R25); return how many."""
    bound = {"contract": contract, "slot": slot}
    connection.execute(_DROP_PICTURES, bound)
    return connection.execute(_FORGET_CONTENT, bound).rowcount
