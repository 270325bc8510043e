"""A small world for the model: the real server in process, real diaries, lines that fail, crashes, clocks.

Nothing of the product is replaced but time and the line between device and server. A crash is what it is on
a real machine: the files as they lay at that instant, and nobody's last word.
"""

import asyncio
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, cast

import httpx
from litestar import Litestar

from diary.clock import GivenClock
from diary.diary import Diary
from diary.errors import PeerError
from diary.rules.ids import Millis
from diary.sealing.keyring import choose_place
from sync.engine import Engine, SyncReport
from sync.enrolment import login, register
from sync.protocol import Pull
from sync.server.app import create_app
from sync.server.settings import Settings
from sync.transport import ServerFailedError, Transport

URL = "http://server.test"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
QUIET_MS = 5 * MINUTE_MS

Fate = Literal["pass", "refuse", "lose", "double", "delay", "crash before", "crash after"]
FAILING: frozenset[Fate] = frozenset({"refuse", "lose", "delay"})


class JumpingClock(GivenClock):
    """The server's clock, whose wall can be set without time passing (R6)."""

    steady_at_ms: int = 0

    def steady_ms(self) -> int:
        return self.steady_at_ms

    def pass_(self, by_ms: int) -> None:
        self.steady_at_ms += by_ms
        self.put(self.now_ms() + by_ms)


class CrashError(BaseException):
    """The process ends here: nothing that follows in it happens."""


