"""Reminders as they are said in the terminal, and once each (R23, R31)."""

from pathlib import Path

import pytest

from diary.diary import Diary
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant, record_slot, slot
from tests.rule import rule
from tests.small_disk import small_disk

SUNDAY_EVENING = "2026-11-22T19:00Z"


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    found = typist_with_a_morning(tmp_path)
    with Diary.open(found.home, clock=found.clock) as diary:
        record_slot(diary, diary.contracts()[0], slot("2026-11-17T09:00Z"), memo=None)
    found.clock.put(instant(SUNDAY_EVENING))
    return found


def due(typist: Typist) -> list[str]:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        found = diary.reminders()
        for one in found:
            diary.note_told(one.occasion)
    return [f"{one.heading}: {one.says}" for one in found]


@rule("R31")
def test_state_says_on_sunday_evening_what_the_week_lacks(typist: Typist) -> None:
    says = "2026-W47 locks in 17 h 0 min: 1 segment has no memo"
    assert says in typist.types("status").out
    assert "What to do: diary check 2026-W47" in typist.types("status").out
    assert says in typist.types().out
    typist.clock.put(instant("2026-11-21T19:00Z"))
    assert "locks in" not in typist.types("status").out
    typist.clock.put(instant(SUNDAY_EVENING))
    typist.types("edit", "2026-11-17 9:00", "--memo", "Mill")
    assert "locks in" not in typist.types("status").out


@rule("R31")
def test_it_is_told_once_an_evening_and_once_a_morning(typist: Typist) -> None:
    (said,) = due(typist)
    assert said.startswith("Before the week locks: 2026-W47 locks in 17 h 0 min: 1 segment has no memo. ")
    assert said.endswith("See what to do: diary check 2026-W47.")
    assert due(typist) == []
    typist.clock.put(instant("2026-11-23T07:00Z"))
    assert len(due(typist)) == 1
    assert due(typist) == []


@rule("R31")
def test_who_wants_no_reminder_gets_none(typist: Typist) -> None:
    typist.types("config", "remind_week", "off")
    assert due(typist) == []
    assert "locks in" not in typist.types("status").out


@rule("R23")
def test_work_hours_and_an_old_memo_are_reminded_of_when_asked_for(typist: Typist) -> None:
    typist.clock.put(instant("2026-11-18T09:10Z"))
    assert due(typist) == []
    typist.types("config", "remind_work_at", "9:00")
    typist.types("config", "remind_memo_after", "45")
    assert due(typist)[0].startswith("Your work hours have begun")
    assert due(typist) == []
    with Diary.open(typist.home, clock=typist.clock) as diary:
        diary.start(diary.contracts()[0].id, "The ledger")
    assert due(typist) == []
    typist.clock.put(instant("2026-11-18T09:56Z"))
    assert due(typist) == ["Are you still working on this?: “The ledger”. Another one: diary memo “…”."]
    assert "no value" in typist.types("config", "remind_work_at", "soon", says=2).err


@rule("R31")
def test_a_disk_that_is_soon_full_is_said_early_and_told_once_a_day(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=8192) as disk:
        typist = typist_with_a_morning(disk)
        typist.clock.put(instant("2026-11-18T12:00Z"))
        assert "MB are free where the diary lies" in typist.types("status").out
        assert due(typist)[0].startswith("Little room is left: Only ")
        assert due(typist) == []
        typist.clock.put(instant("2026-11-19T12:00Z"))
        assert len(due(typist)) == 1
