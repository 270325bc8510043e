"""The tables of what the server states and of the trees over its logs (R56, R57)."""

import sqlite3

# log_tile: hashes of the tree over what was read of each log (diary.evidence.tiles). signed_head, seal: what
# the server signed, as it signed it; `agrees` is NULL until a seal could be recomputed here.
TABLES = (
    """
CREATE TABLE log_tile (
    contract TEXT NOT NULL,
    level INTEGER NOT NULL CHECK (level >= 0),
    place INTEGER NOT NULL CHECK (place >= 0),
    hashes BLOB NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 2048),
    PRIMARY KEY (contract, level, place)
) STRICT
""",
    """
CREATE TABLE signed_head (
    contract TEXT NOT NULL,
    log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    root TEXT NOT NULL CHECK (length(root) = 64),
    at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    checked INTEGER NOT NULL DEFAULT 0 CHECK (checked IN (0, 1)),
    PRIMARY KEY (contract, log_epoch, size, root)
) STRICT
""",
    """
CREATE TABLE seal (
    contract TEXT NOT NULL,
    week TEXT NOT NULL,
    log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
    number INTEGER NOT NULL CHECK (number >= 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    text TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    agrees INTEGER CHECK (agrees IN (0, 1)),
    doubted INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    PRIMARY KEY (contract, week, log_epoch, number)
) STRICT
""",
    "ALTER TABLE log_head ADD COLUMN seals INTEGER NOT NULL DEFAULT 0 CHECK (seals >= 0)",
    "ALTER TABLE alarm ADD COLUMN evidence TEXT",
    # The tree is over what was read: of a log that was read before there was one, from its start.
    "UPDATE log_head SET size = 0",
)


def know_the_logs(connection: sqlite3.Connection) -> None:
    """Lay what holds the server to its logs: their trees, its heads and its seals (R56, R57)."""
    for statement in TABLES:
        connection.execute(statement)
