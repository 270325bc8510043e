"""The schema of `diary.db` and how an older file becomes one of today (R46, R70).

What a person wrote or the screen showed lies here only sealed, under the key of its version or under the
account's, and where rows never move: in the table `sealed` (see `diary.store.sealed`), drafts in blocks of
their own (`diary.store.draft_blocks`). The rows that own it name its number. What can be derived from
versions (contracts, terms, devices, epoch keys, standings, verdicts) has no table of its own.

Pictures lie in the database as BLOBs, not as files beside it: the row and its pictures are then written and
destroyed by the same transaction, `secure_delete` and the truncated WAL reach them as they reach the text
(R25), and one copy of one file is a whole backup.

A migration is a named function that brings the file from one schema number to the next; `MIGRATIONS` is
their order for ever, and a file's `user_version` says how many of them it has seen.
"""

import sqlite3
from collections.abc import Callable

from diary.store.drafts_apart import lay_drafts_apart
from diary.store.epochs_schema import know_of_epochs
from diary.store.invoice_schema import lay_invoices
from diary.store.list_wish import wish_for_lists
from diary.store.log_schema import know_the_logs
from diary.store.overlaps import lay_overlaps
from diary.store.refused_view import lay_refused_view
from diary.store.sealed_apart import lay_sealed_apart
from diary.store.thinned import let_pictures_be_thinned
from diary.store.values_apart import lay_values_apart

Migration = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x57444961  # "WDIa": what `file` and we recognise a diary by

