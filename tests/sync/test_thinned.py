"""Old pictures give way on a device and come again when they are asked for (R31, R41)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.errors import NothingError
from diary.exporting import Chosen, export
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView, SnapshotView
from diary.rules.week import Week
from diary.zone import machine_zone
from sync.on_demand import fetch
from tests.practice import SCREEN, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, stage_in, two_devices

FIRST = slot("2026-11-18T08:00Z")
SLOTS = [Slot(FIRST + number) for number in range(4)]
WEEK = Week.of(FIRST)
MONTHS_LATER = "2027-03-01T09:00Z"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as found:
        yield found


def shots(device: Device) -> list[SnapshotView]:
    return [shot for segment in segments(device) for shot in segment.snapshots]


def segments(device: Device) -> tuple[SegmentView, ...]:
    return device.diary.week(WEEK).segments


def thinned(stage: Stage) -> Device:
    """Return a device whose four old pictures gave way; the server has all of them."""
    device, other, _ = two_devices(stage, SLOTS)
    other.sync()
    stage.put_clocks(MONTHS_LATER)
    device.diary.set_setting("picture_gigabytes", 0)
    assert device.diary.thin_pictures(at_once=True) == len(SLOTS)
    return device


@rule("R31")
def test_thumbnails_stay_and_the_screens_are_not_fetched_by_themselves(stage: Stage) -> None:
    device = thinned(stage)
    device.sync()
    assert all(shot.thinned and not shot.is_here and not shot.missing for shot in shots(device))
    assert {device.diary.picture(shot.small) for shot in shots(device)} == {SCREEN[:16]}
    with pytest.raises(NothingError):
        device.diary.picture(shots(device)[0].screen)
    assert device.diary.thin_pictures(at_once=True) == 0
    assert device.diary.status().pictures_left == 0


@rule("R31")
def test_nothing_gives_way_that_the_server_lacks_or_that_is_young_or_fits(stage: Stage) -> None:
    device, _, _ = two_devices(stage, SLOTS)
    device.diary.set_setting("picture_gigabytes", 0)
    assert device.diary.thin_pictures(at_once=True) == 0
    stage.put_clocks(MONTHS_LATER)
    device.diary.set_setting("picture_gigabytes", 1)
    assert device.diary.thin_pictures(at_once=True) == 0
    device.diary.set_setting("picture_gigabytes", 0)
    assert device.diary.thin_pictures() == 0  # it looks once an hour


@rule("R31")
def test_an_export_with_pictures_fetches_them_first(stage: Stage, tmp_path: Path) -> None:
    device = thinned(stage)
    chosen = Chosen(WEEK.name, "Week", (WEEK,))
    done = export(device.diary, chosen, tmp_path / "out", zone=machine_zone(), pictures=True)
    assert (done.pictures, done.missing, done.because) == (len(SLOTS), 0, "")
    written = {path.read_bytes()[: len(SCREEN)] for path in (tmp_path / "out" / "pictures").iterdir()}
    assert written == {SCREEN}
    assert all(shot.is_here and not shot.thinned for shot in shots(device))
    assert device.diary.thin_pictures(at_once=True) == 0  # asked for again: they stay a while


@rule("R31")
def test_what_is_not_to_be_had_is_named(stage: Stage, tmp_path: Path) -> None:
    device = thinned(stage)
    for path in stage.stored_pictures():
        path.unlink()
    chosen = Chosen(WEEK.name, "Week", (WEEK,))
    done = export(device.diary, chosen, tmp_path / "out", zone=machine_zone(), pictures=True)
    assert (done.pictures, done.missing, done.without) == (0, len(SLOTS), tuple(SLOTS))


@rule("R31")
def test_without_a_server_to_reach_it_says_why(stage: Stage, tmp_path: Path) -> None:
    device = thinned(stage)
    device.diary.link_server("http://127.0.0.1:9", "00" * 32)
    chosen = Chosen(WEEK.name, "Week", (WEEK,))
    done = export(device.diary, chosen, tmp_path / "out", zone=machine_zone(), pictures=True)
    assert done.missing == len(SLOTS)
    assert "127.0.0.1:9" in done.because


@rule("R31")
def test_one_segments_picture_comes_back_alone(stage: Stage) -> None:
    device = thinned(stage)
    first = shots(device)[0]
    fetch(device.diary, [first.screen])
    assert device.diary.picture(first.screen)[: len(SCREEN)] == SCREEN
    assert [shot.is_here for shot in shots(device)] == [True, False, False, False]
