"""Single values of the file: `meta`, key to value (R46).

Whatever a person wrote is sealed by the caller before it comes here, and lies where rows never move; a plain
value is a number or a word of ours.
"""

import sqlite3

from diary.store import sealed as contents

Value = str | int | bytes

_GET = """
    SELECT ifnull(meta.value, sealed.body)
      FROM meta
      LEFT JOIN sealed
        ON sealed.id = meta.sealed
     WHERE meta.key = :key
"""
_PUT = """
    INSERT INTO meta (key, value, sealed)
    VALUES (:key, :value, :sealed)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, sealed = excluded.sealed
"""
_REMOVE = """
    DELETE FROM meta
     WHERE key = :key
"""
_NUMBERS = """
    SELECT key, value
      FROM meta
     WHERE typeof(value) = 'integer'
       AND substr(key, 1, length(:start)) = :start
"""
_SEALED = """
    SELECT meta.key, sealed.body
      FROM meta
      JOIN sealed
        ON sealed.id = meta.sealed
"""


def get(connection: sqlite3.Connection, key: str) -> Value | None:
    """Return the value, or None where there is none."""
    row = connection.execute(_GET, {"key": key}).fetchone()
    return None if row is None else row[0]


def number(connection: sqlite3.Connection, key: str) -> int | None:
    """Return a value that is a whole number, or None where there is none."""
    value = get(connection, key)
    return value if isinstance(value, int) else None


def word(connection: sqlite3.Connection, key: str) -> str | None:
    """Return a value that is a word of ours, or None where there is none."""
    value = get(connection, key)
    return value if isinstance(value, str) else None


def blob(connection: sqlite3.Connection, key: str) -> bytes | None:
    """Return a sealed value, or None where there is none."""
    value = get(connection, key)
    return value if isinstance(value, bytes) else None


def put(connection: sqlite3.Connection, key: str, value: Value) -> None:
    """Set the value."""
    if isinstance(value, bytes):
        bound = {"key": key, "value": None, "sealed": contents.add(connection, value)}
    else:
        bound = {"key": key, "value": value, "sealed": None}
    connection.execute(_PUT, bound)


def remove(connection: sqlite3.Connection, key: str) -> None:
    """Forget the value."""
    connection.execute(_REMOVE, {"key": key})


def numbers(connection: sqlite3.Connection, start: str) -> dict[str, int]:
    """Return every value that is a whole number and whose key begins with `start`, by key."""
    return dict(connection.execute(_NUMBERS, {"start": start}).fetchall())


def sealed(connection: sqlite3.Connection) -> dict[str, bytes]:
    """Return every sealed value by its key."""
    return dict(connection.execute(_SEALED).fetchall())