TABLES = """
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- This file's own replicas: the newest one writes, and last_n was the last number it gave away (R33, R42).
CREATE TABLE replica (
    replica TEXT NOT NULL PRIMARY KEY CHECK (length(replica) = 32),
    last_n INTEGER NOT NULL DEFAULT 0 CHECK (last_n >= 0),
    since_ms INTEGER NOT NULL
) STRICT;

-- header, body and wrap are the exact bytes of the wire. push is set before anything leaves this machine:
-- a version whose push and received_at_ms are NULL was never seen by anybody else.
CREATE TABLE version (
    id INTEGER PRIMARY KEY,
    replica TEXT NOT NULL CHECK (length(replica) = 32),
    n INTEGER NOT NULL CHECK (n >= 1),
    type TEXT NOT NULL,
    account TEXT NOT NULL CHECK (length(account) = 32),
    contract TEXT NOT NULL CHECK (length(contract) = 32),
    slot INTEGER CHECK (slot >= 0),
    life INTEGER CHECK (life >= 0),
    written_at_ms INTEGER NOT NULL,
    received_at_ms INTEGER,
    log_epoch INTEGER,
    leaf_index INTEGER CHECK (leaf_index >= 0),
    push TEXT CHECK (length(push) = 64),
    content TEXT NOT NULL DEFAULT 'standing' CHECK (content IN ('standing', 'superseded', 'destroyed')),
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    header BLOB NOT NULL,
    wrap BLOB,
    body BLOB,
    UNIQUE (replica, n),
    CHECK (content = 'standing' OR (body IS NULL AND wrap IS NULL)),
    CHECK ((received_at_ms IS NULL) = (leaf_index IS NULL)),
    CHECK ((received_at_ms IS NULL) = (log_epoch IS NULL)),
    CHECK (type NOT IN ('capture', 'entry') OR slot IS NOT NULL)
) STRICT;
CREATE INDEX version_slot ON version (slot, contract) WHERE slot IS NOT NULL;
CREATE INDEX version_contract ON version (contract, type) WHERE slot IS NULL;
CREATE UNIQUE INDEX version_leaf ON version (contract, log_epoch, leaf_index) WHERE leaf_index IS NOT NULL;

-- name is SHA-256 of the ciphertext, size its padded size; ciphertext is NULL until it was fetched. The row
-- belongs to a version, or to a refusal that keeps what was recorded.
CREATE TABLE picture (
    replica TEXT NOT NULL,
    n INTEGER NOT NULL,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    name TEXT NOT NULL CHECK (length(name) = 64),
    contract TEXT NOT NULL,
    slot INTEGER NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    at_server INTEGER NOT NULL DEFAULT 0 CHECK (at_server IN (0, 1)),
    ciphertext BLOB,
    PRIMARY KEY (replica, n, idx)
) STRICT;
CREATE INDEX picture_name ON picture (name);
CREATE INDEX picture_to_send ON picture (slot) WHERE at_server = 0 AND ciphertext IS NOT NULL;

-- What waits to be sent. Nothing leaves before not_before_ms (R17); held_for names a question to the
-- freelancer that must be answered first: 'late' (R38), 'move' (R20).
CREATE TABLE outbox (
    replica TEXT NOT NULL,
    n INTEGER NOT NULL,
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    held_for TEXT CHECK (held_for IN ('late', 'move')),
    PRIMARY KEY (replica, n),
    FOREIGN KEY (replica, n) REFERENCES version (replica, n) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Each version with what it waits for, as the acts read it; waits is 1 while it is to be sent.
CREATE VIEW stored AS
SELECT version.*,
       outbox.n IS NOT NULL AS waits,
       outbox.not_before_ms AS not_before_ms,
       outbox.held_for AS held_for
  FROM version
  LEFT JOIN outbox
    ON outbox.replica = version.replica AND outbox.n = version.n;

-- A refused change, kept sealed as it was; of a refused deletion only place and time (R37d).
CREATE TABLE refusal (
    id INTEGER PRIMARY KEY,
    replica TEXT NOT NULL,
    n INTEGER NOT NULL,
    contract TEXT NOT NULL,
    slot INTEGER,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    because TEXT NOT NULL,
    refused_at_ms INTEGER NOT NULL,
    header BLOB,
    wrap BLOB,
    body BLOB,
    UNIQUE (replica, n)
) STRICT;
CREATE INDEX refusal_slot ON refusal (slot, contract);

-- Acts that can be undone, and for each place what stood there before, sealed under the account's key,
-- whose rows go when it is removed, and when its week freezes (R26).
CREATE TABLE act (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'add')),
    at_ms INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1))
) STRICT;
CREATE TABLE history (
    act INTEGER NOT NULL REFERENCES act (id) ON DELETE CASCADE,
    contract TEXT NOT NULL,
    slot INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (act, contract, slot)
) STRICT;
CREATE INDEX history_slot ON history (slot, contract);

-- The segment under way, sealed every minute (R19). A removed one stays as a mark that nothing more is
-- recorded in that slot (R12).
CREATE TABLE draft (
    contract TEXT NOT NULL,
    slot INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    sealed BLOB,
    PRIMARY KEY (contract, slot),
    CHECK ((removed = 1) = (sealed IS NULL))
) STRICT;
CREATE INDEX draft_slot ON draft (slot);
CREATE TABLE draft_picture (
    contract TEXT NOT NULL,
    slot INTEGER NOT NULL,
    idx INTEGER NOT NULL CHECK (idx >= 0),
    sealed BLOB NOT NULL,
    PRIMARY KEY (contract, slot, idx),
    FOREIGN KEY (contract, slot) REFERENCES draft (contract, slot) ON DELETE CASCADE
) STRICT;

-- Pushes as they were signed, by their hash (R48), and the server's answers as it signed them (R37d, R56).
CREATE TABLE push (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    replica TEXT NOT NULL,
    hashes BLOB NOT NULL CHECK (length(hashes) % 64 = 0),
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TABLE answer (
    id INTEGER PRIMARY KEY,
    taken_at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TABLE receipt (
    replica TEXT NOT NULL,
    n INTEGER NOT NULL,
    answer INTEGER NOT NULL REFERENCES answer (id),
    PRIMARY KEY (replica, n)
) STRICT, WITHOUT ROWID;

-- How far each contract's log was read, without holes (R45); root is the head's, once known (R56).
CREATE TABLE log_head (
    contract TEXT NOT NULL PRIMARY KEY,
    log_epoch INTEGER NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    root TEXT CHECK (length(root) = 64)
) STRICT, WITHOUT ROWID;

-- What stays until a person has looked: a fork, a list that went back, a bad signature (R48, R50, R56).
CREATE TABLE alarm (
    id INTEGER PRIMARY KEY,
    raised_at_ms INTEGER NOT NULL,
    contract TEXT NOT NULL,
    kind TEXT NOT NULL,
    says TEXT NOT NULL,
    UNIQUE (contract, kind, says)
) STRICT;

-- What was sent, when and to whom (R55); name: the push's hash or the picture's name.
CREATE TABLE sent (
    id INTEGER PRIMARY KEY,
    sent_at_ms INTEGER NOT NULL,
    server TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('versions', 'picture')),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
"""

