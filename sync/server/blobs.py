"""Where sealed pictures lie at the server: parts that grow, and whole ones (R41, R69).

A folder for now; `Blobs` is what another place, such as S3-compatible storage, would have to promise.
"""

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from diary.rules.ids import AccountId, Millis

PICTURE_NAME = re.compile(r"[0-9a-f]{64}")
_PART = ".part"


class Blobs(Protocol):
    """Pictures by account and name; a name is SHA-256 of the bytes in hexadecimal."""

    def part_size(self, account: AccountId, name: str) -> int:
        """Return how many bytes of an unfinished upload are held durably; 0 for none."""
        ...

    def append(self, account: AccountId, name: str, offset: int, part: bytes) -> int:
        """Put `part` behind the first `offset` bytes, durably, and return the bytes now held.

        Where the part held is not `offset` long, nothing changes and its true size is returned.
        """
        ...

    def finish(self, account: AccountId, name: str) -> bool:
        """Make the upload the whole picture, in one step; False and dropped when its hash is not `name`."""
        ...

    def size(self, account: AccountId, name: str) -> int | None:
        """Return the size of a whole picture, None when there is none."""
        ...

    def read(self, account: AccountId, name: str, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a whole picture from `start`.

        Raises:
            FileNotFoundError: There is no such picture.
        """
        ...

    def remove(self, account: AccountId, name: str) -> None:
        """Remove picture and part; no harm when there are none."""
        ...

    def touched_before(self, at_ms: Millis) -> Iterator[tuple[AccountId, str]]:
        """Yield account and name of what was last written before the instant."""
        ...


class FolderBlobs:
    """`Blobs` in a folder: one folder an account, spread by the first two digits of the name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # two requests for one upload: the second sees the first one's size
        _make_folder(folder)

    def _place(self, account: AccountId, name: str) -> Path:
        # Both come from the network and become a path: hexadecimal digits and nothing else.
        if not PICTURE_NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{32}", account):
            raise FileNotFoundError(name)
        return self._folder / account / name[:2] / name

    def part_size(self, account: AccountId, name: str) -> int:
        """See `Blobs.part_size`."""
        return _size(self._place(account, name).with_suffix(_PART)) or 0

    def append(self, account: AccountId, name: str, offset: int, part: bytes) -> int:
        """See `Blobs.append`."""
        path = self._place(account, name).with_suffix(_PART)
        with self._lock:
            held = _size(path) or 0
            if offset != held:
                return held
            _make_folder(path.parent)
            try:
                with path.open("ab") as file:
                    file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                if path.exists():  # half a part would shift every byte after it
                    os.truncate(path, held)
                raise
            return held + len(part)

    def finish(self, account: AccountId, name: str) -> bool:
        """See `Blobs.finish`."""
        path = self._place(account, name)
        part = path.with_suffix(_PART)
        with self._lock:
            if not part.exists():
                return path.exists()  # another request finished the same bytes first
            with part.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != name:
                part.unlink()
                return False
            part.replace(path)
            _sync_folder(path.parent)
            return True

    def size(self, account: AccountId, name: str) -> int | None:
        """See `Blobs.size`."""
        return _size(self._place(account, name))

    def read(self, account: AccountId, name: str, start: int, size: int) -> bytes:
        """See `Blobs.read`."""
        with self._place(account, name).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def remove(self, account: AccountId, name: str) -> None:
        """See `Blobs.remove`."""
        path = self._place(account, name)
        with self._lock:
            there = [each for each in (path, path.with_suffix(_PART)) if each.exists()]
            for each in there:
                each.unlink()
            if there:
                # A removal that a power cut takes back would leave what was destroyed, and nobody to notice.
                _sync_folder(path.parent)

    def touched_before(self, at_ms: Millis) -> Iterator[tuple[AccountId, str]]:
        """See `Blobs.touched_before`."""
        for path in self._folder.glob("*/*/*"):
            if PICTURE_NAME.fullmatch(path.stem) and _touched_ms(path) < at_ms:
                yield AccountId(path.parent.parent.name), path.stem


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _touched_ms(path: Path) -> float:
    try:
        return path.stat().st_mtime * 1000
    except FileNotFoundError:
        return float("inf")  # removed meanwhile: nothing to collect


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably: what is synced in it must be found after a power cut."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make what was made, renamed or removed in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
