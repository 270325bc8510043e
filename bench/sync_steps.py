"""Where the time of a synced version goes: microseconds of the processor by step, device and server apart.

    python -m bench.sync_steps [--n 12000] [--conflicts 1000]

Diaries and server in one thread, their messages as JSON through httpx but over no socket, so that each step
is timed by that thread's own clock: neither what other programs do meanwhile is in it, nor what it costs that
two processes work at once. A step's time is not in that of the one that called it; "other" is what no step
has in it. Folders lie where `TMPDIR` says: in memory the disk is left out too.
"""

import argparse
import functools
import gc
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog

import sync.engine
from bench.figure import print_figure
from bench.sync_rates import CONFLICTS, VERSIONS, claimed_places, edit, logged_in, new_diary, seal_captures
from diary import exchanging, taking
from diary.clock import SystemClock
from diary.evidence.feed import Reader
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.store import feed
from diary.sync_door import SyncDoor
from sync.engine import Engine
from sync.enrolment import register
from sync.protocol import Enrol, Pull, Push, RootProof
from sync.server import intake
from sync.server.app import GC_THRESHOLDS
from sync.server.server import Server
from sync.server.settings import Settings
from sync.server.storage_sqlite_hold import SqliteHold
from sync.transport import Transport

STEPS: Sequence[tuple[str, object, str]] = (
    ("device: list what is due", SyncDoor, "due"),
    ("device: read, hash, sign, mark, commit", SyncDoor, "sign_push"),
    ("device: check and store the answer, commit", SyncDoor, "settle"),
    ("device: destroy what an own edit displaced", exchanging, "destroy_displaced"),
    ("device: store pages, commit", SyncDoor, "take_pages"),
    ("device: check rows", Reader, "check"),
    ("device: merge where something stands", taking, "_places"),
    ("device: insert rows", feed, "add"),
    ("device: destroy what a page displaced", taking, "_destroy"),
    ("server: check token and signature, answer, commit", Server, "push"),
    ("server: read headers, hash", intake, "read_push"),
    ("server: ask what the push depends on", SqliteHold, "basis"),
    ("server: judge, give receipts", intake, "enter"),
    ("server: insert rows", SqliteHold, "append"),
    ("server: destroy what is displaced", SqliteHold, "destroy"),
    ("server: read pages", Server, "pull"),
)


class Stopwatch:
    """Adds up what each step took of the processor."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = 0.0
        for step, owner, name in STEPS:
            setattr(owner, name, self._timed(step, getattr(owner, name)))

    def _timed(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def timed(*given: Any, **named: Any) -> Any:  # whatever the step takes and returns
            around, self._inner = self._inner, 0.0
            began = time.thread_time()
            try:
                return work(*given, **named)
            finally:
                took = time.thread_time() - began
                self.seconds[step] += took - self._inner
                self._inner = around + took

        return timed

    def show(self, figure: str, versions: int, work: Callable[[], object]) -> None:
        """Print what each step of some work took, in microseconds a version."""
        self.seconds.clear()
        began = time.thread_time()
        work()
        total = time.thread_time() - began
        self.seconds["other"] = total - sum(self.seconds.values())
        for step, seconds in self.seconds.items():
            if seconds * 1e6 / versions >= 0.05:  # less is shown as nothing
                print_figure(f"step_{figure}", [1e6 * seconds / versions], "us", step=step, n=versions)
        print_figure(f"step_{figure}", [1e6 * total / versions], "us", step="all", n=versions)


class Here(Executor):
    """Does at once what it is given, in the thread that gives it."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Return the outcome, which is there already."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **named))
        except Exception as fault:  # noqa: BLE001  # it is raised where the outcome is asked for
            done.set_exception(fault)
        return done


class InProcess(httpx.BaseTransport):
    """A line to a server in this process."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the server's doors do."""
        server, body = self._server, request.read()
        token = request.headers.get("Authorization")
        answer: object
        match request.url.path:
            case "/v1/push":
                answer = server.push(token, msgspec.json.decode(body, type=Push))
            case "/v1/pull":
                answer = server.pull(token, msgspec.json.decode(body, type=Pull))
            case "/v1/enrol":
                answer = server.enrol(msgspec.json.decode(body, type=Enrol))
            case "/v1/device-list":
                answer = server.device_lists(msgspec.json.decode(body, type=RootProof))
            case "/v1/nonce":
                answer = server.nonce()
            case _:
                answer = server.facts()
        return httpx.Response(200, content=msgspec.json.encode(answer))


def measure(versions: int = VERSIONS, conflicts: int = CONFLICTS) -> None:
    """Print where the time goes of a push, a pull, and of segments that two devices edited."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)  # as the server's process does
    setattr(sync.engine, "ThreadPoolExecutor", Here)  # noqa: B010  # the module has no place for another
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server.at(Settings(folder / "server"), SystemClock())
        line_a, line_b = (
            Transport("http://127.0.0.1", client=httpx.Client(transport=InProcess(server))) for _ in "ab"
        )
        with new_diary(folder / "a") as a, line_a, line_b:
            contract = a.new_contract(title="Bench", manual_allowed=True)
            register(a, line_a)
            before = slot_at(a.now_ms())
            seal_captures(a, contract, [Slot(before - back) for back in range(1, versions + 1)])
            a.send_asked()
            with logged_in(folder / "b", line_b, a.phrase() or "") as b:
                of_a, of_b = Engine(a, line_a), Engine(b, line_b)
                watch.show("push", versions, of_a.run)
                watch.show("pull", versions, of_b.run)
                places = claimed_places(a, conflicts)
                of_a.run()
                of_b.run()
                for diary in (a, b):
                    edit(diary, places)
                watch.show("reconcile", conflicts, lambda: (of_a.run(), of_b.run(), of_a.run()))
        server.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=VERSIONS)
    parser.add_argument("--conflicts", type=int, default=CONFLICTS)
    asked = parser.parse_args()
    measure(asked.n, asked.conflicts)


if __name__ == "__main__":
    main()
