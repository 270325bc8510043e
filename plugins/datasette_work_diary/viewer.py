"""What the hooks and pages of one start of the viewer share (R25, R52).

It imports nothing of Datasette, which loads the hooks, and so this, while it is itself being loaded.
"""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasette_work_diary.access import Door
from datasette_work_diary.kept import Kept, Selection
from datasette_work_diary.lock import Lock
from datasette_work_diary.opening import DiaryRoom, OpenDiary, Opener
from diary.store.connection import FILE_NAME, prepare


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the hooks and pages of one Datasette share.

    `search_room` is one thread for all searches, as what it has read of the diary stays with it (R31).
    """

    home: Path
    door: Door
    room: DiaryRoom
    search_room: DiaryRoom
    open_diary: OpenDiary
    lock: Lock = field(default_factory=Lock)
    searches: Kept[str] = field(default_factory=Kept)
    selections: Kept[Selection] = field(default_factory=Kept)

    def version(self) -> str:
        """Return a text that differs once anything was written to the diary's file."""
        parts = []
        for path in (self.home / FILE_NAME, self.home / f"{FILE_NAME}-wal"):
            if path.exists():
                state = path.stat()
                parts.append(f"{state.st_mtime_ns:x}-{state.st_size:x}")
        return ".".join(parts)

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make one of Datasette's connections to the diary keep our promises, and able to open (R25, R52)."""
        prepare(connection)
        opener = Opener(self.open_diary, connection)
        connection.create_function("diary_opened", 3, opener.opened)


def viewer_of(datasette: Any) -> Viewer | None:
    """Return the viewer that this Datasette belongs to, None where somebody runs a Datasette of their own."""
    viewer: Viewer | None = getattr(datasette, "work_diary", None)
    return viewer
