"""The pages of a diary's file as they lie on the disk, whatever SQLite says of it (R19, R70).

SQLite reads a file from its root: where one page on the way is damaged, all behind it is out of reach. Here
the pages are read one by one, as SQLite's file format describes them, those in the WAL before those of the
file. Nobody else may have the file open: it is read without SQLite's locks.
"""

import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from diary.store.connection import PAGE_BYTES, DiaryInUseError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]  # asked for before it is used

FILE_HEADER_BYTES = 100
_SIZES = frozenset(1 << power for power in range(9, 17))
_WAL_HEADER = struct.Struct(">8I")
_SUMMED_BYTES = 24  # of the header; behind them stands their checksum
_FRAME_HEADER = struct.Struct(">6I")
_SHARED_FIRST, _SHARED_BYTES = 0x40000002, 510
_MAGIC = 0x377F0682  # the last bit says that the checksums are over big-endian words

Sums = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Frame:
    """One frame of a WAL: where its page begins, and whether it and the frames around it hold."""

    page: int
    at: int
    commits: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class _Wal:
    """What was read of a WAL."""

    frames: list[_Frame]
    page_bytes: int
    header_holds: bool = True


@dataclass(slots=True)
class Pages:
    """A file's pages by number from 1.

    `lost` are those whose newest content was in a frame of the WAL that does not hold; `wal_lost` counts the
    frames: what they committed was acknowledged and is gone.
    """

    path: Path
    page_bytes: int
    count: int
    in_wal: dict[int, int] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    wal_lost: int = 0
    files: dict[Path, BinaryIO] = field(default_factory=dict, repr=False)

    def close(self) -> None:
        """Close what was read."""
        for file in self.files.values():
            file.close()
        self.files.clear()

    def page(self, number: int) -> bytes | None:
        """Return a page; None for one that is not there, is cut off, or is lost with its frame."""
        if not 1 <= number <= self.count or number in self.lost:
            return None
        at = self.in_wal.get(number)
        path, begin = (self.path, (number - 1) * self.page_bytes) if at is None else (wal_of(self.path), at)
        if path not in self.files:
            self.files[path] = path.open("rb")
        self.files[path].seek(begin)
        content = self.files[path].read(self.page_bytes)
        return content if len(content) == self.page_bytes else None


def require_alone(path: Path) -> None:
    """Check that no other process has a diary's file open; this one must not have it open either.

    Raises:
        DiaryInUseError: One has.
    """
    if fcntl is None:
        return  # there a file that is open cannot be renamed, and that says so
    with path.open("rb+") as file:
        try:
            # Whoever has a database with a WAL open holds these bytes shared (SQLite's os_unix.c).
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FIRST)
        except (BlockingIOError, PermissionError) as error:
            raise DiaryInUseError(home=path.parent) from error


def wal_of(path: Path) -> Path:
    """Return where the WAL of a file lies."""
    return path.with_name(path.name + "-wal")


