"""A diary whose keys lie under a passphrase, until somebody has typed it into the page (R49, R52)."""

from collections.abc import Sequence

from datasette_work_diary.opening import DiaryRoom
from diary.errors import DiaryError

UNLOCK_PATH = "/-/diary/unlock"
PASSPHRASE_BYTES_MAX = 4096


class Lock:
    """The passphrase of one run of the viewer, in memory and nowhere else; None where none is needed yet.

    Threads that open the diary ask `passphrase`. While it is locked no room has begun.
    """

    def __init__(self) -> None:
        self._passphrase: str | None = None
        self._rooms: Sequence[DiaryRoom] = ()
        self.is_locked = False

    def guard(self, rooms: Sequence[DiaryRoom]) -> None:
        """Keep these rooms shut until the passphrase is known."""
        self._rooms = rooms
        self.is_locked = True

    def hold(self, passphrase: str) -> None:
        """Take a passphrase that was given at the start."""
        self._passphrase = passphrase

    def passphrase(self) -> str:
        """Return the passphrase; "" while nobody has said it, which opens nothing."""
        return self._passphrase or ""

    def unlock(self, typed: str) -> DiaryError | None:
        """Open the rooms by what was typed; return what is wrong where it does not open (R49)."""
        if not self.is_locked:
            return None
        self._passphrase = typed
        begun: list[DiaryRoom] = []
        try:
            for room in self._rooms:
                room.start()
                begun.append(room)
        except DiaryError as error:
            self._passphrase = None
            for room in begun:
                room.close()
            return error
        self.is_locked = False
        return None
