"""A login that is cut short anywhere is finished by the same command in the same folder (R50)."""

from pathlib import Path

import pytest

from diary.errors import DiaryError
from diary.sealing.keyring import choose_place
from diary.store.connection import DiaryExistsError
from sync.enrolment import login
from sync.transport import UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage

TEN = slot("2026-11-18T10:00Z")


def log_in(stage: Stage, home: Path, phrase: str, fates: list[str]) -> Device:
    line, failing = stage.line()
    failing.fates = fates
    try:
        diary, _ = login(
            home, line, phrase, clock=stage.clock, place=choose_place(home, "file"), device_name="second"
        )
    except DiaryError:
        line.close()
        raise
    stage.devices.append(Device(diary, stage.clock, line, failing))
    return stage.devices[-1]


@rule("R50")
@rule("R40")
@pytest.mark.parametrize("fate", ["refuse", "lose"])
@pytest.mark.parametrize("broken", range(3, 11))
def test_a_login_that_broke_off_is_resumed(stage: Stage, tmp_path: Path, broken: int, fate: str) -> None:
    a = stage.first()
    contract = a.diary.new_contract(title="Practice")
    place = record_slot(a.diary, contract, TEN, picture=SCREEN)
    a.sync()
    phrase = a.diary.phrase() or ""
    home = tmp_path / "second"
    try:
        device = log_in(stage, home, phrase, ["pass"] * broken + [fate])
    except UnreachableError:
        device = log_in(stage, home, phrase, [])
    assert device.segment(place).memo == a.segment(place).memo
    assert device.diary.picture(device.segment(place).snapshots[0].screen) == SCREEN
    assert len(device.diary.devices()) == 2
    assert device.diary.queue().versions == 0


@rule("R50")
def test_another_device_that_was_enrolled_meanwhile_does_not_stand_in_the_way(
    stage: Stage, tmp_path: Path
) -> None:
    a = stage.first()
    a.diary.new_contract(title="Practice")
    a.sync()
    phrase = a.diary.phrase() or ""
    home = tmp_path / "second"
    with pytest.raises(UnreachableError):
        log_in(stage, home, phrase, ["pass"] * 3 + ["refuse"])
    stage.another(phrase)
    device = log_in(stage, home, phrase, [])
    assert len(device.diary.devices()) == 3
    assert device.diary.contract("Practice").title == "Practice"


@rule("R50")
def test_a_finished_diary_is_never_joined_over(stage: Stage, tmp_path: Path) -> None:
    a = stage.first()
    phrase = a.diary.phrase() or ""
    home = tmp_path / "second"
    log_in(stage, home, phrase, [])
    with pytest.raises(DiaryExistsError):
        log_in(stage, home, phrase, [])
