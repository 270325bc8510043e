"""`Blobs` in a folder: one folder an account, spread by the first two digits of the name (R41, R69).

`ACCOUNT/aa/NAME` is a whole picture, `NAME.part` an upload that grows. Server processes that share the folder
need no lock between them: each writes at its place what belongs there, so that two of them write the same
bytes, and what a name stands for is only ever put in its place whole. At worst an upload begins anew.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from diary.rules.ids import AccountId, Millis
from sync.server.blobs import (
    ACCOUNT_NAME,
    PICTURE_NAME,
    Blob,
    Elsewhere,
    Finished,
    Found,
    Upload,
    Whole,
    WrongHash,
    require_names,
)
from sync.server.faults import BusyError

LOCKS = 64
_PART = ".part"


class FolderBlobs:
    """`Blobs` in a folder, which is made when it is new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A part that is taken back must not take another's with it; for the disk they wait together.
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        _make_folder(folder)

    def upload(self, account: AccountId, name: str) -> Upload:
        """See `Blobs.upload`."""
        return _held(self._place(account, name))

    def append(self, account: AccountId, name: str, offset: int, part: bytes) -> int:
        """See `Blobs.append`."""
        with self._locked(account, name) as path:
            held = _held(path).size
            if held != offset or not part:
                return held
            try:
                _write(path.with_suffix(_PART), offset, part)
            except FileNotFoundError:  # another process finished it meanwhile, or it was deleted
                return _held(path).size
            return offset + len(part)

    def finish(self, account: AccountId, name: str, offset: int, last: bytes) -> Finished:
        """See `Blobs.finish`."""
        with self._locked(account, name) as path:
            held = _held(path)
            if held.whole:
                return Whole()
            if offset not in {0, held.size}:
                return Elsewhere(held.size)
            part = path.with_suffix(_PART)
            try:
                _write(part, offset, last)
                with part.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                if found == name:
                    part.replace(path)
            except FileNotFoundError:  # another process finished it meanwhile, or it was deleted
                held = _held(path)
                return Whole() if held.whole else Elsewhere(held.size)
            if found != name:
                part.unlink(missing_ok=True)
                return WrongHash()
            _sync_folder(path.parent)
            return Whole()

    def read(self, account: AccountId, name: str, start: int, size: int) -> bytes:
        """See `Blobs.read`."""
        with _busy_if_it_fails(), self._place(account, name).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def remove(self, blobs: Collection[Blob]) -> None:
        """See `Blobs.remove`."""
        self._unlink(blobs, lambda path: (path, path.with_suffix(_PART)))

    def drop_parts(self, blobs: Collection[Blob]) -> None:
        """See `Blobs.drop_parts`."""
        self._unlink(blobs, lambda path: (path.with_suffix(_PART),))

    def listed(self, after: str) -> Iterator[Found]:
        """See `Blobs.listed`."""
        for account in _names(self._folder):
            if not ACCOUNT_NAME.fullmatch(account) or account < after[:32]:
                continue
            for spread in _names(self._folder / account):
                for file in _names(self._folder / account / spread):
                    name = file.removesuffix(_PART)
                    written_ms = _written_ms(self._folder / account / spread / file)
                    if PICTURE_NAME.fullmatch(name) and written_ms is not None:
                        found = Found(AccountId(account), name, written_ms, file.endswith(_PART))
                        if found.key > after:
                            yield found

    def close(self) -> None:
        """See `Blobs.close`."""

    def _place(self, account: AccountId, name: str) -> Path:
        require_names(account, name)
        return self._folder / account / name[:2] / name

    @contextmanager
    def _locked(self, account: AccountId, name: str) -> Iterator[Path]:
        """Yield the picture's place, alone with it among this process's threads."""
        path = self._place(account, name)
        with _busy_if_it_fails(), self._locks[int(name[:2], 16) % LOCKS]:
            yield path

    def _unlink(self, blobs: Collection[Blob], files_of: Callable[[Path], tuple[Path, ...]]) -> None:
        folders: set[Path] = set()
        for account, name in blobs:
            with self._locked(account, name) as path:
                for file in files_of(path):
                    if file.exists():
                        file.unlink(missing_ok=True)
                        folders.add(file.parent)
        with _busy_if_it_fails():
            for folder in folders:
                # It is noted as gone afterwards: no power cut may bring it back then (R25).
                _sync_folder(folder)


@contextmanager
def _busy_if_it_fails() -> Iterator[None]:
    """Turn a full or failing disk into a fault that is answered."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BusyError(what=error.strerror) from error


def _held(path: Path) -> Upload:
    whole = _size(path)
    if whole is not None:
        return Upload(whole, whole=True)
    return Upload(_size(path.with_suffix(_PART)) or 0, whole=False)


def _write(part: Path, offset: int, content: bytes) -> None:
    """Make the file the first `offset` bytes of what it is, and `content`, durably.

    Raises:
        FileNotFoundError: There are to be bytes before it, and no file.
    """
    new = not offset and not part.exists()
    if new:
        _make_folder(part.parent)
    try:
        with os.fdopen(os.open(part, os.O_RDWR | (os.O_CREAT if new else 0), 0o666), "r+b") as file:
            file.seek(offset)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        if part.exists():
            os.truncate(part, offset)  # half a part would shift every byte after it
        raise
    if new:
        _sync_folder(part.parent)


def _make_folder(folder: Path) -> None:
    """Make a folder durably, with those above it."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make durable what was made, renamed or removed in the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _written_ms(path: Path) -> Millis | None:
    try:
        return Millis(int(path.stat().st_mtime * 1000))
    except FileNotFoundError:
        return None  # removed meanwhile


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except NotADirectoryError:
        return []
