"""A copy of a diary in use, and a diary made from one (R42, R70).

A backup is the diary's file as it was at one moment: sealed as it lies here, and with it this device's keys,
sealed to the recovery key. It holds nothing that could be read without those keys or the phrase. A restored
file takes a new replica id before it writes: it lies elsewhere than the one it was copied from.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from diary import envelope
from diary.clock import Clock
from diary.errors import DamageError, NothingError, UsageError
from diary.evidence.device_list import device
from diary.opening import ACCOUNT
from diary.recovering import recovered_keys
from diary.rules.ids import AccountId
from diary.rules.progress import Progress
from diary.sealing.key_tree import DeviceKeys
from diary.sealing.keyring import KeyPlace
from diary.sealing.private_file import sync_folder
from diary.state import OpenDiary
from diary.store import connection as files
from diary.store import meta, replica
from diary.store.migrations import APPLICATION_ID, SCHEMA

STEPS_AT_ONCE = 10_000  # of SQLite's machine, between two words of progress
BESIDE = (f"{files.FILE_NAME}-wal", f"{files.FILE_NAME}-shm")


class BackupExistsError(UsageError):
    """A backup is never written over."""

    says = "There is a file at {path} already."
    mend = "Name another one: an older backup is worth keeping."


class NotABackupError(DamageError):
    """The file is no diary, or is damaged."""

    says = "{path} cannot be restored: {because}."
    mend = "Take an older backup, or fetch what was synced: diary login URL."


class OtherDiaryError(UsageError):
    """The folder holds another account's diary."""

    says = "The diary in {home} is another account's than the backup."
    mend = "Restore into a folder of its own: diary --home DIR restore FILE."


def backup(diary: OpenDiary, path: Path, progress: Progress | None = None) -> int:
    """Write a whole copy of the diary to `path`, whoever uses it meanwhile; return its size in bytes (R70).

    It is complete or not there: written beside its place, checked, then renamed.

    Raises:
        BackupExistsError: There is a file already.
        MachineError: It cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    with files.told(path):
        if path.exists():
            raise BackupExistsError(path=path)
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _pack(diary.connection, unfinished, progress)
            sync_file(unfinished)
            # A link fails where a file of the name appeared meanwhile; a rename would write over it.
            os.link(unfinished, path)
            sync_folder(path.parent)
        except FileExistsError as error:
            raise BackupExistsError(path=path) from error
        finally:
            unfinished.unlink(missing_ok=True)
        return path.stat().st_size


def account_of(path: Path) -> str:
    """Return the account that a backup belongs to, after checking that it is whole.

    Raises:
        NotABackupError: It is no diary, is damaged, or comes from a later version.
    """
    if not path.is_file():
        raise NotABackupError(path=path, because="there is no such file")
    with closing(_opened(path)) as connection:
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION_ID:
                raise NotABackupError(path=path, because="it is no diary")
            if schema > SCHEMA:
                raise NotABackupError(path=path, because="a later workdiary wrote it; install that one")
            fault = files.fault_in(connection)
            account = meta.word(connection, ACCOUNT)
        except sqlite3.DatabaseError as error:
            raise NotABackupError(path=path, because=str(error)) from error
    if fault or account is None:
        raise NotABackupError(path=path, because=f"it is damaged ({fault or 'it names no account'})")
    return account


def fits(path: Path, place: KeyPlace, clock: Clock) -> bool:
    """Return whether the keys of a place are those of the device that a backup was made on (R42, R49)."""
    with closing(_opened(path)) as connection:
        own, account = replica.newest(connection), meta.word(connection, ACCOUNT)
        if own is None or account is None:
            return False
        try:
            keys = place.load()
            diary = OpenDiary(path.parent, connection, place, keys, clock, AccountId(account), own)
            listed = device(envelope.device_list(diary), own)
            return listed is not None and diary.keys_of(own).sign_public.hex() == listed.sign
        except (DamageError, NothingError):
            return False


def keys_by_phrase(path: Path, phrase: str) -> DeviceKeys:
    """Return the keys that a backup keeps for the recovery phrase (see `recovering.recovered_keys`; R50)."""
    with closing(_opened(path)) as connection:
        return recovered_keys(connection, path, phrase)


def restore(
    home: Path, path: Path, *, now_ms: int, keys: tuple[DeviceKeys, KeyPlace] | None = None
) -> Path | None:
    """Put the diary of a backup into `home`; return where the one that lay there was put aside, if any.

    `keys` are put into their place first where the folder's own do not open it. Opening the diary then takes
    a new replica id (R42).

    Raises:
        NotABackupError: The file cannot be restored; nothing was changed.
        OtherDiaryError: Another account's diary lies there.
        DiaryInUseError: The diary that lies there is open.
    """
    account = account_of(path)
    target = home / files.FILE_NAME
    with files.told(target):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            _require_alone(home, account)
        fresh = target.with_name(f".{files.FILE_NAME}.restored")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_opened(path)) as source:
            _copy(source, fresh)
        sync_file(fresh)
        if keys is not None:
            keys[1].save(keys[0])
        aside = put_aside(target, now_ms) if target.exists() else None
        fresh.replace(target)
        sync_folder(home)
    return aside


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file to be read only; nothing is written beside it."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _pack(source: sqlite3.Connection, path: Path, progress: Progress | None) -> None:
    """Write what one snapshot of the file holds, without the room that destroyed contents left (R25)."""
    page_bytes, pages, free = (
        source.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )

    def tell() -> None:
        if progress is not None:
            progress(min(path.stat().st_size // page_bytes, pages - free), pages - free)

    source.set_progress_handler(tell, STEPS_AT_ONCE)
    try:
        source.execute("VACUUM INTO ?", [str(path)])
    finally:
        source.set_progress_handler(None, 0)


def _copy(source: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.backup(copy)
        # One file, with nothing beside it, that opens from a read-only disk too.
        copy.execute("PRAGMA journal_mode = DELETE")


def _require_alone(home: Path, account: str) -> None:
    """Check that the diary which is to give way is this account's, and open nowhere.

    Raises:
        OtherDiaryError: It is another account's.
        DiaryInUseError: Another process has it open.
    """
    with closing(sqlite3.connect(home / files.FILE_NAME, isolation_level=None, timeout=1)) as connection:
        try:
            known = meta.word(connection, ACCOUNT)
            # Leaving WAL takes the whole file for itself: it fails while anybody else has it open.
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise files.DiaryInUseError(home=home) from error
        except sqlite3.DatabaseError:
            return  # a damaged one gives way: it is put aside, not destroyed
    if known is not None and known != account:
        raise OtherDiaryError(home=home)
    if mode != "delete":
        raise files.DiaryInUseError(home=home)


def put_aside(target: Path, now_ms: int, as_what: str = "replaced") -> Path:
    """Rename a diary's file and what lies beside it; return its new name."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
    aside = target.with_name(f"{files.FILE_NAME}.{as_what}-{at:%Y%m%dT%H%M%SZ}")
    target.rename(aside)
    for name in BESIDE:
        beside = target.with_name(name)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + name.removeprefix(files.FILE_NAME)))
    return aside


def sync_file(path: Path) -> None:
    """Wait until the disk has a file."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
