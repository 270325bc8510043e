"""A real server process, and a client that speaks the protocol to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from diary.evidence.receipt import Cursor, Receipt, Refusal, read_answer
from diary.rules.ids import ContractId
from sync.protocol import Enrol, Pull, PullAnswer, Push, PushAnswer, ServerFacts, WireVersion
from tests.sync.server.author import Author

_Message = TypeVar("_Message")
START_SECONDS = 60  # this machine may be busy with much else


@dataclass
class Client:
    """Asks one server, over the network or in this process."""

    http: httpx.Client

    def post(self, path: str, message: msgspec.Struct, author: Author | None = None) -> httpx.Response:
        headers = {"Content-Type": "application/json", **(author.authorization if author else {})}
        return self.http.post(path, content=msgspec.json.encode(message), headers=headers)

    def key(self) -> bytes:
        return bytes.fromhex(_read(self.http.get("/v1/server"), ServerFacts).key)

    def enrol(self, author: Author, message: Enrol | None = None) -> list[Receipt | Refusal]:
        answer = _read(self.post("/v1/enrol", message or author.enrol()), PushAnswer)
        return read_answer(answer.answers, self.key())

    def push(self, author: Author, *versions: WireVersion) -> list[Receipt | Refusal]:
        return self.send(author, author.push(*versions))

    def send(self, author: Author, push: Push) -> list[Receipt | Refusal]:
        return answers_in(self.post("/v1/push", push, author), self.key())

    def pull(
        self, author: Author, cursors: dict[ContractId, Cursor] | None = None, awaited: Sequence[str] = ()
    ) -> PullAnswer:
        asked = Pull(account=author.account, cursors=cursors or {}, awaited=list(awaited))
        return _read(self.post("/v1/pull", asked, author), PullAnswer)

    def pull_all(self, author: Author) -> dict[ContractId, list[str]]:
        """Return the headers of every feed, read page by page."""
        cursors: dict[ContractId, Cursor] = {}
        found: dict[ContractId, list[str]] = {}
        while True:
            answer = self.pull(author, cursors)
            for page in answer.pages:
                rows = found.setdefault(page.contract, [])
                assert [row.index for row in page.rows] == list(range(len(rows), len(rows) + len(page.rows)))
                rows += [row.header for row in page.rows]
                cursors[page.contract] = Cursor(page.head.log_epoch, len(rows))
            if not answer.more:
                return found

    def upload(self, author: Author, name: str, part: bytes, offset: int = 0) -> httpx.Response:
        headers = {**author.authorization, "Upload-Offset": str(offset)}
        return self.http.put(f"/v1/pictures/{name}", content=part, headers=headers)


def _read(answer: httpx.Response, kind: type[_Message]) -> _Message:
    assert answer.status_code == 200, (answer.status_code, answer.text)
    return msgspec.json.decode(answer.content, type=kind)


def answers_in(answer: httpx.Response, key: bytes) -> list[Receipt | Refusal]:
    """Return the answers to a push, signed by the server's key."""
    return read_answer(_read(answer, PushAnswer).answers, key)


def reasons(answers: list[Receipt | Refusal]) -> list[str]:
    """Return what became of each version: "received", or the word of its refusal."""
    return ["received" if isinstance(item, Receipt) else item.reason for item in answers]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    client: Client
    log: Path

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(
    folder: Path,
    port: int | None = None,
    database_url: str | None = None,
    pictures_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run a server on the folder until the block ends, gently unless it is dead by then."""
    port = port or free_port()
    log = folder.with_name(f"{folder.name}.log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            serve_command(folder, port, database_url, pictures_url),
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        try:
            _wait_until_it_answers(http, process, log)
            yield Running(process, Client(http), log)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()


def serve_command(
    folder: Path, port: int, database_url: str | None = None, pictures_url: str | None = None
) -> list[str]:
    """Return the command that runs a server, as an operator types it."""
    command = [str(Path(sys.executable).parent / "diary"), "--home", str(folder), "server", "run"]
    command += ["--folder", str(folder), "--port", str(port)]
    command += ["--database", database_url] if database_url is not None else []
    return [*command, *(["--pictures", pictures_url] if pictures_url is not None else [])]


def _wait_until_it_answers(http: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_SECONDS * 20):
        try:
            if http.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")
