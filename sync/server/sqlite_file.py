"""How the server's SQLite file is opened, and what the machine may do to it (R25, R69).

Every connection runs through `opened`: WAL, full synchronous writes, secure deletion, the tables of today.
"""

from pathlib import Path

import apsw

from diary.errors import DamageError, MachineError
from sync.server import storage_sqlite_schema as schema

BUSY_MILLIS = 10_000  # longer than any transaction of ours; then the asker is told to come again
PAGE_BYTES = 8192  # a sealed row is about 1.5 KB: several fit into a page without overflow

# What the machine does to a file: no room, a broken disk, no more files, a file system that went read-only.
MACHINE_FAULTS = (
    apsw.BusyError,
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.NoMemError,
)


class UnknownSchemaError(DamageError):
    """The file was made by another version of the server."""

    says = "The server's database has format {found}; this server knows {known}."
    mend = "Start the server that made it, or a newer one."


class DatabaseFileError(MachineError):
    """The machine cannot give the server its file."""

    says = "The server's database {path} cannot be opened: {fault}."
    mend = "Check free space, the disk and who owns the folder; then start the server again."


class DamagedDatabaseError(DamageError):
    """SQLite found bytes that do not hold together."""

    says = "The server's database {path} is damaged: {fault}."
    mend = "Put a backup in its place."


def opened(path: Path) -> apsw.Connection:
    """Return a connection to the file, its tables made when it is new.

    Raises:
        UnknownSchemaError: The file is of another version.
        DatabaseFileError: The machine cannot read or write it; it stands as before.
        DamagedDatabaseError: Its bytes do not hold together.
    """
    try:
        connection = apsw.Connection(str(path))
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    except MACHINE_FAULTS as fault:
        raise DatabaseFileError(path=path, fault=fault) from fault
    except (apsw.CorruptError, apsw.NotADBError) as fault:
        raise DamagedDatabaseError(path=path, fault=fault) from fault
    return connection


def _prepare(connection: apsw.Connection) -> None:
    """Set what the connection keeps to, and bring the tables up to date."""
    connection.set_busy_timeout(BUSY_MILLIS)
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("secure_delete", "on")
    connection.pragma("temp_store", "memory")
    connection.pragma("foreign_keys", "on")
    connection.execute("BEGIN IMMEDIATE")
    found = connection.pragma("user_version")
    if found == 0:
        connection.execute(schema.SCHEMA)
        connection.pragma("user_version", schema.SCHEMA_VERSION)
    while found in schema.MIGRATIONS:
        connection.execute(schema.MIGRATIONS[found])
        found += 1
        connection.pragma("user_version", found)
    connection.execute("COMMIT")
    if found not in {0, schema.SCHEMA_VERSION}:
        raise UnknownSchemaError(found=found, known=schema.SCHEMA_VERSION)
