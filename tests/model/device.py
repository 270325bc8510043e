"""One device: a real diary, a clock that may be wrong, a line that fails, a process that may end anywhere.

A crash is what it is on a real machine: the files as they lay at that instant, and nobody's last word.
"""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest

from diary import backup
from diary.clock import GivenClock
from diary.diary import Diary
from diary.errors import PeerError
from diary.store import connection as files
from sync.engine import Engine
from sync.report import SyncReport
from sync.transport import ServerFailedError, Transport
from tests.model.older import say_older, upgrading
from tests.model.oracle import Name
from tests.model.serving import ServerDiedError, lay_back

if TYPE_CHECKING:
    from tests.model.world import World

URL = "http://server.test"
Fate = Literal[
    "pass", "refuse", "cut", "lose", "double", "delay", "server dies", "crash before", "crash after"
]
Way = Literal["in place", "anew", "backup"]
Death = tuple[int, bool]  # after how many steps that change the file, and whether the last is still done
FAILING: frozenset[Fate] = frozenset({"refuse", "cut", "lose", "delay", "server dies"})

_WITH_CONTENT = """
    SELECT replica, n
      FROM version
     WHERE sealed IS NOT NULL AND slot IS NOT NULL
     UNION
    SELECT replica, n
      FROM picture
     WHERE sealed IS NOT NULL
"""

# After each of these the file is another one than before, whatever comes next.
_DURABLE = frozenset({"COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"})


class CrashError(BaseException):
    """The process ends here: nothing that follows in it happens."""


class Line(httpx.BaseTransport):
    """One device's way to the server: does to requests what `fates` say, one a request; later ones pass.

    "refuse" does not deliver, "cut" delivers half of it, "lose" loses the reply, "double" delivers twice,
    "delay" delivers when the world says so, perhaps after later requests, and then to nobody. "server dies"
    ends the server's process after `steps` of its storage.
    """

    def __init__(self, world: "World") -> None:
        self.fates: list[Fate] = []
        self.steps = 0
        self.has_failed = False
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        fate = self.fates.pop(0) if self.fates else "pass"
        self.has_failed |= fate not in {"pass", "double"}
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        if fate == "refuse":
            raise httpx.ConnectError("refused on purpose", request=request)
        if fate == "crash before":
            raise CrashError
        if fate == "cut":
            self._world.serving.ask_in_part(sent)
            raise httpx.WriteError("cut on purpose", request=request)
        if fate == "delay":
            self._world.delayed.append(sent)
            raise httpx.ReadTimeout("delayed on purpose", request=request)
        try:
            answer = self._world.serving.ask(sent, self.steps if fate == "server dies" else None)
        except ServerDiedError:
            self._world.restart_server()
            raise httpx.ReadError("the server died on purpose", request=request) from None
        if fate == "lose":
            raise httpx.ReadTimeout("lost on purpose", request=request)
        if fate == "crash after":
            raise CrashError
        return self._world.serving.ask(sent) if fate == "double" else answer


