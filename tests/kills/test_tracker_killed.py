"""A tracker dies at each labelled point: it costs a minute, and no slot a second moment (R12, R19)."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.store.drafts import CaptureDraft
from tests.kills.day import BEGINNING, FIRST, KEY_MS, REMOVED, TICK_MS, Day, begin_day
from tests.kills.edges import Point
from tests.kills.nursery import Ended, Nursery
from tests.rule import rule

SAMPLE = 17  # points from one sampled to the next; make soak visits all
SOME_OR_ALL = [
    pytest.param(SAMPLE, id="some"),
    pytest.param(1, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
]
AWAY_SHORT_MS = 30_000
AWAY_LONG_MS = 15 * 60_000  # the slot is over before the next start
TOLD = "taken up again", "recorded now", "The tracker ended before", "kept as a draft"


@dataclass
class Lives:
    """One day after the other, each in a home of its own and lived by trackers that may die."""

    nursery: Nursery
    folder: Path
    days: int = 0

    def whole(self) -> tuple[list[Point], dict[Slot, SegmentView]]:
        """Live a day in which nobody dies."""
        home, day = self._new_day()
        ended = self._live(home, day, BEGINNING)
        assert ended.status == 0, ended.said
        assert [Slot(drawn) for drawn in day.noted("draws")] == [Slot(FIRST + at) for at in range(8)]
        return ended.points, self._recorded(home)

    def killed_at(self, point: Point, away_ms: int) -> "Death":
        """Live a day in which the tracker dies at a point, and is started again a while after."""
        home, day = self._new_day()
        ended = self._live(home, day, BEGINNING, point)
        assert ended.killed, (point, ended)
        died_ms, drawn = day.at_ms, len(day.noted("draws"))
        with Diary.open(home, clock=GivenClock(died_ms)) as diary:
            drafts = diary.drafts()
        before = self._recorded(home)
        again = self._live(home, day, died_ms + away_ms)
        assert again.status == 0, (point, again.said)
        minute = (died_ms - BEGINNING) // 60_000
        drawn_after = {Slot(slot) for slot in day.noted("draws")[drawn:]}
        return Death(point, minute, drafts, before, drawn_after, again.said, self._recorded(home))

    def _new_day(self) -> tuple[Path, Day]:
        self.days += 1
        folder = self.folder / f"day-{self.days}"
        folder.mkdir()
        shutil.copytree(self.folder / "beginning", folder / "home")
        return folder / "home", Day(folder)

    def _live(self, home: Path, day: Day, at_ms: int, dies_at: Point | None = None) -> Ended:
        return self.nursery.tracker(str(home), str(day.folder), at_ms=at_ms, dies_at=dies_at).wait()

    def _recorded(self, home: Path) -> dict[Slot, SegmentView]:
        with Diary.open(home, clock=GivenClock(BEGINNING)) as diary:
            assert diary.refusals() == ()
            assert not diary.status().destroying
            shown = [
                one for week in diary.weeks() for one in diary.week(week).segments if one.state != "draft"
            ]
        assert len({one.slot for one in shown}) == len(shown)  # of both contracts
        assert all(len(one.snapshots) == 1 for one in shown)
        return {one.slot: one for one in shown}


@dataclass(frozen=True)
class Death:
    """A tracker's death, what lay in the diary then, and what the next one made of it."""

    point: Point
    minute: int
    drafts: tuple[CaptureDraft, ...]
    before: dict[Slot, SegmentView]
    drawn_after: set[Slot]
    said: str
    recorded: dict[Slot, SegmentView]

    def check(self) -> None:
        """Check what holds however long the tracker was away."""
        live = [draft for draft in self.drafts if not draft.removed]
        known = {draft.slot for draft in self.drafts} | set(self.before)
        assert not self.drawn_after & known, self.point
        assert REMOVED not in known & set(self.recorded), self.point
        assert len({draft.slot for draft in live}) == len(live), self.point
        for slot, segment in self.before.items():
            assert self.recorded[slot] == segment, self.point
        for draft in live:
            if draft.slot != REMOVED:
                assert self._tells(draft.slot), (self.point, self.said)
            if draft.slot != REMOVED and draft.moment:
                kept = [at for at, minute in enumerate(draft.minutes) if minute]
                assert set(kept) <= _tracked(self.recorded[draft.slot]), self.point

    def check_against(self, whole: dict[Slot, SegmentView]) -> None:
        """Check that next to a day without death no more than the minute under way is lost."""
        assert set(self.recorded) == set(whole), (self.point, self.said)
        lost = {self.minute - 1, self.minute}
        for slot, segment in self.recorded.items():
            other = whole[slot]
            assert (segment.contract, segment.memo) == (other.contract, other.memo), self.point
            missing = {(slot - FIRST) * 10 + at for at in _tracked(other) ^ _tracked(segment)}
            assert missing <= lost, self.point
            for at, (one, without) in enumerate(zip(segment.minutes, other.minutes, strict=True)):
                if one and without and (slot - FIRST) * 10 + at not in lost | {self.minute + 1}:
                    # What was struck since the last tick counts in the minute of the tick.
                    struck = abs((one.keystrokes or 0) - (without.keystrokes or 0))
                    assert struck <= TICK_MS // KEY_MS, (self.point, slot, at)

    def _tells(self, slot: Slot) -> bool:
        begins = f"{9 + (slot - FIRST) // 6:02}:{(slot - FIRST) % 6}0: "
        lines = [line for line in self.said.splitlines() if line.startswith(begins)]
        return any(word in line for line in lines for word in TOLD)


def _tracked(segment: SegmentView) -> set[int]:
    return {at for at, minute in enumerate(segment.minutes) if minute}


@pytest.fixture
def lives(nursery: Nursery, folder: Path) -> Lives:
    (folder / "beginning").mkdir()
    begin_day(folder / "beginning")
    return Lives(nursery, folder)


@rule("R12")
@rule("R19")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_tracker_killed_and_started_again_loses_the_minute_under_way(lives: Lives, sample: int) -> None:
    points, whole = lives.whole()
    assert {slot - FIRST for slot in whole} == {0, 1, 4, 5, 6}
    # Nobody was there from 9:56 on; what was recorded then goes to the contract of the answer.
    assert [whole[Slot(FIRST + at)].contract_title for at in (4, 5, 6)] == ["Mill", "Bakery", "Bakery"]
    assert len(points) > 100
    for point in points[::sample]:
        death = lives.killed_at(point, AWAY_SHORT_MS)
        death.check()
        death.check_against(whole)


@rule("R12")
@rule("R19")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_tracker_that_was_away_past_its_slot_records_what_was_kept(lives: Lives, sample: int) -> None:
    points, _ = lives.whole()
    deaths = [lives.killed_at(point, AWAY_LONG_MS) for point in points[sample // 2 :: sample]]
    for death in deaths:
        death.check()
    assert any("recorded now" in death.said for death in deaths)
    assert any("The tracker ended before" in death.said for death in deaths)
