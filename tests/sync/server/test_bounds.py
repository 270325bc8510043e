"""Whatever is sent, however much of it and however slowly, the server stays small and goes on (R44)."""

import contextlib
import json
import re
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.week import slot_at
from sync.protocol import Fault, WireVersion
from sync.server.app import create_app
from sync.server.patience import PatientProtocol
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, Running, running

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
SOME_BYTES = 192 * MEBIBYTE  # twice what would be seen in memory
GROWTH_BYTES_MAX = (
    96 * MEBIBYTE
)  # what a few requests of the greatest size may take at once, with room to spare
HEAD = b"POST /v1/push HTTP/1.1\r\nHost: d\r\nContent-Length: 9999\r\n\r\n"
POSTED = ["/v1/push", "/v1/pull", "/v1/enrol", "/v1/device-list", "/v1/heal"]
STRANGE = {
    "brackets": b"[" * 3_000_000,
    "objects": b'{"a":' * 500_000,
    "a nested field": b'{"account":' + b"[" * 1_000_000,
    "an unknown nested field": b'{"x":' + b"[" * 1_000_000,
    "nested versions": b'{"versions":' + b"[" * 1_000_000,
    "a number of three million digits": b"9" * 3_000_000,
    "a field of a million digits": b'{"account":"a","x":' + b"9" * 1_000_000 + b"}",
    "a limit of five thousand digits": b'{"account":"a","cursors":{},"rows_max":' + b"9" * 5_000 + b"}",
    "a number beyond all": b'{"account":"a","cursors":{"x":{"log_epoch":1e400,"size":-1e-400}}}',
    "an open text": b'"\\u0000',
    "no text": b"\xff\xfe",
    "nothing": b"",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("bounds")
    with TestClient(create_app(Settings(folder=folder), GivenClock(WEDNESDAY))) as http:
        yield Client(http)


@rule("R44")
@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_body_is_answered_by_name(client: Client, path: str, body: bytes) -> None:
    answer = client.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 413}
    fault = msgspec.json.decode(answer.content, type=Fault)
    assert fault.reason in {"bad_request", "too_large"}
    assert fault.because


