"""A tracker that is asked to end just when its snapshot is due: the picture is taken, the draft kept."""

import subprocess
import sys
from pathlib import Path

from diary.clock import GivenClock
from diary.diary import Diary
from diary.sealing.keyring import choose_place
from tests.capture.test_tracker import ROOT
from tests.practice import instant
from tests.rule import rule

RUN = """
import asyncio, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from capture.edges import Edges
from capture.notification import NoNotifier
from capture.tracker import Tracker
from diary.clock import GivenClock
from diary.diary import Diary
from tests.kills.day import _Somebody, _StudioHere

class Ending(Tracker):
    def _tick(self):
        super()._tick()
        clock.put(self._session.draft.drawn_ms + 1)
        self.end()

clock = GivenClock(int(sys.argv[2]))
somebody = _Somebody(clock)
edges = Edges(somebody, somebody, somebody, somebody)
with Diary.open(Path(sys.argv[1]), clock=clock) as diary:
    tracker = Ending(
        diary, edges, say=print, zone=ZoneInfo("UTC"), notifier=NoNotifier(), below=lambda bound: bound // 2,
        studio=_StudioHere(edges, clock),
    )
    asyncio.run(tracker.run())
"""


@rule("R12")
@rule("R19")
def test_a_moment_that_comes_as_the_tracker_ends_has_its_picture(tmp_path: Path) -> None:
    home, beginning = tmp_path / "diary", instant("2026-11-18T09:00Z")
    place = choose_place(home, "file")
    with Diary.create(home, clock=GivenClock(beginning), place=place, device_name="desk") as diary:
        diary.start(diary.new_contract(title="Mill").id)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(home), str(beginning)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    with Diary.open(home, clock=GivenClock(beginning)) as diary:
        (draft,) = diary.drafts()
    assert draft.moment is not None
    assert [role for role, _ in draft.pictures] == ["screen", "thumbnail"]
