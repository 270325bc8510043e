"""Where mortal processes are born: what they all import is imported once, and each is forked from there.

A process is the product's own command or server, from its first line on, with its edges labelled
(`tests.kills.edges`) and a clock that stands where the test puts it.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from diary.clock import GivenClock
from diary.rules.ids import Millis
from tests.kills.edges import Mortality, Point, points_of, wrap_edges

IMPORTED_ONCE = (
    "capture.cli",
    "capture.tracker",
    "diary.command.program",
    "psycopg",
    "sync.cli",
    "sync.enrolment",
    "sync.server.app",
    "sync.watch",
)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, negative for a signal; what it passed, and what it said."""

    status: int
    points: list[Point]
    said: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


@dataclass(slots=True)
class Mortal:
    """A process that was born; it runs until it ends, dies at its point, or is killed."""

    nursery: "Nursery"
    pid: int
    folder: Path

    def wait(self) -> Ended:
        status = self.nursery.ask({"wait": self.pid})["status"]
        said = (self.folder / "said").read_text(errors="replace")
        return Ended(status, points_of(self.folder / "passed"), said)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> Ended:
        os.kill(self.pid, how)
        return self.wait()

    @property
    def is_alive(self) -> bool:
        return bool(self.nursery.ask({"alive": self.pid})["alive"])


@dataclass(slots=True)
class Nursery:
    """The process from which mortal ones are forked."""

    process: subprocess.Popen[bytes]
    folder: Path
    born: int = 0

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def diary(self, *words: str, at_ms: int, dies_at: Point | None = None) -> Mortal:
        """Begin `diary WORDS`."""
        return self._begin("diary", words, at_ms, dies_at)

    def server(self, *words: str, at_ms: int, dies_at: Point | None = None) -> Mortal:
        """Begin a server: its folder, its port, perhaps a database's address."""
        return self._begin("server", words, at_ms, dies_at)

    def tracker(self, *words: str, at_ms: int, dies_at: Point | None = None) -> Mortal:
        """Begin a tracker: its diary's folder, and the folder of its day (`tests.kills.day`)."""
        return self._begin("tracker", words, at_ms, dies_at)

    def _begin(self, what: str, words: Sequence[str], at_ms: int, dies_at: Point | None) -> Mortal:
        self.born += 1
        folder = self.folder / f"mortal-{self.born}"
        folder.mkdir()
        (folder / "passed").touch()
        job = {"run": what, "words": words, "at_ms": at_ms, "dies_at": dies_at, "folder": str(folder)}
        return Mortal(self, int(self.ask(job)["pid"]), folder)


@contextmanager
def nursery_in(folder: Path) -> Iterator[Nursery]:
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kills.nursery"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"},
    ) as process:
        yield Nursery(process, folder)
        assert process.stdin
        process.stdin.close()


# In the nursery's own process.


def _main() -> None:
    for module in IMPORTED_ONCE:
        import_module(module)
    children: set[int] = set()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        if "run" in job:
            pid = os.fork()
            if pid == 0:
                _live(job)
            children.add(pid)
            answer: dict[str, Any] = {"pid": pid}
        elif "wait" in job:
            _, status = os.waitpid(job["wait"], 0)
            children.discard(job["wait"])
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            ended = os.waitid(os.P_PID, job["alive"], os.WEXITED | os.WNOHANG | os.WNOWAIT)
            answer = {"alive": ended is None}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child in children:
        os.kill(child, signal.SIGKILL)


def _live(job: dict[str, Any]) -> None:
    """Be the process that the job asks for, and end with it."""
    status = 1
    try:
        folder = Path(job["folder"])
        said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, handle in ((0, nothing), (1, said), (2, said)):
            os.dup2(handle, number)
        dies_at = Point(*job["dies_at"]) if job["dies_at"] else None
        wrap_edges(Mortality(folder / "passed", dies_at))
        clock = GivenClock(Millis(job["at_ms"]))
        status = {"diary": _diary, "server": _server, "tracker": _tracker}[job["run"]](job["words"], clock)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # whatever it is, it must not return into the nursery
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _diary(words: Sequence[str], clock: GivenClock) -> int:
    from diary.command.program import app

    app(list(words), obj=clock, prog_name="diary")
    return 0


def _server(words: Sequence[str], clock: GivenClock) -> int:
    import sync.server.app as served
    from sync.server.settings import GatewaySettings, Settings
    from sync.server.settings_file import FILE_NAME, SettingsFile, read_settings

    vars(served)["SystemClock"] = lambda: clock
    folder, port, *database = words
    path = Path(folder) / FILE_NAME
    said = read_settings(path) if path.exists() else SettingsFile()
    gateway = GatewaySettings(
        said.gateway,
        said.gateway_accounts,
        said.public_url,
        said.stripe_key,
        said.stripe_webhook_secret,
        said.stripe_api,
    )
    url = database[0] if database else None
    served.serve(Settings(Path(folder), port=int(port), database_url=url, gateway=gateway))
    return 0


def _tracker(words: Sequence[str], clock: GivenClock) -> int:
    from tests.kills.day import live

    live(Path(words[0]), Path(words[1]), clock)
    return 0


if __name__ == "__main__":
    _main()
