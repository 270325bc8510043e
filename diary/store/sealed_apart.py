"""The migration that puts every sealed content into a table of its own, where rows never move (R25, R70).

Before it, contents lay in the rows that name them. Those rows grow when they are pushed, received or
fetched, and go when they are dropped, and SQLite then left copies of their neighbours in the pages' gaps
(see `diary.store.sealed`). So the six tables are written anew and the old ones dropped: `secure_delete`
zeroes every page of theirs, gaps included. What was destroyed before lies in the file until the WAL is
truncated: the file begins its new life as one that is "destroying".

Dropping a table lets rows that refer to it go with it; `outbox` and `draft_picture`, which do, are therefore
kept aside, in memory, until their new parents stand.
"""

import sqlite3
from dataclasses import dataclass

_SEALED = (
    """
    CREATE TABLE sealed (
        id INTEGER PRIMARY KEY,
        wrap BLOB,
        body BLOB
    ) STRICT
    """,
    """
    CREATE TRIGGER sealed_never_goes
    BEFORE DELETE ON sealed
    BEGIN
        SELECT RAISE(ABORT, 'a sealed row stays, empty: its neighbours must not move');
    END
    """,
    """
    CREATE TRIGGER sealed_is_only_emptied
    BEFORE UPDATE ON sealed
    WHEN NEW.id <> OLD.id OR NEW.wrap IS NOT NULL OR NEW.body IS NOT NULL
    BEGIN
        SELECT RAISE(ABORT, 'a sealed row is written once: its neighbours must not move');
    END
    """,
    """
    CREATE TRIGGER sealed_comes_last
    AFTER INSERT ON sealed
    WHEN NEW.id < (SELECT max(id) FROM sealed)
    BEGIN
        SELECT RAISE(ABORT, 'a sealed row comes behind all others: they must not move');
    END
    """,
)


@dataclass(frozen=True, slots=True)
class _Owner:
    """A table whose rows own contents: how it is laid, and filled from the one of its name.

    `contents` and `rows` are asked with `after`, the last number given to a content so far: the content of
    a row gets its rowid behind that.
    """

    table: str
    contents: str
    rows: str


