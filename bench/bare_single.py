"""The bare limit of single pushes: one row and one durable commit a request, without any rule.

    python -m bench.bare_single PORT FOLDER each|joined      one SQLite file, by apsw
    python -m bench.bare_single PORT URL postgres            one table in PostgreSQL, by psycopg

The same request body, Litestar on uvicorn, database and settings as the server's, and nothing else: no token,
signature, check, log or receipt. "each" commits every row by itself; "joined" commits in one go whatever came
while the last commit was under way, as the server does.
"""

import asyncio
import queue
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import apsw
import psycopg
import uvicorn
from litestar import Litestar, get, post

from sync.protocol import Push, WireVersion
from sync.server.postgres_lines import LINES_MAX
from sync.server.turns import TURN_MAX

KINDS = ("each", "joined", "postgres")
_TABLE = "CREATE TABLE version (header TEXT NOT NULL, body BLOB, wrap BLOB)"
_ADD = "INSERT INTO version (header, body, wrap) VALUES (?, ?, ?)"
_TABLE_POSTGRES = "CREATE TABLE version (header TEXT NOT NULL, body BYTEA, wrap BYTEA)"
_ADD_POSTGRES = "INSERT INTO version (header, body, wrap) VALUES (%s, %b, %b)"

Keep = Callable[[WireVersion], Awaitable[None]]


class Sqlite:
    """Rows in one SQLite file with the server's settings."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[WireVersion, asyncio.Future[None]]] = []
        self._turn: asyncio.Task[None] | None = None
        self._connection = apsw.Connection(str(path))
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "full")
        self._connection.execute(_TABLE)

    async def keep_each(self, version: WireVersion) -> None:
        """Keep one row in a commit of its own."""
        await asyncio.to_thread(self._store, [version])

    async def keep_joined(self, version: WireVersion) -> None:
        """Keep one row in a commit with those that came meanwhile."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((version, kept))
        if self._turn is None:
            self._turn = asyncio.create_task(self._take_turns())
        await kept

    async def _take_turns(self) -> None:
        while self._waiting:
            turn, self._waiting = self._waiting[:TURN_MAX], self._waiting[TURN_MAX:]
            await asyncio.to_thread(self._store, [version for version, _ in turn])
            for _, kept in turn:
                kept.set_result(None)
        self._turn = None

    def _store(self, versions: Sequence[WireVersion]) -> None:
        with self._lock, self._connection:
            self._connection.executemany(_ADD, [(one.header, one.body, one.wrap) for one in versions])


class Postgres:
    """Rows in one PostgreSQL table, over as many connections as the server opens."""

    def __init__(self, url: str) -> None:
        self._lines: queue.SimpleQueue[psycopg.Connection[tuple[object, ...]]] = queue.SimpleQueue()
        for _ in range(LINES_MAX):
            self._lines.put(psycopg.connect(url, autocommit=True))
        with psycopg.connect(url, autocommit=True) as line:
            line.execute(_TABLE_POSTGRES)

    async def keep(self, version: WireVersion) -> None:
        """Keep one row in a commit of its own."""
        await asyncio.to_thread(self._store, version)

    def _store(self, version: WireVersion) -> None:
        line = self._lines.get()
        line.execute(_ADD_POSTGRES, (version.header, version.body, version.wrap), prepare=True)
        self._lines.put(line)


def _app(keep: Keep) -> Litestar:
    @get("/health")
    async def health() -> dict[str, str]:
        return {}

    @post("/v1/push", status_code=200)
    async def push(data: Push) -> dict[str, int]:
        await keep(data.versions[0])
        return {"stored": 1}

    return Litestar([health, push], logging_config=None)


def _keep(kind: str, target: str) -> Keep:
    if kind == "postgres":
        return Postgres(target).keep
    rows = Sqlite(Path(target))
    return rows.keep_each if kind == "each" else rows.keep_joined


if __name__ == "__main__":
    port, target, kind = sys.argv[1:]
    uvicorn.run(
        _app(_keep(kind, target)), host="127.0.0.1", port=int(port), log_level="warning", access_log=False
    )
