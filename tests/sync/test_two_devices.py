"""Two devices of one account, offline and together, through a real server (R33-R37)."""

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import Week
from diary.store import versions
from sync.enrolment import register
from sync.transport import UnreachableError
from tests.practice import SCREEN, instant, record_slot, slot
from tests.rule import rule
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")
WEEK = Week.of(TEN)


def shown(device: Device) -> list[tuple[int, str, str, str, tuple[str, ...]]]:
    """Return what a person sees of the week, receipts and pictures included."""
    return [
        (
            one.slot,
            one.state,
            one.memo,
            f"{one.kind} {one.activity} {one.received_at_ms} {one.bills}",
            tuple(snapshot.screen for snapshot in one.snapshots),
        )
        for one in device.diary.week(WEEK).segments
    ]


@rule("R50")
def test_registering_pushes_everything_from_the_first_version(stage: Stage) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    places = [record_slot(a.diary, contract, at) for at in (TEN, ELEVEN)]
    assert {a.segment(place).state for place in places} == {"unsynced"}
    register(a.diary, a.line)
    assert {a.segment(place).state for place in places} == {"synced"}
    assert a.sync().pushed == 0


@rule("R50")
def test_a_second_device_by_the_phrase_shows_the_same_week(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN, ELEVEN])
    assert b.diary.contract("Practice").id == contract.id
    assert shown(b) == shown(a)
    picture = b.segment((contract.id, TEN)).snapshots[0].screen
    assert b.diary.picture(picture) == SCREEN + str(TEN).encode()


@rule("R49")
def test_a_contract_made_on_one_device_opens_on_the_other(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [])
    b.diary.new_contract(title="Made on the second")
    b.sync()
    a.sync()
    assert a.diary.contract("Made on the second").title == "Made on the second"


@rule("R49")
def test_a_device_that_joins_later_is_granted_what_was_made_before_anybody_knew_of_it(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [])
    c = stage.another(a.diary.phrase() or "")
    # A does not know of C yet; its grants name only A, B and recovery.
    made = a.diary.new_contract(title="Made in ignorance")
    a.sync()
    b.sync()
    c.sync()
    assert c.diary.contract("Made in ignorance").id == made.id


@rule("R36")
def test_both_edit_a_segment_offline_and_show_the_same_memo(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="of a, earlier")
    b.clock.put(b.clock.now_ms() + 60_000)
    b.diary.edit([place], memo="of b, later")
    for device in (a, b, a):
        device.sync()
    assert {a.segment(place).memo, b.segment(place).memo} == {"of b, later"}
    assert shown(a) == shown(b)


@rule("R34")
def test_an_edit_after_both_covers_both(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="of a")
    b.diary.edit([place], memo="of b")
    for device in (a, b, a):
        device.sync()
    a.clock.put(a.clock.now_ms() - 300_000)
    acts = a.diary.edit([place], memo="of a again, by a clock that is late")
    assert acts.done == (place,), acts.refused
    a.sync()
    b.sync()
    assert b.segment(place).memo == "of a again, by a clock that is late"
    assert len(b.segment(place).versions) == len(a.segment(place).versions)


@rule("R26")
def test_a_memo_that_the_other_device_displaced_can_be_looked_up(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="second")
    a.sync()
    b.sync()
    assert [text.text for text in b.diary.memo_history(place)] == ["first"]
    b.diary.remove([place])
    assert b.diary.memo_history(place) == ()


@rule("R35")
@rule("R25")
def test_a_deletion_on_one_device_beats_an_edit_on_the_other(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN, ELEVEN])
    place = (contract.id, TEN)
    kept = {snapshot.screen for snapshot in a.segment((contract.id, ELEVEN)).snapshots}
    gone = a.segment(place).snapshots[0].screen
    a.diary.remove([place])
    b.clock.put(b.clock.now_ms() + 60_000)
    b.diary.edit([place], memo="edited meanwhile")
    for device in (a, b, a):
        device.sync()
    assert {a.segment(place).state, b.segment(place).state} == {"deleted"}
    assert {a.segment(place).memo, b.segment(place).memo} == {""}
    assert shown(a) == shown(b)
    for device in (a, b):
        assert device.diary.sealed_picture(gone) is None
        assert all(device.diary.sealed_picture(name) is not None for name in kept)
    names = {path.name for path in stage.stored_pictures()}
    assert not any(gone in name for name in names)
    assert len(names) == 2


