"""Single-version pushes of many accounts from many connections at once, and what they cost the server.

At this rate an HTTP client would be what is measured: requests are made beforehand and sent over bare
sockets.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import msgspec

from tests.sync.server.author import Author
from tests.sync.server.process import Client, free_port

CONNECTIONS = 200
ACCOUNTS = 50
PUSHES = 2_000
JSON = {"Content-Type": "application/json"}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What `n` requests took: seconds until the last answer, and CPU seconds of the server's processes."""

    n: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return self.n / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Return CPU milliseconds a request."""
        return 1000 * self.cpu_seconds / self.n


def prepared(client: Client, *, accounts: int = ACCOUNTS, pushes: int = PUSHES) -> list[bytes]:
    """Enrol the accounts and return their pushes as requests; accounts take turns, as slots end for all."""
    last = int(time.time()) // 600 - 1
    requests = []
    for _ in range(accounts):
        author = Author()
        client.enrol(author, author.enrol(author.terms()))
        made = (author.push(author.capture(last - at)) for at in range(pushes // accounts))
        requests.append([request(client, author, "/v1/push", msgspec.json.encode(push)) for push in made])
    return [one for turn in zip(*requests, strict=True) for one in turn]


def request(client: Client, author: Author, path: str, body: bytes) -> bytes:
    """Return a whole POST request."""
    headers = {"Host": client.http.base_url.host, **author.authorization, **JSON}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def sent(
    urls: Sequence[httpx.URL],
    pids: Sequence[int],
    requests: Sequence[bytes],
    *,
    connections: int = CONNECTIONS,
) -> Cost:
    """Send all requests over that many connections, spread over the servers; each must be answered 200."""
    with taken(len(requests), *pids) as cost:
        asyncio.run(_send(urls, requests, connections))
    return cost[0]


@contextmanager
def taken(n: int, *pids: int) -> Iterator[list[Cost]]:
    """Give a list that holds, once the block has ended, what its `n` requests took."""
    cost: list[Cost] = []
    before, began = sum(map(cpu_seconds, pids)), time.perf_counter()
    yield cost
    seconds = time.perf_counter() - began
    cost.append(Cost(n, seconds, sum(map(cpu_seconds, pids)) - before))


async def _send(urls: Sequence[httpx.URL], requests: Sequence[bytes], connections: int) -> None:
    waiting = iter(requests)

    async def send(url: httpx.URL) -> None:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for one in waiting:
            writer.write(one)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            assert " 200 " in answer[0], answer
            fields = dict(line.split(": ", 1) for line in answer[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(send(url) for _, url in zip(range(connections), cycle(urls))))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a process has taken so far, in user and kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def bare_server(kind: str, target: str) -> Iterator[tuple[httpx.URL, int]]:
    """Run `bench.bare_single` and give its address and process id."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare_single", str(port), target, kind])
    url = httpx.URL(f"http://127.0.0.1:{port}")
    try:
        _wait(lambda: httpx.get(url.join("/health")).is_success)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(answers: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            if answers():
                return
        except httpx.TransportError:
            assert time.monotonic() < until, "the bare server did not start"
        time.sleep(0.05)
