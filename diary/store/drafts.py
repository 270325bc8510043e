"""The segment under way, sealed to disk every minute (R19), and the mark of a removed one (R12)."""

import sqlite3
from typing import Literal

import msgspec

from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.sealed_content import MinuteCounts, Moment, StampedText
from diary.store import draft_blocks

PictureRole = Literal["screen", "thumbnail", "camera"]

# Parts of a draft, as `draft_blocks` numbers them.
_TEXT = 0
_FIRST_PICTURE = 1

_KEEP = """
    INSERT INTO draft (contract, slot, removed)
    VALUES (:contract, :slot, 0)
        ON CONFLICT (contract, slot) DO NOTHING
"""
_FIND = """
    SELECT contract, slot, removed
      FROM draft
     WHERE contract = :contract AND slot = :slot
"""
_ALL = """
    SELECT contract, slot, removed
      FROM draft
     ORDER BY slot, contract
"""
_OTHERS = """
    SELECT contract, slot, removed
      FROM draft
     WHERE slot = :slot AND contract <> :contract AND removed = 0
     ORDER BY contract
"""
_REMOVE = """
    INSERT INTO draft (contract, slot, removed)
    VALUES (:contract, :slot, 1)
        ON CONFLICT (contract, slot) DO UPDATE
       SET removed = 1
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
_PICTURE_COUNT = """
    SELECT count(*)
      FROM draft_part
     WHERE contract = :contract AND slot = :slot AND part > 0 AND place = 0
"""
_DROP_PICTURES = """
    DELETE FROM draft_part
     WHERE contract = :contract AND slot = :slot AND part > :idx
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


def _kept(connection: sqlite3.Connection, row: tuple[str, int, int]) -> KeptDraft:
    contract, slot = ContractId(row[0]), Slot(row[1])
    return KeptDraft(contract, slot, bool(row[2]), draft_blocks.read(connection, contract, slot, _TEXT))


def keep(connection: sqlite3.Connection, contract: ContractId, slot: Slot, sealed: bytes) -> bool:
    """Store a draft over its older self; return False where it was removed, and store nothing (R12)."""
    kept = find(connection, contract, slot)
    if kept is not None and kept.removed:
        return False
    connection.execute(_KEEP, {"contract": contract, "slot": slot})
    draft_blocks.write(connection, contract, slot, _TEXT, sealed)
    return True


def find(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> KeptDraft | None:
    """Return one draft or mark, or None."""
    row = connection.execute(_FIND, {"contract": contract, "slot": slot}).fetchone()
    return None if row is None else _kept(connection, row)


def everything(connection: sqlite3.Connection) -> tuple[KeptDraft, ...]:
    """Return all drafts and marks, the oldest slot first."""
    return tuple(_kept(connection, row) for row in connection.execute(_ALL).fetchall())


def others(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[KeptDraft, ...]:
    """Return the drafts of one slot that are another contract's; no marks."""
    rows = connection.execute(_OTHERS, {"contract": contract, "slot": slot}).fetchall()
    return tuple(_kept(connection, row) for row in rows)


def remove(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> None:
    """Destroy a draft and leave a mark that nothing more is recorded there (R12, R25)."""
    connection.execute(_REMOVE, {"contract": contract, "slot": slot})


def drop(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> None:
    """Delete a draft that became a version, or became nothing; a mark stays."""
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
    draft_blocks.write(connection, contract, slot, _FIRST_PICTURE + index, sealed)


def pictures(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[bytes, ...]:
    """Return a draft's sealed pictures in the order of their index."""
    count = picture_count(connection, contract, slot)
    found = (picture(connection, contract, slot, index) for index in range(count))
    return tuple(one for one in found if one is not None)


def picture(connection: sqlite3.Connection, contract: ContractId, slot: Slot, index: int) -> bytes | None:
    """Return one sealed picture of a draft, or None."""
    return draft_blocks.read(connection, contract, slot, _FIRST_PICTURE + index)


def picture_count(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> int:
    """Return how many pictures of a draft are stored."""
    return int(connection.execute(_PICTURE_COUNT, {"contract": contract, "slot": slot}).fetchone()[0])


def drop_pictures(connection: sqlite3.Connection, contract: ContractId, slot: Slot, first: int) -> None:
    """Delete a draft's pictures from an index on."""
    connection.execute(_DROP_PICTURES, {"contract": contract, "slot": slot, "idx": first})
