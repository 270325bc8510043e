"""The tracker as a process: a real screen, real input, a real diary, time by libfaketime."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import pytest

from capture.alone import TrackerRunsError, alone
from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week, slot_at
from diary.sealing.keyring import choose_place
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.rule import rule

pytestmark = pytest.mark.screen

ROOT = Path(__file__).parents[2]
SPEED = 30  # a loaded machine stalls for a second or two: that is a minute, and not sleep
UNHURRIED = 15  # where a process is killed and must be back within its slot
REAL_SECONDS_MAX = 120
FRESH_MINUTES = 3  # of a slot: what a test does in it has the rest, while a loaded machine takes its time
SLEPT = re.compile(r"nothing is recorded of the last (\d+) minutes")
READY = "the tracker is ready"
MEMO = "krummhornblaeser"
NINE = slot_at(1_794_992_400_000)  # 2026-11-18T09:00Z
TYPED = "zwiebelfisch"  # a word that no file may hold
# The studio's bound is in bent time too: a loaded machine would have a few real seconds for a picture.
# The draw at a fixed part of what remains, where a test needs to know the moment.
RUN = """
import asyncio, secrets, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from capture.alone import alone
from capture.edges import edges_of
from capture.notification import notifier_of
from capture.studio import ProcessStudio
from capture.tracker import Tracker
from diary.diary import Diary

part = float(sys.argv[2])

def below(bound):
    drawn = secrets.randbelow(bound) if part < 0 else int(bound * part)
    print(f"drawn {drawn} of {bound}", flush=True)
    return drawn

with Diary.open(Path(sys.argv[1])) as diary, alone(diary.home):
    tracker = Tracker(
        diary, edges_of(), say=lambda text: print(text, flush=True), zone=ZoneInfo("UTC"), below=below,
        notifier=notifier_of(), studio=ProcessStudio(diary.clock, seconds_max=7200),
    )
    print("the tracker is ready", flush=True)
    asyncio.run(tracker.run())
"""


@dataclass(slots=True)
class BentClock(SystemClock):
    """The journey's clock for the test's own diary."""

    time: BentTime

    def now_ms(self) -> Millis:
        return Millis(self.time.now_ms())


@dataclass(slots=True)
class Worker:
    """A freelancer at a desktop: a diary, a clock, a tracker that can be started and killed."""

    home: Path
    desktop: Desktop
    time: BentTime
    contract: ContractId
    log: Path
    tracker: subprocess.Popen[bytes] | None = None

    def diary(self) -> Diary:
        return Diary.open(self.home, clock=BentClock(self.time))

    def begin(self, part: float = -1) -> float:
        """Start the tracker; return how many minutes after nine it was ready."""
        before = self.said().count(READY)
        with self.log.open("ab") as sink:
            self.tracker = subprocess.Popen(
                [sys.executable, "-c", RUN, str(self.home), str(part)],
                env={
                    **self.time.environment(),
                    **self.desktop.environment(),
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": str(self.home.parent),
                },
                stdout=sink,
                stderr=sink,
            )
        self.until(lambda: self.said().count(READY) > before)
        return self.minute

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.tracker
        self.tracker.send_signal(how)
        code = self.tracker.wait(30)
        self.tracker = None
        return code

    def work_until(self, minutes: float) -> None:
        """Type until so many minutes after nine."""
        until_ms = NINE * 600_000 + int(minutes * 60_000)
        while self.time.now_ms() < until_ms:
            self.desktop.type_text(f"{TYPED} ", delay_ms=4)
            self.time.sleep_until(min(until_ms, self.time.now_ms() + 25_000))

    def segments(self) -> list[SegmentView]:
        with self.diary() as diary:
            return list(diary.week(Week.of(Slot(NINE))).segments)

    def recorded(self) -> dict[Slot, SegmentView]:
        return {each.slot: each for each in self.segments() if each.state != "draft"}

    def wait_for(self, slot: int) -> SegmentView:
        """Wait until a slot is recorded."""
        self.until(lambda: Slot(slot) in self.recorded())
        return self.recorded()[Slot(slot)]

    def start_in_fresh_slot(self, memo: str | None = None) -> Slot:
        """Start tracking in a slot that has just begun, once the tracker records it; return the slot.

        However slowly the tracker began: the rest of the slot is the test's.
        """
        for _ in range(3):
            self.until(lambda: self.minute % 10 < FRESH_MINUTES, at_work=True)
            slot = slot_at(self.time.now_ms())
            with self.diary() as diary:
                diary.start(self.contract, memo=memo)
            self.until(lambda: "recording." in self.said())
            if slot_at(self.time.now_ms()) == slot:
                return slot
        raise AssertionError("this machine stood still for most of a slot, three times over")

    @property
    def slept(self) -> int:
        """Return how many minutes the tracker stood still by its own word: a loaded machine is no promise."""
        return sum(map(int, SLEPT.findall(self.said())))

    @property
    def minute(self) -> float:
        return (self.time.now_ms() - NINE * 600_000) / 60_000

    def until(self, holds: Callable[[], object], *, at_work: bool = False) -> None:
        """Wait until something holds; without work the screen saver comes after ten minutes."""
        for _ in range(REAL_SECONDS_MAX * 10):
            if holds():
                return
            if at_work:
                self.desktop.type_text(TYPED, delay_ms=4)
            sleep(0.1)
        raise AssertionError(f"it never came to that:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of two slots: when the tracker was first ready, and for how long it was dead."""

    worker: Worker
    first_minute: float
    away_minutes: float


