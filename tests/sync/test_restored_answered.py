"""What a restored server answered anew before it was shown that it had answered it once (R40, R43)."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sync.transport import UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.stage import AFTER_THE_LOCK, two_devices
from tests.sync.test_two_devices import shown

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")
LATER = "2026-12-01T09:00Z"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


@rule("R40")
@rule("R43")
def test_a_refusal_by_the_restored_server_gives_way_to_the_receipt_that_another_device_read(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    a.diary.edit([(contract.id, TEN)], memo="received before the lock")
    a.failing.fates = ["pass", "lose"]
    with suppress(UnreachableError):
        a.sync()
    b.sync()
    stage.put_clocks(AFTER_THE_LOCK)
    stage.restore(backup)
    a.sync()
    assert [kept.reason for kept in a.diary.refusals()] == ["week_locked"]
    b.sync()
    a.sync()
    b.sync()
    assert shown(a) == shown(b)
    assert [one.memo for one in a.segments(TEN)] == ["received before the lock"]
    assert a.diary.refusals() == ()
    assert (a.diary.audit().lost_by_server, b.diary.audit().lost_by_server) == (0, 0)


@rule("R37")
@rule("R43")
@pytest.mark.parametrize("recorded_on", ["a", "b"])
def test_content_that_one_device_had_removed_in_vain_comes_back_from_another_after_a_restore(
    stage: RestoringStage, recorded_on: str
) -> None:
    a, b, contract = two_devices(stage, [])
    backup = stage.back_up()
    recorder, other = (a, b) if recorded_on == "a" else (b, a)
    record_slot(recorder.diary, contract, TEN, memo="typed there", picture=SCREEN)
    recorder.sync()
    other.sync()
    b.sync()
    a.diary.remove([(contract.id, TEN)])
    stage.put_clocks(AFTER_THE_LOCK)
    stage.restore(backup)
    a.sync()
    assert [kept.reason for kept in a.diary.refusals()] == ["week_locked"]
    b.sync()
    a.sync()
    assert shown(a) == shown(b)
    assert [one.memo for one in a.segments(TEN)] == ["typed there"]
    assert (a.diary.audit().lost_by_server, b.diary.audit().lost_by_server) == (0, 0)


@rule("R43")
def test_what_nobody_holds_whole_any_more_counts_by_its_header_after_a_week(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [])
    backup = stage.back_up()
    record_slot(a.diary, contract, TEN, memo="gone", picture=SCREEN)
    a.sync()
    a.diary.remove([(contract.id, TEN)])
    stage.put_clocks(AFTER_THE_LOCK)
    stage.restore(backup)
    a.sync()
    b.sync()
    assert b.segments(TEN) == []
    stage.put_clocks(LATER)
    a.sync()
    b.sync()
    assert [(one.state, one.bills, one.memo) for one in b.segments(TEN)] == [("synced", True, "")]
