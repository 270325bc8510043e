"""Pictures come after their rows, in parts that resume, and go when the last row lets go (R25, R41).

Order matters: bytes are durable before the commit says so, and they are written before it is looked whether
their row is still there. So a deletion that comes between wins, whichever side is last: the deletion's own
removal finds the bytes, or the upload finds the row gone and removes them. What a process that is killed
between the two leaves, no row names; it is collected after a day.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, groupby, islice, takewhile
from typing import NoReturn, assert_never

from diary.rules.ids import AccountId, Millis
from sync.protocol import PICTURE_PART_BYTES_MAX, PICTURE_TAG_BYTES, PicturePart
from sync.server.blobs import PICTURE_NAME, Blobs, Elsewhere, Found, Whole, WrongHash
from sync.server.faults import (
    NotFoundError,
    QuotaError,
    TooLargeError,
    UploadOffsetError,
    WrongHashError,
)
from sync.server.storage import PictureRow, Storage

ORPHAN_MILLIS = 24 * 3_600_000  # long after any upload that a row could still catch up with
DOOMED_MAX = 1000  # removed in one go
ASKED_MAX = 500  # pictures the storage is asked about at once: nobody waits long behind that
LOOK_MAX = 50_000  # orphans are looked for among so many things at a time: a second or two


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a whole picture: the content from `start`, of a picture of `size` bytes."""

    start: int
    size: int
    content: bytes


