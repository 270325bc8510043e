"""A diary restored from a copy, or copied to another computer, goes on as a replica of its own (R42)."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.merge import standing
from diary.rules.week import Week
from diary.store import versions
from diary.store.versions import StoredVersion
from sync.enrolment import register
from sync.transport import UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")
NOON = slot("2026-11-18T11:50Z")


def device_of(stage: Stage, home: Path, like: Device) -> Device:
    line, failing = stage.line()
    device = Device(Diary.open(home, clock=like.clock), like.clock, line, failing)
    stage.devices.append(device)
    return device


def copied(stage: Stage, device: Device, *names: str) -> list[Device]:
    """Close a device and return it opened again, followed by its copies in folders of their own."""
    home = device.diary.home
    device.diary.close()
    copies = [Path(shutil.copytree(home, home.with_name(name))) for name in names]
    stage.devices.remove(device)
    device.line.close()
    return [device_of(stage, each, device) for each in (home, *copies)]


def restored_in_place(stage: Stage, device: Device, older: bytes) -> Device:
    """Return the device with its file's bytes put back: the same file to whoever looks at it."""
    home = device.diary.home
    device.diary.close()
    (home / "diary.db").write_bytes(older)
    stage.devices.remove(device)
    device.line.close()
    return device_of(stage, home, device)


def file_bytes(device: Device) -> bytes:
    """Return the closed file's bytes; the device is opened again."""
    home = device.diary.home
    device.diary.close()
    kept = (home / "diary.db").read_bytes()
    device.diary = Diary.open(home, clock=device.clock)
    return kept


def stored_at(device: Device) -> Sequence[StoredVersion]:
    """Return what is held of the device's one segment at ten."""
    (segment,) = device.segments(TEN)
    return versions.at_place(device.diary._state.connection, segment.contract, TEN)


def contents(device: Device) -> set[bytes]:
    """Return the sealed contents of what stands in the device's one segment at ten."""
    return {stored.sealed.body for stored in stored_at(device) if stored.sealed.body is not None}


def settle_all(*devices: Device) -> None:
    """Sync until everybody has seen everything; nothing may ever be refused or give alarm."""
    for _ in range(3):
        for device in devices:
            report = device.sync()
            assert report.refused == (), report
    for device in devices:
        assert device.diary.refusals() == ()
        assert device.diary.alarms() == ()
        assert device.diary.queue().versions == 0


def shown(device: Device) -> list[tuple[int, str, str, int]]:
    return [
        (one.slot, one.state, one.memo, len(one.snapshots))
        for one in device.diary.week(Week.of(TEN)).segments
    ]


@rule("R42")
def test_a_copy_takes_a_new_id_when_it_is_opened_elsewhere_and_the_original_keeps_its_own(
    stage: Stage,
) -> None:
    a = stage.first()
    before = a.diary.replica
    original, copy = copied(stage, a, "copy")
    assert original.diary.replica == before
    assert copy.diary.replica != before
    again = copy.diary.replica
    with Diary.open(copy.diary.home, clock=copy.clock) as opened:
        assert opened.replica == again