# The names of ISO weeks by the Thursday in them (ISO 8601): SQLite's own %G and %V came later than 3.40.
SEGMENT_VIEW = """
CREATE VIEW segment AS
WITH place AS (
    SELECT contract, slot
      FROM version
     WHERE type IN ('capture', 'entry')
    UNION
    SELECT contract, slot
      FROM draft
     WHERE removed = 0
),
dated AS (
    SELECT contract,
           slot,
           slot * 600 AS start_s,
           date(slot * 600, 'unixepoch', '-3 days', 'weekday 4') AS thursday
      FROM place
)
SELECT contract,
       slot,
       printf('%s-W%02d', strftime('%Y', thursday), (strftime('%j', thursday) - 1) / 7 + 1) AS week,
       strftime('%Y-%m-%dT%H:%M:%SZ', start_s, 'unixepoch') AS start_utc,
       diary_opened(contract, slot, 'contract_title') AS contract_title,
       diary_opened(contract, slot, 'kind') AS kind,
       diary_opened(contract, slot, 'state') AS state,
       diary_opened(contract, slot, 'memo') AS memo,
       diary_opened(contract, slot, 'label') AS label,
       diary_opened(contract, slot, 'activity') AS activity,
       diary_opened(contract, slot, 'application') AS application,
       diary_opened(contract, slot, 'title') AS title,
       diary_opened(contract, slot, 'bills') AS bills,
       diary_opened(contract, slot, 'why_not') AS why_not,
       diary_opened(contract, slot, 'received_at_utc') AS received_at_utc
  FROM dated
"""


def begin(connection: sqlite3.Connection) -> None:
    """Lay the tables and the view of the first schema (R46)."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(SEGMENT_VIEW)


# Versions that were sealed anew under another name when this file took a new replica id (R42).
RENAMED = """
CREATE TABLE renamed (
    replica TEXT NOT NULL,
    n INTEGER NOT NULL,
    header_hash BLOB NOT NULL CHECK (length(header_hash) = 32),
    new_replica TEXT NOT NULL,
    new_n INTEGER NOT NULL,
    PRIMARY KEY (replica, n)
) STRICT, WITHOUT ROWID
"""


def remember_old_names(connection: sqlite3.Connection) -> None:
    """Lay the table of names that were given up at a renewal (R42)."""
    connection.execute(RENAMED)


# late_answered: its freelancer said that it may be sent as late time (R38). Whether it would be late is a
# matter of the clock, so it is asked and not stored: `unasked` are the captures that it would be asked of.
LATE_ANSWERED = """
ALTER TABLE outbox
  ADD COLUMN late_answered INTEGER NOT NULL DEFAULT 0 CHECK (late_answered IN (0, 1))
"""
STORED_VIEW = """
CREATE VIEW stored AS
SELECT version.*,
       outbox.n IS NOT NULL AS waits,
       outbox.not_before_ms AS not_before_ms,
       outbox.held_for AS held_for,
       ifnull(outbox.late_answered, 0) AS late_answered
  FROM version
  LEFT JOIN outbox
    ON outbox.replica = version.replica AND outbox.n = version.n
"""
UNASKED_VIEW = """
CREATE VIEW unasked AS
SELECT version.contract AS contract,
       version.slot AS slot
  FROM version
  JOIN outbox
    ON outbox.replica = version.replica AND outbox.n = version.n
 WHERE version.type = 'capture'
   AND version.push IS NULL
   AND version.slot IS NOT NULL
   AND outbox.late_answered = 0
"""


def ask_of_late_time(connection: sqlite3.Connection) -> None:
    """Lay the answer that late time waits for (R38)."""
    connection.execute(LATE_ANSWERED)
    connection.execute("DROP VIEW stored")
    connection.execute(STORED_VIEW)
    connection.execute(UNASKED_VIEW)


# When its freelancer put a refusal away; until then it is shown, and a refused deletion loudly (R37d).
def let_refusals_be_put_away(connection: sqlite3.Connection) -> None:
    """Lay the mark of a refusal that was looked at (R37d)."""
    connection.execute("ALTER TABLE refusal ADD COLUMN dismissed_at_ms INTEGER")


def destroy_without_a_trace(connection: sqlite3.Connection) -> None:
    """Lay every sealed content apart from the rows that own it, where no row ever moves (R25)."""
    lay_sealed_apart(connection)
    connection.execute(SEGMENT_VIEW)
    connection.execute(UNASKED_VIEW)


def know_where_pictures_are(connection: sqlite3.Connection) -> None:
    """Find the pictures that are not both here and at the server without looking at all (R41)."""
    on_its_way = "CREATE INDEX picture_on_its_way ON picture (slot) WHERE at_server = 0 OR sealed IS NULL"
    connection.execute("DROP INDEX picture_to_send")
    connection.execute(on_its_way)


MIGRATIONS: tuple[Migration, ...] = (
    begin,
    remember_old_names,
    ask_of_late_time,
    let_refusals_be_put_away,
    destroy_without_a_trace,
    know_of_epochs,
    know_where_pictures_are,
    lay_values_apart,
    lay_drafts_apart,
    let_pictures_be_thinned,
    lay_refused_view,
    wish_for_lists,
    lay_overlaps,
    know_the_logs,
    lay_invoices,
)
SCHEMA = len(MIGRATIONS)
