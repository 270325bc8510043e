"""A database goes back to its backup, and the pictures beside it do not (R25, R41, R43)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.server.backup import Restorable
from tests.sync.stage import two_devices

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def restore_database(stage: RestoringStage, backup: Restorable) -> None:
    assert stage.server is not None
    stage.stop()
    stage.server = stage.server.restore(backup)
    stage.start()


@rule("R25")
@rule("R43")
def test_a_picture_that_outlived_its_row_goes_when_the_row_comes_back_without_content(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    kept = {path.name for path in stage.stored_pictures()}
    backup = stage.back_up()
    place = record_slot(a.diary, contract, ELEVEN, picture=SCREEN + b"eleven")
    a.sync()
    assert len(stage.stored_pictures()) == len(kept) + 2
    restore_database(stage, backup)
    a.diary.remove([place])
    a.sync()
    assert {path.name for path in stage.stored_pictures()} == kept


@rule("R41")
@rule("R43")
def test_a_picture_that_outlived_its_row_is_there_when_the_row_comes_back(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    place = record_slot(a.diary, contract, ELEVEN, picture=SCREEN + b"eleven")
    a.sync()
    restore_database(stage, backup)
    a.sync()
    b.sync()
    assert b.diary.picture(b.segment(place).snapshots[0].screen) == SCREEN + b"eleven"