_VERSION = _Owner(
    """
    CREATE TABLE version_apart (
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
        sealed INTEGER REFERENCES sealed (id),
        UNIQUE (replica, n),
        CHECK (content = 'standing' OR sealed IS NULL),
        CHECK ((received_at_ms IS NULL) = (leaf_index IS NULL)),
        CHECK ((received_at_ms IS NULL) = (log_epoch IS NULL)),
        CHECK (type NOT IN ('capture', 'entry') OR slot IS NOT NULL)
    ) STRICT
    """,
    """
    INSERT INTO sealed (id, wrap, body)
    SELECT :after + id, wrap, body
      FROM version
     WHERE body IS NOT NULL OR wrap IS NOT NULL
     ORDER BY id
    """,
    """
    INSERT INTO version_apart
    SELECT id, replica, n, type, account, contract, slot, life, written_at_ms, received_at_ms, log_epoch,
           leaf_index, push, content, body_hash, header,
           iif(body IS NULL AND wrap IS NULL, NULL, :after + id)
      FROM version
     ORDER BY id
    """,
)
_PICTURE = _Owner(
    """
    CREATE TABLE picture_apart (
        replica TEXT NOT NULL,
        n INTEGER NOT NULL,
        idx INTEGER NOT NULL CHECK (idx >= 0),
        name TEXT NOT NULL CHECK (length(name) = 64),
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        size INTEGER NOT NULL CHECK (size > 0),
        at_server INTEGER NOT NULL DEFAULT 0 CHECK (at_server IN (0, 1)),
        sealed INTEGER REFERENCES sealed (id),
        PRIMARY KEY (replica, n, idx)
    ) STRICT
    """,
    """
    INSERT INTO sealed (id, body)
    SELECT :after + rowid, ciphertext
      FROM picture
     WHERE ciphertext IS NOT NULL
     ORDER BY rowid
    """,
    """
    INSERT INTO picture_apart
    SELECT replica, n, idx, name, contract, slot, size, at_server,
           iif(ciphertext IS NULL, NULL, :after + rowid)
      FROM picture
     ORDER BY rowid
    """,
)
_REFUSAL = _Owner(
    """
    CREATE TABLE refusal_apart (
        id INTEGER PRIMARY KEY,
        replica TEXT NOT NULL,
        n INTEGER NOT NULL,
        contract TEXT NOT NULL,
        slot INTEGER,
        what TEXT NOT NULL,
        reason TEXT NOT NULL,
        because TEXT NOT NULL,
        refused_at_ms INTEGER NOT NULL,
        dismissed_at_ms INTEGER,
        header BLOB,
        sealed INTEGER REFERENCES sealed (id),
        UNIQUE (replica, n)
    ) STRICT
    """,
    """
    INSERT INTO sealed (id, wrap, body)
    SELECT :after + id, wrap, body
      FROM refusal
     WHERE body IS NOT NULL OR wrap IS NOT NULL
     ORDER BY id
    """,
    """
    INSERT INTO refusal_apart
    SELECT id, replica, n, contract, slot, what, reason, because, refused_at_ms, dismissed_at_ms,
           header, iif(body IS NULL AND wrap IS NULL, NULL, :after + id)
      FROM refusal
     ORDER BY id
    """,
)
_HISTORY = _Owner(
    """
    CREATE TABLE history_apart (
        act INTEGER NOT NULL REFERENCES act (id) ON DELETE CASCADE,
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        sealed INTEGER NOT NULL REFERENCES sealed (id),
        PRIMARY KEY (act, contract, slot)
    ) STRICT
    """,
    "INSERT INTO sealed (id, body) SELECT :after + rowid, sealed FROM history ORDER BY rowid",
    """
    INSERT INTO history_apart
    SELECT act, contract, slot, :after + rowid
      FROM history
     ORDER BY rowid
    """,
)
_DRAFT = _Owner(
    """
    CREATE TABLE draft_apart (
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
        sealed INTEGER REFERENCES sealed (id),
        PRIMARY KEY (contract, slot),
        CHECK ((removed = 1) = (sealed IS NULL))
    ) STRICT
    """,
    """
    INSERT INTO sealed (id, body)
    SELECT :after + rowid, sealed
      FROM draft
     WHERE sealed IS NOT NULL
     ORDER BY rowid
    """,
    """
    INSERT INTO draft_apart
    SELECT contract, slot, removed, iif(sealed IS NULL, NULL, :after + rowid)
      FROM draft
     ORDER BY rowid
    """,
)
_DRAFT_PICTURE = _Owner(
    "CREATE TEMP TABLE kept_picture (contract TEXT, slot INTEGER, idx INTEGER, sealed INTEGER)",
    "INSERT INTO sealed (id, body) SELECT :after + rowid, sealed FROM draft_picture ORDER BY rowid",
    """
    INSERT INTO kept_picture
    SELECT contract, slot, idx, :after + rowid
      FROM draft_picture
     ORDER BY rowid
    """,
)

