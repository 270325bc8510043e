"""Edits, manual time, removals and undoing, as the freelancer meets them."""

from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.contracts import Contract, UnknownLabelError
from diary.correcting import NoMemoError, NoSegmentError
from diary.diary import Acts, Diary
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import standing
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from diary.store import versions
from diary.store.versions import held_of
from diary.undoing import NothingToUndoError
from tests.diary.answered import pushed, received
from tests.practice import practice_diary, record_slot, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
EIGHT = slot("2026-11-16T08:00Z")
LOCK = Week.of(NINE).locked_at_ms
Begun = tuple[Diary, GivenClock, Contract]


@pytest.fixture
def begun(tmp_path: Path) -> Begun:
    return practice_diary(tmp_path, manual_allowed=True, labels=["code", "talk"])


def stands(diary: Diary, place: Place) -> SegmentView:
    segment = diary.segment(place)
    assert segment is not None
    return segment


def reasons(acts: Acts) -> list[str]:
    return [refused.reason for _, refused in acts.refused]


def sent(diary: Diary, place: Place) -> None:
    """Let every version of a place stand as the server took it."""
    connection = diary._state.connection
    for stored in versions.at_place(connection, *place):
        pushed(connection, stored.header.name, "a" * 64)
        received(connection, stored.header.name, at_ms=diary.now_ms(), index=stored.header.n)


def second_device(diary: Diary, home: Path) -> Diary:
    phrase = diary.phrase()
    assert phrase is not None
    state = diary._state
    newest = versions.slotless(state.connection, "device_list", state.contract_of_account)[-1].sealed
    place = choose_place(home, "file")
    return Diary.join_account(
        home, clock=diary.clock, place=place, device_name="two", phrase=phrase, device_lists=[newest]
    )


@rule("R26")
def test_an_edit_says_the_new_and_remembers_the_old_until_the_week_freezes(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE, memo="first")
        diary.edit([place], memo="second")
        diary.edit([place], memo="third", label="talk")
        found = stands(diary, place)
        assert (found.memo, found.label) == ("third", "talk")
        assert [old.text for old in diary.memo_history(place)] == ["first", "second"]
    clock.put(LOCK)
    with Diary.open(diary.home, clock=clock) as again:
        assert again.memo_history(place) == ()
        assert again._state.connection.execute("SELECT count(*) FROM history").fetchone() == (0,)


