"""The real server in this process, on either database, and what may befall its process.

Nothing of it is replaced: a request is asked of the application as a network would ask it. A process that
dies leaves the files as they lay at that instant, and a database that rolls back.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
from litestar import Litestar

from diary.clock import GivenClock
from diary.rules.ids import AccountId
from sync.server.app import create_app
from sync.server.settings import Settings
from sync.server.storage import AccountHold, Storage
from tests.sync.server.postgres import stored_rows

if TYPE_CHECKING:
    from sync.server.server import Server


class JumpingClock(GivenClock):
    """The server's clock, whose wall can be set without time passing (R6)."""

    steady_at_ms: int = 0

    def monotonic_ms(self) -> int:
        return self.steady_at_ms

    def steady_ms(self) -> int:
        return self.steady_at_ms

    def pass_(self, by_ms: int) -> None:
        self.steady_at_ms += by_ms
        self.put(self.now_ms() + by_ms)


class ServerDiedError(BaseException):
    """The server's process ends here: it answers nobody, and does nothing that follows."""


@dataclass
class _Life:
    """How many steps of the storage a server has left while it works on one request."""

    steps_left: int


_LIFE: ContextVar[_Life | None] = ContextVar("_LIFE", default=None)


class MortalStorage:
    """A server's storage; before each of its verbs, before and after each commit the process may die."""

    def __init__(self, storage: Storage, on_death: Callable[[], None]) -> None:
        self._storage = storage
        self._on_death = on_death

    def __getattr__(self, verb: str) -> Any:
        self._step()
        return getattr(self._storage, verb)

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[AccountHold]:
        self._step()
        with self._storage.hold(account) as hold:
            yield hold
            self._step()
        self._step()

    def _step(self) -> None:
        life = _LIFE.get()
        if life is None:
            return
        if life.steps_left <= 0:
            self._on_death()
            raise ServerDiedError
        life.steps_left -= 1


class Serving:
    """The server's application on an event loop of its own, asked request by request."""

    def __init__(self, settings: Settings, clock: JumpingClock) -> None:
        self._settings = settings
        self._aside = settings.folder.with_name(f"{settings.folder.name}-as-it-lay")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._app = create_app(settings, clock)
        server = self._app.dependencies["server"].dependency()  # type: ignore[union-attr]
        self.server: Server = server
        self.storage = server._storage
        mortal = cast("Storage", MortalStorage(self.storage, self.lay_aside))
        server._storage = server._pictures._storage = mortal
        # Litestar and httpx each name the one ASGI interface by types of their own.
        self._transport = httpx.ASGITransport(cast("Any", self._app))
        self._end = asyncio.Event()
        self._living = asyncio.run_coroutine_threadsafe(self._live(self._app), self._loop)

    async def _live(self, app: Litestar) -> None:
        async with app.lifespan():
            await self._end.wait()

    def ask(self, request: httpx.Request, steps: int | None = None) -> httpx.Response:
        """Return the answer to a request; given `steps` of its storage, the server dies at the next one.

        Raises:
            ServerDiedError: It did: its files lie aside as they lay at that instant.
        """
        answer = asyncio.run_coroutine_threadsafe(self._ask(request, steps), self._loop).result()
        assert answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR, answer.content
        return answer

    async def _ask(self, request: httpx.Request, steps: int | None) -> httpx.Response:
        _LIFE.set(None if steps is None else _Life(steps))
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def ask_in_part(self, request: httpx.Request) -> None:
        """Let the first half of a request's body arrive, then the end of its line; nobody hears the reply."""
        asyncio.run_coroutine_threadsafe(self._ask_in_part(request), self._loop).result()

    async def _ask_in_part(self, request: httpx.Request) -> None:
        content = request.read()
        coming: list[dict[str, Any]] = [
            {"type": "http.request", "body": content[: len(content) // 2], "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> dict[str, Any]:
            return coming.pop(0) if len(coming) > 1 else coming[0]

        async def send(message: MutableMapping[str, Any]) -> None:
            assert b"server_failed" not in message.get("body", b""), "half a request was our mistake"

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": request.url.query,
            "server": (request.url.host, request.url.port),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        await self._app(cast("Any", scope), cast("Any", receive), cast("Any", send))

    def lay_aside(self) -> None:
        """Keep the files as they lie: this is what a process that dies now leaves."""
        ignored = shutil.ignore_patterns("*-shm")
        shutil.copytree(self._settings.folder, self._aside, ignore=ignored)

    def stored(self) -> bytes:
        """Return all that the server keeps: its files, and its database's rows where that is PostgreSQL."""
        kept = bytes_in(self._settings.folder)
        url = self._settings.database_url
        return kept if url is None else kept + stored_rows(url)

    def close(self) -> None:
        """End the process; what lies aside of one that died takes its files' place."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._living.result()
        asyncio.run_coroutine_threadsafe(self._loop.shutdown_default_executor(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._aside.exists():
            lay_back(self._aside, self._settings.folder)
            shutil.rmtree(self._aside)


def bytes_in(folder: Path) -> bytes:
    """Return what all files of a folder hold."""
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def lay_back(aside: Path, folder: Path) -> None:
    """Put files that lay aside into their folder; each stays the file that it was, and no copy (R42)."""
    kept = [path.relative_to(aside) for path in aside.rglob("*") if path.is_file()]
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder) not in kept:
            path.unlink()
    for name in kept:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((aside / name).read_bytes())
        shutil.copymode(aside / name, folder / name)