class Serving:
    """The server's application on an event loop of its own, asked request by request."""

    def __init__(self, folder: Path, clock: JumpingClock) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._app = create_app(Settings(folder=folder), clock)
        # Litestar and httpx each name the one ASGI interface by types of their own.
        self._transport = httpx.ASGITransport(cast("Any", self._app))
        self._end = asyncio.Event()
        self._living = asyncio.run_coroutine_threadsafe(self._live(self._app), self._loop)

    async def _live(self, app: Litestar) -> None:
        async with app.lifespan():
            await self._end.wait()

    def ask(self, request: httpx.Request) -> httpx.Response:
        answer = asyncio.run_coroutine_threadsafe(self._ask(request), self._loop).result()
        assert answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR, answer.content
        return answer

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._living.result()
        asyncio.run_coroutine_threadsafe(self._loop.shutdown_default_executor(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Line(httpx.BaseTransport):
    """One replica's way to the server: does to requests what `fates` say, one a request; later ones pass.

    "refuse" does not deliver, "lose" loses the reply, "double" delivers twice, "delay" delivers when the
    world says so, perhaps after later requests, and then to nobody.
    """

    def __init__(self, world: "World") -> None:
        self.fates: list[Fate] = []
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        fate = self.fates.pop(0) if self.fates else "pass"
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        if fate == "refuse":
            raise httpx.ConnectError("refused on purpose", request=request)
        if fate == "crash before":
            raise CrashError
        if fate == "delay":
            self._world.delayed.append(sent)
            raise httpx.ReadTimeout("delayed on purpose", request=request)
        answer = self._world.ask(sent)
        if fate == "lose":
            raise httpx.ReadTimeout("lost on purpose", request=request)
        if fate == "crash after":
            raise CrashError
        return self._world.ask(sent) if fate == "double" else answer


class MortalDiary(Diary):
    """A diary whose process ends when it is asked for one thing more than `asks_left`.

    All that a sync does to a diary is one transaction an ask, so this is every commit's before and after.
    """

    asks_left: int | None = None

    def __getattribute__(self, name: str) -> Any:
        if name == "_state" and self.asks_left is not None:
            if self.asks_left == 0:
                raise CrashError
            self.asks_left -= 1
        return super().__getattribute__(name)


def lay_back(aside: Path, folder: Path) -> None:
    """Put the files as they lay into their folder; each stays the file that it was, and no copy (R42)."""
    kept = {path.relative_to(aside): path.read_bytes() for path in aside.rglob("*") if path.is_file()}
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder) not in kept:
            path.unlink()
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    shutil.rmtree(aside)


class Replica:
    """One device: a diary's folder, a clock that may be wrong, a line that may fail."""

    def __init__(self, world: "World", home: Path) -> None:
        self.home = home
        self.clock = GivenClock(world.clock.now_ms())
        self.offset_ms = 0
        self.line = Line(world)
        self.transport = Transport(URL, client=httpx.Client(transport=self.line), attempts=1)
        self.diary = MortalDiary.open(home, clock=self.clock)

    def sync(self, fates: Sequence[Fate] = (), asks_left: int | None = None) -> SyncReport | None:
        """Sync once; None when the line failed as told, the server doubts, or the process crashed."""
        self.line.fates = list(fates)
        self.diary.asks_left = asks_left
        try:
            return Engine(self.diary, self.transport).run()
        except PeerError as error:
            doubts = isinstance(error, ServerFailedError) and "clock" in error.what_happened
            if FAILING.isdisjoint(fates) and not doubts:
                raise
        except CrashError:
            self.crash()
        finally:
            self.line.fates = []
            self.diary.asks_left = None
        return None

    def crash(self, *, reboot: bool = False) -> None:
        """Lose the process with all it had in mind; what lies on the disk is opened again."""
        self.diary.asks_left = None
        aside = self.home.with_name(f"{self.home.name}-as-it-lay")
        shutil.copytree(self.home, aside, ignore=shutil.ignore_patterns("*-shm"))
        self.diary.close()
        lay_back(aside, self.home)
        if reboot:
            self.clock.boot_id += "+"
        self.diary = MortalDiary.open(self.home, clock=self.clock)

    def close(self) -> None:
        self.transport.close()
        self.diary.close()


class World:
    """One account's replicas, their server, and everybody's time."""

    def __init__(self, folder: Path, at_ms: int) -> None:
        self.folder = folder
        self.clock = JumpingClock(Millis(at_ms))
        self.delayed: list[httpx.Request] = []
        self.replicas: list[Replica] = []
        self._serving = Serving(folder / "server", self.clock)

    @classmethod
    def begin(cls, folder: Path, at_ms: int) -> tuple[Self, str]:
        """Return a world with one registered replica, and the account's phrase."""
        folder.mkdir()
        world = cls(folder, at_ms)
        home = folder / "replica-0"
        diary = Diary.create(home, clock=world.clock, place=choose_place(home, "file"), device_name=home.name)
        with diary, world._line() as line:
            diary.set_setting("hold_seconds", 0)
            phrase = diary.phrase()
            assert phrase is not None
            register(diary, line)
        world.replicas.append(Replica(world, home))
        return world, phrase

    def log_in(self, phrase: str) -> Replica:
        """Add a replica by the phrase, the real way."""
        home = self.folder / f"replica-{len(self.replicas)}"
        home.mkdir()
        place = choose_place(home, "file")
        self.calm()
        with self._line() as line:
            diary, _ = login(home, line, phrase, clock=self.clock, place=place, device_name=home.name)
        with diary:
            diary.set_setting("hold_seconds", 0)
        self.replicas.append(Replica(self, home))
        return self.replicas[-1]

    def _line(self) -> Transport:
        return Transport(URL, client=httpx.Client(transport=Line(self)), attempts=1)

    def ask(self, request: httpx.Request) -> httpx.Response:
        return self._serving.ask(request)

    def deliver(self, at: int) -> None:
        """Let one of the delayed requests arrive; nobody hears the reply."""
        self.ask(self.delayed.pop(at % len(self.delayed)))

    def move(self, by_ms: int) -> None:
        """Let time pass for everybody."""
        self.clock.pass_(by_ms)
        self.set_clocks()

    def set_clocks(self) -> None:
        """Put every replica's clock where it is off the server's by as much as it is off."""
        for replica in self.replicas:
            replica.clock.put(self.clock.now_ms() + replica.offset_ms)

    def is_sure(self) -> bool:
        """Return whether the server trusts its clock now (R6)."""
        replica = self.replicas[0]
        replica.transport.authorise(replica.diary.account, replica.diary.replica, replica.diary.token)
        return replica.transport.pull(Pull(account=replica.diary.account, cursors={})).clock_sure

    def calm(self) -> None:
        """Let quiet minutes pass until the server trusts its clock (R6)."""
        for _ in range(3):
            if self.is_sure():
                return
            self.move(QUIET_MS)
        raise AssertionError("the server does not come to trust its clock")

    def restart_server(self, *, killed: bool) -> None:
        """End the server and start it on its files, when killed on what lay on the disk."""
        folder = self.folder / "server"
        aside = folder.with_name("server-as-it-lay")
        if killed:
            shutil.copytree(folder, aside, ignore=shutil.ignore_patterns("*-shm"))
        self._serving.close()
        if killed:
            lay_back(aside, folder)
        self._serving = Serving(folder, self.clock)

    def close(self) -> None:
        for replica in self.replicas:
            replica.close()
        self._serving.close()
