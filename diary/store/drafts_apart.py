"""The migration that gives drafts blocks of their own, written over in place (R19, R25, R70).

Before it, each minute's draft was a row of `sealed` that stayed, emptied, for good: about 1 KB a minute of
tracking. See `diary.store.draft_blocks`. What lay in `sealed` is emptied there; the file begins its new life
as one that is "destroying", until the WAL is truncated.
"""

import sqlite3

from diary.rules.ids import ContractId, Slot
from diary.store import draft_blocks

_DRAFTS = "SELECT contract, slot, removed FROM draft"
_PARTS = """
    SELECT contract, slot, 0 AS part, sealed.body
      FROM draft
      JOIN sealed
        ON sealed.id = draft.sealed
     UNION ALL
    SELECT contract, slot, idx + 1, sealed.body
      FROM draft_picture
      JOIN sealed
        ON sealed.id = draft_picture.sealed
"""
_ANEW = (
    """
    UPDATE sealed
       SET wrap = NULL, body = NULL
     WHERE id IN (SELECT sealed FROM draft UNION SELECT sealed FROM draft_picture)
    """,
    "DROP TABLE draft_picture",
    "DROP TABLE draft",
    """
    CREATE TABLE draft (
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
        PRIMARY KEY (contract, slot)
    ) STRICT
    """,
    "CREATE INDEX draft_slot ON draft (slot)",
    """
    CREATE TABLE draft_block (
        id INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL CHECK (length(bytes) = 8000)
    ) STRICT
    """,
    # Part 0 is a draft's text, part 1 its first picture; each lies in blocks by their place.
    """
    CREATE TABLE draft_part (
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        part INTEGER NOT NULL CHECK (part >= 0),
        place INTEGER NOT NULL CHECK (place >= 0),
        block INTEGER NOT NULL UNIQUE REFERENCES draft_block (id),
        PRIMARY KEY (contract, slot, part, place),
        FOREIGN KEY (contract, slot) REFERENCES draft (contract, slot) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER draft_block_never_goes
    BEFORE DELETE ON draft_block
    BEGIN
        SELECT RAISE(ABORT, 'a block of drafts stays, zeroed: its neighbours must not move');
    END
    """,
    """
    CREATE TRIGGER draft_block_keeps_its_place
    BEFORE UPDATE OF id ON draft_block
    WHEN NEW.id <> OLD.id
    BEGIN
        SELECT RAISE(ABORT, 'a block of drafts is written over in its place: its neighbours must not move');
    END
    """,
    """
    CREATE TRIGGER draft_block_comes_last
    AFTER INSERT ON draft_block
    WHEN NEW.id < (SELECT max(id) FROM draft_block)
    BEGIN
        SELECT RAISE(ABORT, 'a block of drafts comes behind all others: they must not move');
    END
    """,
    """
    CREATE TRIGGER draft_part_gone AFTER DELETE ON draft_part
    BEGIN
        UPDATE draft_block SET bytes = zeroblob(8000) WHERE id = OLD.block;
    END
    """,
    """
    CREATE TRIGGER draft_part_elsewhere AFTER UPDATE OF block ON draft_part
    WHEN NEW.block <> OLD.block
    BEGIN
        UPDATE draft_block SET bytes = zeroblob(8000) WHERE id = OLD.block;
    END
    """,
    """
    CREATE TRIGGER draft_removed AFTER UPDATE OF removed ON draft
    WHEN NEW.removed = 1
    BEGIN
        DELETE FROM draft_part WHERE contract = NEW.contract AND slot = NEW.slot;
    END
    """,
    """
    CREATE TRIGGER draft_part_of_a_removed_one
    BEFORE INSERT ON draft_part
    WHEN EXISTS (SELECT 1 FROM draft WHERE contract = NEW.contract AND slot = NEW.slot AND removed = 1)
    BEGIN
        SELECT RAISE(ABORT, 'a removed draft holds nothing');
    END
    """,
)
_DRAFT = "INSERT INTO draft (contract, slot, removed) VALUES (?, ?, ?)"
# A new file has no replica yet, and nothing to destroy.
_DESTROYING = """
    INSERT OR IGNORE INTO meta (key, value)
    SELECT 'destroying', 1
     WHERE EXISTS (SELECT 1 FROM replica)
"""


def lay_drafts_apart(connection: sqlite3.Connection) -> None:
    """Write the drafts anew, in blocks (R25)."""
    rows = connection.execute(_DRAFTS).fetchall()
    parts = connection.execute(_PARTS).fetchall()
    for statement in _ANEW:
        connection.execute(statement)
    connection.executemany(_DRAFT, rows)
    for contract, slot, part, sealed in parts:
        draft_blocks.write(connection, ContractId(contract), Slot(slot), part, sealed)
    connection.execute(_DESTROYING)
