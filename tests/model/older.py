"""A diary's file that an upgrade has to bring up to date: all of it but what the newest migration does (R70).

The file says that it is of the schema before today's, and the newest migration gives way to one that changes
nothing: what is tried is the copy, the transaction and the process that may end in it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from diary.store import connection as files
from diary.store.migrations import MIGRATIONS, SCHEMA

# As migrations do that move what is sealed: the WAL holds what they moved.
_DESTROYING = "INSERT OR IGNORE INTO meta (key, value) VALUES ('destroying', 1)"


def say_older(home: Path) -> None:
    """Let the closed diary in a folder say that the version before today's wrote it."""
    with closing(sqlite3.connect(home / files.FILE_NAME, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA - 1}")


@contextmanager
def upgrading() -> Iterator[None]:
    """Let the newest migration be one that changes nothing until the block ends."""
    with pytest.MonkeyPatch.context() as program:
        program.setattr(files.migrate, "__defaults__", ((*MIGRATIONS[:-1], _write_anew),))
        yield


def _write_anew(connection: sqlite3.Connection) -> None:
    connection.execute("REINDEX")
    connection.execute(_DESTROYING)