@rule("R25")
def test_what_was_deleted_elsewhere_is_in_no_file_of_this_device(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    gone = b.diary.sealed_picture(b.segment((contract.id, TEN)).snapshots[0].screen)
    assert gone is not None
    a.diary.remove([(contract.id, TEN)])
    a.sync()
    b.sync()
    files = b"".join(path.read_bytes() for path in b.diary.home.iterdir() if path.is_file())
    assert gone[:64] not in files
    assert gone[:64] not in stage.stored_bytes()


@rule("R35")
def test_a_capture_of_a_slot_that_was_deleted_elsewhere_is_refused_and_listed(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    record_slot(b.diary, contract, TEN, memo="b was there too")
    a.diary.remove([(contract.id, TEN)])
    a.sync()
    b.sync()
    assert b.segment((contract.id, TEN)).state == "deleted"
    assert {refusal.reason for refusal in b.diary.refusals()} == {"slot_deleted"}
    assert b.diary.queue().versions == 0


@rule("R32")
def test_both_devices_record_one_slot_and_it_counts_once_with_both_snapshots(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    for device in (a, b):
        record_slot(device.diary, contract, TEN, memo=f"of {device.diary.device_name}")
    for device in (a, b, a):
        device.sync()
    assert shown(a) == shown(b)
    (one,) = a.segments(TEN)
    assert len(one.snapshots) == 2
    minute = one.minutes[0]
    assert minute is not None
    assert minute.keystrokes == 24


@rule("R37")
def test_an_edit_that_reaches_the_server_after_the_lock_is_refused_and_the_record_shows_again(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    b.diary.edit([place], memo="written in time, sent too late")
    stage.put_clocks(AFTER_THE_LOCK)
    report = b.sync()
    assert [(row.slot, row.reason) for row in report.refused] == [(TEN, "week_locked")]
    assert [(one.reason, one.memo) for one in b.diary.refusals()] == [
        ("week_locked", "written in time, sent too late")
    ]
    a.sync()
    assert a.segment(place).memo == b.segment(place).memo == "first"


@rule("R37")
def test_a_deletion_that_reaches_the_server_after_the_lock_is_refused_and_the_content_comes_back(
    stage: Stage,
) -> None:
    _, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    b.diary.remove([place])
    stage.put_clocks(AFTER_THE_LOCK)
    report = b.sync()
    assert [(row.slot, row.reason) for row in report.refused] == [(TEN, "week_locked")]
    back = b.segment(place)
    assert (back.memo, back.kind, back.state) == ("first", "automatic", "synced")
    assert b.diary.picture(back.snapshots[0].screen) == SCREEN + str(TEN).encode()
    assert [(one.what, one.memo) for one in b.diary.refusals()] == [("deletion", "")]


@rule("R38")
def test_a_capture_that_first_arrives_after_the_lock_is_late_on_both(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    record_slot(b.diary, contract, TEN)
    stage.put_clocks(AFTER_THE_LOCK)
    b.diary.send_asked()
    b.sync()
    a.sync()
    assert a.segment((contract.id, TEN)).state == "late"
    assert not a.segment((contract.id, TEN)).bills


@rule("R20")
@rule("R39")
def test_a_device_learns_how_wrong_its_clock_is(stage: Stage) -> None:
    a = stage.first()
    a.clock.put(instant("2026-11-18T12:07Z"))
    a.sync()
    assert a.diary.now_ms() == instant("2026-11-18T12:00Z")


def test_a_diary_opened_by_another_process_meanwhile_sees_what_came(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    with Diary.open(b.diary.home, clock=b.clock) as looking:
        a.diary.edit([(contract.id, TEN)], memo="new")
        a.sync()
        b.sync()
        seen = looking.segment((contract.id, Slot(TEN)))
        assert seen is not None
        assert seen.memo == "new"


@rule("R25")
@rule("R35")
def test_what_is_recorded_where_a_deletion_is_known_leaves_no_text_in_it(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.remove([place])
    a.sync()
    b.sync()
    record_slot(b.diary, contract, TEN, memo="b was there too")
    assert (b.segment(place).state, b.segment(place).memo) == ("deleted", "")
    assert b.diary.queue().versions == 0
    assert {refusal.reason for refusal in b.diary.refusals()} == {"slot_deleted"}


@rule("R37d")
@rule("R38")
def test_late_time_that_is_removed_before_it_ever_arrived_is_deleted_everywhere(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(b.diary, contract, TEN)
    stage.put_clocks(AFTER_THE_LOCK)
    b.diary.send_asked()
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    b.diary.remove([place])
    b.sync()
    a.sync()
    assert b.diary.refusals() == ()
    assert {a.segment(place).state, b.segment(place).state} == {"deleted"}


@rule("R35")
def test_time_that_is_added_again_and_removed_before_it_ever_arrived_is_deleted_everywhere(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    b.diary.remove([place])
    b.sync()
    b.diary.add_manual(contract.id, [TEN], "added again")
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    b.diary.remove([place])
    b.sync()
    a.sync()
    assert b.diary.refusals() == ()
    assert b.diary.queue().versions == 0
    assert {a.segment(place).life, b.segment(place).life} == {3}


@rule("R37d")
def test_an_edit_of_an_edit_that_never_arrived_leaves_both_refused_and_the_record_whole(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    b.diary.edit([place], memo="second")
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    b.diary.edit([place], memo="third")
    stage.put_clocks(AFTER_THE_LOCK)
    b.sync()
    assert sorted(refusal.memo for refusal in b.diary.refusals()) == ["second", "third"]
    assert (b.segment(place).memo, b.segment(place).state) == ("first", "synced")
    assert shown(a) == shown(b)


@rule("R25")
def test_an_edit_that_was_edited_while_it_was_under_way_is_destroyed_with_its_receipt(stage: Stage) -> None:
    _, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    b.diary.edit([place], memo="second")
    (name,) = b.segment(place).versions[-1:]
    sealed = versions.find(b.diary._state.connection, name)
    b.failing.fates = ["pass", "lose"]
    with pytest.raises(UnreachableError):
        b.sync()
    b.diary.edit([place], memo="third")
    b.sync()
    assert b.segment(place).memo == "third"
    files = b"".join(path.read_bytes() for path in b.diary.home.iterdir() if path.is_file())
    assert sealed is not None
    assert sealed.sealed.body is not None
    assert sealed.sealed.body[:64] not in files
    assert sealed.sealed.body[:64] not in stage.stored_bytes()


@rule("R37d")
def test_what_never_arrived_is_listed_as_refused_when_another_device_deleted_the_segment(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = record_slot(b.diary, contract, TEN, memo="b was there too")
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    a.diary.remove([place])
    a.sync()
    b.sync()
    assert b.segment(place).state == "deleted"
    assert ("capture", "slot_deleted") in {(one.what, one.reason) for one in b.diary.refusals()}
    assert b.diary.queue().versions == 0


@rule("R25")
def test_removing_what_was_added_again_and_edited_here_removes_it_for_everybody(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.remove([place])
    a.diary.add_manual(contract.id, [TEN], "added again")
    a.sync()
    b.sync()
    b.diary.edit([place], memo="edited, not sent")
    b.diary.remove([place])
    assert b.segment(place).state == "deleted"
    b.sync()
    a.sync()
    assert {a.segment(place).life, b.segment(place).life} == {3}


@rule("R40")
@rule("R47")
def test_a_stamp_that_was_ahead_is_corrected_to_just_after_what_the_entry_said_already(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN, ELEVEN])
    a.diary.change_terms(contract.id, labels=("x",))
    a.sync()
    b.sync()
    # Either way round: of two equal stamps the replica's id decides.
    for writer, other, at in ((a, b, TEN), (b, a, ELEVEN)):
        writer.diary.edit([(contract.id, at)], memo="typed at this moment")
        writer.sync()
        other.sync()
        other.clock.put(other.clock.now_ms() + 3_600_000)
        other.diary.edit([(contract.id, at)], label="x")
        assert other.sync().refused == ()
        other.clock.put(stage.clock.now_ms())
        other.sync()
    for device in (a, b):
        device.sync()
        found = [device.segment((contract.id, at)) for at in (TEN, ELEVEN)]
        assert [(one.memo, one.label, one.defective) for one in found] == [
            ("typed at this moment", "x", False)
        ] * 2