@rule("R26")
def test_one_edit_covers_a_selection_of_several_contracts(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        other = diary.new_contract(title="Other")
        places = [record_slot(diary, one, NINE) for one in (contract, other)]
        assert diary.edit(places, memo="both").done == tuple(places)
        assert [stands(diary, place).memo for place in places] == ["both", "both"]


def test_an_edit_that_changes_nothing_writes_nothing(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE, memo="same")
        before = versions.at_place(diary._state.connection, *place)
        assert diary.edit([place], memo=" same ").done == (place,)
        assert versions.at_place(diary._state.connection, *place) == before
        with pytest.raises(NothingToUndoError):
            diary.undo()


@rule("R34")
def test_an_edit_covers_every_sibling_that_is_held(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        sent(diary, place)
        entry = versions.at_place(diary._state.connection, *place)[1]
        diary.edit([place], memo="later")
        newest = versions.at_place(diary._state.connection, *place)[-1]
        assert newest.header.vector == {diary.replica: newest.header.n}
        assert newest.header.n > entry.header.n
        stand = standing(map(held_of, versions.at_place(diary._state.connection, *place))).frontier
        assert [one.header.name for one in stand] == [newest.header.name]


@rule("R36")
def test_a_stamp_is_later_than_any_stamp_seen_though_the_clock_went_back(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        diary.edit([place], memo="now")
        stamped = versions.at_place(diary._state.connection, *place)[-1].header.stamp
        assert stamped is not None
        clock.put(clock.now_ms() - 100_000)
        diary.edit([place], memo="afterwards")
        newest = versions.at_place(diary._state.connection, *place)[-1].header.stamp
        assert newest == (stamped[0] + 1, diary.replica)


@rule("R7")
def test_a_needed_label_is_not_taken_away_and_not_left_out(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(
        tmp_path, labels=["code", "talk"], label_required=True, manual_allowed=True
    )
    with diary:
        place = record_slot(diary, contract, NINE, label="code")
        assert reasons(diary.edit([place], label="")) == ["label_required"]
        assert reasons(diary.add_manual(contract.id, [EIGHT], "no label")) == ["label_required"]
        assert diary.edit([place], memo="a memo alone").done == (place,)
        assert diary.edit([place], label="talk").done == (place,)
        with pytest.raises(UnknownLabelError):
            diary.edit([place], label="sleep")


@rule("R9")
def test_nothing_is_edited_or_added_on_a_paused_contract_but_it_can_be_removed(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        sent(diary, place)
        diary.change_terms(contract.id, state="paused")
        assert reasons(diary.edit([place], memo="x")) == ["contract_paused"]
        assert reasons(diary.add_manual(contract.id, [EIGHT], "x")) == ["contract_paused"]
        assert diary.remove([place]).done == (place,)


@rule("R39")
def test_after_the_lock_a_sent_segment_is_neither_edited_nor_removed(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE, memo="as it was")
        sent(diary, place)
        clock.put(LOCK)
        for acts in (diary.edit([place], memo="x"), diary.remove([place])):
            assert (acts.done, reasons(acts)) == ((), ["week_locked"])
        assert reasons(diary.add_manual(contract.id, [EIGHT], "x")) == ["week_locked"]
        assert stands(diary, place).memo == "as it was"


@rule("R39")
def test_within_the_clocks_uncertainty_the_server_has_the_last_word(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        sent(diary, place)
        clock.put(LOCK + 60_000)
        assert reasons(diary.edit([place], memo="x")) == ["week_locked"]
        diary.link_server("https://diary.example", "0" * 64)
        assert diary.edit([place], memo="x").done == (place,)
        clock.put(LOCK + 121_000)
        assert reasons(diary.edit([place], memo="y")) == ["week_locked"]


@rule("R21")
def test_manual_time_is_claimed_by_whole_slots_with_a_memo_where_allowed(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        acts = diary.add_manual(contract.id, [EIGHT, Slot(EIGHT + 1)], "on the phone", "talk")
        assert len(acts.done) == 2
        found = stands(diary, acts.done[0])
        assert (found.kind, found.memo, found.label, found.bills) == ("manual", "on the phone", "talk", True)
        with pytest.raises(NoMemoError):
            diary.add_manual(contract.id, [EIGHT], "  ")
        closed = diary.new_contract(title="No manual time")
        assert reasons(diary.add_manual(closed.id, [EIGHT], "x")) == ["manual_not_allowed"]
        assert reasons(diary.add_manual(contract.id, [Slot(NINE + 100)], "x")) == ["slot_in_future"]


@rule("R32")
def test_manual_time_is_not_added_where_time_stands(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        _, place = record_slot(diary, contract, NINE), (contract.id, NINE)
        acts = diary.add_manual(contract.id, [NINE, EIGHT], "x")
        assert (acts.done, reasons(acts)) == (((contract.id, EIGHT),), ["capture_exists"])
        assert stands(diary, place).kind == "automatic"


@rule("R35")
def test_removing_and_adding_again_raises_the_life_by_one_each(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        sent(diary, place)
        diary.remove([place])
        assert (stands(diary, place).state, stands(diary, place).life) == ("deleted", 1)
        assert reasons(diary.edit([place], memo="x")) == ["slot_deleted"]
        diary.add_manual(contract.id, [NINE], "again")
        found = stands(diary, place)
        assert (found.kind, found.life, found.memo) == ("manual", 2, "again")
        sent(diary, place)
        diary.remove([place])
        assert stands(diary, place).life == 3


@rule("R25")
def test_time_added_again_and_removed_unsent_leaves_the_deletion_before_it(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        sent(diary, place)
        diary.remove([place])
        diary.add_manual(contract.id, [NINE], "again")
        diary.remove([place])
        found = stands(diary, place)
        assert (found.state, found.life) == ("deleted", 1)
        waiting = [one.header.life for one in versions.at_place(diary._state.connection, *place) if one.waits]
        assert waiting == [1]


@rule("R25")
def test_what_was_never_sent_can_be_removed_after_the_lock_too(begun: Begun) -> None:
    diary, clock, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        clock.put(LOCK + 1)
        assert diary.remove([place]).done == (place,)
        assert diary.segment(place) is None


@rule("R17")
def test_where_another_device_is_listed_the_deletion_itself_is_kept_to_be_sent(
    begun: Begun, tmp_path: Path
) -> None:
    diary, _, contract = begun
    with diary, second_device(diary, tmp_path / "two") as second:
        connection = diary._state.connection
        listed = versions.slotless(second._state.connection, "device_list")[-1]
        versions.add(connection, listed.header, listed.sealed, written_at_ms=Millis(0))
        place = record_slot(diary, contract, NINE)
        diary.remove([place])
        left = versions.at_place(connection, *place)
        assert [(one.header.life, one.sealed.body, one.waits) for one in left] == [(1, None, True)]
        assert stands(diary, place).state == "deleted"


@rule("R25")
def test_removing_twice_is_removing_once(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        unsent, other = (record_slot(diary, contract, Slot(NINE + number)) for number in (0, 1))
        sent(diary, other)
        for _ in range(2):
            assert diary.remove([unsent, other, unsent]).done == (unsent, other)


@rule("R4")
def test_the_loss_is_said_before_it_is_done(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        places = [record_slot(diary, contract, Slot(NINE + number)) for number in range(3)]
        places += diary.add_manual(contract.id, [EIGHT], "by hand").done
        diary.remove(places[:1])
        loss = diary.loss_of(places)
        assert (loss.segments, loss.minutes, loss.pictures, loss.memos) == (3, 20, 2, 3)
        assert loss.contracts == ("Practice",)


def test_a_place_where_nothing_stands_fails_the_whole_act(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE, memo="stays")
        nothing = (contract.id, Slot(NINE + 50))
        with pytest.raises(NoSegmentError):
            diary.edit([place, nothing], memo="x")
        with pytest.raises(NoSegmentError):
            diary.remove([place, nothing])
        assert stands(diary, place).memo == "stays"


@rule("R26")
def test_undo_takes_back_the_last_edits_and_additions_one_by_one(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE, memo="first", label="code")
        diary.edit([place], memo="second", label="talk")
        added = diary.add_manual(contract.id, [EIGHT], "by hand").done
        assert diary.undo().done == added
        assert diary.segment(added[0]) is None
        assert diary.undo().done == (place,)
        assert (stands(diary, place).memo, stands(diary, place).label) == ("first", "code")
        with pytest.raises(NothingToUndoError):
            diary.undo()


@rule("R25")
def test_a_removal_is_never_undone(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        one, two = (record_slot(diary, contract, Slot(NINE + number), memo="first") for number in (0, 1))
        sent(diary, one)
        diary.edit([one, two], memo="second")
        diary.remove([one])
        assert diary.undo().done == (two,)
        assert stands(diary, one).state == "deleted"
        assert stands(diary, two).memo == "first"


@rule("R26")
def test_undoing_an_edit_of_a_draft_that_came_to_nothing_is_no_fault(begun: Begun) -> None:
    from tests.practice import draft_of

    diary, _, contract = begun
    with diary:
        diary.keep_draft(draft_of(contract, NINE, memo="under way"))
        diary.edit([(contract.id, NINE)], memo="typed")
        diary.drop_draft((contract.id, NINE))
        assert diary.undo() == Acts((), ())


@rule("R33")
def test_numbers_are_used_once_and_in_order(begun: Begun) -> None:
    diary, _, contract = begun
    with diary:
        place = record_slot(diary, contract, NINE)
        diary.remove([place])
        record_slot(diary, contract, Slot(NINE + 1))
        rows = diary._state.connection.execute("SELECT replica, n FROM version ORDER BY id").fetchall()
        assert {ReplicaId(row[0]) for row in rows} == {diary.replica}
        numbers = [row[1] for row in rows]
        assert numbers == sorted(numbers)
        assert len(numbers) == len(set(numbers))
        assert max(numbers) - len(numbers) == 2
