"""A server is restored more than once: what is shown to it enters in the order of its first receipt (R43)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.stage import Device, two_devices

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def sync_in_turn(*devices: Device) -> None:
    for device in devices:
        device.sync()


@rule("R43")
def test_what_is_healed_again_enters_by_its_first_receipt_and_not_by_where_it_stood(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    first = record_slot(a.diary, contract, ELEVEN)
    a.sync()
    stage.restore(backup)
    # Nobody has noticed: in the first epoch this takes the place of what was received before it.
    stage.put_clocks("2026-11-18T14:00Z")
    later = record_slot(b.diary, contract, NINE)
    b.sync()
    sync_in_turn(a, b, a)
    stage.put_clocks("2026-11-18T15:00Z")
    stage.restore(backup)
    sync_in_turn(a, b)
    connection = b.diary._state.connection
    indices = [
        connection.execute(
            "SELECT min(leaf_index) FROM version WHERE contract = ? AND slot = ? AND log_epoch > 0", place
        ).fetchone()[0]
        for place in (first, later)
    ]
    assert indices == sorted(indices)


@rule("R43")
@rule("R50")
def test_device_lists_of_one_instant_enter_again_by_their_numbers(stage: RestoringStage) -> None:
    a = stage.first()
    contract = a.diary.new_contract(title="Practice")
    a.sync()
    backup = stage.back_up()
    b, c = (stage.another(a.diary.phrase() or "") for _ in range(2))
    sync_in_turn(a, b, c)
    stage.restore(backup)
    sync_in_turn(a, c)
    stage.restore(backup)
    # It proves the list before its own by the place of its healing, its own by its first receipt.
    record_slot(c.diary, contract, TEN)
    sync_in_turn(c, a, b)
    assert [len(one.diary.devices()) for one in (a, b, c)] == [3, 3, 3]
    assert [one.diary.alarms() for one in (a, b, c)] == [(), (), ()]
    assert b.segments(TEN) == a.segments(TEN) != []