class MortalConnection(files.Connection):
    """A diary's connection whose process ends at one of the steps that change the file for good.

    `steps_left` counts them, None for ever; the one at 0 is the last, and `after` says whether it is still
    done. What lies on the disk at that instant is laid aside by `on_crash`.
    """

    steps_left: int | None = None
    after: bool = False
    on_crash: Callable[[], None]

    def execute(self, statement: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if statement not in _DURABLE or self.steps_left is None:
            return super().execute(statement, parameters)
        self.steps_left -= 1
        if self.steps_left >= 0:
            return super().execute(statement, parameters)
        self.steps_left = None
        if self.after:
            super().execute(statement, parameters).fetchall()
        self.on_crash()
        raise CrashError


class Device:
    """A diary's folder, the clock it is read by, the line it syncs over."""

    def __init__(self, world: "World", home: Path, dies_opening: Death | None = None) -> None:
        self.home = home
        self.clock = GivenClock(world.clock.now_ms(), boot_id=f"a boot of {home.name}")
        self.offset_ms = 0
        self.line = Line(world)
        self.transport = Transport(URL, client=httpx.Client(transport=self.line), attempts=1)
        self._aside = home.with_name(f"{home.name}-as-it-lay")
        self._has_crashed = False
        self.is_put_back = False  # into the same file, and the server was not asked since
        self.dies_opening = dies_opening
        self._open()

    def _open(self) -> None:
        """Open the diary; where it was told to, the process ends while it does, and opens it once more."""
        try:
            opened = self._opened(self.dies_opening)
        except CrashError:
            self._lay_back()
            opened = self._opened(None)
        self.dies_opening = None
        self.diary, self.connection = opened
        self.connection.steps_left = None

    def _opened(self, dies: Death | None) -> tuple[Diary, "MortalConnection"]:
        made: list[MortalConnection] = []
        genuine = sqlite3.connect

        def connect(path: Path, **how: Any) -> sqlite3.Connection:
            connection: MortalConnection = genuine(path, **how | {"factory": MortalConnection})
            connection.on_crash = self._lay_aside
            if path == self.home / files.FILE_NAME:
                connection.steps_left, connection.after = dies or (None, False)
                made.append(connection)
            return connection

        with pytest.MonkeyPatch.context() as machine, upgrading():
            machine.setattr(sqlite3, "connect", connect)
            diary = Diary.open(self.home, clock=self.clock)
        assert diary._state.connection is made[-1], "the diary has one connection"
        return diary, made[-1]

    @property
    def has_failed(self) -> bool:
        """Return whether something that it was about to send may never have arrived, or much later."""
        return self.line.has_failed or self._has_crashed

    def rows(self, query: str, **bound: object) -> list[Any]:
        """Return what a query of the test's own finds in the diary's file."""
        return self.connection.execute(query, bound).fetchall()

    def with_content(self) -> set[Name]:
        """Return the versions at a place of which it holds the content, or a picture."""
        return {(replica, n) for replica, n in self.rows(_WITH_CONTENT)}

    def sync(self, fates: Sequence[Fate] = (), steps: int = 0) -> SyncReport | None:
        """Sync once; None when the line failed as told, or the server doubts its clock.

        Raises:
            CrashError: The process ended: `crash` opens the diary again.
        """
        self.line.fates, self.line.steps = list(fates), steps
        try:
            return Engine(self.diary, self.transport).run()
        except PeerError as error:
            doubts = isinstance(error, ServerFailedError) and "clock" in error.what_happened
            if FAILING.isdisjoint(fates) and not doubts:
                raise
        finally:
            self.line.fates = []
        return None

    def crash_at(self, steps: int | None, *, after: bool = False) -> None:
        """Let the process end at a step that changes the file; None for never (see `MortalConnection`)."""
        self.connection.steps_left, self.connection.after = steps, after

    def crash(self, *, reboot: bool = False) -> None:
        """Lose the process with all it had in mind; what lies on the disk is opened again."""
        self.crash_at(None)
        self._has_crashed = True
        if not self._aside.exists():
            self._lay_aside()
        self.diary.close()
        self._lay_back()
        if reboot:
            self.clock.boot_id += "+"
        self._open()

    def be_updated(self) -> None:
        """Go on from the file as the version before would have left it (R70)."""
        self._end()
        say_older(self.home)
        self._open()

    def _end(self) -> None:
        """Close the diary; where the process was to die, it may do so now."""
        try:
            self.diary.close()
        except CrashError:
            self.connection.close()
            self._lay_back()

    def _lay_back(self) -> None:
        lay_back(self._aside, self.home)
        shutil.rmtree(self._aside)

    def _lay_aside(self) -> None:
        self.copy_to(self._aside)

    def copy_to(self, folder: Path) -> None:
        """Copy the diary while it is open and nobody writes: as good as a copy of a closed one."""
        shutil.copytree(self.home, folder, ignore=shutil.ignore_patterns("*-shm"))

    def keep(self, folder: Path) -> None:
        """Keep a copy of the folder, and a backup of the diary beside it."""
        self.copy_to(folder)
        self.diary.backup(folder.with_suffix(".backup"))

    def restore(self, kept: Path, way: Way) -> None:
        """Put an older copy of the diary in its place (R42, R70).

        "in place" writes into the same file, as when a disk is put back; "anew" makes a file of its own;
        "backup" is what `diary restore` does.
        """
        self._end()
        if way == "backup":
            aside = backup.restore(self.home, kept.with_suffix(".backup"), now_ms=self.clock.now_ms())
            assert aside is not None, "the diary that lay there is put aside"
            aside.replace(kept.with_name(f"{aside.name}-{kept.name}-{self.clock.now_ms()}"))
        else:
            if way == "anew":
                shutil.rmtree(self.home)
                self.home.mkdir()
            lay_back(kept, self.home)
        self._open()
        self.is_put_back = way == "in place"

    def close(self) -> None:
        self.transport.close()
        self.diary.close()
