"""A week is sealed at its lock, whoever comes first, and anew when a restored server is healed (R43, R57)."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from diary.exporting import Chosen, export
from diary.rules.timesheet import SealView
from diary.rules.week import Week
from sync.server.closing import last_lock_ms
from sync.server.server import Server
from sync.server.settings import Settings
from tests.practice import instant, slot
from tests.rule import rule
from tests.sync.liar import kinds
from tests.sync.restoring import RestoringStage, restoring_stage, sync_in_turn
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

TEN, ELEVEN = slot("2026-11-18T10:00Z"), slot("2026-11-18T11:00Z")
WEEK = Week.of(TEN)


@pytest.fixture
def restoring(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def seal_of(device: Device) -> SealView:
    (seal,) = device.diary.week(WEEK).seals
    return seal


@rule("R57")
@pytest.mark.parametrize(
    ("at", "lock"),
    [
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00Z"),
        ("2026-11-23T11:59:59Z", "2026-11-16T12:00Z"),
        ("2026-11-25T08:00Z", "2026-11-23T12:00Z"),
    ],
)
def test_the_newest_lock_is_that_of_the_last_monday_noon(at: str, lock: str) -> None:
    assert last_lock_ms(instant(at)) == instant(lock)


@rule("R57")
def test_the_week_of_an_account_that_nobody_asks_for_is_sealed_when_the_server_tidies(
    stage: Stage,
) -> None:
    a, _, contract = two_devices(stage, [TEN])
    stage.put_clocks(AFTER_THE_LOCK)
    server = Server.at(Settings(folder=stage.folder / "server"), stage.clock)
    server.tidy()
    server.close()
    a.sync()
    seal = seal_of(a)
    assert (seal.contract, seal.number, seal.billable) == (contract.id, 1, 1)
    assert seal.sealed_at_ms == instant(AFTER_THE_LOCK)
    a.diary.new_contract(title="Next")
    sync_in_turn(a, a)
    assert seal_of(a) == seal, "once is enough"


@rule("R57")
def test_the_page_of_an_exported_week_says_what_was_sealed(stage: Stage, tmp_path: Path) -> None:
    a, _, _ = two_devices(stage, [TEN])
    chosen = Chosen(name=WEEK.name, heading=WEEK.name, weeks=(WEEK,))
    export(a.diary, chosen, tmp_path / "open", zone=ZoneInfo("UTC"), pictures=True)
    assert "sealed by the server" not in (tmp_path / "open" / "index.html").read_text(encoding="utf-8")
    stage.put_clocks(AFTER_THE_LOCK)
    a.sync()
    a.diary.new_contract(title="Next")
    sync_in_turn(a, a)
    export(a.diary, chosen, tmp_path / "sealed", zone=ZoneInfo("UTC"), pictures=True)
    said = (tmp_path / "sealed" / "index.html").read_text(encoding="utf-8")
    assert "2026-W47 of Practice was sealed by the server as number 1 on 2026-11-23" in said
    assert "1 segment bills, 0.00" in said
    some = Chosen(name="some", heading="some", weeks=(WEEK,), slots=frozenset({TEN}))
    export(a.diary, some, tmp_path / "some", zone=ZoneInfo("UTC"), pictures=True)
    assert "sealed by" not in (tmp_path / "some" / "index.html").read_text(encoding="utf-8")


@rule("R57")
def test_an_open_week_has_no_seal_nor_has_one_without_time(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [TEN])
    sync_in_turn(a, b)
    assert a.diary.week(WEEK).seals == ()
    stage.put_clocks(AFTER_THE_LOCK)
    a.diary.new_contract(title="Next")
    sync_in_turn(a, a)
    assert [a.diary.week(week).seals for week in (WEEK.previous(), WEEK.next())] == [(), ()]
    assert seal_of(a).number == 1


@rule("R43")
def test_a_healed_week_is_sealed_anew_and_names_the_seal_it_replaces(restoring: RestoringStage) -> None:
    stage = restoring
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN)
    stage.put_clocks(AFTER_THE_LOCK)
    b.diary.new_contract(title="Next")
    sync_in_turn(b, b)
    assert (seal_of(b).number, seal_of(b).billable) == (1, 1), "so much the server knew"
    sync_in_turn(a, b, a, b)
    assert seal_of(a) == seal_of(b)
    assert (seal_of(a).number, seal_of(a).replaces, seal_of(a).billable) == (2, 1, 2)
    assert kinds(a) == kinds(b) == []
