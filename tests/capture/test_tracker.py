"""The tracker as a process: a real screen, real input, a real diary, time by libfaketime."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week, slot_at
from diary.sealing.keyring import choose_place
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.rule import rule

pytestmark = pytest.mark.screen

ROOT = Path(__file__).parents[2]
BEGINNING = "2026-11-18T09:00:05Z"
MEMO = "krummhornblaeser"
NINE = slot_at(1_794_992_400_000)  # 2026-11-18T09:00Z
TYPED = "zwiebelfisch"  # a word that no file may hold
# The draw at a fixed part of what remains, where a test needs to know the moment.
RUN = """
import asyncio, secrets, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from capture.alone import alone
from capture.edges import edges_of
from capture.tracker import Tracker
from diary.diary import Diary

part = float(sys.argv[2])
below = secrets.randbelow if part < 0 else lambda bound: int(bound * part)
with Diary.open(Path(sys.argv[1])) as diary, alone(diary.home):
    tracker = Tracker(
        diary, edges_of(), say=lambda text: print(text, flush=True), zone=ZoneInfo("UTC"), below=below
    )
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
    contracts: list[ContractId] = field(default_factory=list)

    def diary(self) -> Diary:
        return Diary.open(self.home, clock=BentClock(self.time))

    def begin(self, part: float = -1) -> None:
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

    def wait_for(self, slot: int, minutes: float = 8) -> SegmentView:
        """Wait until a slot is recorded."""
        until_ms = self.time.now_ms() + int(minutes * 60_000)
        while self.time.now_ms() < until_ms:
            if found := self.recorded().get(Slot(slot)):
                return found
            self.time.sleep_until(self.time.now_ms() + 10_000)
        raise AssertionError(f"slot {slot - NINE} after nine was not recorded:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def at_work(folder: Path, speed: int) -> Iterator[Worker]:
    time = BentTime.at(BEGINNING, speed=speed)
    with Desktop.start(1280, 800, env=time.environment(), title="Ledger") as desktop:
        home = folder / "diary"
        clock = BentClock(BentTime.at(BEGINNING))
        with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="desk") as diary:
            contract = diary.new_contract(title="Mill").id
        working = Worker(home, desktop, time, contract, folder / "tracker.out")
        try:
            yield working
        finally:
            if working.tracker and working.tracker.poll() is None:
                working.tracker.kill()
                working.tracker.wait(30)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with at_work(tmp_path, speed=120) as working:
        yield working


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Two slots of work, the tracker killed in the second and started again, killed once more after it."""
    with at_work(tmp_path_factory.mktemp("killed"), speed=60) as working:
        with working.diary() as diary:
            diary.start(working.contract, memo=MEMO)
        working.begin()
        working.work_until(13.2)
        working.end(signal.SIGKILL)
        working.begin()
        working.work_until(20.5)
        working.wait_for(NINE)
        working.wait_for(NINE + 1)
        working.end(signal.SIGKILL)
        yield working


def place_of(worker: Worker, slots_after_nine: int) -> Place:
    return worker.contract, Slot(NINE + slots_after_nine)


@rule("R19")
@rule("R12")
def test_two_slots_are_recorded_though_the_tracker_is_killed_in_between(killed: Worker) -> None:
    recorded = killed.recorded()
    first, second = recorded[NINE], recorded[Slot(NINE + 1)]
    for segment in (first, second):
        assert segment.kind == "automatic", killed.said()
        assert segment.memo == MEMO
        assert (segment.applications, segment.titles) == (("XTerm",), ("Ledger",))
        assert segment.activity >= 7
        assert len(segment.snapshots) == 1
    assert first.tracked_minutes >= 9
    assert second.tracked_minutes >= 8, killed.said()  # the minute under way, and those the restart took
    assert "taken up again" in killed.said()
    assert sum(minute.keystrokes or 0 for minute in first.minutes if minute) > 100


@rule("R15")
@rule("R46")
def test_what_was_typed_and_shown_is_in_no_file(killed: Worker) -> None:
    files = [path for path in killed.home.parent.rglob("*") if path.is_file()]
    assert any(path.name == "diary.db" for path in files)
    for path in files:
        raw = path.read_bytes()
        for secret in (TYPED, MEMO, "Ledger", "XTerm", "Mill"):
            assert secret.encode() not in raw, path
            assert secret.encode("utf-16-le") not in raw, path
        assert b"ftypavif" not in raw, path


@rule("R12")
def test_a_segment_removed_while_under_way_is_not_recorded(worker: Worker) -> None:
    with worker.diary() as diary:
        diary.start(worker.contract)
    worker.begin(part=0.1)
    worker.work_until(4)
    with worker.diary() as diary:
        (draft,) = (each for each in diary.week(Week.of(Slot(NINE))).segments)
        assert draft.state == "draft"
        assert len(draft.snapshots) == 1
        diary.remove([place_of(worker, 0)])
    worker.work_until(20.3)
    worker.wait_for(NINE + 1)
    assert Slot(NINE) not in worker.recorded()
    assert "Nothing more is recorded in this slot" in worker.said()


@rule("R19")
def test_the_tracker_keeps_its_draft_when_it_is_asked_to_end(worker: Worker) -> None:
    with worker.diary() as diary:
        diary.start(worker.contract, memo="before")
    worker.begin(part=0.9)
    worker.work_until(3)
    with worker.diary() as diary:
        diary.set_memo("after")
    worker.work_until(4.2)
    assert worker.end() == 0
    with worker.diary() as diary:
        (draft,) = diary.drafts()
    assert draft.memo
    assert draft.memo.text == "after"
    assert sum(minute is not None for minute in draft.minutes) >= 4


@rule("R16")
def test_an_x_server_that_goes_away_costs_the_picture_and_not_the_time(worker: Worker) -> None:
    with worker.diary() as diary:
        diary.start(worker.contract)
    worker.begin(part=0.5)
    worker.work_until(3)
    worker.desktop.kill_server()
    segment = worker.wait_for(NINE, minutes=15)
    assert segment.kind == "manual"
    assert segment.no_picture == ("no_display",)
    assert segment.tracked_minutes >= 9
    assert "The display went away" in worker.said()
    assert worker.end() == 0


@rule("R12")
def test_off_before_the_moment_is_no_time(worker: Worker) -> None:
    with worker.diary() as diary:
        diary.start(worker.contract)
    worker.begin(part=0.9)
    worker.work_until(2)
    with worker.diary() as diary:
        diary.stop()
    worker.time.sleep_until(NINE * 600_000 + 11 * 60_000)
    assert worker.segments() == []
    assert "before this slot's snapshot" in worker.said()
    assert worker.end() == 0


@rule("R11")
def test_a_second_tracker_of_the_same_diary_ends_at_once(worker: Worker) -> None:
    worker.begin()
    worker.time.sleep_until(worker.time.now_ms() + 120_000)
    first = worker.tracker
    assert first
    worker.begin()
    second = worker.tracker
    assert second
    assert second.wait(30) != 0
    assert f"A tracker already runs for this diary (process {first.pid})" in worker.said()
    worker.tracker = first
    assert os.waitpid(first.pid, os.WNOHANG) == (0, 0)
