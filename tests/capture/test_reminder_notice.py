"""Reminders as notifications: each once, and in the log where no desktop shows it (R23, R31)."""

from pathlib import Path

import pytest

from capture.reminder_notice import ReminderNotices
from diary.clock import GivenClock
from diary.diary import Diary
from tests.event_loop import run
from tests.practice import instant, practice_diary, record_slot, slot
from tests.rule import rule
from tests.toy_notifier import ToyNotifier, ToyService


@pytest.fixture
def sunday(tmp_path: Path) -> tuple[Path, GivenClock]:
    """Return a diary on a Sunday evening, with a segment that has no memo."""
    diary, clock, contract = practice_diary(tmp_path, "2026-11-17T09:00Z")
    with diary:
        diary.set_setting("zone", "UTC")
        record_slot(diary, contract, slot("2026-11-17T09:00Z"), memo=None)
    clock.put(instant("2026-11-22T19:00Z"))
    return diary.home, clock


def told(home: Path, clock: GivenClock, because: str = "") -> tuple[list[str], list[str]]:
    """Look twice, as a tracker does that runs for two minutes; return what was shown, and what was logged."""
    service, said = ToyService(), list[str]()

    async def look() -> None:
        with Diary.open(home, clock=clock) as diary:
            notices = ReminderNotices(diary, ToyNotifier(service, because), say=said.append)
            await notices.look()
            await notices.look()
            # A tracker runs for weeks: what a week's check opened stays in its memory no longer (R31).
            assert (diary._state.contents, diary._state.weeks) == ({}, {})

    run(look())
    return [f"{one.summary}: {one.body}" for one in service.was_shown], said


@rule("R31")
def test_what_the_week_lacks_is_notified_once_an_evening_and_once_a_morning(
    sunday: tuple[Path, GivenClock],
) -> None:
    home, clock = sunday
    shown, said = told(home, clock)
    assert len(shown) == 1
    assert shown[0].startswith("Before the week locks: 2026-W47 locks in 17 h 0 min: 1 segment has no memo")
    assert said == []
    assert told(home, clock) == ([], [])  # a tracker that starts again does not tell it again
    clock.put(instant("2026-11-23T07:00Z"))
    assert len(told(home, clock)[0]) == 1


@rule("R31")
def test_without_a_desktop_that_shows_it_the_log_has_it(sunday: tuple[Path, GivenClock]) -> None:
    shown, said = told(*sunday, because="There is no session bus here.")
    assert shown == []
    assert len(said) == 1
    assert said[0].startswith("Before the week locks. 2026-W47 locks in 17 h 0 min")


@rule("R23")
def test_an_old_memo_is_asked_about_only_when_it_was_wished(sunday: tuple[Path, GivenClock]) -> None:
    home, clock = sunday
    clock.put(instant("2026-11-25T09:00Z"))
    with Diary.open(home, clock=clock) as diary:
        diary.start(diary.contracts()[0].id, "The ledger")
    clock.put(instant("2026-11-25T12:00Z"))
    assert told(home, clock) == ([], [])
    with Diary.open(home, clock=clock) as diary:
        diary.set_setting("remind_memo_after", 60)
    assert told(home, clock)[0] == [
        "Are you still working on this?: “The ledger”. Another one: diary memo “…”."
    ]
