"""How a connection to `diary.db` is opened, and what its faults mean (R25, R52).

Every connection, Datasette's too, runs through `prepare`: full synchronous writes, secure deletion,
temporary tables in memory. SQLite's errors become sentences here and nowhere else.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from diary.errors import DamageError, DiaryError, MachineError, NothingError, UsageError
from diary.store.migrations import APPLICATION_ID, MIGRATIONS, SCHEMA, Migration

FILE_NAME = "diary.db"
_known_here: set[str] = set()  # the files that this process has opened
PAGE_BYTES = 8192  # a sealed row is about 1.3 KB: six fit into a page, and a commit writes fewer of them
BUSY_MILLIS = 10_000  # tracker, sync and pages write at once; each holds the lock for milliseconds


class NoDiaryError(NothingError):
    """There is no diary in this folder."""

    says = "There is no diary in {home}."
    mend = "Make one with `diary init`, or name another folder with --home."


class DiaryExistsError(UsageError):
    """A diary is never written over."""

    says = "There is a diary in {home} already."
    mend = "Open it, or name another folder with --home."


class NotADiaryError(DamageError):
    """The file is something else."""

    says = "{path} is not a diary."
    mend = "Move the file away and put a backup in its place, or name another folder with --home."


class DamagedDiaryError(DamageError):
    """SQLite found bytes that do not hold together."""

    says = "{path} is damaged: {fault}."
    mend = "Save what can be read of it: diary salvage. Or put a backup in its place: diary restore FILE."


class DamagedWalError(DamageError):
    """What was written last does not hold, and SQLite would pass it over without a word (R19)."""

    says = "{lost} pages that were written last to {path} do not hold: to open it would lose them."
    mend = "Save what can be read, and see what is lost: diary salvage. Until then nothing is changed."


class NewerDiaryError(DamageError):
    """A later workdiary wrote this file (R70)."""

    says = "{path} was written by a later workdiary (schema {found}; this one knows {known})."
    mend = "Install the later version; this one leaves the file as it is."


class DiskFullError(MachineError):
    """The disk took no more; the transaction was rolled back, and what was acknowledged stays (R19)."""

    says = "The disk is full: {path} could not be written. Nothing recorded before is lost."
    mend = "Free some space and try again."


class DiskError(MachineError):
    """The machine could not read or write the file."""

    says = "{path} could not be read or written: {fault}."
    mend = "Check the disk, and that the folder belongs to you; then try again."


class NoPermissionError(MachineError):
    """The file or its folder may not be read or written by this user."""

    says = "{path} may not be read or written by this user."
    mend = "Check who owns the folder and the file, and their permissions."


class BusyDiaryError(MachineError):
    """Another process held the diary for longer than anything of ours does."""

    says = "{path} is held by another process."
    mend = "Close what else has the file open, then try again."


class DiaryInUseError(MachineError):
    """Another process has the diary open."""

    says = "The diary in {home} is open in another program."
    mend = "End it first (diary up, the tracker, the pages, sync --watch), then try again."


_MEANINGS: dict[int | None, type[DiaryError]] = {
    sqlite3.SQLITE_FULL: DiskFullError,
    sqlite3.SQLITE_IOERR: DiskFullError,
    sqlite3.SQLITE_NOTADB: NotADiaryError,
    sqlite3.SQLITE_CORRUPT: DamagedDiaryError,
    sqlite3.SQLITE_BUSY: BusyDiaryError,
    sqlite3.SQLITE_LOCKED: BusyDiaryError,
    sqlite3.SQLITE_CANTOPEN: NoPermissionError,
    sqlite3.SQLITE_READONLY: NoPermissionError,
    sqlite3.SQLITE_PERM: NoPermissionError,
    sqlite3.SQLITE_AUTH: NoPermissionError,
}


def fault_of(error: sqlite3.Error, path: Path) -> DiaryError:
    """Return what an error of SQLite means to the person whose diary it is."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    # A write that ends in the middle of a page is how some systems say that the disk is full.
    if primary == sqlite3.SQLITE_IOERR and not _disk_is_full(path):
        return DiskError(path=path, fault=error)
    return _MEANINGS.get(primary, DamagedDiaryError)(path=path, fault=error)


def _disk_is_full(path: Path) -> bool:
    there = os.statvfs(path.parent)
    return there.f_bavail * there.f_frsize < 1024 * 1024


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors inside the block into `DiaryError`s."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault_of(error, path) from error
    except PermissionError as error:
        raise NoPermissionError(path=path) from error
    except OSError as error:
        raise DiskError(path=path, fault=error) from error


