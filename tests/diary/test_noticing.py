"""The notice period runs from the notification, and outlives who showed it."""

from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.noticing import NOTICES_MAX
from diary.rules.ids import Millis, Slot
from diary.rules.timesheet import Place
from diary.rules.week import Week, starts_at_ms
from diary.store import versions
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
TAKEN_MS = starts_at_ms(NINE) + 300_000
Begun = tuple[Diary, GivenClock, Contract]


@pytest.fixture
def begun(tmp_path: Path) -> Begun:
    return practice_diary(tmp_path)


def not_before(diary: Diary, place: Place) -> set[int]:
    held = versions.at_place(diary._state.connection, *place)
    return {int(stored.not_before_ms or 0) for stored in held if stored.waits}


@rule("R17")
def test_the_notice_period_runs_from_the_notification(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        clock.put(Millis(TAKEN_MS + 4_000))
        diary.note_notice((contract.id, NINE), "bus :1.7 3")
        place = record_slot(diary, contract, NINE)
        assert not_before(diary, place) == {TAKEN_MS + 64_000}


@rule("R17")
def test_one_shown_after_the_recording_holds_back_what_waits(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        others = diary.due()
        place = record_slot(diary, contract, NINE)
        assert not diary.status().held  # its period ended while the slot was under way
        clock.put(Millis(TAKEN_MS + 3_600_000))
        diary.note_notice(place, "bus :1.7 3")
        assert not_before(diary, place) == {TAKEN_MS + 3_660_000}
        assert diary.status().held == 1
        assert diary.due() == others


@rule("R17")
def test_a_late_notification_holds_back_to_a_minute_before_the_lock_at_most(begun: Begun) -> None:
    diary, clock, contract = begun
    locked_at_ms = Week.of(NINE).locked_at_ms
    with diary:
        place = record_slot(diary, contract, NINE)
        clock.put(Millis(locked_at_ms - 70_000))
        diary.note_notice(place, "bus :1.7 3")
        assert not_before(diary, place) == {locked_at_ms - 60_000}


@rule("R17")
def test_notification_and_hold_outlive_the_process(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        shown_ms = clock.now_ms()
        diary.note_notice(place, "bus :1.7 3")
    with Diary.open(diary.home, clock=clock) as again:
        (notice,) = again.notices()
        assert (notice.place, notice.handle) == (place, "bus :1.7 3")
        assert again.is_held(notice)
        assert not_before(again, place) == {shown_ms + 60_000}
        clock.put(Millis(shown_ms + 60_000))
        assert not again.is_held(notice)


@rule("R17")
def test_a_removed_segment_has_no_notification(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        others = diary.due()
        place = record_slot(diary, contract, NINE)
        diary.note_notice(place, "bus :1.7 3")
        diary.remove([place])
        assert diary.notices() == ()
        assert diary.due() == others


@rule("R17")
def test_only_the_latest_notifications_are_remembered(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        for later in range(NOTICES_MAX + 2):
            diary.note_notice((contract.id, Slot(NINE + later)), str(later))
        diary.note_notice((contract.id, Slot(NINE + 5)), "shown again")
        known = diary.notices()
        assert len(known) == NOTICES_MAX
        assert known[-1].handle == "shown again"
        assert [each.slot for each in known].count(Slot(NINE + 5)) == 1


@rule("R17")
def test_the_newest_snapshot_is_that_of_the_segment_under_way(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        assert diary.last_snapshot() is None
        earlier = record_slot(diary, contract, NINE)
        record_slot(diary, contract, Slot(NINE + 1), picture=None)
        last = diary.last_snapshot()
        assert last == earlier
        diary.keep_draft(draft_of(contract, Slot(NINE + 2)))
        assert diary.last_snapshot() == (contract.id, NINE + 2)
        diary.remove([(contract.id, Slot(NINE + 2))])
        assert diary.last_snapshot() == last


@rule("R19")
def test_months_of_notifications_leave_the_file_no_larger(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        connection = diary._state.connection

        def pages_after(count: int) -> int:
            for later in range(count):
                diary.note_notice((contract.id, Slot(NINE + later)), f"bus :1.7 {later}")
            return int(connection.execute("PRAGMA page_count").fetchone()[0])

        assert pages_after(20) == pages_after(300)
