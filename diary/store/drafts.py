"""The segment under way, sealed to disk every minute (R19), and the mark of a removed one (R12)."""

import sqlite3
from typing import Literal

import msgspec

from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.segment import MinuteCounts, Moment, StampedText
from diary.store import sealed as contents

PictureRole = Literal["screen", "thumbnail", "camera"]

_KEEP = """
    INSERT INTO draft (contract, slot, removed, sealed)
    VALUES (:contract, :slot, 0, :sealed)
        ON CONFLICT (contract, slot) DO UPDATE
       SET sealed = excluded.sealed
"""
_FIND = """
    SELECT contract, slot, removed, sealed.body
      FROM draft
      LEFT JOIN sealed
        ON sealed.id = draft.sealed
     WHERE contract = :contract AND slot = :slot
"""
_ALL = """
    SELECT contract, slot, removed, sealed.body
      FROM draft
      LEFT JOIN sealed
        ON sealed.id = draft.sealed
     ORDER BY slot, contract
"""
_OTHERS = """
    SELECT contract, slot, removed, sealed.body
      FROM draft
      LEFT JOIN sealed
        ON sealed.id = draft.sealed
     WHERE slot = :slot AND contract <> :contract AND removed = 0
     ORDER BY contract
"""
_REMOVE = """
    INSERT INTO draft (contract, slot, removed, sealed)
    VALUES (:contract, :slot, 1, NULL)
        ON CONFLICT (contract, slot) DO UPDATE
       SET removed = 1, sealed = NULL
"""
_DROP = """
    DELETE FROM draft
     WHERE contract = :contract AND slot = :slot AND removed = 0
"""
_FORGET_MARKS = """
    DELETE FROM draft
     WHERE removed = 1 AND slot < :slot
"""
_MARKS_BEFORE = """
    SELECT EXISTS (SELECT 1 FROM draft WHERE removed = 1 AND slot < :slot)
"""
_KEEP_PICTURE = """
    INSERT INTO draft_picture (contract, slot, idx, sealed)
    VALUES (:contract, :slot, :idx, :sealed)
        ON CONFLICT (contract, slot, idx) DO UPDATE
       SET sealed = excluded.sealed
"""
_PICTURES = """
    SELECT sealed.body
      FROM draft_picture
      JOIN sealed
        ON sealed.id = draft_picture.sealed
     WHERE contract = :contract AND slot = :slot
     ORDER BY idx
"""
_PICTURE = """
    SELECT sealed.body
      FROM draft_picture
      JOIN sealed
        ON sealed.id = draft_picture.sealed
     WHERE contract = :contract AND slot = :slot AND idx = :idx
"""
_PICTURE_COUNT = """
    SELECT count(*)
      FROM draft_picture
     WHERE contract = :contract AND slot = :slot
"""
_DROP_PICTURES = """
    DELETE FROM draft_picture
     WHERE contract = :contract AND slot = :slot AND idx >= :idx
"""


class CaptureDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine has seen so far of one slot, not yet a version (R12, R19).

    `minutes` has ten items, None where tracking was off. `drawn_ms` is the random moment drawn for the slot,
    kept so that a restart draws no second one; `moment` is when the picture was taken, None before.
    `pictures` are (role, encoded bytes) in the order of their index. `removed` says that the freelancer
    removed it: then everything else is empty, and nothing more is recorded in that slot (R12).
    """

    contract: ContractId
    slot: Slot
    minutes: tuple[MinuteCounts | None, ...] = (None,) * 10
    application: str = ""
    title: str = ""
    drawn_ms: Millis = Millis(0)
    moment: Moment | None = None
    masked: bool = False
    no_picture: str | None = None
    pictures: tuple[tuple[PictureRole, bytes], ...] = ()
    memo: StampedText | None = None
    label: StampedText | None = None
    removed: bool = False


class DraftText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft as it is sealed: all but the pictures' bytes, which are sealed once and apart."""

    contract: ContractId
    slot: Slot
    minutes: tuple[MinuteCounts | None, ...]
    application: str
    title: str
    drawn_ms: Millis
    moment: Moment | None
    masked: bool
    no_picture: str | None
    roles: tuple[PictureRole, ...]
    memo: StampedText | None
    label: StampedText | None


