"""A freelancer's day before a tracker: what they do and when, in a process that can die at each point of it.

The tracker is the product's own, over a real diary. Its time is given: between two ticks the clock is moved,
not waited for. So is the desktop: somebody who strikes a key every five seconds before one window. Real ones
are in tests/capture/test_tracker.py.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from capture.alone import alone
from capture.draft import Sample, Snapshot
from capture.edges import ActiveWindow, Edges, Monitors, Shot, VisibleWindow
from capture.notification import NoNotifier
from capture.photograph import photograph
from capture.studio import Sitting
from capture.tracker import Tracker
from diary.clock import GivenClock
from diary.correcting import NoSegmentError
from diary.diary import Diary
from diary.rules.ids import ContractId, Millis, Slot
from diary.sealing.keyring import choose_place
from tests.practice import instant, slot

BEGINNING = instant("2026-11-18T09:00Z")
FIRST = slot("2026-11-18T09:00Z")
TICK_MS = 20_000
KEY_MS = 5_000
REMOVED = Slot(FIRST + 2)
END_MINUTE = 81.0
QUIET = (instant("2026-11-18T09:56Z"), instant("2026-11-18T10:14Z"))  # nobody is there
# The moment is drawn at the middle of what remains: five minutes into a slot.
ACTS = (
    (3.5, "memo", "set before the moment"),
    (12.5, "Bakery", "of the switch"),
    (16.5, "memo", "set after the moment"),
    (27.5, "remove", ""),
    (32.5, "stop", ""),
    (41.5, "Mill", "in the afternoon"),
    (48.5, "stop", ""),
    (54.5, "Mill", "before lunch"),
    (72.5, "answer", ""),
    (75.5, "stop", ""),
)


@dataclass(frozen=True, slots=True)
class Day:
    """What outlives a process of the day: how late it is, which acts were acknowledged, which slots drawn."""

    folder: Path

    def note(self, what: str, line: object) -> None:
        with (self.folder / what).open("a") as lines:
            lines.write(f"{line}\n")

    def noted(self, what: str) -> list[int]:
        path = self.folder / what
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    @property
    def at_ms(self) -> Millis:
        """Return the last instant that a process saw."""
        return Millis(max(self.noted("clock"), default=BEGINNING))

    def act(self, diary: Diary) -> None:
        """Do what it is time for and was not acknowledged: another process of the freelancer's would."""
        for at, (minute, what, memo) in enumerate(ACTS):
            if at in self.noted("acts") or diary.now_ms() < BEGINNING + minute * 60_000:
                continue
            if what == "answer" and diary.idle_question() is None:
                continue  # whoever comes back later may be asked later
            self._do(diary, what, memo)
            self.note("acts", at)

    def _do(self, diary: Diary, what: str, memo: str) -> None:
        match what:
            case "memo":
                diary.set_memo(memo)
            case "stop":
                diary.stop()
            case "remove":
                with suppress(NoSegmentError):  # who comes back late finds nothing to remove
                    diary.remove([(diary.contract("Bakery").id, REMOVED)])
            case "answer":
                diary.answer_idle("move", move_to=diary.contract("Bakery").id)
            case contract:
                diary.start(diary.contract(contract).id, memo=memo)


def begin_day(home: Path) -> None:
    """Make the diary of a day, one of its two contracts tracked."""
    clock = GivenClock(BEGINNING)
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="desk") as diary:
        diary.new_contract(title="Bakery")
        diary.start(diary.new_contract(title="Mill").id, memo="of the morning")


@dataclass(slots=True)
class _Somebody:
    """All four edges of a desktop before which somebody types at an even pace."""

    clock: GivenClock
    counted_to: int | None = None

    def start(self) -> bool:
        self.counted_to = self._struck()
        return True

    def stop(self) -> None:
        self.counted_to = None

    def take_minute(self) -> Sample:
        if self.counted_to is None:
            return Sample()
        before, self.counted_to = self.counted_to, self._struck()
        return Sample(self.counted_to - before, 0, 0)

    def _struck(self) -> int:
        now_ms = self.clock.now_ms()
        quiet_ms = min(max(now_ms - QUIET[0], 0), QUIET[1] - QUIET[0])
        return (now_ms - quiet_ms) // KEY_MS

    def active(self) -> ActiveWindow:
        return ActiveWindow("editor", "a page")

    def visible(self) -> tuple[VisibleWindow, ...]:
        return ()

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot:
        return Shot(Image.linear_gradient("L").convert("RGB"))

    def idle_ms(self) -> int:
        now_ms = self.clock.now_ms()
        return now_ms - QUIET[0] if QUIET[0] <= now_ms < QUIET[1] else 0

    def is_locked(self) -> bool:
        return False

    def watch(self, wake: Callable[[], None]) -> None:
        return

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _StudioHere:
    """A studio in the tracker's process: it stands before the given desktop and goes by the given clock."""

    edges: Edges
    clock: GivenClock

    def prepare(self) -> None:
        return

    async def take(self, sitting: Sitting) -> Snapshot | None:
        return photograph(self.edges, sitting.monitors, self.clock)

    async def close(self) -> None:
        return


class _Hastened(Tracker):
    """A tracker whose rests take no time: the clock is moved to the next tick, or to what is due before."""

    def __init__(self, diary: Diary, clock: GivenClock, day: Day) -> None:
        somebody = _Somebody(clock)
        edges = Edges(somebody, somebody, somebody, somebody)
        studio = _StudioHere(edges, clock)
        super().__init__(
            diary,
            edges,
            say=_say,
            zone=ZoneInfo("UTC"),
            notifier=NoNotifier(),
            below=self._draw,
            studio=studio,
        )
        self._clock = clock
        self._day = day
        self._taken = asyncio.Event()

    async def _take_picture(self, slot: Slot, contract: ContractId) -> None:
        await super()._take_picture(slot, contract)
        self._taken.set()

    def _draw(self, bound: int) -> int:
        self._day.note("draws", self._clock.now_ms() // 600_000)
        return bound // 2

    async def _rest(self) -> None:
        while self._session.awaits_picture:  # the picture comes before the next tick
            self._taken.clear()
            await self._taken.wait()
        now_ms = self._clock.now_ms()
        due_ms = max(now_ms + 1, self._session.wakes_at_ms)
        self._clock.put(Millis(min(now_ms - now_ms % TICK_MS + TICK_MS, due_ms)))
        self._day.note("clock", self._clock.now_ms())
        self._day.act(self._diary)
        self._woken.set()
        if self._clock.now_ms() >= BEGINNING + END_MINUTE * 60_000:
            self.end()


def _say(text: str) -> None:
    print(text, flush=True)


def live(home: Path, folder: Path, clock: GivenClock) -> None:
    """Live the rest of the day."""
    day = Day(folder)
    with Diary.open(home, clock=clock) as diary:
        day.act(diary)
        with alone(home):
            asyncio.run(_Hastened(diary, clock, day).run())
