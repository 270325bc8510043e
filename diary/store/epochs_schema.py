"""The migration that knows that a server may be restored, what it lost and what proves it (R43)."""

import sqlite3

# A row whose log_epoch is negative was in that epoch's log and is lost to the server (R43); its place may be
# another's by then. page_proof: the server's signature over a page's leaves, which are kept once they are
# needed. lost_head: what this diary knew of a log beyond what a restored server kept.
EPOCHS = (
    """
CREATE TABLE opening (
    log_epoch INTEGER NOT NULL PRIMARY KEY CHECK (log_epoch > 1),
    taken_at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT
""",
    """
CREATE TABLE lost_head (
    log_epoch INTEGER NOT NULL REFERENCES opening (log_epoch),
    contract TEXT NOT NULL,
    had_epoch INTEGER NOT NULL,
    had_size INTEGER NOT NULL,
    kept_size INTEGER NOT NULL,
    PRIMARY KEY (log_epoch, contract)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE page_proof (
    contract TEXT NOT NULL,
    first INTEGER NOT NULL CHECK (first >= 0),
    count INTEGER NOT NULL CHECK (count > 0),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    leaves BLOB CHECK (length(leaves) = 32 * count),
    PRIMARY KEY (contract, first, count)
) STRICT, WITHOUT ROWID
""",
    "DROP INDEX version_leaf",
    """
CREATE UNIQUE INDEX version_leaf
    ON version (contract, log_epoch, leaf_index)
 WHERE leaf_index IS NOT NULL
   AND log_epoch > 0
""",
    "CREATE INDEX version_lost ON version (received_at_ms) WHERE log_epoch < 0",
)


def know_of_epochs(connection: sqlite3.Connection) -> None:
    """Lay what tells that the server was restored, what it lost and what proves it (R43)."""
    for statement in EPOCHS:
        connection.execute(statement)
