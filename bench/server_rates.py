"""How fast one server process takes and gives versions, over HTTP, its client's work left out.

    python -m bench.server_rates

Sealed and signed beforehand; pushed in batches of 500 and pulled in pages of 1,000, one request at a time,
to a real process with durable commits; then single-version pushes from several connections at once.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
import msgspec

from bench.figure import print_figure
from diary.evidence.receipt import Cursor
from diary.rules.ids import ContractId
from sync.protocol import Pull, PullAnswer
from tests.sync.server.author import Author
from tests.sync.server.process import running

VERSIONS = 12_000
BATCH = 500
SINGLE = 2_000
CONNECTIONS = 50
RUNS = 3
JSON = {"Content-Type": "application/json"}


def measure() -> None:
    pushed, pulled, idle, single = [], [], [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "server") as server:
            author = Author()
            server.client.enrol(author, author.enrol(author.terms()))
            last = int(time.time()) // 600 - 1
            versions = [author.capture(last - at) for at in range(VERSIONS + SINGLE)]
            batches = [
                msgspec.json.encode(author.push(*versions[at : at + BATCH]))
                for at in range(0, VERSIONS, BATCH)
            ]
            http, headers = server.client.http, {**author.authorization, **JSON}
            began = time.perf_counter()
            for batch in batches:
                http.post("/v1/push", content=batch, headers=headers).raise_for_status()
            pushed.append(VERSIONS / (time.perf_counter() - began))
            began = time.perf_counter()
            cursors = _pull_all(http, author)
            pulled.append(VERSIONS / (time.perf_counter() - began))
            nothing = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
            began = time.perf_counter()
            for _ in range(100):
                http.post("/v1/pull", content=nothing, headers=headers).raise_for_status()
            idle.append((time.perf_counter() - began) * 10)
            ones = [msgspec.json.encode(author.push(version)) for version in versions[VERSIONS:]]
            single.append(asyncio.run(_push_singly(http.base_url, headers, ones)))
    print_figure("server_push", pushed, "versions/s", batch=BATCH)
    print_figure("server_pull", pulled, "versions/s")
    print_figure("server_nothing_to_do", idle, "ms")
    print_figure("server_push_single", single, "versions/s", connections=CONNECTIONS)


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


async def _push_singly(url: httpx.URL, headers: dict[str, str], bodies: list[bytes]) -> float:
    """Return pushes a second over bare sockets: at this rate an HTTP client would be what is measured."""
    waiting = iter(bodies)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": url.host, **headers}.items())

    async def push() -> None:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for body in waiting:
            length = f"Content-Length: {len(body)}\r\n\r\n"
            writer.write(f"POST /v1/push HTTP/1.1\r\n{head}{length}".encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            assert " 200 " in answer[0], answer
            fields = dict(line.split(": ", 1) for line in answer[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(push() for _ in range(CONNECTIONS)))
    return len(bodies) / (time.perf_counter() - began)


if __name__ == "__main__":
    measure()