@rule("R44")
def test_a_packed_body_is_not_unpacked(client: Client) -> None:
    bomb = zlib.compress(bytes(100 * MEBIBYTE), 9)
    for coding in ("gzip", "deflate", "br"):
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        answer = client.http.post("/v1/push", content=bomb, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")


@rule("R44")
@pytest.mark.parametrize("value", ["[" * 2_000, '{"a":' * 400, "9" * 2_000, "1e400", "[" * 900 + "]" * 900])
@pytest.mark.parametrize("name", ["n", "slot", "vector", "pictures", "terms", "head", "nothing"])
def test_a_strange_header_is_one_rows_refusal(client: Client, name: str, value: str) -> None:
    author = Author()
    client.enrol(author, author.enrol(author.terms()))
    right = author.capture(slot_at(WEDNESDAY) - 2)
    fields = msgspec.json.decode(right.header)
    header = json.dumps({**fields, name: "@"}).replace('"@"', value)
    strange = WireVersion(header=header, body=b"body", wrap=b"wrap")
    refused, taken = client.push(author, strange, author.capture(slot_at(WEDNESDAY) - 3))
    assert (getattr(refused, "reason", ""), type(taken).__name__) == ("bad_header", "Receipt")


def greatest_bytes(server: Running) -> int:
    """Return the most memory that the server's process ever had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def pour(server: Running, head: str, chunk: bytes, total: int) -> bytes:
    """Send a request's head and then `chunk` again and again; return what is answered before it hangs up."""
    url = httpx.URL(server.client.http.base_url)
    answer = b""
    with socket.create_connection((url.host, url.port or 0), timeout=60) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(head.encode())
            for _ in range(total // len(chunk)):
                line.sendall(chunk)
        with contextlib.suppress(ConnectionError):
            answer = line.recv(65536)
    return answer


@rule("R44")
def test_a_gibibyte_of_body_takes_no_memory(tmp_path: Path) -> None:
    part = bytes(MEBIBYTE)
    chunk = b"100000\r\n" + part + b"\r\n"
    with running(tmp_path / "server") as server:
        server.client.key()
        before = greatest_bytes(server)
        for path, method, total in (
            ("/v1/push", "POST", GIBIBYTE),
            (f"/v1/pictures/{'1' * 64}", "PUT", SOME_BYTES),
        ):
            head = f"{method} {path} HTTP/1.1\r\nHost: diary\r\nContent-Type: application/json\r\n"
            pour(server, head + "Transfer-Encoding: chunked\r\n\r\n", chunk, total)
            pour(server, head + f"Content-Length: {GIBIBYTE}\r\n\r\n", part, SOME_BYTES)
        pour(server, "GET /health HTTP/1.1\r\nX-Long: ", b"x" * 65536, SOME_BYTES)
        assert server.client.http.get("/health").status_code == 200
        assert greatest_bytes(server) - before < GROWTH_BYTES_MAX


class Hasty(PatientProtocol):
    """The server's own patience, shortened so that a test need not have as much."""

    head_seconds = 1.0
    stall_seconds = 1.0
    body_seconds = 3.0


@contextmanager
def hasty_server(folder: Path) -> Iterator[tuple[str, int]]:
    app = create_app(Settings(folder=folder), GivenClock(WEDNESDAY))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", http=Hasty))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()
        yield host, port
    finally:
        server.should_exit = True
        thread.join()


def drip(address: tuple[str, int], head: bytes, drop: bytes, pause_seconds: float) -> float:
    """Send a head and then drops, and return after how many seconds the server hung up."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=pause_seconds) as line:
        line.sendall(head)
        while time.monotonic() - began < 60:
            try:
                if line.recv(65536) == b"":
                    break
            except TimeoutError:
                with contextlib.suppress(ConnectionError):
                    line.sendall(drop)
            except ConnectionError:
                break
        return time.monotonic() - began


@rule("R44")
@pytest.mark.parametrize(
    ("head", "drop", "pause_seconds"),
    [
        (b"", b"", 5.0),  # silence
        (b"POST /v1/push HTTP/1.1\r\n", b"X-Slow: 1\r\n", 0.2),  # a head without an end
        (
            b"POST /v1/push HTTP/1.1\r\nHost: d\r\nContent-Length: 9999\r\n\r\n",
            b"",
            5.0,
        ),  # a body that stalls
        (b"POST /v1/push HTTP/1.1\r\nHost: d\r\nContent-Length: 9999\r\n\r\n", b" ", 0.2),  # one byte by one
    ],
    ids=["silence", "head", "stalled body", "dripping body"],
)
def test_a_request_that_does_not_get_on_is_hung_up_on(
    tmp_path: Path, head: bytes, drop: bytes, pause_seconds: float
) -> None:
    with hasty_server(tmp_path / "server") as address:
        assert drip(address, head, drop, pause_seconds) < 50
        assert httpx.get(f"http://{address[0]}:{address[1]}/health").status_code == 200


@rule("R44")
def test_a_slow_request_that_gets_on_is_waited_for(tmp_path: Path) -> None:
    author = Author()
    body = msgspec.json.encode(author.enrol(author.terms()))
    with hasty_server(tmp_path / "server") as address, socket.create_connection(address) as line:
        line.settimeout(60)
        for _ in range(2):  # the same line serves the next request too
            line.sendall(HEAD.replace(b"push", b"enrol").replace(b"9999", b"%d" % len(body)))
            for at in range(0, len(body), len(body) // 4):
                time.sleep(0.3)
                line.sendall(body[at : at + len(body) // 4])
            answer = HTTPResponse(line)
            answer.begin()
            assert (answer.status, answer.read()[:1]) == (200, b"{")
            time.sleep(1.5)