def prepare(connection: sqlite3.Connection) -> None:
    """Set what every connection to a diary keeps to, whoever opened it (R25, R52)."""
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLIS}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")
    _known_here.update(row[2] for row in connection.execute("PRAGMA database_list"))


def create_file(home: Path) -> Path:
    """Make an empty database file that only its owner can read, in a folder of the same kind.

    Raises:
        DiaryExistsError: A diary is there already.
    """
    path = home / FILE_NAME
    with told(path):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError as error:
            raise DiaryExistsError(home=home) from error
    return path


class Connection(sqlite3.Connection):
    """A connection to a diary that knows whether opening it brought the file up to date (R70)."""

    has_migrated = False


def connect(home: Path) -> Connection:
    """Return a connection of this thread to the diary in `home`, its schema today's (R70).

    Transactions are opened by `writing` and `reading`; outside them each statement stands alone.

    Raises:
        NoDiaryError: No diary is there.
        DamageError: The file is no diary, is damaged, or comes from a later version.
        MachineError: The file cannot be read or written.
    """
    path = home / FILE_NAME
    with told(path):
        if not path.exists():
            raise NoDiaryError(home=home)
        require_whole_wal(path)
        # SQLite alone may open this file: closing it by another way drops every lock that this process
        # holds on it (POSIX), and the next process to close it would take the WAL from under us.
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_MILLIS / 1000, factory=Connection
        )
    try:
        with told(path):
            prepare(connection)
            _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def require_whole_wal(path: Path) -> None:
    """Check, the first time that this process has to do with a file, that opening it loses nothing (R19).

    Later it must not be read in any other way than through SQLite; and whoever has it open has looked.

    Raises:
        DamagedWalError: It would lose what was acknowledged.
    """
    file = os.path.realpath(path)
    if file in _known_here:
        return
    _known_here.add(file)
    if not os.path.exists(f"{file}-wal"):  # noqa: PTH110  # nearly always: each command asks
        return
    from diary.store.pages import lost_by_opening

    if lost := lost_by_opening(path):
        _known_here.discard(file)
        raise DamagedWalError(lost=lost, path=path)


def _bring_up_to_date(connection: Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if application != APPLICATION_ID and not is_empty:
        raise NotADiaryError(path=path)
    if found > SCHEMA:
        raise NewerDiaryError(path=path, found=found, known=SCHEMA)
    if is_empty:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    if found < SCHEMA:
        migrate(connection, path)
        connection.has_migrated = True


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Run the missing migrations in one transaction, a copy of the file kept beside it (R70).

    Raises:
        MachineError: There is no room for the copy or the new file; the file stands as it was.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found:
        _keep_copy(connection, path.with_name(f"{FILE_NAME}.before-{len(migrations)}"), found)
    with writing(connection, path):
        # Read again under the lock: another process may have migrated meanwhile.
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        for migration in migrations[found:]:
            migration(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _keep_copy(connection: sqlite3.Connection, copy: Path, schema: int) -> None:
    """Copy the file as it is before a migration: the whole of it, under its name, or nothing."""
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    with told(copy):
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(sqlite3.connect(unfinished)) as kept:
                connection.backup(kept)
                is_older = kept.execute("PRAGMA user_version").fetchone()[0] == schema
            # Another process may have migrated meanwhile: then its copy is the one to keep.
            if is_older:
                unfinished.replace(copy)
        finally:
            unfinished.unlink(missing_ok=True)


def forget_copies(connection: sqlite3.Connection, path: Path) -> None:
    """Remove the copies from before a migration: the diary was opened well without one (R70)."""
    if not getattr(connection, "has_migrated", True):
        remove_copies(path)


def remove_copies(path: Path) -> None:
    """Remove the copies from before a migration: what was removed from the diary lies in them, too (R25)."""
    with told(path):
        for copy in path.parent.glob(f"{FILE_NAME}.before-*"):
            copy.unlink(missing_ok=True)


@contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Run the block as one transaction that holds the write lock from its start.

    Raises:
        MachineError: The disk is full or failed; the file stands as before the block.
    """
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def reading(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Run the block on one snapshot of the diary; inside `writing` it is that transaction's."""
    with told(path):
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def fault_in(connection: sqlite3.Connection) -> str:
    """Return what SQLite's own check finds wrong in the file, "" where it is whole (R70)."""
    found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return "" if found == "ok" else found
