"""The labelled points at which a process can die: before and after all that it does to the world outside.

What the product calls at its edges (a commit, a sync, a rename, a send, a receive) is wrapped here, in a
process of the tests and nowhere else. Each passage is noted in a file, so that a first run tells which points
there are; a later one is told at which of them to die. It dies by SIGKILL: nothing runs after it.
"""

import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

_NAMES = re.compile(r"[0-9a-f]{16,}|(?<=\.)[a-z0-9_]{8}$")  # hashes, ids, and temporary files


class Point(NamedTuple):
    """The `nth` passage, from 1, of one label."""

    label: str
    nth: int


@dataclass
class Mortality:
    """Counts a process's passages, each noted in the file `passed`, and ends it at one of them."""

    passed: Path
    dies_at: Point | None
    counts: Counter[str] = field(default_factory=Counter)

    def passes(self, label: str) -> None:
        self.counts[label] += 1
        with self.passed.open("ab") as noted:
            noted.write(f"{label}\n".encode())
        if self.dies_at == Point(label, self.counts[label]):
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()

    @contextmanager
    def around(self, label: str) -> Iterator[None]:
        self.passes(f"before {label}")
        yield
        self.passes(f"after {label}")


def points_of(passed: Path) -> list[Point]:
    """Return the points that a run passed, in their order."""
    counts: Counter[str] = Counter()
    points = []
    for label in passed.read_text().splitlines():
        counts[label] += 1
        points.append(Point(label, counts[label]))
    return points


def wrap_edges(mortality: Mortality) -> None:
    """Label what this process does from now on."""
    _wrap_sqlite3(mortality)
    _wrap_apsw(mortality)
    _wrap_psycopg(mortality)
    _wrap_files(mortality)
    _wrap_line(mortality)
    _wrap_door(mortality)


def _wrap_sqlite3(mortality: Mortality) -> None:
    connect = sqlite3.connect

    def labelled_connect(
        *given: Any, factory: type[sqlite3.Connection] = sqlite3.Connection, **options: Any
    ) -> sqlite3.Connection:
        class Labelled(factory):  # type: ignore[misc, valid-type]  # the product has a kind of its own
            def execute(self, sql: str, *bound: Any) -> sqlite3.Cursor:
                edge = "commit" if sql == "COMMIT" else "truncate log" if "wal_checkpoint" in sql else None
                if edge is None:
                    return super().execute(sql, *bound)  # type: ignore[no-any-return]  # as its base
                with mortality.around(f"{edge} of diary.db"):
                    return super().execute(sql, *bound)  # type: ignore[no-any-return]  # as its base

        return connect(*given, factory=Labelled, **options)

    sqlite3.connect = labelled_connect  # type: ignore[assignment]


def _wrap_apsw(mortality: Mortality) -> None:
    import apsw

    def label(connection: apsw.Connection) -> None:
        def before() -> bool:
            mortality.passes("before commit of server.db")
            return False

        def after(of: apsw.Connection, name: str, pages: int) -> int:
            mortality.passes("after commit of server.db")
            if pages >= 1000:  # SQLite's own hook, whose place this one takes, does the same
                of.wal_checkpoint(name)
            return apsw.SQLITE_OK

        connection.set_commit_hook(before)
        connection.set_wal_hook(after)

    apsw.connection_hooks.append(label)


def _wrap_psycopg(mortality: Mortality) -> None:
    import psycopg

    execute = psycopg.Connection.execute

    def labelled(self: psycopg.Connection[Any], query: Any, *bound: Any, **options: Any) -> Any:
        if query != "COMMIT":
            return execute(self, query, *bound, **options)
        with mortality.around("commit of PostgreSQL"):
            return execute(self, query, *bound, **options)

    psycopg.Connection.execute = labelled  # type: ignore[method-assign]


def _wrap_files(mortality: Mortality) -> None:
    def wrap(word: str, name: str, which: int) -> None:
        do: Callable[..., Any] = getattr(os, name)

        @wraps(do)
        def labelled(*given: Any, **options: Any) -> Any:
            with mortality.around(f"{word} {_named(given[which])}"):
                return do(*given, **options)

        setattr(os, name, labelled)

    wrap("sync of", "fsync", 0)
    wrap("rename to", "replace", 1)
    wrap("rename to", "rename", 1)
    wrap("link to", "link", 1)
    wrap("removal of", "unlink", 0)


def _named(file: int | str | os.PathLike[str]) -> str:
    """Return a file's name without what is drawn by chance in it."""
    path = Path(f"/proc/self/fd/{file}").readlink() if isinstance(file, int) else Path(file)
    if path.is_dir():
        return "a folder"
    return _NAMES.sub("*", path.name)


def _wrap_line(mortality: Mortality) -> None:
    import httpx

    ask = httpx.HTTPTransport.handle_request

    def labelled(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        what = _asked(request.method, request.url.path)
        mortality.passes(f"before sending {what}")
        answer = ask(self, request)
        mortality.passes(f"after sending {what}")
        answer.read()
        mortality.passes(f"after receiving {what}")
        return answer

    httpx.HTTPTransport.handle_request = labelled  # type: ignore[method-assign]


def _asked(method: str, path: str) -> str:
    return f"{method} {_NAMES.sub('*', path)}"


def _wrap_door(mortality: Mortality) -> None:
    import uvicorn

    run = uvicorn.run

    def labelled(app: Any, **options: Any) -> None:
        async def door(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            what = _asked(scope["method"], scope["path"])

            async def received() -> Any:
                message = await receive()
                if message["type"] == "http.request" and not message.get("more_body"):
                    mortality.passes(f"after receiving {what}")
                return message

            async def sent(message: Any) -> None:
                if message["type"] == "http.response.start":
                    mortality.passes(f"before answering {what}")
                await send(message)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    mortality.passes(f"after answering {what}")

            await app(scope, received, sent)

        run(door, **options)

    uvicorn.run = labelled