class KeptDraft(msgspec.Struct, frozen=True):
    """A row: `sealed` is None where the draft was removed."""

    contract: ContractId
    slot: Slot
    removed: bool
    sealed: bytes | None


def _kept(row: tuple[str, int, int, bytes | None]) -> KeptDraft:
    return KeptDraft(ContractId(row[0]), Slot(row[1]), bool(row[2]), row[3])


def keep(connection: sqlite3.Connection, contract: ContractId, slot: Slot, sealed: bytes) -> bool:
    """Store a draft over its older self; return False where it was removed, and store nothing (R12)."""
    kept = find(connection, contract, slot)
    if kept is not None and kept.removed:
        return False
    bound = {"contract": contract, "slot": slot, "sealed": contents.add(connection, sealed)}
    connection.execute(_KEEP, bound)
    return True


def find(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> KeptDraft | None:
    """Return one draft or mark, or None."""
    row = connection.execute(_FIND, {"contract": contract, "slot": slot}).fetchone()
    return None if row is None else _kept(row)


def everything(connection: sqlite3.Connection) -> tuple[KeptDraft, ...]:
    """Return all drafts and marks, the oldest slot first."""
    return tuple(map(_kept, connection.execute(_ALL)))


def others(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[KeptDraft, ...]:
    """Return the drafts of one slot that are another contract's; no marks."""
    return tuple(map(_kept, connection.execute(_OTHERS, {"contract": contract, "slot": slot})))


def remove(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> None:
    """Destroy a draft and leave a mark that nothing more is recorded there (R12, R25)."""
    drop_pictures(connection, contract, slot)
    connection.execute(_REMOVE, {"contract": contract, "slot": slot})


def drop(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> None:
    """Delete a draft that became a version, or became nothing; a mark stays."""
    drop_pictures(connection, contract, slot)
    connection.execute(_DROP, {"contract": contract, "slot": slot})


def forget_marks(connection: sqlite3.Connection, before: Slot) -> None:
    """Delete the marks of slots that nobody can record any more."""
    connection.execute(_FORGET_MARKS, {"slot": before})


def marks_before(connection: sqlite3.Connection, slot: Slot) -> bool:
    """Return whether there is a mark of a slot before one."""
    return bool(connection.execute(_MARKS_BEFORE, {"slot": slot}).fetchone()[0])


def keep_picture(
    connection: sqlite3.Connection, contract: ContractId, slot: Slot, index: int, sealed: bytes
) -> None:
    """Store one picture of a draft."""
    bound = {"contract": contract, "slot": slot, "idx": index, "sealed": contents.add(connection, sealed)}
    connection.execute(_KEEP_PICTURE, bound)


def pictures(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[bytes, ...]:
    """Return a draft's sealed pictures in the order of their index."""
    return tuple(row[0] for row in connection.execute(_PICTURES, {"contract": contract, "slot": slot}))


def picture(connection: sqlite3.Connection, contract: ContractId, slot: Slot, index: int) -> bytes | None:
    """Return one sealed picture of a draft, or None."""
    bound = {"contract": contract, "slot": slot, "idx": index}
    row = connection.execute(_PICTURE, bound).fetchone()
    return None if row is None else bytes(row[0])


def picture_count(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> int:
    """Return how many pictures of a draft are stored."""
    return int(connection.execute(_PICTURE_COUNT, {"contract": contract, "slot": slot}).fetchone()[0])


def drop_pictures(connection: sqlite3.Connection, contract: ContractId, slot: Slot, first: int = 0) -> None:
    """Delete a draft's pictures from an index on."""
    connection.execute(_DROP_PICTURES, {"contract": contract, "slot": slot, "idx": first})