_ANEW = (
    "CREATE TEMP TABLE kept_outbox AS SELECT * FROM outbox",
    "DROP VIEW stored",
    "DROP VIEW unasked",
    "DROP VIEW segment",
    "DROP TABLE outbox",
    "DROP TABLE version",
    "DROP TABLE picture",
    "DROP TABLE refusal",
    "DROP TABLE history",
    "DROP TABLE draft_picture",
    "DROP TABLE draft",
    "ALTER TABLE version_apart RENAME TO version",
    "ALTER TABLE picture_apart RENAME TO picture",
    "ALTER TABLE refusal_apart RENAME TO refusal",
    "ALTER TABLE history_apart RENAME TO history",
    "ALTER TABLE draft_apart RENAME TO draft",
    """
    CREATE TABLE outbox (
        replica TEXT NOT NULL,
        n INTEGER NOT NULL,
        not_before_ms INTEGER NOT NULL DEFAULT 0,
        held_for TEXT CHECK (held_for IN ('late', 'move')),
        late_answered INTEGER NOT NULL DEFAULT 0 CHECK (late_answered IN (0, 1)),
        PRIMARY KEY (replica, n),
        FOREIGN KEY (replica, n) REFERENCES version (replica, n) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE draft_picture (
        contract TEXT NOT NULL,
        slot INTEGER NOT NULL,
        idx INTEGER NOT NULL CHECK (idx >= 0),
        sealed INTEGER NOT NULL REFERENCES sealed (id),
        PRIMARY KEY (contract, slot, idx),
        FOREIGN KEY (contract, slot) REFERENCES draft (contract, slot) ON DELETE CASCADE
    ) STRICT
    """,
    """
    INSERT INTO outbox (replica, n, not_before_ms, held_for, late_answered)
    SELECT replica, n, not_before_ms, held_for, late_answered
      FROM kept_outbox
    """,
    """
    INSERT INTO draft_picture (contract, slot, idx, sealed)
    SELECT contract, slot, idx, sealed
      FROM kept_picture
    """,
    "DROP TABLE kept_outbox",
    "DROP TABLE kept_picture",
    "CREATE INDEX version_slot ON version (slot, contract) WHERE slot IS NOT NULL",
    "CREATE INDEX version_contract ON version (contract, type) WHERE slot IS NULL",
    """
    CREATE UNIQUE INDEX version_leaf ON version (contract, log_epoch, leaf_index)
     WHERE leaf_index IS NOT NULL
    """,
    "CREATE INDEX picture_name ON picture (name)",
    "CREATE INDEX picture_to_send ON picture (slot) WHERE at_server = 0 AND sealed IS NOT NULL",
    "CREATE INDEX refusal_slot ON refusal (slot, contract)",
    "CREATE INDEX history_slot ON history (slot, contract)",
    "CREATE INDEX draft_slot ON draft (slot)",
    """
    CREATE VIEW stored AS
    SELECT version.*,
           sealed.wrap AS wrap,
           sealed.body AS body,
           outbox.n IS NOT NULL AS waits,
           outbox.not_before_ms AS not_before_ms,
           outbox.held_for AS held_for,
           ifnull(outbox.late_answered, 0) AS late_answered
      FROM version
      LEFT JOIN sealed
        ON sealed.id = version.sealed
      LEFT JOIN outbox
        ON outbox.replica = version.replica AND outbox.n = version.n
    """,
)
# Whoever lets go of a content destroys it, by whatever statement.
_LETTING_GO = (
    """
    CREATE TRIGGER version_gone AFTER DELETE ON version
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER version_emptied AFTER UPDATE OF sealed ON version
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER picture_gone AFTER DELETE ON picture
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER picture_emptied AFTER UPDATE OF sealed ON picture
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER refusal_gone AFTER DELETE ON refusal
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER refusal_emptied AFTER UPDATE OF sealed ON refusal
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER history_gone AFTER DELETE ON history
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER draft_gone AFTER DELETE ON draft
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER draft_sealed_anew AFTER UPDATE OF sealed ON draft
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER draft_picture_gone AFTER DELETE ON draft_picture
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER draft_picture_sealed_anew AFTER UPDATE OF sealed ON draft_picture
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
)
# A new file has no replica yet, and nothing to destroy.
_DESTROYING = """
    INSERT OR IGNORE INTO meta (key, value)
    SELECT 'destroying', 1
     WHERE EXISTS (SELECT 1 FROM replica)
"""
_LAST = "SELECT ifnull(max(id), 0) FROM sealed"


def lay_sealed_apart(connection: sqlite3.Connection) -> None:
    """Write the tables anew, their contents apart from their rows (R25).

    The views over them are dropped; `stored` is laid again, the others are the caller's to lay.
    """
    for statement in _SEALED:
        connection.execute(statement)
    for owner in (_VERSION, _PICTURE, _REFUSAL, _HISTORY, _DRAFT, _DRAFT_PICTURE):
        after = {"after": connection.execute(_LAST).fetchone()[0]}
        connection.execute(owner.table)
        connection.execute(owner.contents, after)
        connection.execute(owner.rows, after)
    for statement in (*_ANEW, *_LETTING_GO):
        connection.execute(statement)
    connection.execute(_DESTROYING)
