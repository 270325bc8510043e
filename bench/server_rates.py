"""How fast one server process takes and gives versions, over HTTP, its client's work left out.

    python -m bench.server_rates [sqlite] [postgres]

Sealed and signed beforehand; pushed in batches of 500 and pulled in pages of 1,000, one request at a time,
to a real process with durable commits; then single-version pushes of many accounts
from many connections at once.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import httpx
import msgspec

from bench.figure import print_figure
from diary.evidence.receipt import Cursor
from diary.rules.ids import ContractId
from sync.protocol import Pull, PullAnswer
from tests.sync.server.author import Author
from tests.sync.server.postgres import postgres
from tests.sync.server.process import running

VERSIONS = 12_000
BATCH = 500
SINGLE = 2_000
ACCOUNTS = 50
CONNECTIONS = 200
RUNS = 3
JSON = {"Content-Type": "application/json"}


def measure(databases: Sequence[str] = ("sqlite", "postgres")) -> None:
    with postgres(durable=True) if "postgres" in databases else nullcontext() as cluster:
        for database in databases:
            rates = []
            for _ in range(RUNS):
                url = cluster.new_database() if cluster and database == "postgres" else None
                rates.append(_run(url))
            pushed, pulled, idle, single = zip(*rates, strict=True)
            print_figure("server_push", pushed, "versions/s", batch=BATCH, database=database)
            print_figure("server_pull", pulled, "versions/s", database=database)
            print_figure("server_nothing_to_do", idle, "ms", database=database)
            print_figure(
                "server_push_single",
                single,
                "versions/s",
                connections=CONNECTIONS,
                accounts=ACCOUNTS,
                database=database,
            )


def _run(database_url: str | None) -> tuple[float, float, float, float]:
    """Return versions a second pushed and pulled, ms of a pull of nothing, and single pushes a second."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "server", database_url=database_url) as server,
    ):
        author = Author()
        server.client.enrol(author, author.enrol(author.terms()))
        last = int(time.time()) // 600 - 1
        versions = [author.capture(last - at) for at in range(VERSIONS)]
        batches = [
            msgspec.json.encode(author.push(*versions[at : at + BATCH])) for at in range(0, VERSIONS, BATCH)
        ]
        http, headers = server.client.http, {**author.authorization, **JSON}
        began = time.perf_counter()
        for batch in batches:
            http.post("/v1/push", content=batch, headers=headers).raise_for_status()
        pushed = VERSIONS / (time.perf_counter() - began)
        began = time.perf_counter()
        cursors = _pull_all(http, author)
        pulled = VERSIONS / (time.perf_counter() - began)
        nothing = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
        began = time.perf_counter()
        for _ in range(100):
            http.post("/v1/pull", content=nothing, headers=headers).raise_for_status()
        idle = (time.perf_counter() - began) * 10
        requests = []
        for _ in range(ACCOUNTS):
            author = Author()
            server.client.enrol(author, author.enrol(author.terms()))
            head = _head(http.base_url, {**author.authorization, **JSON})
            pushes = (author.push(author.capture(last - at)) for at in range(SINGLE // ACCOUNTS))
            requests.append([_request(head, msgspec.json.encode(push)) for push in pushes])
        # Accounts take turns, as devices do that push when their slots end.
        waiting = [one for turn in zip(*requests, strict=True) for one in turn]
        return pushed, pulled, idle, asyncio.run(_push_singly(http.base_url, waiting))


def _pull_all(http: httpx.Client, author: Author) -> dict[ContractId, Cursor]:
    cursors: dict[ContractId, Cursor] = {}
    while True:
        asked = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
        answer = http.post("/v1/pull", content=asked, headers={**author.authorization, **JSON})
        read = msgspec.json.decode(answer.content, type=PullAnswer)
        for page in read.pages:
            cursors[page.contract] = Cursor(page.head.log_epoch, page.rows[-1].index + 1)
        if not read.more:
            return cursors


def _head(url: httpx.URL, headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in {"Host": url.host, **headers}.items())


def _request(head: str, body: bytes) -> bytes:
    return f"POST /v1/push HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _push_singly(url: httpx.URL, requests: Sequence[bytes]) -> float:
    """Return pushes a second over bare sockets: at this rate an HTTP client would be what is measured."""
    waiting = iter(requests)

    async def push() -> None:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for request in waiting:
            writer.write(request)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            assert " 200 " in answer[0], answer
            fields = dict(line.split(": ", 1) for line in answer[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(push() for _ in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - began)


if __name__ == "__main__":
    measure(sys.argv[1:] or ("sqlite", "postgres"))
