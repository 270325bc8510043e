"""Refused changes: kept sealed as they were, of a deletion only place and time (R37d)."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.segment import Sealed
from diary.store.versions import Name

What = Literal["capture", "entry", "manual", "deletion", "terms", "other"]

_KEEP = """
    INSERT INTO refusal (replica, n, contract, slot, what, reason, because, refused_at_ms, header, wrap, body)
    VALUES (:replica, :n, :contract, :slot, :what, :reason, :because, :refused_at_ms, :header, :wrap, :body)
        ON CONFLICT (replica, n) DO NOTHING
"""
_ALL = """
    SELECT replica, n, contract, slot, what, reason, because, refused_at_ms, header, wrap, body
      FROM refusal
     ORDER BY refused_at_ms DESC, id DESC
"""
_PLACES = """
    SELECT DISTINCT contract, slot
      FROM refusal
     WHERE slot >= :first AND slot < :end
"""
_COUNT = """
    SELECT count(*)
      FROM refusal
"""
_FORGET_CONTENT = """
    UPDATE refusal
       SET header = NULL,
           wrap = NULL,
           body = NULL
     WHERE contract = :contract AND slot = :slot AND header IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """One refused change; `sealed` is None for a deletion, or once its segment was removed."""

    name: Name
    contract: ContractId
    slot: Slot | None
    what: What
    reason: str
    because: str
    refused_at_ms: Millis
    sealed: Sealed | None


def keep(connection: sqlite3.Connection, refusal: KeptRefusal) -> None:
    """Keep a refusal; one already kept stays as it is."""
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
            "wrap": sealed.wrap if sealed else None,
            "body": sealed.body if sealed else None,
        },
    )


def everything(connection: sqlite3.Connection) -> tuple[KeptRefusal, ...]:
    """Return all refusals, the newest first."""
    return tuple(
        KeptRefusal(
            name=(replica, n),
            contract=ContractId(contract),
            slot=None if slot is None else Slot(slot),
            what=what,
            reason=reason,
            because=because,
            refused_at_ms=Millis(refused_at_ms),
            sealed=None if header is None else Sealed(header=header, body=body, wrap=wrap),
        )
        for replica, n, contract, slot, what, reason, because, refused_at_ms, header, wrap, body in (
            connection.execute(_ALL)
        )
    )


def places_in(connection: sqlite3.Connection, slots: range) -> frozenset[tuple[ContractId, Slot]]:
    """Return the segments in a run of slots of which a change was refused."""
    rows = connection.execute(_PLACES, {"first": slots.start, "end": slots.stop})
    return frozenset((ContractId(contract), Slot(slot)) for contract, slot in rows)


def count(connection: sqlite3.Connection) -> int:
    """Return how many changes were refused."""
    return int(connection.execute(_COUNT).fetchone()[0])


def forget_content(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> None:
    """Destroy the content of what was refused in a segment that is removed (R25)."""
    connection.execute(_FORGET_CONTENT, {"contract": contract, "slot": slot})
