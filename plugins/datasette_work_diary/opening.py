"""Where the viewer opens sealed rows: a diary of its own per thread, in memory only (R52).

A `Diary` belongs to the thread that opened it. `DiaryRoom` keeps a few threads with one each for the pages;
`Opener` is the SQL function of Datasette's own connections, with one for each of their threads.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

from diary.diary import Diary
from diary.errors import DiaryError
from diary.rules.ids import ContractId, Slot
from diary.rules.json_form import iso
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week

T = TypeVar("T")
Ask = Callable[[Diary], T]
OpenDiary = Callable[[], Diary]
Question = Callable[[Diary], None] | None

THREADS = 3  # the pages of one person: a page, its pictures, a second tab
OPENED_WEEKS_MAX = 600  # ten years of weeks in memory; then the oldest looked at go
Cell = str | int | None

CELLS: dict[str, Callable[[SegmentView], Cell]] = {
    "contract_title": lambda segment: segment.contract_title,
    "kind": lambda segment: segment.kind,
    "state": lambda segment: segment.state,
    "memo": lambda segment: segment.memo,
    "label": lambda segment: segment.label,
    "activity": lambda segment: segment.activity,
    "application": lambda segment: " | ".join(segment.applications),
    "title": lambda segment: " | ".join(segment.titles),
    "bills": lambda segment: int(segment.bills),
    "why_not": lambda segment: segment.why_not,
    "received_at_utc": lambda segment: (
        None if segment.received_at_ms is None else iso(segment.received_at_ms)
    ),
}


class DiaryRoom:
    """A few threads, each with its own diary, that answer one question at a time.

    A question goes to the first of them that is free, not to whichever has waited longest: what somebody
    looked at before is at hand in that thread, and the others are there for what comes meanwhile.
    """

    def __init__(self, open_diary: OpenDiary, threads: int = THREADS) -> None:
        self._open_diary = open_diary
        self._count = threads
        self._lock = threading.Lock()
        self._waiting: deque[Question] = deque()
        self._free: set[int] = set()
        self._handed: list[SimpleQueue[Question]] = [SimpleQueue() for _ in range(threads)]
        self._threads: list[threading.Thread] = []
        self._opened: SimpleQueue[DiaryError | None] = SimpleQueue()

    def start(self) -> None:
        """Open every thread's diary; after a failure it may be tried again.

        Raises:
            DiaryError: What opening the diary raises: a wrong passphrase, a damaged file.
        """
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), name=f"diary-pages-{number}", daemon=True)
            for number in range(self._count)
        ]
        for thread in self._threads:
            thread.start()
        faults = [fault for _ in self._threads if (fault := self._opened.get())]
        if faults:
            self._end(len(self._threads) - len(faults))  # the others have ended by themselves
            raise faults[0]

    def close(self) -> None:
        """End every thread, each closing its diary."""
        self._end(len(self._threads))

    def _end(self, waiting: int) -> None:
        for _ in range(waiting):
            self._put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    async def ask(self, question: Ask[T]) -> T:
        """Return what `question` answers about the diary, asked in one of the threads."""
        answer: Future[T] = Future()

        def ask_and_tell(diary: Diary) -> None:
            try:
                result = question(diary)
            except BaseException as fault:  # noqa: BLE001  # told to whoever asked, whatever it is
                answer.set_exception(fault)
            else:
                answer.set_result(result)

        self._put(ask_and_tell)
        return await asyncio.wrap_future(answer)

    def begin(self, work: Callable[[Diary], object]) -> None:
        """Have work done in one of the threads for which nobody waits; a fault in it harms nobody.

        Whoever then asks for what it should have prepared meets the same fault, and hears of it.
        """

        def do(diary: Diary) -> None:
            with suppress(DiaryError):
                work(diary)

        self._put(do)

    def _put(self, question: Question) -> None:
        with self._lock:
            if not self._free:
                self._waiting.append(question)
                return
            first = min(self._free)
            self._free.remove(first)
        self._handed[first].put(question)

    def _next(self, number: int) -> Question:
        """Return what a thread is to do next, once there is something; None ends it."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free.add(number)
        return self._handed[number].get()

    def _serve(self, number: int) -> None:
        try:
            diary = self._open_diary()
        except DiaryError as fault:
            self._opened.put(fault)
            return
        self._opened.put(None)
        with diary:
            while question := self._next(number):
                question(diary)


class Opener:
    """The SQL function `diary_opened(contract, slot, field)` of one connection.

    What it opened is kept until the file changes, in memory and nowhere else (R52).
    """

    def __init__(self, open_diary: OpenDiary, connection: sqlite3.Connection) -> None:
        self._open_diary = open_diary
        self._connection = connection
        self._diary: Diary | None = None
        self._version = -1
        self._weeks: dict[Week, dict[Place, SegmentView]] = {}

    def opened(self, contract: str, slot: int, field: str) -> Cell:
        """Return one field of a segment as the freelancer sees it; None where nothing stands there."""
        segment = self._segments(Week.of(Slot(slot))).get((ContractId(contract), Slot(slot)))
        return None if segment is None else CELLS[field](segment)

    def _segments(self, week: Week) -> dict[Place, SegmentView]:
        diary = self._diary = self._diary or self._open_diary()
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._weeks.clear()
            self._version = version
        if week not in self._weeks:
            while len(self._weeks) >= OPENED_WEEKS_MAX:
                del self._weeks[next(iter(self._weeks))]
            view = diary.week(week)
            self._weeks[week] = {(segment.contract, segment.slot): segment for segment in view.segments}
        return self._weeks[week]
