"""The bare limit: a diary's own bytes through the same libraries, without any rule.

The same httpx client, messages by msgspec, Litestar on uvicorn, and on both sides one apsw table with a
durable commit for each push or page; no signature, no check, no log, no receipt. One request at a time, in
the protocol's batches and pages. A sync that keeps the rules can hardly be faster than this.
"""

import asyncio
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import httpx
import msgspec
import uvicorn
from litestar import Litestar, get, post

from sync.protocol import PULL_ROWS_MAX, PUSH_VERSIONS_MAX, WireVersion
from sync.server.app import GC_THRESHOLDS, REQUEST_BYTES_MAX
from sync.server.sqlite_file import PAGE_BYTES
from tests.sync.server.process import free_port

START_SECONDS = 20
_JSON = {"Content-Type": "application/json"}
_TABLE = """
    CREATE TABLE IF NOT EXISTS version (
        id INTEGER PRIMARY KEY,
        header TEXT NOT NULL,
        body BLOB,
        wrap BLOB
    ) STRICT
"""
_ADD = "INSERT INTO version (header, body, wrap) VALUES (:header, :body, :wrap)"
_PAGE = "SELECT id, header, body, wrap FROM version WHERE id > :after ORDER BY id LIMIT :rows_max"


class BarePush(msgspec.Struct, frozen=True, kw_only=True):
    """Versions to store."""

    versions: list[WireVersion]


class BarePull(msgspec.Struct, frozen=True, kw_only=True):
    """How far was read."""

    after: int
    rows_max: int = PULL_ROWS_MAX


class BarePage(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that follow, and the last one's id."""

    versions: list[WireVersion]
    last: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds that all the versions took, each way."""

    push_seconds: float
    pull_seconds: float


def measure(folder: Path, versions: Sequence[WireVersion]) -> Rates:
    """Return how long these versions take to a fresh bare server and back."""
    table = Table(folder / "pulled.db")
    with _running(folder / "server") as http:
        began = time.perf_counter()
        for start in range(0, len(versions), PUSH_VERSIONS_MAX):
            push = BarePush(versions=list(versions[start : start + PUSH_VERSIONS_MAX]))
            _ask(http, "/push", push)
        pushed = time.perf_counter()
        page = BarePage(versions=[], last=0)
        while page.last < len(versions):
            page = msgspec.json.decode(_ask(http, "/pull", BarePull(after=page.last)), type=BarePage)
            table.store(page.versions)
        return Rates(pushed - began, time.perf_counter() - pushed)


def _ask(http: httpx.Client, path: str, message: msgspec.Struct) -> bytes:
    answer = http.post(path, content=msgspec.json.encode(message), headers=_JSON)
    return answer.raise_for_status().content


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[httpx.Client]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare_limit", str(folder), str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            for _ in range(START_SECONDS * 20):
                with contextlib.suppress(httpx.TransportError):
                    http.get("/").raise_for_status()
                    break
                time.sleep(0.05)
            yield http
    finally:
        process.terminate()
        process.wait()


class Table:
    """Versions in a file, in the order in which they came."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self._connection = apsw.Connection(str(path))
        self._connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_TABLE)

    def store(self, versions: Sequence[WireVersion]) -> None:
        """Add versions in one durable commit."""
        with self._connection:
            self._connection.executemany(_ADD, map(msgspec.structs.asdict, versions))

    def page(self, asked: BarePull) -> BarePage:
        """Return the versions that follow."""
        rows = list(self._connection.execute(_PAGE, msgspec.structs.asdict(asked)))
        versions = [WireVersion(header=header, body=body, wrap=wrap) for _, header, body, wrap in rows]
        return BarePage(versions=versions, last=rows[-1][0] if rows else asked.after)


def _app(path: Path) -> Litestar:
    table = Table(path)

    @get("/")
    async def root() -> dict[str, str]:
        return {}

    @post("/push", status_code=200)
    async def push(data: BarePush) -> dict[str, int]:
        await asyncio.to_thread(table.store, data.versions)
        return {"stored": len(data.versions)}

    @post("/pull", status_code=200)
    async def pull(data: BarePull) -> BarePage:
        return await asyncio.to_thread(table.page, data)

    return Litestar([root, push, pull], request_max_body_size=REQUEST_BYTES_MAX, logging_config=None)


def _serve(folder: Path, port: int) -> None:
    app = _app(folder / "bare.db")
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