@contextmanager
def at_work(folder: Path, beginning: str, *, speed: int = SPEED) -> Iterator[Worker]:
    home = folder / "diary"
    clock = BentClock(BentTime.at(beginning))
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="desk") as diary:
        contract = diary.new_contract(title="Mill").id
    time = BentTime.at(beginning, speed=speed)
    with Desktop.start(1280, 800, env=time.environment(), title="Ledger") as desktop:
        working = Worker(home, desktop, time, contract, folder / "tracker.out")
        try:
            yield working
        finally:
            if working.tracker and working.tracker.poll() is None:
                working.tracker.kill()
                working.tracker.wait(30)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with at_work(tmp_path, "2026-11-18T09:05Z") as working:
        yield working


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Two slots of work, the tracker killed in the second and started again, killed once more after it."""
    folder = tmp_path_factory.mktemp("killed")
    with at_work(folder, "2026-11-18T09:05Z", speed=UNHURRIED) as working:
        with working.diary() as diary:
            diary.start(working.contract, memo=MEMO)
        # Each moment at the beginning of what remains: a loaded machine takes long over a picture, and one
        # that is not there when the tracker is killed is lost, as R19 has it.
        first = working.begin(part=0)
        working.work_until(12.2)
        working.wait_for(NINE)
        died = working.minute
        working.end(signal.SIGKILL)
        away = working.begin(part=0) - died
        working.work_until(20.5)
        working.wait_for(NINE)
        working.wait_for(NINE + 1)
        working.end(signal.SIGKILL)
        yield Killed(working, first, away)


@rule("R19")
@rule("R12")
def test_two_slots_are_recorded_though_the_tracker_is_killed_in_between(killed: Killed) -> None:
    said, recorded = killed.worker.said(), killed.worker.recorded()
    first, second = recorded[NINE], recorded[Slot(NINE + 1)]
    for segment in (first, second):
        assert segment.kind == "automatic", said
        assert segment.memo == MEMO
        assert (segment.applications, segment.titles) == (("XTerm",), ("Ledger",))
        # The worker types through all of it; on a loaded machine some of these short minutes pass it by.
        assert segment.activity >= segment.tracked_minutes // 2
        assert len(segment.snapshots) == 1
    slept = killed.worker.slept
    assert first.tracked_minutes >= int(10 - killed.first_minute) - 1 - slept, said
    # The minute under way, no more.
    assert second.tracked_minutes >= int(10 - killed.away_minutes) - 1 - slept, said
    assert "taken up again" in said
    assert sum(minute.keystrokes or 0 for minute in first.minutes if minute) > len(TYPED)


@rule("R15")
@rule("R46")
def test_what_was_typed_and_shown_is_in_no_file(killed: Killed) -> None:
    files = [path for path in killed.worker.home.parent.rglob("*") if path.is_file()]
    assert any(path.name == "diary.db" for path in files)
    for path in files:
        raw = path.read_bytes()
        for secret in (TYPED, MEMO, "Ledger", "XTerm", "Mill"):
            assert secret.encode() not in raw, path
            assert secret.encode("utf-16-le") not in raw, path
        assert b"ftypavif" not in raw, path


@rule("R12")
def test_a_segment_removed_while_under_way_is_not_recorded(worker: Worker) -> None:
    worker.begin(part=0.1)
    place = worker.contract, worker.start_in_fresh_slot()
    # Where the machine stood still, a slot before this one may have got its picture too.
    worker.until(lambda: [len(each.snapshots) for each in worker.segments() if each.slot == place[1]] == [1])
    with worker.diary() as diary:
        assert {each.slot: each.state for each in worker.segments()}[place[1]] == "draft"
        diary.remove([place])
    worker.until(lambda: "Nothing more is recorded in this slot" in worker.said())
    slots_begun = worker.said().count("recording.")
    worker.until(lambda: worker.said().count("recording.") > slots_begun, at_work=True)
    assert place[1] not in worker.recorded()
    assert worker.end() == 0
    with worker.diary() as diary:
        drafts = [each.slot for each in diary.drafts() if not each.removed]
        assert drafts
        assert min(drafts) > place[1]


@rule("R19")
def test_the_tracker_keeps_its_draft_when_it_is_asked_to_end(worker: Worker) -> None:
    worker.begin(part=0.999)
    slot = worker.start_in_fresh_slot("before")
    with worker.diary() as diary:
        diary.set_memo("after")
    worker.work_until(worker.minute + 2)
    assert worker.end() == 0
    with worker.diary() as diary:
        (draft,) = diary.drafts()
    assert draft.slot == slot
    assert draft.memo
    assert draft.memo.text == "after"
    assert any(minute is not None and minute.keystrokes for minute in draft.minutes)


@rule("R16")
def test_an_x_server_that_goes_away_costs_the_picture_and_not_the_time(worker: Worker) -> None:
    worker.begin(part=0.999)
    slot = worker.start_in_fresh_slot()
    began = worker.minute
    worker.desktop.kill_server()
    worker.until(lambda: "The display is gone" in worker.said())
    segment = worker.wait_for(slot)
    assert segment.kind == "manual"
    assert segment.no_picture == ("no_display",)
    assert segment.tracked_minutes >= int(10 - began % 10) - 1 - worker.slept
    assert worker.end() == 0


@rule("R12")
def test_off_before_the_moment_is_no_time(worker: Worker) -> None:
    worker.begin(part=0.999)
    worker.start_in_fresh_slot()
    with worker.diary() as diary:
        diary.stop()
    worker.until(lambda: "before this slot's snapshot" in worker.said())
    worker.until(lambda: "not recorded, since tracking was off" in worker.said())
    assert worker.segments() == []
    assert worker.end() == 0


@rule("R11")
def test_a_second_tracker_of_the_same_diary_ends_at_once(worker: Worker) -> None:
    worker.begin()
    assert worker.tracker
    with pytest.raises(TrackerRunsError, match=f"process {worker.tracker.pid}"), alone(worker.home):
        pass
    assert worker.tracker.poll() is None
