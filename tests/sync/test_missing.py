"""A picture that is not at the server in time is missing everywhere, and no more once it comes (R41)."""

from pathlib import Path

import pytest

from diary.rules.ids import Millis
from diary.rules.picture import due_at_ms
from diary.rules.timesheet import Place, SnapshotView, marks
from diary.showing import NoPictureError
from sync.engine import Engine
from sync.fetching import Fetches
from sync.pace import PART_BYTES_MIN, Pace
from sync.transport import UnreachableError
from tests.practice import SCREEN, practice_diary, record_slot, slot
from tests.rule import rule
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices
from tests.sync.test_engine import SlowClock

TEN = slot("2026-11-18T10:00Z")


def send_rows_alone(device: Device) -> None:
    """Sync over a line that breaks after the rows: pull and push pass, the first picture does not."""
    device.failing.fates = ["pass", "pass", "refuse"]
    with pytest.raises(UnreachableError):
        device.sync()


def requests_of_a_sync(device: Device) -> list[str]:
    before = len(device.failing.paths)
    device.sync()
    return device.failing.paths[before:]


def put_clocks_ms(stage: Stage, at_ms: int) -> None:
    for clock in (stage.clock, *(device.clock for device in stage.devices)):
        clock.put(at_ms)


def shot_at(device: Device, place: Place) -> SnapshotView:
    (shot,) = device.segment(place).snapshots
    return shot


@rule("R41")
def test_a_picture_that_did_not_come_is_missing_on_every_device_until_it_comes(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN)
    send_rows_alone(a)
    b.sync()
    put_clocks_ms(stage, due_at_ms(TEN) - 1)
    assert [(shot_at(one, place).missing, shot_at(one, place).is_here) for one in (a, b)] == [
        (False, True),
        (False, False),
    ]
    put_clocks_ms(stage, due_at_ms(TEN))
    for device in (a, b):
        assert shot_at(device, place).missing
        assert marks(device.segment(place)) == ("missing",)
        assert device.segment(place).bills, "nothing about pictures changes an invoice (R29)"
    assert a.sync().pictures_sent == 2
    assert b.sync().pictures_fetched == 2
    for device in (a, b):
        assert marks(device.segment(place)) == ()
        assert device.diary.picture(shot_at(device, place).screen) == SCREEN


@rule("R41")
def test_a_picture_that_is_not_there_is_asked_for_once_and_then_awaited(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    record_slot(a.diary, contract, TEN)
    send_rows_alone(a)
    asked = [path.split("/v1/")[1].split("/")[0] for path in requests_of_a_sync(b)]
    assert asked == ["pull", "pictures", "pictures"]
    assert requests_of_a_sync(b) == ["POST /v1/pull"]
    a.sync()
    asked = [path.split("/v1/")[1].split("/")[0] for path in requests_of_a_sync(b)]
    assert asked == ["pull", "pictures", "pictures"]
    assert requests_of_a_sync(b) == ["POST /v1/pull"]


@rule("R41")
@rule("R37")
def test_time_whose_deletion_came_too_late_stands_without_the_picture_that_its_device_destroyed(
    stage: Stage,
) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN)
    name = shot_at(a, place).screen
    a.failing.fates = ["pass", "lose"]  # the server has the row, and the device does not know
    with pytest.raises(UnreachableError):
        a.sync()
    a.diary.remove([place])
    stage.put_clocks(AFTER_THE_LOCK)
    assert [one.reason for one in a.sync().refused] == ["week_locked"]
    a.sync()
    b.sync()
    put_clocks_ms(stage, due_at_ms(TEN))
    for device in (a, b):
        assert device.segment(place).state == "synced"
        assert marks(device.segment(place)) == ("missing",)
        assert not shot_at(device, place).is_here
        with pytest.raises(NoPictureError):
            device.diary.picture(name)
        device.sync()  # the first after a lock asks for the invoices of the lock too
        assert requests_of_a_sync(device) == ["POST /v1/pull"]


@rule("R41")
def test_where_there_is_no_server_and_before_a_row_is_received_nothing_is_missing(
    stage: Stage, tmp_path: Path
) -> None:
    diary, clock, contract = practice_diary(tmp_path, at="2026-11-18T10:00Z")
    with diary:
        place = record_slot(diary, contract, TEN)
        clock.put(due_at_ms(TEN))
        alone = diary.segment(place)
        assert alone is not None
        assert marks(alone) == ("not synced", "late")
    a, _, practised = two_devices(stage, [])
    place = record_slot(a.diary, practised, TEN)
    put_clocks_ms(stage, due_at_ms(TEN))
    assert not shot_at(a, place).missing


@rule("R41")
def test_a_picture_of_which_a_part_came_is_not_taken_for_one_that_is_not_there(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, picture=bytes(range(256)) * 1024)
    a.sync()
    engine = Engine(b.diary, b.line)
    engine._fetches = Fetches(b.line, SlowClock(Millis(0)), Pace(part_bytes=PART_BYTES_MIN))
    b.failing.fates = ["pass"] * 5 + ["refuse"]
    with pytest.raises(UnreachableError):
        engine.run()
    assert b.diary.awaited_pictures() == []
    assert a.segment(place).snapshots[0].screen in {picture.name for picture in b.diary.pictures_to_fetch()}
