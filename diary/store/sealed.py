"""Where every sealed content lies: rows that never move, and so leave no copy when they go (R25).

`secure_delete` zeroes what a row leaves, and every page that is freed. It does not reach the copies that
stay in the gap between a page's pointers and its rows when SQLite moves rows from page to page: because a
row grew where it stood, or a page ran empty. In the table `sealed` neither happens: a row is only ever added
behind the last one, which begins a page of its own where the last is full, and only ever loses its content
whole, which frees bytes in its place and pulls no neighbour over. The schema's triggers hold it to that, and
have a row let go of its content whenever the row that points to it goes or points elsewhere.
"""

import sqlite3
from collections.abc import Sequence

from diary.many_rows import for_many, joined, left_over

Content = tuple[
    bytes | None, bytes | None
]  # body and wrap; what is sealed under the account's key has no wrap

_ADD = """
    INSERT INTO sealed (body, wrap)
    VALUES (:body, :wrap)
"""
_LAST = """
    SELECT ifnull(max(id), 0)
      FROM sealed
"""
_ADD_AT = """
    INSERT INTO sealed (id, body, wrap)
    VALUES (?, ?, ?)
"""
_ADD_MANY_AT = for_many(_ADD_AT)


def add(connection: sqlite3.Connection, body: bytes | None, wrap: bytes | None = None) -> int | None:
    """Store a content and return its number; None, and nothing stored, where there is none."""
    if body is None and wrap is None:
        return None
    return connection.execute(_ADD, {"body": body, "wrap": wrap}).lastrowid


def add_all(connection: sqlite3.Connection, contents: Sequence[Content]) -> list[int | None]:
    """Store contents in one go and return their numbers, None for each that is none."""
    next_id = connection.execute(_LAST).fetchone()[0] + 1
    ids: list[int | None] = []
    rows: list[tuple[int, bytes | None, bytes | None]] = []
    for body, wrap in contents:
        is_none = body is None and wrap is None
        ids.append(None if is_none else next_id + len(rows))
        if not is_none:
            rows.append((next_id + len(rows), body, wrap))
    connection.executemany(_ADD_MANY_AT, joined(rows))
    connection.executemany(_ADD_AT, left_over(rows))
    return ids
