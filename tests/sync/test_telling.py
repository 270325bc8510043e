"""A long sync says how far it is: a line that changes at a terminal, few lines elsewhere, JSON untouched."""

import json
import os
import pty
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from diary.clock import GivenClock, SystemClock
from diary.diary import Diary
from diary.rules.ids import Millis
from diary.sealing.keyring import choose_place
from sync.enrolment import register
from sync.report import Progress
from sync.telling import SyncTeller
from sync.transport import Transport
from tests.sync.forward_proxy import splice_to
from tests.sync.server.process import running
from tests.terminal_end import read_to_end

SLOW_SECONDS = 5.0
SAID = re.compile(r"Waiting for the server's answer for (\d+) s\. Ctrl-C ends it; nothing is lost\.")


@dataclass
class Relay:
    """Stands before a server, and lets every connection wait."""

    port: int
    wait_seconds: float = 0.0


@contextmanager
def relay_to(server_port: int) -> Iterator[Relay]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            time.sleep(relay.wait_seconds)
            splice_to(self.request, server_port)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        relay = Relay(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield relay
        finally:
            listening.shutdown()
            thread.join()


def synced(home: Path, *, terminal: bool) -> tuple[str, str]:
    """Return what `diary sync --json` says on stdout and on stderr, which may be a terminal."""
    end, other = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "diary.cli", "--home", str(home), "sync", "--json"],
        stdout=subprocess.PIPE,
        stderr=other,
        env={**os.environ, "TERM": "xterm"},
        text=True,
    ) as process:
        os.close(other)
        said = read_to_end(end)
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == 0, said
    return out, said.decode()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Path, Relay]]:
    """Yield the home of a registered diary and what stands before its server."""
    home = tmp_path / "diary"
    home.mkdir()
    with running(tmp_path / "server") as server, relay_to(server.client.http.base_url.port or 0) as relay:
        place = choose_place(home, "file")
        with (
            Diary.create(home, clock=SystemClock(), place=place, device_name="d") as diary,
            Transport(f"http://127.0.0.1:{relay.port}") as line,
        ):
            register(diary, line)
        yield home, relay


def test_a_terminal_sees_a_line_that_changes_and_goes(slow: tuple[Path, Relay]) -> None:
    home, relay = slow
    relay.wait_seconds = SLOW_SECONDS
    out, said = synced(home, terminal=True)
    assert json.loads(out)["pushed"] == 0
    seconds = [int(each) for each in SAID.findall(said)]
    assert len(set(seconds)) >= 3
    assert min(seconds) >= 1
    assert "\n" not in said
    assert said.endswith("\r\x1b[K")


def test_what_is_no_terminal_gets_a_line_now_and_then(slow: tuple[Path, Relay]) -> None:
    home, relay = slow
    relay.wait_seconds = SLOW_SECONDS
    out, said = synced(home, terminal=False)
    assert json.loads(out)["pushed"] == 0
    assert len(SAID.findall(said)) == 1
    assert "\x1b" not in said
    assert said.endswith("nothing is lost.\n")


def test_a_line_that_falls_silent_is_told_from_a_server_that_never_answered() -> None:
    clock = GivenClock(Millis(0))
    teller = SyncTeller(clock)
    assert teller._says(3_000).startswith("Waiting for the server's answer for 3 s.")
    teller(Progress(pushed=5, pulled=2, waiting=7, pictures=1))
    clock.put(9_000)
    assert teller._says(12_000) == "Syncing for 12 s: 5 sent, 2 received, 1 pictures, 7 to go."
    clock.put(21_000)
    assert teller._says(24_000).endswith("7 to go. Last answer 21 s ago.")
