"""The actors of a journey: real processes of the `diary` command, each under the journey's clock."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tests.bent_time import BentTime
from tests.desktop import Desktop

COMMAND_SECONDS_MAX = 120  # real seconds; a loaded machine of two cores needs some
Answer = TypeVar("Answer")


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(what: str, ask: Callable[[], Answer | None], *, seconds: float = 60) -> Answer:
    """Return the first answer of `ask` that is not None or False; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


def at(slot: int) -> str:
    """Return the slot's first instant as the command line takes it."""
    return f"{datetime.fromtimestamp(slot * 600, UTC):%Y-%m-%dT%H:%MZ}"


@dataclass(slots=True)
class Process:
    """One long-running `diary` process; its talk is in `log`."""

    name: str
    arguments: tuple[str, ...]
    environment: Callable[[], dict[str, str]]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> "Process":
        """Start it, or start it again after its death."""
        with self.log.open("ab") as sink:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "diary.cli", *self.arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """Kill it as a power cut would: SIGKILL, no farewell."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C or the desktop's logout would."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.running is None:
            return
        if self.running.poll() is None:
            os.killpg(self.running.pid, how)
        try:
            self.running.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(30)
            raise AssertionError(f"{self.name} did not end; its log:\n{self.talk()}") from None
        self.running = None

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self.running is not None and self.running.poll() is None

    def talk(self) -> str:
        """Return what it said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


@dataclass(slots=True)
class Computer:
    """One of the freelancer's computers: a home folder, perhaps a screen, and the journey's clock."""

    name: str
    home: Path
    time: BentTime
    display: Mapping[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that starts now on this computer."""
        temporary = self.home.parent / f"{self.name}-tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **self.time.environment(),
            **self.display,
            "DIARY_HOME": str(self.home),
            "TMPDIR": str(temporary),
        }

    def run(self, *words: str, says: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `diary WORDS` to its end and hold it to the exit status `says`."""
        done = subprocess.run(
            [sys.executable, "-m", "diary.cli", *words],
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == says, (
            f"diary {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def json(self, *words: str) -> Any:
        """Return what `diary WORDS --json` says."""
        return json.loads(self.run(*words, "--json").stdout)

    def begin(self, name: str, *words: str) -> Process:
        """Start a long-running `diary WORDS` on this computer."""
        process = Process(name, words, self.environment, self.home.parent / f"{self.name}-{name}.log")
        self.processes[name] = process
        return process.start()

    def shut_down(self) -> None:
        """End all that runs here."""
        for process in self.processes.values():
            process.stop()


@contextmanager
def somebody_at(desktop: Desktop, text: str) -> Iterator[None]:
    """Let somebody type the text at a desktop meanwhile, again and again."""
    enough = threading.Event()

    def practise() -> None:
        while not enough.wait(0.7):
            desktop.type_text(f"echo {text}")
            desktop.key("Return")

    person = threading.Thread(target=practise)
    person.start()
    try:
        yield
    finally:
        enough.set()
        person.join()
