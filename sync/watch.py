"""`diary sync --watch`: a sync after each change, at the end of each hold, and now and then (R17, R19, R41).

The loop only waits; the diary, its engine and every request live in one thread of their own, to which their
connection belongs. Waiting is asyncio's: a change of the diary's file, the schedule's instant, SIGTERM.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from diary.clock import Clock
from diary.diary import Diary
from diary.ending import end_when_asked
from diary.errors import MachineError, PeerError
from diary.rules.deadline import UnsentWeek
from diary.rules.ids import Millis
from diary.rules.week import Week
from diary.store.connection import FILE_NAME
from sync.engine import Engine, NotRegisteredError
from sync.lock_warning import LockWarnings, next_in_ms
from sync.message_news import tell_news
from sync.network import has_route
from sync.report import SyncReport
from sync.schedule import (
    Schedule,
    after_change,
    after_failure,
    after_network_return,
    after_success,
    spread_ms,
)
from sync.transport import GatedError, ServerFailedError, Transport, is_this_machine

STOP_SECONDS = 5.0  # a request under way may end; what it carried is sent again if it does not
# A write is heard of before its commit can be seen, by as long as the disk takes: later looks find it.
LOOK_AGAIN_MS = (1_000, 5_000)
ROUTE_LOOK_SECONDS = 5.0  # how soon a returning network is noticed while the server is away


_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the outbox: versions to be sent now, when the next hold ends, how long to the lock.

    `before_lock` is what has not reached the server of weeks that lock within a day, `asked` of how many
    segments their freelancer is asked first, `now_ms` the instant of the look by the diary's clock.
    """

    due: frozenset[int]
    next_release_in_ms: int | None
    lock_in_ms: int | None
    before_lock: tuple[UnsentWeek, ...]
    asked: int
    now_ms: Millis


@dataclass(slots=True)
class Worker:
    """The diary's side of watching; every method runs in the worker's thread."""

    open_diary: Callable[[], Diary]
    diary: Diary | None = None
    line: Transport | None = None
    engine: Engine | None = None

    def sync(self) -> tuple[SyncReport, Waiting]:
        """Sync once; return what was done, and what waits after it though it was tried.

        What was written while the run ended is no part of it: that change is still to be looked at.
        """
        diary = self._opened()
        link = diary.server()
        if link is None:
            raise NotRegisteredError
        if self.line is None or self.line.url != link.url:
            self._hang_up()
            # One try a run: the schedule is what tries again.
            self.line = Transport(link.url, attempts=1)
            self.engine = Engine(diary, self.line)
        assert self.engine is not None, "made with the line"
        report = self.engine.run()
        diary.thin_pictures()  # after it: only what the server has gives way (R31)
        waiting = self.waiting()
        return report, replace(waiting, due=waiting.due & self.engine.tried)

    def waiting(self) -> Waiting:
        """Look at the outbox; nothing is written."""
        diary = self._opened()
        now_ms = diary.now_ms()
        queue, wants = diary.queue(), diary.attention()
        release, slot = queue.next_release_ms, queue.first_open_slot
        return Waiting(
            due=frozenset(due.id for due in diary.due()),
            next_release_in_ms=None if release is None else release - now_ms,
            lock_in_ms=None if slot is None else Week.of(slot).locked_at_ms - now_ms,
            before_lock=wants.before_lock,
            asked=wants.asked,
            now_ms=now_ms,
        )

    def tell_news(self, say: Callable[[str], None]) -> None:
        """Tell what messages came (R68)."""
        tell_news(self._opened(), say)

    def url(self) -> str | None:
        """Return the server's address, None before the diary is registered."""
        link = self._opened().server()
        return link.url if link else None

    def later_ms(self, fresh: frozenset[int], chance: float, lock_in_ms: int | None) -> int:
        """Return how long what is ready waits, so that not all devices come at once."""
        url = self.url()
        return spread_ms(
            chance,
            by_hand=self._opened().are_by_hand(fresh),
            lock_in_ms=lock_in_ms,
            shared=url is not None and not is_this_machine(url),
        )

    def close(self) -> None:
        """Close the connections to the server and the diary."""
        self._hang_up()
        if self.diary is not None:
            self.diary.close()
            self.diary = None

    def _opened(self) -> Diary:
        if self.diary is None:
            self.diary = self.open_diary()
        return self.diary

    def _hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = self.engine = None


