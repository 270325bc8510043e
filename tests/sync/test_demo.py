"""The sample diary: every kind of thing that a page may have to show, made by the real pipeline."""

import io
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.timesheet import SegmentView, marks
from diary.rules.week import Week
from sync.demo import Demo, NotEmptyError, make_demo
from sync.demo_pictures import SCENES, SIZE, picture
from sync.demo_story import Worked, story
from tests.diary.typed import Typist
from tests.practice import instant
from tests.rule import rule

UNTIL = instant("2026-11-18T16:00Z")
FIRST, MIDDLE, LAST = Week(2026, 45), Week(2026, 46), Week(2026, 47)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    said: list[str] = []
    made = make_demo(tmp_path_factory.mktemp("demo") / "sample", until_ms=UNTIL, progress=said.append)
    assert said
    return made


@pytest.fixture
def laptop(demo: Demo) -> Iterator[Diary]:
    with Diary.open(demo.laptop, clock=GivenClock(UNTIL)) as diary:
        yield diary


def segments(diary: Diary) -> list[SegmentView]:
    return [one for week in (FIRST, MIDDLE, LAST) for one in diary.week(week).segments]


def test_three_weeks_hold_something_and_nothing_is_later_than_asked(laptop: Diary) -> None:
    assert set(laptop.weeks()) == {FIRST, MIDDLE, LAST}
    assert max(one.slot for one in segments(laptop)) * 600_000 < UNTIL


@rule("R24")
def test_every_page_has_something_to_show(laptop: Diary) -> None:
    states = Counter(one.state for one in segments(laptop))
    reasons = Counter(one.why_not for one in segments(laptop) if one.state != "deleted")
    shown = Counter(mark for one in segments(laptop) for mark in marks(one))
    assert {"synced", "late", "unsynced", "held", "deleted"} <= set(states)
    assert {one.memo for one in laptop.asked()} == {"Notes from the workshop"}
    assert {None, "late", "overlapping", "over_limit", "manual_not_allowed"} <= set(reasons)
    assert {"masked", "no picture", "late", "overlapping", "not synced"} <= set(shown)
    assert {one.kind for one in segments(laptop)} == {"automatic", "manual"}
    assert len(laptop.contracts()) == 2


@rule("R36")
def test_of_two_memos_the_one_typed_later_stands(laptop: Diary) -> None:
    memos = {one.memo for one in segments(laptop)}
    assert "Invoice page: layout agreed with Ana" in memos
    assert "Invoice page: first layout, with the logo" not in memos


@rule("R35")
def test_what_was_removed_on_one_device_is_gone_though_the_other_edited_it(demo: Demo, laptop: Diary) -> None:
    gone = [one for one in segments(laptop) if one.state == "deleted"]
    assert gone
    assert all(not one.memo and not one.snapshots for one in gone)
    with sqlite3.connect(demo.laptop / "diary.db") as held:
        assert held.execute("SELECT count(*) FROM picture WHERE sealed IS NOT NULL").fetchone()[0] > 100
    held.close()


@rule("R37")
def test_what_came_after_the_lock_is_listed_as_refused(laptop: Diary) -> None:
    assert {(one.reason, one.memo) for one in laptop.refusals()} == {
        ("week_locked", "Help page, with Ana's remarks")
    }


def test_both_devices_show_the_same_frozen_week(demo: Demo, laptop: Diary) -> None:
    with Diary.open(demo.tower, clock=GivenClock(UNTIL)) as tower:
        ours, theirs = (
            [(one.slot, one.contract, one.memo, one.state, one.bills) for one in diary.week(FIRST).segments]
            for diary in (laptop, tower)
        )
    assert ours == theirs


def test_pictures_open_and_differ(laptop: Diary) -> None:
    names = [shot.screen for one in segments(laptop) for shot in one.snapshots]
    opened = [laptop.picture(name) for name in names[:12]]
    assert Image.open(io.BytesIO(opened[0])).size == SIZE
    assert len(set(opened)) > 2


def test_a_scene_is_drawn_alike_each_time_and_differently_each_number() -> None:
    for scene in SCENES.values():
        assert picture(scene, 3).tobytes() == picture(scene, 3).tobytes()
        assert picture(scene, 3).tobytes() != picture(scene, 4).tobytes()
        assert picture(scene, 3, masked=True).tobytes() != picture(scene, 3).tobytes()


def test_the_same_seed_tells_the_same_story_in_order() -> None:
    told = story(LAST, Random(7))
    assert told == story(LAST, Random(7))
    assert told != story(LAST, Random(8))
    assert [act.at_ms for act in told] == sorted(act.at_ms for act in told)
    works = [(act.device, act.job, act.slot) for act in told if isinstance(act, Worked)]
    assert len(works) == len(set(works))


def test_a_demo_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear Ana", encoding="utf-8")
    with pytest.raises(NotEmptyError):
        make_demo(tmp_path, until_ms=UNTIL, progress=print)
    typist = Typist(tmp_path / "home", GivenClock(UNTIL))
    assert "not empty" in typist.types("demo", "--out", str(tmp_path), says=2).err


def test_the_command_makes_a_demo_and_says_how_to_open_it(tmp_path: Path) -> None:
    # Early in a week: the story so far is short.
    typist = Typist(tmp_path / "home", GivenClock(instant("2026-11-16T00:30Z")))
    said = typist.types("demo", "--out", str(tmp_path / "sample")).out
    assert f"diary --home {tmp_path / 'sample' / 'laptop'} open" in said
    assert "pushed" not in said
