"""Weeks, pictures, refusals and the state in one look."""

from pathlib import Path

import msgspec
import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.showing import NoPictureError
from diary.store import pictures, versions
from tests.diary.answered import received
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
WEEK = Week.of(NINE)


def memos(diary: Diary) -> list[str]:
    return [segment.memo for segment in diary.week(WEEK).segments]


@rule("R24")
def test_a_week_shows_its_segments_by_slot_and_then_by_contract(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        other = diary.new_contract(title="Other")
        for one in (contract, other):
            record_slot(diary, one, Slot(NINE + 1))
        record_slot(diary, contract, NINE)
        view = diary.week(WEEK)
        places = [(segment.slot, segment.contract) for segment in view.segments]
        assert places == sorted(places)
        assert len(places) == 3
        assert (view.locked_at_ms, view.frozen) == (WEEK.locked_at_ms, False)


@rule("R28")
def test_of_two_contracts_in_one_slot_one_bills(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, rate_minor=600)
    with diary:
        other = diary.new_contract(title="Other", rate_minor=600)
        for one in (contract, other):
            record_slot(diary, one, NINE)
        whys = sorted(segment.why_not or "" for segment in diary.week(WEEK).segments)
        assert whys == ["", "overlapping"]
        assert sum(total.amount_minor for total in diary.week(WEEK).totals) == 100


@rule("R27")
def test_removing_an_earlier_segment_lets_a_later_one_into_the_limit(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, limit_minutes=20)
    with diary:
        places = [record_slot(diary, contract, Slot(NINE + number)) for number in range(3)]
        assert [segment.why_not for segment in diary.week(WEEK).segments] == [None, None, "over_limit"]
        diary.remove(places[:1])
        assert [segment.why_not for segment in diary.week(WEEK).segments] == [None, None]


@rule("R24")
def test_a_received_segment_is_synced_and_one_received_after_the_lock_is_late(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        connection = diary._state.connection
        for number, received_at in ((0, clock.now_ms()), (1, WEEK.locked_at_ms)):
            place = record_slot(diary, contract, Slot(NINE + number), memo=None)
            name = versions.at_place(connection, *place)[0].header.name
            received(connection, name, at_ms=received_at, index=40 + number)
        found = [
            (one.state, one.received_at_ms, one.leaf_index, one.bills) for one in diary.week(WEEK).segments
        ]
        assert found[0] == ("synced", slot_start(NINE), 40, True)
        assert found[1] == ("late", WEEK.locked_at_ms, 41, False)


def slot_start(at: Slot) -> int:
    return at * 600_000


@rule("R47")
def test_a_row_that_does_not_open_is_defective_and_hides_nothing_else(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE, memo="still to be read")
        record_slot(diary, contract, Slot(NINE + 1), memo="untouched")
        diary._state.connection.execute("DROP TRIGGER sealed_is_only_emptied")
        diary._state.connection.execute(
            """
            UPDATE sealed
               SET body = zeroblob(length(body))
             WHERE id = (SELECT sealed FROM version WHERE type = 'capture' AND slot = :slot)
            """,
            {"slot": NINE},
        )
    with Diary.open(diary.home, clock=clock) as again:
        broken, whole = again.week(WEEK).segments
        assert (broken.defective, broken.memo, broken.bills) == (True, "still to be read", True)
        assert (whole.defective, whole.memo) == (False, "untouched")
        assert again.segment(place) == broken


@rule("R47")
def test_content_of_another_place_is_defective(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        name = versions.at_place(diary._state.connection, *place)[0].header.name
        content = diary._state.contents[name]
        diary._state.contents[name] = msgspec.structs.replace(content, slot=Slot(1))
        assert diary.week(WEEK).segments[0].defective


@rule("R41")
def test_a_picture_that_is_not_here_says_so(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        shot = only(diary).snapshots[0]
        connection = diary._state.connection
        connection.execute("UPDATE picture SET sealed = NULL, at_server = 1")
        assert [one.name for one in pictures.to_fetch(connection)] == [shot.screen, shot.thumbnail]
        draft = f"draft-{place[0]}-{place[1]}-0"
        for name in (shot.screen, "0" * 64, draft, "draft-x", "draft-a-b-c", ""):
            with pytest.raises(NoPictureError) as fault:
                diary.picture(name)
            assert fault.value.exit_code == 1


def only(diary: Diary) -> SegmentView:
    (segment,) = diary.week(WEEK).segments
    return segment


@rule("R12")
def test_the_state_in_one_look(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, labels=["code"])
    with diary:
        diary.set_setting("zone", "UTC")
        record_slot(diary, contract, NINE)
        record_slot(diary, contract, slot("2026-11-17T09:00Z"))
        record_slot(diary, contract, slot("2026-11-17T09:10Z"))
        diary.start(contract.id, "the state of things", "code")
        state = diary.status()
        assert (state.tracking, state.contract_title, state.memo, state.label) == (
            True,
            "Practice",
            "the state of things",
            "code",
        )
        assert state.since_ms == clock.now_ms()
        assert (state.today_minutes, state.week_minutes) == (20, 30)
        assert (state.unsynced, state.held, state.refused, state.pictures_left) == (3, 0, 0, 6)
        diary.stop()
        assert (diary.status().tracking, diary.status().memo, diary.status().since_ms) == (False, "", None)


@rule("R5")
def test_today_is_the_local_day_of_the_chosen_zone(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, at="2026-11-16T17:00Z")
    with diary:
        for at in ("2026-11-16T18:00Z", "2026-11-16T18:10Z", "2026-11-16T18:20Z"):
            record_slot(diary, contract, slot(at))
        clock.put(slot_start(slot("2026-11-17T09:00Z")))
        minutes = {}
        for zone in ("UTC", "Asia/Kathmandu"):
            diary.set_setting("zone", zone)
            minutes[zone] = diary.status().today_minutes
        # Midnight in Kathmandu is 18:15 UTC: the slot that starts at 18:20 is today's.
        assert minutes == {"UTC": 0, "Asia/Kathmandu": 10}


@rule("R2")
def test_the_weeks_that_hold_anything_come_newest_first(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        assert diary.weeks() == ()
        record_slot(diary, contract, NINE)
        record_slot(diary, contract, slot("2026-11-23T09:00Z"))
        assert [week.name for week in diary.weeks()] == ["2026-W48", "2026-W47"]


def test_what_another_process_wrote_is_seen_at_once(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary, Diary.open(diary.home, clock=clock) as other:
        place = record_slot(diary, contract, NINE, memo="one")
        assert memos(other) == ["one"]
        other.edit([place], memo="two")
        assert memos(diary) == ["two"]
        diary.remove([place])
        assert memos(other) == []


@rule("R36")
def test_dropping_what_is_at_hand_in_memory_changes_nothing(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        diary.edit([place], memo="edited")
        before = diary.week(WEEK)
        diary._state.contents.clear()
        diary._state.epoch_keys.clear()
        diary._state.weeks.clear()
        assert diary.week(WEEK) == before
        assert diary.week(WEEK) is diary.week(WEEK)


@rule("R24")
def test_a_week_at_hand_is_worked_out_anew_when_its_time_has_come(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        diary.set_setting("hold_seconds", 3600)
        record_slot(diary, contract, NINE)
        seen: list[str] = [only(diary).state]
        for at_ms in (clock.now_ms() + 3_600_000, WEEK.locked_at_ms, slot_start(NINE)):
            clock.put(at_ms)
            seen.append(f"{only(diary).state} {only(diary).why_not} {diary.week(WEEK).frozen}")
        assert seen == ["held", "unsynced None False", "unsynced late True", "held None False"]


@rule("R24")
def test_the_view_for_datasette_shows_each_segment_once_through_the_opening_function(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        connection = diary._state.connection
        connection.create_function("diary_opened", 3, lambda of, at, field: f"{field} of {at} in {of}")
        rows = connection.execute("SELECT contract, slot, week, start_utc, memo FROM segment").fetchall()
        said = f"memo of {place[1]} in {place[0]}"
        assert rows == [(*place, "2026-W47", "2026-11-16T09:00:00Z", said)]


@rule("R12")
def test_the_segment_under_way_is_automatic_until_it_says_why_there_is_no_picture(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        draft = draft_of(contract, NINE)
        awaited = msgspec.structs.replace(draft, moment=None, pictures=())
        for under_way, kind in (
            (awaited, "automatic"),
            (draft, "automatic"),
            (msgspec.structs.replace(awaited, no_picture="locked"), "manual"),
        ):
            diary.keep_draft(under_way)
            assert [(one.kind, one.state) for one in diary.week(WEEK).segments] == [(kind, "draft")]
