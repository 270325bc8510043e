"""A disk under the server's database that fails when it is told to, and one that forgets at a power cut.

Both are VFSs of apsw that become its default one: the product opens its file as it always does, and knows of
nothing. What a disk does is counted by label ("write server.db-wal"), so that a test can visit each passage.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import apsw

BASE = apsw.vfs_names()[0]  # by its name: an empty one would mean the default, which is then ours
SECTOR_BYTES = 512  # what a disk writes whole or not at all

Failure = Literal["full", "broken", "short"]
Written: TypeAlias = tuple[Literal["write"], int, bytes]
Cut: TypeAlias = tuple[Literal["truncate"], int, bytes]
Change: TypeAlias = Written | Cut


@dataclass
class Disk:
    """What happens at the passages: `fails_at` is the passage (from 1) that fails, 0 for none.

    "full" takes nothing, "short" takes half a write and is full then, "broken" is an I/O error. `stays`: the
    disk does not come back by itself. `labels` names every passage so far.
    """

    fails_at: int = 0
    failure: Failure = "full"
    stays: bool = False
    labels: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Return whether the passage that was to fail was reached."""
        return 0 < self.fails_at <= len(self.labels)

    def fails(self, label: str) -> bool:
        """Count a passage and return whether it fails."""
        self.labels.append(label)
        return len(self.labels) == self.fails_at or (self.stays and self.failed)

    def error(self) -> Exception:
        """Return what SQLite hears of the failure."""
        return (
            apsw.IOError("broken on purpose")
            if self.failure == "broken"
            else apsw.FullError("full on purpose")
        )


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path(_path(name)).name
        super().__init__(BASE, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.fails(f"write {self._name}"):
            if self._disk.failure == "short":
                super().xWrite(data[: len(data) // 2], offset)
            raise self._disk.error()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._disk.fails(f"sync {self._name}"):
            raise apsw.IOError("broken on purpose")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        if self._disk.fails(f"truncate {self._name}"):
            raise self._disk.error()
        super().xTruncate(newsize)


class _FaultyDisk(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, BASE)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if self._disk.fails(f"open {Path(_path(name)).name}"):
            raise apsw.CantOpenError("broken on purpose")
        return _FaultyFile(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001  # SQLite's own interface
        if self._disk.fails(f"delete {Path(filename).name}"):
            raise apsw.IOError("broken on purpose")
        super().xDelete(filename, syncdir)


@dataclass
class Forgetful:
    """A disk whose cache is lost with the power: all that was done, in order, to be cut anywhere.

    `folders` are what lay in other folders when they were synced, each with how much was done by then.
    """

    done: list[tuple[str, Change | Literal["sync", "delete"]]] = field(default_factory=list)
    folders: list[tuple[int, Path, dict[str, bytes | None]]] = field(default_factory=list)

    def after_a_cut(self, at: int, chance: random.Random) -> dict[str, bytes]:
        """Return the files after a power cut behind the first `at` operations.

        What was synced is there. Of what was written since, each sector may be there or not; a file's length
        may be the old one or any that it had since.
        """
        synced: dict[str, bytes] = {}
        unsynced: dict[str, list[Change]] = {}
        for name, change in self.done[:at]:
            if change == "sync":
                synced[name] = _applied(synced.get(name, b""), unsynced.pop(name, []))
            elif change == "delete":
                synced.pop(name, None)
                unsynced.pop(name, None)
            else:
                unsynced.setdefault(name, []).append(change)
        return {
            name: _applied(synced.get(name, b""), list(_survivors(unsynced.get(name, []), chance)))
            for name in synced.keys() | unsynced.keys()
        }


def _survivors(changes: list[Change], chance: random.Random) -> Iterator[Change]:
    survives = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    for what, offset, data in changes:
        if what == "truncate":
            if chance.random() < survives:
                yield what, offset, data
            continue
        for start in range(0, len(data), SECTOR_BYTES):
            if chance.random() < survives:
                yield "write", offset + start, data[start : start + SECTOR_BYTES]


def _applied(content: bytes, changes: list[Change]) -> bytes:
    held = bytearray(content)
    for what, offset, data in changes:
        if what == "truncate":
            del held[offset:]
            held.extend(bytes(offset - len(held)))
        else:
            held.extend(bytes(max(0, offset + len(data) - len(held))))
            held[offset : offset + len(data)] = data
    return bytes(held)


class _ForgetfulFile(apsw.VFSFile):
    def __init__(self, disk: Forgetful, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path(_path(name)).name
        super().__init__(BASE, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.done.append((self._name, ("write", offset, bytes(data))))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.done.append((self._name, "sync"))
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        self._disk.done.append((self._name, ("truncate", newsize, b"")))
        super().xTruncate(newsize)


class _ForgetfulDisk(apsw.VFS):
    def __init__(self, name: str, disk: Forgetful) -> None:
        self._disk = disk
        super().__init__(name, BASE)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _ForgetfulFile(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001  # SQLite's own interface
        self._disk.done.append((Path(filename).name, "delete"))
        super().xDelete(filename, syncdir)


def _path(name: str | apsw.URIFilename | None) -> str:
    return name.filename() if isinstance(name, apsw.URIFilename) else str(name)


@contextmanager
def _default(name: str) -> Iterator[None]:
    apsw.set_default_vfs(name)
    try:
        yield
    finally:
        apsw.set_default_vfs(BASE)


@contextmanager
def faulty_disk() -> Iterator[Disk]:
    """Put a failing disk under every database that apsw opens within the block."""
    disk = Disk()
    vfs = _FaultyDisk("faulty", disk)
    with _default("faulty"):
        yield disk
    vfs.unregister()


@contextmanager
def forgetful_disk() -> Iterator[Forgetful]:
    """Put a disk that can lose its cache under every database that apsw opens within the block."""
    disk = Forgetful()
    vfs = _ForgetfulDisk("forgetful", disk)
    with _default("forgetful"):
        yield disk
    vfs.unregister()
