"""A restored server gets its clients back: by the devices, or by themselves (R43, R51)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.rules.week import Week
from diary.store import versions
from sync.protocol import Pull
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in, shown
from tests.sync.restoring import RestoringStage, lost, restoring_stage, sync_in_turn
from tests.sync.stage import two_devices

EIGHT, NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("08", "09", "10", "11"))
WEEK = Week.of(TEN)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


@rule("R43")
def test_a_client_who_joined_after_the_backup_is_let_in_again_and_nothing_gives_alarm(
    either: RestoringStage,
) -> None:
    stage = either
    a, b, contract = two_devices(stage, [NINE, TEN])
    a.diary.new_contract(title="Another client's work")
    sync_in_turn(a, b)
    backup = stage.back_up()
    client = join_in(stage, invited(a, contract))
    record_slot(a.diary, contract, ELEVEN, memo="after the backup")
    a.diary.remove([(contract.id, NINE)])
    sync_in_turn(a, b, client)
    before = shown(client, contract, WEEK)
    assert before == shown(a, contract, WEEK)

    stage.restore(backup)
    sync_in_turn(b, a, client, a, b)

    for device in (a, b, client):
        assert shown(device, contract, WEEK) == before
        assert (device.diary.alarms(), lost(device)) == ((), 0)
    record_slot(b.diary, contract, EIGHT, memo="later")
    sync_in_turn(b, client)
    assert [one.memo for one in shown(client, contract, WEEK)[0]] == ["later", "first", "after the backup"]


@rule("R43")
def test_a_client_heals_their_own_contract_and_learns_of_no_other(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    other = a.diary.new_contract(title="Another client's work")
    client = join_in(stage, invited(a, contract))
    sync_in_turn(a, b, client)
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN, memo="after the backup")
    sync_in_turn(a, client)

    stage.restore(backup)
    client.sync()
    assert other.id not in b"".join(client.failing.traffic).decode("utf-8", "replace")
    third = stage.another(a.diary.phrase() or "")
    third.sync()
    assert [one.memo for one in shown(third, contract, WEEK)[0]] == ["first", "after the backup"]
    sync_in_turn(a, client)
    assert client.diary.alarms() == a.diary.alarms() == third.diary.alarms() == ()
    state = client.diary._state
    with state.reading():
        assert {stored.header.contract for stored in versions.slotless(state.connection, "grant")} == {
            contract.id
        }
    client.line.authorise(client.diary.account, client.diary.replica, client.diary.token)
    answer = client.line.pull(Pull(account=client.diary.account, cursors={}))
    assert answer.openings
    assert all(other.id not in opening.text for opening in answer.openings)
