"""The migration that has older diaries write device lists into their contracts' logs (R50)."""

import sqlite3

# As `diary.granting` notes it for missing grants: the leaves are written with them.
_WISH = """
    INSERT INTO meta (key, value)
    SELECT 'grants wanted', 1
     WHERE EXISTS (SELECT 1 FROM version WHERE type = 'terms')
        ON CONFLICT (key) DO NOTHING
"""


def wish_for_lists(connection: sqlite3.Connection) -> None:
    """Note that keys and lists are to be looked through, where there is a contract (R50)."""
    connection.execute(_WISH)