class Pictures:
    """The pictures of all accounts: what storage says may be, and what the blobs hold.

    `quota_bytes` is how much room one account's pictures may take, whole ones and those on their way, None
    for no limit (R44). What the operator decided for an account takes its place.
    """

    def __init__(self, storage: Storage, blobs: Blobs, quota_bytes: int | None = None) -> None:
        self._storage = storage
        self._blobs = blobs
        self._quota_bytes = quota_bytes
        # Anywhere: many processes then look at different parts of a place that is too large for one look.
        self._looked_to = secrets.token_hex(16)

    def _row(self, account: AccountId, name: str) -> PictureRow:
        row = self._storage.picture(account, name) if PICTURE_NAME.fullmatch(name) else None
        if row is None:
            raise NotFoundError(what="No row that still has its content names this picture.")
        return row

    def part(self, account: AccountId, name: str) -> PicturePart:
        """Return what is held of the picture.

        Raises:
            NotFoundError: No row with content names it.
            BusyError: The place for pictures does not answer.
        """
        row = self._row(account, name)
        if row.whole:
            return PicturePart(size=_travels(row), whole=True)
        upload = self._blobs.upload(account, name)
        if upload.whole:  # a process was killed, or its database was away, before it could note so
            return self._arrived(account, name, _travels(row))
        return PicturePart(size=upload.size, whole=False)

    def arrived(self, account: AccountId, names: Iterable[str]) -> list[str]:
        """Return those of the pictures that are whole, of rows that still have their content (R41)."""
        # A name that is none could hold what a database takes for no text.
        rows = self._storage.pictures(account, set(filter(PICTURE_NAME.fullmatch, names)))
        return sorted(name for name, row in rows.items() if row.whole)

    def take_part(self, account: AccountId, name: str, offset: int, part: bytes) -> PicturePart:
        """Append a part; with the last one the picture is whole, if its hash is its name (R41).

        Raises:
            NotFoundError: No row with content names it, or a deletion came meanwhile.
            TooLargeError: A part or the picture is over its limit or over the size that the row names.
            QuotaError: The account has no room for the picture; it may be sent again when it has (R44).
            UploadOffsetError: The part does not continue what is held.
            BusyError: The disk is full, or the place for pictures does not answer.
            WrongHashError: The whole is not the picture of that name; it was dropped.
        """
        row = self._row(account, name)
        size = _travels(row)
        if row.whole:
            return PicturePart(size=size, whole=True)
        if len(part) > PICTURE_PART_BYTES_MAX:
            raise TooLargeError(what=f"One part holds at most {PICTURE_PART_BYTES_MAX} bytes.")
        if offset + len(part) > size:
            raise TooLargeError(what=f"By its row this picture is {size} bytes long.")
        self._require_room(account, name, row)
        if offset + len(part) < size:
            return self._append(account, name, offset, part)
        finished = self._blobs.finish(account, name, offset, part)
        match finished:
            case Whole():
                return self._arrived(account, name, size)
            case WrongHash():
                raise WrongHashError
            case Elsewhere(held):
                raise UploadOffsetError(held=held)
            case _:
                assert_never(finished)

    def _append(self, account: AccountId, name: str, offset: int, part: bytes) -> PicturePart:
        held = self._blobs.append(account, name, offset, part)
        # A doubled part is answered as the first one was: all of it is held (R40).
        if held != offset + len(part):
            raise UploadOffsetError(held=held)
        if self._storage.picture(account, name) is None:
            self._give_up(account, name)
        return PicturePart(size=held, whole=False)

    def _arrived(self, account: AccountId, name: str, size: int) -> PicturePart:
        """Note that the picture is whole: what holds now is its row, or that there is none any more."""
        if not self._storage.picture_arrived(account, name):
            self._give_up(account, name)
        return PicturePart(size=size, whole=True)

    def _give_up(self, account: AccountId, name: str) -> NoReturn:
        """Remove what was written while its row was deleted: whoever of the two is last removes it (R25)."""
        self._blobs.remove([(account, name)])
        raise NotFoundError(what="The segment was deleted while its picture was on the way.")

    def _require_room(self, account: AccountId, name: str, row: PictureRow) -> None:
        """Count the picture before its first byte is taken: two uploads at once never share the last room."""
        if row.counted:
            return
        decided = self._storage.operator.rule(account).picture_quota_bytes
        quota_bytes = self._quota_bytes if decided is None else decided
        if quota_bytes is None or self._storage.make_room(account, name, quota_bytes):
            return
        raise QuotaError(quota=quota_bytes, held=self._storage.picture_bytes(account))

    def span(self, account: AccountId, name: str, first: int, last: int | None) -> Span:
        """Return bytes `first` to `last` (included; None is the end) of a whole picture.

        Raises:
            NotFoundError: It is not here, or not whole.
        """
        row = self._row(account, name)
        if not row.whole:
            raise NotFoundError(what="This picture has not arrived yet.")
        size = _travels(row)
        stop = size if last is None else min(last + 1, size)
        if first >= stop:
            return Span(first, size, b"")
        try:
            content = self._blobs.read(account, name, first, stop - first)
        except FileNotFoundError as error:  # a deletion came between
            raise NotFoundError(what="This picture is missing.") from error
        return Span(first, size, content)

    def remove_doomed(self, account: AccountId | None = None) -> None:
        """Remove the bytes of pictures whose last row lost its content, of one account or of all (R25).

        Raises:
            BusyError: The place for pictures does not answer: they wait for the next time.
        """
        while doomed := self._storage.doomed(DOOMED_MAX, account):
            self._blobs.remove([one for one in doomed if self._storage.picture(*one) is None])
            self._storage.pictures_removed(doomed)

    def collect_orphans(self, at_ms: Millis) -> int:
        """Remove what no row names and nobody has written for a day; return how many (R41).

        Parts beside a whole picture go too: a doubled request may leave one there. A place that holds more
        than one look takes in is gone through from look to look.
        """
        seen = [found for found in self._next_look() if found.written_ms < at_ms - ORPHAN_MILLIS]
        return sum(
            self._collect(account, list(things))
            for at in range(0, len(seen), ASKED_MAX)
            for account, things in groupby(seen[at : at + ASKED_MAX], key=lambda found: found.account)
        )

    def _collect(self, account: AccountId, things: list[Found]) -> int:
        names = {thing.name for thing in things}
        rows = self._storage.pictures(account, names)
        orphans = [(account, name) for name in sorted(names - rows.keys())]
        self._blobs.remove(orphans)
        parts = {thing.name for thing in things if thing.is_part}
        self._blobs.drop_parts([(account, name) for name in parts if name in rows and rows[name].whole])
        return len(orphans)

    def close(self) -> None:
        """Release the place for pictures."""
        self._blobs.close()

    def _next_look(self) -> list[Found]:
        """Return what lies behind where the last look ended, and then what lies before it."""
        behind = self._blobs.listed(self._looked_to)
        before = takewhile(lambda found: found.key <= self._looked_to, self._blobs.listed(""))
        look = list(islice(chain(behind, before), LOOK_MAX))
        if look:
            self._looked_to = look[-1].key
        return look


def _travels(row: PictureRow) -> int:
    """Return how long a picture's ciphertext is: its padded size and the tag (R46)."""
    return row.size + PICTURE_TAG_BYTES
