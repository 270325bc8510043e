"""The migration that puts the sealed values of `meta` where rows never move, too (R25, R50, R70).

They lie under the account's key, which stays: a copy of the root's entropy or of a key to come, left in a
page's gap when the value went, could still be opened. See `diary.store.sealed`.
"""

import sqlite3

_VALUES = "SELECT key, value FROM meta ORDER BY key"
_ANEW = (
    "DROP TABLE meta",
    """
    CREATE TABLE meta (
        key TEXT NOT NULL PRIMARY KEY,
        value ANY CHECK (typeof(value) IN ('integer', 'text', 'null')),
        sealed INTEGER REFERENCES sealed (id),
        CHECK ((value IS NULL) <> (sealed IS NULL))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER meta_gone AFTER DELETE ON meta
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
    """
    CREATE TRIGGER meta_set_anew AFTER UPDATE OF sealed ON meta
    WHEN OLD.sealed IS NOT NEW.sealed
    BEGIN
        UPDATE sealed SET wrap = NULL, body = NULL WHERE id = OLD.sealed;
    END
    """,
)
_SEAL = "INSERT INTO sealed (body) VALUES (:body)"
_PUT = "INSERT INTO meta (key, value, sealed) VALUES (:key, :value, :sealed)"
# A new file has no replica yet, and nothing to destroy.
_DESTROYING = """
    INSERT OR IGNORE INTO meta (key, value)
    SELECT 'destroying', 1
     WHERE EXISTS (SELECT 1 FROM replica)
"""


def lay_values_apart(connection: sqlite3.Connection) -> None:
    """Write `meta` anew, its sealed values apart from their keys (R25)."""
    values = connection.execute(_VALUES).fetchall()
    for statement in _ANEW:
        connection.execute(statement)
    for key, value in values:
        is_sealed = isinstance(value, bytes)
        number = connection.execute(_SEAL, {"body": value}).lastrowid if is_sealed else None
        connection.execute(_PUT, {"key": key, "value": None if is_sealed else value, "sealed": number})
    connection.execute(_DESTROYING)
