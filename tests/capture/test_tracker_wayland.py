"""The tracker as a process on a real Wayland desktop, time by libfaketime: what its segments become (R14)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from tests.bent_time import BentTime
from tests.buses import MOCK, Bus, own_bus
from tests.capture.test_tracker import NINE, READY, ROOT, RUN, BentClock
from tests.patience import until
from tests.rule import rule
from tests.sway import Sway

pytestmark = [pytest.mark.screen, pytest.mark.journey]

SPEED = 20
LOGIND, PLACE = "org.freedesktop.login1", "/org/freedesktop/login1"


@dataclass(frozen=True, slots=True)
class Morning:
    """What the tracker said, and what it recorded by slot."""

    said: str
    segments: dict[Slot, SegmentView]


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk on which a tracker runs."""

    sway: Sway
    bus: Bus
    clock: BentTime

    def types_until(self, minute: float) -> None:
        """Type a little, again and again, until so many minutes after nine."""
        until_ms = NINE * 600_000 + int(minute * 60_000)
        while self.clock.now_ms() < until_ms:
            self.sway.type_text("x")
            time.sleep(0.2)

    def rests_until(self, minute: float) -> None:
        """Do nothing until so many minutes after nine."""
        self.clock.sleep_until(NINE * 600_000 + int(minute * 60_000))

    def locks(self, *, locked: bool) -> None:
        """Lock the session, or unlock it."""
        self.bus.call(LOGIND, f"{PLACE}/session/c1", f"{LOGIND}.Session", "SetLockedHint", "b", locked)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """Each moment is near its slot's start. 9:00: typing until 9:05, then rest. 9:10: locked from 9:14 on."""
    folder = tmp_path_factory.mktemp("wayland")
    home, log = folder / "diary", folder / "tracker.out"
    place = choose_place(home, "file")
    clock = BentClock(BentTime.at("2026-11-18T08:59Z"))
    with Diary.create(home, clock=clock, place=place, device_name="desk") as diary:
        diary.start(diary.new_contract(title="Mill").id)
    with Sway.start(title="Ledger — draft") as sway, own_bus() as bus:
        bus.serve("--system", "--template", "logind")
        bus.call(LOGIND, PLACE, MOCK, "AddSession", "ssusb", "c1", "seat0", os.getuid(), "somebody", True)
        desk = Desk(sway, bus, BentTime.at("2026-11-18T08:59Z", speed=SPEED))
        base = {name: value for name, value in desk.clock.environment().items() if name != "DISPLAY"}
        environment = {**base, **sway.environment(), **bus.environment(), "PYTHONPATH": str(ROOT)}
        with log.open("ab") as sink:
            tracker = subprocess.Popen(
                [sys.executable, "-c", RUN, str(home), "0.1"], env=environment, stdout=sink, stderr=sink
            )
        try:
            assert until(lambda: READY in log.read_text(encoding="utf-8"))
            desk.types_until(5)
            desk.rests_until(10)
            desk.types_until(14)
            desk.locks(locked=True)
            desk.rests_until(21)
            tracker.terminate()
            assert tracker.wait(60) == 0
        finally:
            tracker.kill()
            tracker.wait(30)
        with Diary.open(home, clock=BentClock(desk.clock)) as diary:
            segments = diary.week(Week.of(Slot(NINE))).segments
        recorded = {segment.slot: segment for segment in segments if segment.state != "draft"}
        yield Morning(log.read_text(encoding="utf-8"), recorded)


@rule("R13")
def test_a_segment_has_its_picture_and_the_names_of_its_window(morning: Morning) -> None:
    segment = morning.segments[Slot(NINE)]
    assert (segment.kind, len(segment.snapshots), segment.no_picture) == ("automatic", 1, ())
    assert (segment.applications, segment.titles) == (("foot",), ("Ledger — draft",))


@rule("R14")
def test_nothing_is_counted_and_minutes_are_active_as_the_desktop_saw_it(morning: Morning) -> None:
    minutes = morning.segments[Slot(NINE)].minutes
    active, idle = (MinuteCounts(None, None, None, os_active=seen) for seen in (True, False))
    assert minutes[1:4] == (active,) * 3
    assert minutes[7:10] == (idle,) * 3
    assert morning.segments[Slot(NINE)].is_uncounted


@rule("R14")
def test_the_tracker_says_at_its_start_what_this_desktop_does_not_give(morning: Morning) -> None:
    assert "A Wayland desktop lets no program count keys, clicks and scrolls" in morning.said
    assert "display is gone" not in morning.said


@rule("R18")
def test_from_the_lock_on_no_minute_counts(morning: Morning) -> None:
    minutes = morning.segments[Slot(NINE + 1)].minutes
    assert all(minute is not None for minute in minutes[1:4])
    assert minutes[6:] == (None,) * 4
    assert "The screen is locked" in morning.said
