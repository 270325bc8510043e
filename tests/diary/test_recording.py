"""Drafts and captures: the segment under way, what becomes of it, and what a rule refuses."""

from pathlib import Path

import msgspec
import pytest

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.recording import NoMomentError
from diary.rules.ids import Millis, Slot
from diary.rules.sealed_content import StampedText
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week, starts_at_ms
from diary.store import drafts, outbox, versions
from tests.practice import BUSY_MINUTE, SCREEN, draft_of, practice_diary, record_slot, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
TEN_PAST = slot("2026-11-16T09:10Z")


def stands(diary: Diary, place: Place) -> SegmentView:
    segment = diary.segment(place)
    assert segment is not None
    return segment


def not_before(diary: Diary, place: Place) -> set[int]:
    held = versions.at_place(diary._state.connection, *place)
    return {int(stored.not_before_ms or 0) for stored in held if stored.waits}


@rule("R32")
def test_a_recorded_slot_is_a_capture_and_the_entry_first_written_with_it(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, labels=["code"])
    with diary:
        place = record_slot(diary, contract, NINE, memo="reading", label="code")
        kinds = [stored.header.type for stored in versions.at_place(diary._state.connection, *place)]
        assert kinds == ["capture", "entry"]
        found = stands(diary, place)
        assert (found.kind, found.memo, found.label, found.activity) == ("automatic", "reading", "code", 10)
        assert found.bills
        assert [diary.picture(found.snapshots[0].screen), diary.picture(found.snapshots[0].thumbnail)] == [
            SCREEN,
            SCREEN[:16],
        ]


def test_a_slot_without_memo_and_label_has_no_entry(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE, memo=None)
        assert len(versions.at_place(diary._state.connection, *place)) == 1
        assert stands(diary, place).memo == ""


@rule("R32")
def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        before = versions.at_place(diary._state.connection, *place)
        record_slot(diary, contract, NINE, memo="again", picture=b"another")
        assert versions.at_place(diary._state.connection, *place) == before


