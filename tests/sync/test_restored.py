"""A server that was restored from an old backup is healed by its devices, and all is as before (R43)."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import apsw
import pytest
from typer.testing import CliRunner

from diary.cli import app
from diary.clock import GivenClock
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week, slot_at
from diary.store import versions
from sync.engine import Engine
from sync.enrolment import register
from sync.transport import ServerFailedError, Transport, UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, assert_healed, lost, refusals, restoring_stage, sync_in_turn
from tests.sync.server.process import running
from tests.sync.stage import AFTER_THE_LOCK, two_devices
from tests.sync.test_two_devices import shown

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")
WEEK = Week.of(TEN)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


@rule("R43")
def test_two_devices_heal_the_server_and_all_is_as_before(either: RestoringStage) -> None:
    stage = either
    a, b, contract = two_devices(stage, [NINE, TEN])
    b.sync()
    backup = stage.back_up()
    stage.put_clocks("2026-11-19T12:00Z")
    record_slot(a.diary, contract, ELEVEN, memo="after the backup", picture=SCREEN + b"eleven")
    b.diary.edit([(contract.id, TEN)], memo="edited after the backup")
    b.diary.remove([(contract.id, NINE)])
    sync_in_turn(a, b, a)
    a.diary.edit([(contract.id, ELEVEN)], memo="typed in time, sent too late")
    stage.put_clocks(AFTER_THE_LOCK)
    sync_in_turn(a, b)
    before = shown(a)
    assert before == shown(b)
    assert refusals(a) == [("week_locked", ELEVEN)]
    pictures = {path.name for path in stage.stored_pictures()}

    stage.restore(backup)
    sync_in_turn(b, a, b)

    assert shown(a) == shown(b) == before
    assert refusals(a) == [("week_locked", ELEVEN)]
    assert_healed(a, b)
    assert {path.name for path in stage.stored_pictures()} == pictures
    third = stage.another(a.diary.phrase() or "")
    third.sync()
    assert shown(third) == before
    picture = third.segment((contract.id, ELEVEN)).snapshots[0].screen
    assert third.diary.picture(picture) == SCREEN + b"eleven"


@rule("R43")
def test_one_device_heals_what_the_other_wrote_when_that_one_is_gone(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN, memo="of a laptop that is gone")
    sync_in_turn(a, b)
    stage.put_clocks(AFTER_THE_LOCK)
    stage.restore(backup)
    b.sync()
    assert lost(b) == 0
    third = stage.another(b.diary.phrase() or a.diary.phrase() or "")
    third.sync()
    assert shown(third) == shown(b)
    (segment,) = third.segments(ELEVEN)
    assert (segment.memo, segment.bills) == ("of a laptop that is gone", True)


@rule("R43")
def test_what_others_sent_to_the_restored_server_meanwhile_stands_beside(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN, memo="lost by the server")
    stage.say_restored()
    record_slot(b.diary, contract, NINE, memo="sent to the restored one")
    b.sync()
    sync_in_turn(a, b, a)
    assert {one.memo for one in a.diary.week(WEEK).segments} == {
        "first",
        "lost by the server",
        "sent to the restored one",
    }
    assert_healed(a, b)


@rule("R43")
def test_a_server_that_grew_again_before_it_was_noticed_is_healed_all_the_same(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN, memo="lost by the server")
    record_slot(b.diary, contract, NINE, memo="in the same places")
    b.sync()
    assert a.diary.cursors() == b.diary.cursors()
    sync_in_turn(a, b, a)
    assert {one.slot for one in a.diary.week(WEEK).segments} == {NINE, TEN, ELEVEN}
    assert_healed(a, b)


@rule("R43")
@rule("R40")
def test_what_was_sent_again_without_a_receipt_stands_where_it_then_came(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    a.failing.fates = ["pass", "lose"]
    with pytest.raises(UnreachableError):
        a.sync()
    b.sync()
    stage.restore(backup)
    record_slot(a.diary, contract, NINE)
    a.sync()
    sync_in_turn(b, a)
    assert shown(a) == shown(b)
    assert {one.slot for one in b.diary.week(WEEK).segments} == {NINE, TEN, ELEVEN}
    assert_healed(a, b)


@rule("R43")
@rule("R50")
def test_a_server_from_before_the_account_takes_all_of_it_back(stage: RestoringStage) -> None:
    backup = stage.back_up()
    a, b, contract = two_devices(stage, [TEN])
    b.diary.edit([(contract.id, TEN)], memo="edited on the second")
    sync_in_turn(b, a)
    before = shown(a)
    stage.put_clocks(AFTER_THE_LOCK)
    stage.restore(backup)
    sync_in_turn(b, a, b)
    assert shown(a) == shown(b) == before
    assert (lost(a), lost(b)) == (0, 0)
    assert len(a.diary.devices()) == 2


@rule("R43")
@rule("R50")
def test_a_device_that_the_restored_server_does_not_know_is_admitted_again(stage: RestoringStage) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice", manual_allowed=True)
    register(a.diary, a.line)
    backup = stage.back_up()
    b = stage.another(a.diary.phrase() or "")
    a.sync()
    record_slot(b.diary, contract, TEN, memo="of the second")
    sync_in_turn(b, a)
    stage.restore(backup)
    sync_in_turn(b, a, b)
    assert shown(a) == shown(b)
    assert [one.memo for one in a.diary.week(WEEK).segments] == ["of the second"]
    assert (lost(a), lost(b)) == (0, 0)


@rule("R43")
@rule("R42")
def test_the_numbers_of_a_replica_go_on_after_the_restore(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    a.sync()
    replica = a.diary.replica
    stage.restore(backup)
    record_slot(a.diary, contract, NINE)
    a.sync()
    assert a.diary.replica == replica
    b.sync()
    assert shown(a) == shown(b)


@rule("R43")
@rule("R44")
def test_what_was_lost_of_a_long_time_comes_back_in_several_requests(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    slots = [Slot(TEN - 3 - number) for number in range(130)]
    for at in slots:
        record_slot(a.diary, contract, at, picture=None)
    sync_in_turn(a, b)
    a.failing.paths.clear()
    stage.restore(backup)
    sync_in_turn(a, b)
    assert a.failing.paths.count("POST /v1/heal") >= 3  # what makes it state its loss, then two of all
    assert_healed(a, b)
    assert len(a.diary.week(WEEK).segments) + len(a.diary.week(WEEK.previous()).segments) == len(slots) + 1


@rule("R43")
def test_a_server_restored_twice_is_healed_twice(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    sync_in_turn(a, b)
    stage.restore(backup)
    sync_in_turn(b, a)
    record_slot(b.diary, contract, NINE)
    sync_in_turn(b, a)
    before = shown(a)
    stage.put_clocks("2026-11-18T13:00Z")
    stage.restore(backup)
    sync_in_turn(a, b, a)
    assert shown(a) == shown(b) == before
    assert (lost(a), lost(b)) == (0, 0)
    assert len(a.diary.restorings()) == 2


@rule("R6")
@rule("R43")
def test_a_restored_server_that_doubts_its_clock_is_healed_once_it_does_not(stage: RestoringStage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    a.sync()
    stage.put_clocks("2026-11-30T12:00Z")
    stage.restore(backup)
    with pytest.raises(ServerFailedError):
        a.sync()
    assert a.diary.alarms() == ()
    stage.clock.put(stage.clock.now_ms() + 301_000)
    a.sync()
    assert lost(a) == 0
    assert [one.state for one in a.segments(ELEVEN)] == ["synced"]


@rule("R43")
def test_a_server_restored_in_the_middle_of_a_sync_is_noticed_and_healed(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    a.sync()
    record_slot(a.diary, contract, NINE)
    told: list[Callable[[], None]] = [lambda: stage.restore(backup)]

    def at_first_answer(_: object) -> None:
        while told:
            told.pop()()

    with Transport(stage.url) as line:
        Engine(a.diary, line, progress=at_first_answer).run()
    sync_in_turn(a, b)
    assert shown(a) == shown(b)
    assert {one.slot for one in b.diary.week(WEEK).segments} == {NINE, TEN, ELEVEN}
    assert (lost(a), lost(b)) == (0, 0)


@rule("R43")
@rule("R47")
def test_what_came_back_is_held_once_and_as_it_was_sealed(stage: RestoringStage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    place = record_slot(a.diary, contract, ELEVEN)
    a.sync()
    held = versions.at_place(a.diary._state.connection, *place)
    stage.restore(backup)
    a.sync()
    again = versions.at_place(a.diary._state.connection, *place)
    assert [one.sealed for one in again] == [one.sealed for one in held]
    assert [one.received_at_ms for one in again] == [one.received_at_ms for one in held]
    assert {one.log_epoch for one in again} == {a.diary.log_epoch()}


@rule("R43")
@rule("R69")
def test_an_operator_restores_a_real_server_and_says_so(tmp_path: Path) -> None:
    """A process that is killed, a database copied while it served, and the command for it."""
    folder = tmp_path / "server"
    stage = RestoringStage(tmp_path, "", GivenClock(Millis(int(time.time() * 1000))))
    now_slot = slot_at(stage.clock.now_ms())
    with running(folder) as process:
        stage.url = str(process.client.http.base_url).rstrip("/")
        a, b, contract = two_devices(stage, [Slot(now_slot - 3)])
        b.sync()
        back_up_while_it_serves(folder / "server.db", tmp_path / "backup.db")
        record_slot(a.diary, contract, Slot(now_slot - 2), memo="after the backup")
        sync_in_turn(a, b)
        process.kill()
    week = Week.of(Slot(now_slot - 2))
    before = [(one.slot, one.memo, one.received_at_ms) for one in a.diary.week(week).segments]
    for name in ("server.db-wal", "server.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", folder / "server.db")
    said = CliRunner().invoke(app, ["server", "restored", "--folder", str(folder), "--yes"])
    assert said.exit_code == 0, said.stderr
    assert "The logs of 1 accounts go on in a new epoch" in said.stderr
    with running(folder, urlsplit(stage.url).port):
        sync_in_turn(b, a, b)
        third = stage.another(a.diary.phrase() or "")
        third.sync()
    for device in (a, b, third):
        shown_now = [(one.slot, one.memo, one.received_at_ms) for one in device.diary.week(week).segments]
        assert shown_now == before
        assert lost(device) == 0
    for device in stage.devices:
        device.line.close()
        device.diary.close()


def back_up_while_it_serves(database: Path, copy: Path) -> None:
    """Copy a database as an operator does, through SQLite; the server is another process."""
    source, target = apsw.Connection(str(database)), apsw.Connection(str(copy))
    with target.backup("main", source, "main") as backup:
        backup.step()
    source.close()
    target.close()
