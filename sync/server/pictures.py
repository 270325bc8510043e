"""Pictures come after their rows, in parts that resume, and go when the last row lets go (R25, R41).

Order matters: a part is written and synced, the whole is renamed and synced, then the commit says so. A
deletion that comes between wins: the commit finds no row and the bytes are removed.
"""

from dataclasses import dataclass

from diary.rules.ids import AccountId, Millis
from sync.protocol import PICTURE_PART_BYTES_MAX, PICTURE_TAG_BYTES, PicturePart
from sync.server.blobs import PICTURE_NAME, Blobs
from sync.server.faults import (
    BusyError,
    NotFoundError,
    QuotaError,
    TooLargeError,
    UploadOffsetError,
    WrongHashError,
)
from sync.server.storage import PictureRow, Storage

ORPHAN_MILLIS = 24 * 3_600_000  # long after any upload that a row could still catch up with
DOOMED_MAX = 1000  # removed in one go; the rest at the next


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a whole picture: the content from `start`, of a picture of `size` bytes."""

    start: int
    size: int
    content: bytes


class Pictures:
    """The pictures of all accounts: what storage says may be, and what the blobs hold.

    `quota_bytes` is how much room one account's whole pictures may take, None for no limit (R44).
    """

    def __init__(self, storage: Storage, blobs: Blobs, quota_bytes: int | None = None) -> None:
        self._storage = storage
        self._blobs = blobs
        self._quota_bytes = quota_bytes

    def _row(self, account: AccountId, name: str) -> PictureRow:
        row = self._storage.picture(account, name) if PICTURE_NAME.fullmatch(name) else None
        if row is None:
            raise NotFoundError(what="No row that still has its content names this picture.")
        return row

    def part(self, account: AccountId, name: str) -> PicturePart:
        """Return what is held of the picture.

        Raises:
            NotFoundError: No row with content names it.
        """
        row = self._row(account, name)
        if row.whole:
            return PicturePart(size=_travels(row), whole=True)
        return PicturePart(size=self._blobs.part_size(account, name), whole=False)

    def take_part(self, account: AccountId, name: str, offset: int, part: bytes) -> PicturePart:
        """Append a part; with the last one the picture is whole, if its hash is its name (R41).

        Raises:
            NotFoundError: No row with content names it, or a deletion came meanwhile.
            TooLargeError: A part or the picture is over its limit or over the size that the row names.
            QuotaError: The account has no room for the picture; it may be sent again when it has (R44).
            UploadOffsetError: The part does not continue what is held.
            BusyError: The disk is full.
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
        self._require_room(account, row)
        held = self._blobs.part_size(account, name)
        if offset != held:
            raise UploadOffsetError(held=held)
        try:
            held = self._blobs.append(account, name, offset, part)
            if held != offset + len(part):
                raise UploadOffsetError(held=held)
            if held < size:
                return PicturePart(size=held, whole=False)
            is_right = self._blobs.finish(account, name)
        except OSError as error:  # a full disk, or a broken one: the part is as it was, or whole
            raise BusyError(what=error.strerror) from error
        if not is_right:
            raise WrongHashError
        if not self._storage.picture_arrived(account, name):
            self._blobs.remove(account, name)
            raise NotFoundError(what="The segment was deleted while its picture was on the way.")
        return PicturePart(size=size, whole=True)

    def _require_room(self, account: AccountId, row: PictureRow) -> None:
        if self._quota_bytes is not None:
            held = self._storage.picture_bytes(account)
            if held + row.size > self._quota_bytes:
                raise QuotaError(quota=self._quota_bytes, held=held)

    def span(self, account: AccountId, name: str, first: int, last: int | None) -> Span:
        """Return bytes `first` to `last` (included; None is the end) of a whole picture.

        Raises:
            NotFoundError: It is not here, or not whole.
        """
        if not self._row(account, name).whole:
            raise NotFoundError(what="This picture has not arrived yet.")
        size = self._blobs.size(account, name)
        if size is None:
            raise NotFoundError(what="This picture is missing.")
        stop = size if last is None else min(last + 1, size)
        try:
            content = self._blobs.read(account, name, first, max(stop - first, 0))
        except FileNotFoundError as error:  # a deletion came between
            raise NotFoundError(what="This picture is missing.") from error
        return Span(first, size, content)

    def remove_doomed(self) -> None:
        """Remove the bytes of pictures whose last row lost its content (R25)."""
        doomed = self._storage.doomed(DOOMED_MAX)
        for account, name in doomed:
            if self._storage.picture(account, name) is None:
                self._blobs.remove(account, name)
        if doomed:
            self._storage.pictures_removed(doomed)

    def collect_orphans(self, at_ms: Millis) -> int:
        """Remove what no row names and nobody has written for a day; return how many."""
        removed = 0
        for account, name in list(self._blobs.touched_before(Millis(at_ms - ORPHAN_MILLIS))):
            if self._storage.picture(account, name) is None:
                self._blobs.remove(account, name)
                removed += 1
        return removed


def _travels(row: PictureRow) -> int:
    """Return how long a picture's ciphertext is: its padded size and the tag (R46)."""
    return row.size + PICTURE_TAG_BYTES