@rule("R16")
def test_a_capture_without_a_picture_is_manual_and_says_why(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        found = stands(diary, record_slot(diary, contract, NINE, picture=None))
        assert (found.kind, found.no_picture, found.why_not) == (
            "manual",
            ("the screen was locked",),
            "manual_not_allowed",
        )


@rule("R12")
def test_a_draft_whose_snapshot_was_never_taken_is_not_recorded(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        draft = msgspec.structs.replace(draft_of(contract, NINE), moment=None, pictures=())
        diary.keep_draft(draft)
        with pytest.raises(NoMomentError):
            diary.record(draft)
        diary.drop_draft((contract.id, NINE))
        assert diary.drafts() == ()
        assert diary.segment((contract.id, NINE)) is None


@rule("R19")
def test_a_draft_outlives_the_process_and_becomes_the_capture_after_it(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    draft = draft_of(contract, NINE)
    with diary:
        diary.keep_draft(msgspec.structs.replace(draft, moment=None, pictures=()))
        diary.keep_draft(draft)
    with Diary.open(diary.home, clock=clock) as again:
        assert again.drafts() == (draft,)
        again.record(again.drafts()[0])
        assert again.drafts() == ()
        assert stands(again, (contract.id, NINE)).kind == "automatic"


@rule("R12")
def test_the_segment_under_way_is_shown_with_its_snapshot(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        minutes = (BUSY_MINUTE, *(None,) * 9)
        diary.keep_draft(msgspec.structs.replace(draft_of(contract, NINE), minutes=minutes))
        found = stands(diary, (contract.id, NINE))
        assert (found.state, found.tracked_minutes, found.bills) == ("draft", 1, False)
        assert diary.picture(found.snapshots[0].screen) == SCREEN
        assert diary.week(Week.of(NINE)).totals == ()


@rule("R19")
def test_pictures_of_a_draft_are_sealed_once_and_the_rest_every_time(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        draft = draft_of(contract, NINE)
        connection = diary._state.connection
        diary.keep_draft(draft)
        pictures = drafts.pictures(connection, contract.id, NINE)
        kept = drafts.find(connection, contract.id, NINE)
        assert len(pictures) == 2
        diary.keep_draft(draft)
        assert drafts.pictures(connection, contract.id, NINE) == pictures
        assert drafts.find(connection, contract.id, NINE) != kept
        changed = msgspec.structs.replace(draft, pictures=(("screen", b"masked now"),))
        diary.keep_draft(changed)
        assert diary.drafts() == (changed,)


@rule("R12")
def test_a_slot_that_a_switch_gave_to_another_contract_has_one_draft(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        before = msgspec.structs.replace(draft_of(contract, NINE), moment=None, pictures=())
        earlier = draft_of(contract, Slot(NINE - 1))
        switched = msgspec.structs.replace(before, contract=diary.new_contract(title="Bakery").id)
        for draft in (earlier, before, switched):
            diary.keep_draft(draft)
        assert diary.drafts() == (earlier, switched)


@rule("R12")
def test_a_draft_whose_snapshot_was_taken_stays_with_its_contract(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        taken = draft_of(contract, NINE)
        other = draft_of(diary.new_contract(title="Bakery"), NINE)
        diary.keep_draft(taken)
        diary.keep_draft(other)
        assert {draft.contract for draft in diary.drafts()} == {taken.contract, other.contract}


@rule("R12")
def test_nothing_is_recorded_in_a_slot_removed_under_way(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    draft = draft_of(contract, NINE)
    place = (contract.id, NINE)
    with diary:
        diary.keep_draft(draft)
        assert diary.remove([place]).done == (place,)
        assert not diary.keep_draft(draft)
        assert [one.removed for one in diary.drafts()] == [True]
        clock.put(starts_at_ms(Slot(NINE + 1)))
        diary.record(draft)
        assert diary.segment(place) is None
        assert [one.removed for one in diary.drafts()] == [True]


@rule("R12")
def test_what_was_recorded_and_removed_before_it_was_sent_is_not_recorded_again(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, NINE)
        diary.remove([place])
        record_slot(diary, contract, NINE)
        assert diary.segment(place) is None


@rule("R36")
def test_a_memo_typed_into_the_segment_under_way_wins_over_the_one_it_began_with(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    place = (contract.id, NINE)
    with diary:
        draft = draft_of(contract, NINE, memo="began with", replica=diary.replica)
        diary.keep_draft(draft)
        clock.put(clock.now_ms() + 60_000)
        diary.edit([place], memo="typed")
        diary.keep_draft(draft)
        assert stands(diary, place).memo == "typed"
        clock.put(starts_at_ms(Slot(NINE + 1)))
        diary.record(draft)
        assert stands(diary, place).memo == "typed"


@rule("R36")
def test_a_memo_that_the_tracker_applies_keeps_the_stamp_of_its_typing(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        typed = StampedText("typed long ago", (starts_at_ms(NINE) - 5_000_000, diary.replica))
        draft = msgspec.structs.replace(draft_of(contract, NINE), memo=typed)
        diary.record(draft)
        entry = versions.at_place(diary._state.connection, contract.id, NINE)[-1]
        assert entry.header.stamp == typed.stamp


@rule("R17")
def test_row_and_entry_are_held_until_the_notice_period_ends(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        diary.set_setting("hold_seconds", 3600)
        place = record_slot(diary, contract, NINE)
        ends_at = starts_at_ms(NINE) + 300_000 + 3_600_000
        assert not_before(diary, place) == {ends_at}
        assert stands(diary, place).state == "held"
        assert diary.status().held == 1
        diary.edit([place], memo="within the notice period")
        assert not_before(diary, place) == {ends_at}
        clock.put(ends_at)
        assert stands(diary, place).state == "unsynced"
        assert diary.status().held == 0


@rule("R17")
def test_the_notice_period_ends_a_minute_before_the_lock_at_the_latest(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    last = Slot(Week.of(NINE).slots[-1])
    with diary:
        diary.note_server_clock(13 * 3_600_000)  # this machine's clock is half a day behind
        place = record_slot(diary, contract, last)
        assert not_before(diary, place) == {Week.of(NINE).locked_at_ms - 60_000}


def closed_before(tmp_path: Path, at: Slot) -> tuple[Diary, GivenClock, Contract]:
    diary, clock, contract = practice_diary(tmp_path)
    clock.put(starts_at_ms(at) - 1)  # the slot is under way at no instant before the closing
    diary.change_terms(contract.id, state="closed")
    return diary, clock, contract


@rule("R37d")
def test_a_capture_that_a_rule_refuses_is_listed_and_shown_as_refused(tmp_path: Path) -> None:
    diary, _, contract = closed_before(tmp_path, TEN_PAST)
    with diary:
        place = record_slot(diary, contract, TEN_PAST, memo="too late for this")
        assert diary.drafts() == ()
        refusals = {(one.slot, one.what, one.reason, one.memo) for one in diary.refusals()}
        assert refusals == {
            (TEN_PAST, "capture", "contract_closed", ""),
            (TEN_PAST, "entry", "contract_closed", "too late for this"),
        }
        found = stands(diary, place)
        assert (found.state, found.bills) == ("refused", False)
        assert diary.picture(found.snapshots[0].screen) == SCREEN
        assert diary.week(Week.of(TEN_PAST)).totals == ()
        assert outbox.waiting(diary._state.connection, Millis(0), Slot(0)).segments == 0


@rule("R25")
def test_a_refused_capture_can_be_removed_with_all_that_it_kept(tmp_path: Path) -> None:
    diary, _, contract = closed_before(tmp_path, TEN_PAST)
    with diary:
        place = record_slot(diary, contract, TEN_PAST)
        assert diary.remove([place]).done == (place,)
        assert diary._state.connection.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        assert {one.memo for one in diary.refusals()} == {""}
        bodies = diary._state.connection.execute("SELECT header, sealed FROM refusal").fetchall()
        assert set(bodies) == {(None, None)}


@rule("R39")
def test_after_the_lock_a_capture_is_late_and_an_unsent_one_waits(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        clock.put(Week.of(NINE).locked_at_ms)
        found = stands(diary, record_slot(diary, contract, NINE))
        assert (found.state, found.bills, found.why_not) == ("unsynced", False, "late")
