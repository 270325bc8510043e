"""A salvaged diary gets from the server what it had synced, and loses nothing else (R19, R42, R70)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.salvaging import Salvaged, accept, try_salvage
from diary.store.connection import PAGE_BYTES
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, stage_in, two_devices

FIRST = slot("2026-11-18T08:00Z")
SLOTS = [Slot(FIRST + number) for number in range(12)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as found:
        yield found


def damaged(device: Device, sought: bytes) -> None:
    """Close the device's diary and lose every page of its file that holds some bytes."""
    device.diary.close()
    path = device.diary.home / "diary.db"
    raw = bytearray(path.read_bytes())
    for begin in range(0, len(raw), PAGE_BYTES):
        if sought in raw[begin : begin + PAGE_BYTES]:
            raw[begin : begin + PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(raw)


def salvaged(device: Device) -> Salvaged:
    found = try_salvage(device.diary.home, clock=device.clock)
    accept(found, now_ms=device.clock.now_ms())
    device.diary = Diary.open(device.diary.home, clock=device.clock)
    return found


def shown(device: Device) -> dict[Slot, tuple[str, str, int | None]]:
    def told(one: SegmentView) -> tuple[str, str, int | None]:
        return one.memo, one.state, one.received_at_ms

    return {one.slot: told(one) for one in device.diary.week(Week.of(FIRST)).segments}


@rule("R42")
@rule("R70")
@pytest.mark.parametrize(
    "what", [b'"type":"capture"', b'"type":"grant"', b"sqlite_schema", b"SQLite format 3"]
)
def test_what_the_server_received_comes_back_and_what_was_unsent_is_sent(stage: Stage, what: bytes) -> None:
    a, b, contract = two_devices(stage, SLOTS)
    b.sync()
    before = shown(b)
    record_slot(b.diary, contract, Slot(FIRST + 13), memo="unsent", picture=SCREEN + b"13")
    damaged(b, what)
    found = salvaged(b)
    assert found.comes_back
    b.sync()
    b.sync()
    after = shown(b)
    assert {at: after[at] for at in before} == before
    unsent = {one.slot for one in found.lost if not one.at_server}
    assert (Slot(FIRST + 13) in unsent) == (Slot(FIRST + 13) not in after)
    assert not b.diary.status().alarms
    pictures = [shot.screen for one in b.diary.week(Week.of(FIRST)).segments for shot in one.snapshots]
    assert {b.diary.picture(name)[: len(SCREEN)] for name in pictures} == {SCREEN}
    a.sync()
    assert shown(a) == shown(b)