def pages_of(path: Path) -> Pages:
    """Return the pages of a file and its WAL; a page size that cannot be read is taken to be ours."""
    with path.open("rb") as file:
        wal = _read(wal_of(path), _page_bytes_of(file.read(FILE_HEADER_BYTES)))
        passed_over = 0 if wal.header_holds else _not_in(file, wal_of(path), wal)
    # A last page that is cut off counts: it is there, and cannot be read.
    pages = Pages(path, wal.page_bytes, -(-path.stat().st_size // wal.page_bytes))
    _lay_over(pages, wal.frames)
    pages.wal_lost += passed_over
    return pages


def _page_bytes_of(header: bytes) -> int:
    size = int.from_bytes(header[16:18], "big")
    size = {1: 65_536}.get(size, size)
    return size if size in _SIZES else PAGE_BYTES


def lost_in_wal(path: Path) -> int:
    """Return how many frames of a WAL were committed and do not hold any more (R19).

    SQLite takes such a WAL for one that ends before the first of them, and says nothing.
    """
    return _lost_among(_read(wal_of(path)).frames)


def lost_by_opening(path: Path) -> int:
    """Return how many pages SQLite would lose, and say nothing, if it opened a file now (R19).

    0 where another process has it open: whoever was first has looked. This process must not have it open.
    """
    if fcntl is None:
        return 0
    wal = wal_of(path)
    with path.open("rb+") as file:
        try:
            # As in `require_alone`, and held until the WAL is read: who opens it meanwhile waits.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FIRST)
        except (BlockingIOError, PermissionError):
            return 0
        found = _read(wal, _page_bytes_of(file.read(FILE_HEADER_BYTES)))
        if found.header_holds:
            return _lost_among(found.frames)
        return _not_in(file, wal, found)


def _not_in(file: BinaryIO, wal: Path, found: _Wal) -> int:
    """Return how many committed pages of a WAL whose header does not hold are not in the file itself.

    SQLite passes such a WAL over. Nothing is lost by that where a power cut tore the header as it was written
    anew: then all of the frames behind it were brought into the file before.
    """
    commits = [index for index, frame in enumerate(found.frames) if frame.holds and frame.commits]
    newest = {
        frame.page: frame.at for frame in found.frames[: commits[-1] + 1 if commits else 0] if frame.holds
    }
    raw = wal.read_bytes()
    lost = 0
    for page, at in newest.items():
        file.seek((page - 1) * found.page_bytes)
        lost += file.read(found.page_bytes) != raw[at : at + found.page_bytes]
    return lost


def _lost_among(frames: list[_Frame]) -> int:
    bad = [index for index, frame in enumerate(frames) if not frame.holds]
    if not bad:
        return 0
    commits = [index for index, frame in enumerate(frames) if frame.holds and frame.commits]
    # A power cut may tear the transaction under way, which nobody was told of: only one before another that
    # is whole was acknowledged, since each waits for the disk.
    after_bad = [index for index in commits if index > bad[0]]
    if not after_bad:
        return 0
    settled = after_bad[-1] if len(after_bad) > 1 else -1
    return sum(index < settled for index in bad)


def _lay_over(pages: Pages, frames: list[_Frame]) -> None:
    commits = [index for index, frame in enumerate(frames) if frame.holds and frame.commits]
    if not commits:
        return
    pages.wal_lost = _lost_among(frames)
    for frame in frames[: commits[-1] + 1]:
        if frame.holds:
            pages.in_wal[frame.page] = frame.at
            pages.lost.discard(frame.page)
        else:
            pages.lost.add(frame.page)
    pages.count = max([pages.count, *pages.in_wal])


def _read(wal: Path, page_bytes: int = PAGE_BYTES) -> _Wal:
    """Return the frames of the WAL's present generation; none without one.

    A checksum runs on from frame to frame; that of the frame before stands in it, so that one can be judged
    though its neighbours do not hold. Where the header does not hold, `page_bytes` is taken for the page
    size, and what the first frame says for what they all should.
    """
    raw = wal.read_bytes() if wal.is_file() else b""
    if len(raw) < _WAL_HEADER.size:
        return _Wal([], page_bytes)
    magic, _, size, _, *salts, first, second = _WAL_HEADER.unpack_from(raw)
    order = ">" if magic & 1 else "<"
    is_ours = magic & ~1 == _MAGIC and size in _SIZES
    header_holds = is_ours and _sums((0, 0), raw[:_SUMMED_BYTES], order) == (first, second)
    if header_holds:
        page_bytes = size
    else:
        order = ">" if sys.byteorder == "big" else "<"  # as SQLite writes it
    seed: Sums = (first, second)
    frames: list[_Frame] = []
    for at in range(_WAL_HEADER.size, len(raw) - page_bytes - _FRAME_HEADER.size + 1, page_bytes + 24):
        page, pages_after, *found, one, two = _FRAME_HEADER.unpack_from(raw, at)
        if not (header_holds or frames):
            salts = found
        begin = at + _FRAME_HEADER.size
        content = raw[at : at + 8] + raw[begin : begin + page_bytes]
        holds = found == salts and _sums(seed, content, order) == (one, two)
        frames.append(_Frame(page, begin, commits=pages_after != 0, holds=holds))
        seed = (one, two)
    while frames and not frames[-1].holds:
        frames.pop()  # an older generation's, or what a power cut tore
    return _Wal(frames, page_bytes, header_holds=header_holds)


def _sums(seed: Sums, content: bytes, order: str) -> Sums:
    first, second = seed
    words = iter(struct.unpack(f"{order}{len(content) // 4}I", content))
    for one, two in zip(words, words, strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
