"""The tracker as a process whose wall clock is set while it runs: nothing twice, nothing filled in (R20)."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from tests.bent_time import SetClock
from tests.capture.test_tracker import ROOT, RUN
from tests.desktop import Desktop
from tests.practice import instant, slot
from tests.rule import rule

pytestmark = [pytest.mark.screen, pytest.mark.journey]

SECONDS_MAX = 90
NINE = slot("2026-11-18T09:00Z")


def recorded(home: Path) -> dict[int, SegmentView]:
    """Return what was recorded, by how many slots after nine it is."""
    with Diary.open(home) as diary:
        segments = diary.week(Week.of(Slot(NINE))).segments
    found = [one for one in segments if one.state != "draft"]
    assert len({one.slot for one in found}) == len(found)
    return {one.slot - NINE: one for one in found}


@rule("R19")
@rule("R20")
def test_a_clock_that_is_set_back_and_ahead_records_nothing_twice_and_fills_nothing_in(
    tmp_path: Path,
) -> None:
    home, log = tmp_path / "diary", tmp_path / "said"
    beginning = instant("2026-11-18T09:09:45Z")
    with Diary.create(
        home, clock=GivenClock(beginning), place=choose_place(home, "file"), device_name="desk"
    ) as diary:
        diary.start(diary.new_contract(title="Mill").id)
    clock = SetClock.at(tmp_path / "clock", beginning)
    with Desktop.start(800, 600, title="Ledger") as desktop, log.open("wb") as sink:
        environment = {**clock.environment(), **desktop.environment(), "PYTHONPATH": str(ROOT)}
        tracker = subprocess.Popen(
            [sys.executable, "-c", RUN, str(home), "0"], env=environment, stdout=sink, stderr=sink
        )

        def until(holds: Callable[[], object]) -> None:
            end = time.monotonic() + SECONDS_MAX
            while not holds():
                assert time.monotonic() < end, log.read_text()
                desktop.type_text("working ")
                time.sleep(0.5)

        def says(text: str) -> Callable[[], bool]:
            return lambda: text in log.read_text()

        try:
            until(says("09:00: recording."))
            until(says("09:10: recording."))
            until(lambda: 0 in recorded(home))
            # Somebody is there in this minute, as two ticks see it: otherwise the jump is an absence that
            # begins before it, and an answer decides about it (R18).
            desktop.type_text("working ")
            time.sleep(2.5)
            clock.put(instant("2026-11-18T09:03Z"))
            until(says("09:00: the clock was set back to a slot already recorded"))
            clock.put(instant("2026-11-18T11:05Z"))
            until(says("The computer slept, or its clock was set ahead"))
            until(says("11:00: recording."))
            until(lambda: 1 in recorded(home))
        finally:
            tracker.terminate()
            tracker.wait(30)
    segments = recorded(home)
    assert set(segments) == {0, 1}, log.read_text()
    assert segments[0].tracked_minutes == 1
    assert segments[1].tracked_minutes == 1
    assert len(segments[0].snapshots) == len(segments[1].snapshots) == 1