class _Wake(FileSystemEventHandler):
    """Tells the loop that the diary's file, or its log, changed."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the loop for what was written; reading makes events too."""
        written = event.event_type in {"modified", "created", "moved"}
        if written and not event.is_directory and Path(str(event.src_path)).name.startswith(FILE_NAME):
            self._wake()


@dataclass(slots=True)
class Watch:
    """The loop's state: the schedule, and what the last run left unsent."""

    worker: Worker
    pool: ThreadPoolExecutor
    clock: Clock
    say: Callable[[str], None]
    report: Callable[[SyncReport], None]
    schedule: Schedule = field(default_factory=Schedule)
    left: frozenset[int] = frozenset()
    said: str = ""
    has_route: bool = True
    looks_at_ms: tuple[int, ...] = ()
    warnings: LockWarnings = field(default_factory=LockWarnings)
    warn_at_ms: int | None = None
    asked: int = 0
    spread: float = 0.0

    async def _call(self, work: Callable[[], _Result]) -> _Result:
        """Return what `work` returns in the worker's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    def now_ms(self) -> int:
        """Return the clock that the schedule keeps to: one that no setting of the time moves."""
        return self.clock.monotonic_ms()

    async def run(self, changed: asyncio.Event, stopped: asyncio.Event) -> None:
        """Sync whenever the schedule says so, until stopped."""
        while not stopped.is_set():
            if self.schedule.wait_ms(self.now_ms()) == 0:
                await self._sync()
            await self._wait(changed, stopped)
            if changed.is_set() and not stopped.is_set():
                changed.clear()
                self.looks_at_ms = tuple(self.now_ms() + later_ms for later_ms in LOOK_AGAIN_MS)
                await self._look()
            elif self.looks_at_ms and self.looks_at_ms[0] <= self.now_ms():
                self.looks_at_ms = self.looks_at_ms[1:]
                await self._look()
            elif self.warn_at_ms is not None and self.warn_at_ms <= self.now_ms():
                await self._look()

    async def _sync(self) -> None:
        try:
            report, waiting = await self._call(self.worker.sync)
        except NotRegisteredError:
            self._say_once("Waiting until the diary is registered with a server: diary register URL.")
            self.schedule = after_success(self.now_ms(), _chance(), next_release_ms=None)
        except (PeerError, MachineError) as error:
            self._say_once(f"{error.what_happened} {error.how_to_mend} Trying again by itself.")
            seen = await self._seen()
            self.schedule = after_failure(
                self.schedule,
                self.now_ms(),
                _chance(),
                lock_in_ms=None if seen is None else seen.lock_in_ms,
                retry_after_ms=error.retry_after_ms if isinstance(error, ServerFailedError) else None,
                gated=isinstance(error, GatedError),
            )
            if seen is not None:
                self.left = seen.due
                self._warn(seen, is_away=True)
        else:
            if self.said:
                self._say_once("In sync with the server again.")
                self.said = ""
            self.left = waiting.due
            self.schedule = after_success(self.now_ms(), _chance(), next_release_ms=self._release_ms(waiting))
            self.report(report)
            if report.pulled:
                await self._call(partial(self.worker.tell_news, self.say))
            self._warn(waiting, is_away=False)

    async def _seen(self) -> Waiting | None:
        """Return what waits; None where the diary itself cannot be read now: then its next run says why."""
        try:
            return await self._call(self.worker.waiting)
        except MachineError:
            return None

    def _warn(self, waiting: Waiting, *, is_away: bool) -> None:
        """Say what a lock that comes near will find missing, and what was too late for one (R38).

        While the server is away it is looked at again in time.
        """
        self.warnings, sentences = self.warnings.after(waiting.before_lock, waiting.now_ms, is_away=is_away)
        if waiting.asked > self.asked:
            noun = "segment waits" if waiting.asked == 1 else "segments wait"
            sentences += (f"{waiting.asked} {noun} for your answer before being sent: diary late.",)
        self.asked = waiting.asked
        for sentence in sentences:
            self.say(sentence)
        self.warn_at_ms = self.now_ms() + next_in_ms(waiting.now_ms) if is_away else None

    async def _look(self) -> None:
        """See whether what changed is something to send, or the registration that was waited for."""
        waiting = await self._seen()
        if waiting is None:
            return
        registered = (
            self.said != "" and not self.schedule.failures and await self._call(self.worker.url) is not None
        )
        fresh = waiting.due - self.left
        later_ms = 0
        if fresh and not registered:
            ask = partial(self.worker.later_ms, fresh, self.spread, waiting.lock_in_ms)
            later_ms = await self._call(ask)
        self.schedule = after_change(
            self.schedule,
            self.now_ms(),
            sendable=bool(fresh) or registered,
            next_release_ms=self._release_ms(waiting),
            later_ms=later_ms,
        )
        if self.schedule.failures:
            self._warn(waiting, is_away=True)

    async def _wait(self, changed: asyncio.Event, stopped: asyncio.Event) -> None:
        """Wait for a change, the schedule or the end; while the server is away also for the network."""
        now_ms = self.now_ms()
        wait = self.schedule.wait_ms(now_ms) / 1000
        if self.looks_at_ms:
            wait = min(wait, max(0, self.looks_at_ms[0] - now_ms) / 1000)
        if self.warn_at_ms is not None:
            wait = min(wait, max(0, self.warn_at_ms - now_ms) / 1000)
        if self.schedule.failures:
            wait = min(wait, ROUTE_LOOK_SECONDS)
        waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(stopped.wait())]
        try:
            await asyncio.wait(waits, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        if self.schedule.failures and not stopped.is_set():
            await self._look_for_the_network()

    async def _look_for_the_network(self) -> None:
        url = self.worker.line.url if self.worker.line is not None else None
        had_route, self.has_route = self.has_route, url is None or await asyncio.to_thread(has_route, url)
        if self.has_route and not had_route and (waiting := await self._seen()) is not None:
            ask = partial(self.worker.later_ms, waiting.due, self.spread, waiting.lock_in_ms)
            later_ms = await self._call(ask)
            self.schedule = after_network_return(self.schedule, self.now_ms(), later_ms=later_ms)

    def _release_ms(self, waiting: Waiting) -> int | None:
        release_in = waiting.next_release_in_ms
        return None if release_in is None else self.now_ms() + release_in

    def _say_once(self, sentence: str) -> None:
        if sentence != self.said:
            self.said = sentence
            self.say(sentence)


def watch(
    home: Path,
    open_diary: Callable[[], Diary],
    *,
    clock: Clock,
    say: Callable[[str], None],
    report: Callable[[SyncReport], None],
) -> None:
    """Keep the diary in `home` in sync until SIGTERM or Ctrl-C (R19, R41).

    `open_diary` is called in the thread that then owns the diary. `say` hears what a person should know,
    `report` what each run did.
    """
    worker = Worker(open_diary)
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync")
    if not asyncio.run(_watch(home, Watch(worker, pool, clock, say, report, spread=_chance()))):
        # A request hangs on a dead line. Nothing is lost with it: the diary stores only what was answered,
        # and threads cannot be ended from outside.
        os._exit(0)
    pool.submit(worker.close).result()
    pool.shutdown()


async def _watch(home: Path, state: Watch) -> bool:
    """Run the loop between start and stop; return whether it came to its end in time."""
    loop = asyncio.get_running_loop()
    changed, stopped = asyncio.Event(), asyncio.Event()
    end_when_asked(loop, stopped.set)

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    observer = Observer()
    observer.schedule(_Wake(wake), str(home))
    observer.start()
    try:
        running = asyncio.create_task(state.run(changed, stopped))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({running}, timeout=STOP_SECONDS)
        stopping.cancel()
        if not done:
            return False
        running.result()
        return True
    finally:
        observer.stop()
        observer.join()


def _chance() -> float:
    """Return a number in [0, 1) from the operating system's randomness."""
    return secrets.randbelow(1 << 53) / (1 << 53)