@rule("R42")
def test_a_copy_and_its_original_both_go_on_and_nothing_is_lost(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    original, copy = copied(stage, a, "copy")
    record_slot(original.diary, contract, ELEVEN, memo="of the original")
    place = record_slot(copy.diary, contract, NOON, memo="of the copy", picture=SCREEN)
    original.diary.edit([(contract.id, TEN)], memo="edited on the original")
    settle_all(original, copy, b)
    assert shown(original) == shown(copy) == shown(b)
    assert [memo for _, _, memo, _ in shown(b)] == [
        "edited on the original",
        "of the original",
        "of the copy",
    ]
    assert b.diary.picture(b.segment(place).snapshots[0].screen) == SCREEN


@rule("R42")
def test_what_was_unsent_is_sealed_anew_with_pictures_and_entry(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="unsent", picture=SCREEN)
    a.diary.edit([place], memo="unsent and edited")
    _, copy = copied(stage, a, "copy")
    segment = copy.segment(place)
    assert {name[0] for name in segment.versions} == {copy.diary.replica}
    assert copy.diary.picture(segment.snapshots[0].screen) == SCREEN
    settle_all(copy, b)
    assert b.segment(place).memo == "unsent and edited"
    assert b.diary.picture(b.segment(place).snapshots[0].screen) == SCREEN


@rule("R42")
def test_what_the_original_sent_meanwhile_is_not_sent_twice(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="once")
    original, copy = copied(stage, a, "copy")
    settle_all(original)
    settle_all(copy, b, original)
    assert shown(original) == shown(copy) == shown(b) == [(TEN, "synced", "once", 1)]
    assert copy.diary.picture(copy.segment(place).snapshots[0].screen) is not None


@rule("R42")
@rule("R57")
def test_what_was_read_in_the_log_before_its_answer_came_keeps_its_name_on_a_copy(stage: Stage) -> None:
    """The log is not read again there: without that row a copy finds other weeks than the server sealed."""
    a, b, contract = two_devices(stage, [])
    record_slot(a.diary, contract, TEN, memo="once")
    for fates in (["pass", "lose"], ["pass", "refuse"]):
        a.failing.fates = fates
        with pytest.raises(UnreachableError):
            a.sync()
    names = {one.header.name for one in stored_at(a)}
    original, copy = copied(stage, a, "copy")
    assert {one.header.name for one in stored_at(copy)} == names
    settle_all(copy, b, original)
    assert shown(original) == shown(copy) == shown(b) == [(TEN, "synced", "once", 1)]
    stage.put_clocks(AFTER_THE_LOCK)
    settle_all(original, copy, b)


@rule("R25")
@rule("R42")
def test_what_a_copy_gives_up_of_a_segment_that_was_deleted_meanwhile_is_in_none_of_its_files(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="once", picture=SCREEN)
    traces = contents(a)
    original, copy = copied(stage, a, "copy")
    traces |= contents(copy)
    assert len(traces) == 4  # a capture and an entry, under the old names and the new
    settle_all(original, b)
    b.diary.remove([place])
    settle_all(b, copy)
    assert [one.state for one in copy.segments(TEN)] == ["deleted"]
    files = b"".join(path.read_bytes() for path in copy.diary.home.rglob("*") if path.is_file())
    assert not any(trace in files for trace in traces)


@rule("R34")
@rule("R42")
def test_time_added_again_on_a_copy_follows_the_deletion_that_the_original_sends(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.remove([place])
    original, copy = copied(stage, a, "copy")
    copy.diary.add_manual(contract.id, [TEN], "added again on the copy")
    settle_all(original, copy, b)
    assert shown(original) == shown(copy) == shown(b) == [(TEN, "synced", "added again on the copy", 0)]


@rule("R34")
@rule("R42")
def test_an_edit_on_a_copy_stands_upon_the_one_that_the_original_sends(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="of both", label=None)
    original, copy = copied(stage, a, "copy")
    copy.diary.edit([place], memo="edited on the copy")
    settle_all(original, copy, b)
    assert shown(original) == shown(copy) == shown(b) == [(TEN, "synced", "edited on the copy", 1)]
    held = versions.at_place(b.diary._state.connection, *place)
    assert len(standing(map(versions.held_of, held)).frontier) == 1


@rule("R42")
def test_two_copies_on_two_computers_both_succeed_the_same_device(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    _, one, other = copied(stage, a, "one", "other")
    assert len({one.diary.replica, other.diary.replica}) == 2
    record_slot(one.diary, contract, ELEVEN, memo="one")
    record_slot(other.diary, contract, ELEVEN, memo="other")
    one.diary.new_contract(title="Of one")
    other.diary.new_contract(title="Of the other")
    settle_all(one, other, b)
    assert shown(one) == shown(other) == shown(b)
    for device in (one, other, b):
        assert {each.title for each in device.diary.contracts()} == {"Practice", "Of one", "Of the other"}


@rule("R42")
def test_a_file_restored_in_its_own_place_learns_from_the_server_that_it_is_an_older_copy(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    older = file_bytes(a)
    a.diary.edit([place], memo="sent before the disk died")
    record_slot(a.diary, contract, ELEVEN, memo="recorded before the disk died")
    settle_all(a)
    back = restored_in_place(stage, a, older)
    before = back.diary.replica
    back.diary.edit([place], memo="written after the restore, under a number that was used")
    record_slot(back.diary, contract, NOON, memo="recorded after the restore")
    settle_all(back, b)
    assert back.diary.replica != before
    assert shown(back) == shown(b)
    assert [slot for slot, *_ in shown(b)] == [TEN, ELEVEN, NOON]
    # The restored file never saw the first edit: both stand side by side, neither covers the other.
    assert len(b.segment(place).versions) == 3


@rule("R42")
@rule("R50")
@pytest.mark.parametrize("has_synced", [True, False])
def test_a_file_restored_to_before_its_succession_went_through_goes_on_as_a_further_one(
    stage: Stage, *, has_synced: bool
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    _, copy = copied(stage, a, "copy")
    waiting = file_bytes(copy)
    _, other = copied(stage, b, "other")
    if has_synced:
        settle_all(other)  # its list came first: the copy writes its own anew
    record_slot(copy.diary, contract, ELEVEN, memo="before the restore")
    settle_all(copy)
    before = copy.diary.replica
    back = restored_in_place(stage, copy, waiting)
    assert back.diary.replica == before
    record_slot(back.diary, contract, ELEVEN, memo="after the restore, under a number that was used")
    record_slot(back.diary, contract, NOON, memo="recorded after the restore")
    settle_all(back, other)
    assert back.diary.replica != before
    assert shown(back) == shown(other)
    assert [slot for slot, *_ in shown(other)] == [TEN, ELEVEN, NOON]


@rule("R42")
def test_a_deletion_that_was_unsent_still_deletes(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN, ELEVEN])
    a.diary.remove([(contract.id, TEN)])
    _, copy = copied(stage, a, "copy")
    settle_all(copy, b)
    assert {b.segment((contract.id, TEN)).state, copy.segment((contract.id, TEN)).state} == {"deleted"}
    assert b.segment((contract.id, ELEVEN)).state == "synced"


@rule("R42")
@rule("R50")
def test_a_diary_that_was_never_registered_is_copied_and_both_register(stage: Stage) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    record_slot(a.diary, contract, TEN)
    original, copy = copied(stage, a, "copy")
    record_slot(copy.diary, contract, ELEVEN)
    register(copy.diary, copy.line)
    register(original.diary, original.line)
    settle_all(original, copy)
    assert [slot for slot, *_ in shown(original)] == [slot for slot, *_ in shown(copy)] == [TEN, ELEVEN]


@rule("R42")
def test_a_copy_of_a_copy_that_never_synced_is_one_successor(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    _, copy = copied(stage, a, "copy")
    record_slot(copy.diary, contract, ELEVEN, memo="on the first copy")
    copy, further = copied(stage, copy, "further")
    record_slot(further.diary, contract, NOON, memo="on the further one")
    settle_all(further, b, copy)
    settle_all(further, b, copy)
    assert shown(further) == shown(b) == shown(copy)
    assert [slot for slot, *_ in shown(b)] == [TEN, ELEVEN, NOON]


@rule("R42")
@rule("R40")
@pytest.mark.parametrize("broken", range(8))
def test_a_succession_that_breaks_off_anywhere_is_begun_again(stage: Stage, broken: int) -> None:
    a, b, contract = two_devices(stage, [TEN])
    record_slot(a.diary, contract, ELEVEN)
    _, copy = copied(stage, a, "copy")
    for fate in ("lose", "refuse"):
        copy.failing.fates = ["pass"] * broken + [fate]
        with suppress(UnreachableError):
            copy.sync()
        copy.failing.fates = []
    settle_all(copy, b)
    assert shown(copy) == shown(b)
    assert [slot for slot, *_ in shown(b)] == [TEN, ELEVEN]


@rule("R42")
def test_another_process_that_has_the_file_open_writes_as_the_new_replica_at_once(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    with Diary.open(a.diary.home, clock=a.clock) as tracker:
        a.diary.renew()
        record_slot(tracker, contract, TEN)
        assert tracker.replica == a.diary.replica
    assert {name[0] for name in a.segment((contract.id, Slot(TEN))).versions} == {a.diary.replica}


@rule("R42")
@rule("R37d")
def test_a_copy_shows_the_record_again_when_its_deletion_of_an_unanswered_edit_comes_too_late(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="sent, and never answered")
    a.failing.fates = ["pass", "refuse"]
    with suppress(UnreachableError):
        a.sync()
    a.diary.remove([place])
    _, copy = copied(stage, a, "copy")
    stage.put_clocks(AFTER_THE_LOCK)
    assert [one.reason for one in copy.sync().refused] == ["week_locked"]
    b.sync()
    assert shown(copy) == shown(b) == [(TEN, "synced", "first", 1)]


@rule("R42")
@rule("R50")
def test_a_login_by_phrase_believes_the_list_that_a_device_signed_for_its_successor(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    phrase = a.diary.phrase() or ""
    _, copy = copied(stage, a, "copy")
    record_slot(copy.diary, contract, ELEVEN)
    copy, further = copied(stage, copy, "further")
    settle_all(copy, further)
    late = stage.another(phrase)
    assert shown(late) == shown(further)
    assert len(late.diary.devices()) == 5
