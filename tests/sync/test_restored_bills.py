"""A restored server gives no number out twice: it is shown what it sealed and billed (R43, R57, R61)."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from diary.contracts import Contract
from diary.evidence.verify import verify
from diary.rules.week import Week
from diary.store import invoices, seals
from sync.server.server import Server
from tests.diary.typed import Typist
from tests.practice import slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import kinds
from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.server.backup import Restorable
from tests.sync.stage import Device
from tests.sync.test_billed_weeks import locked, synced, work

FIRST, SECOND, THIRD = "2026-11-18T09:00Z", "2026-11-25T09:00Z", "2026-12-02T09:00Z"
AFTER_FIRST, AFTER_SECOND, AFTER_THIRD = "2026-11-24T09:00Z", "2026-12-01T09:00Z", "2026-12-08T09:00Z"


@pytest.fixture
def only(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def texts(device: Device) -> dict[int, str]:
    with device.diary._state.reading():
        kept = invoices.everything(device.diary._state.connection)
    return {one.invoice.number: one.signed.text for one in kept}


def totals(device: Device) -> list[tuple[int, str, int]]:
    return sorted((view.number, view.client, view.total_minor) for view in device.diary.invoices())


def replaced(device: Device, at: str, contract: Contract) -> tuple[int, int] | None:
    week = Week.of(slot(at))
    with device.diary._state.reading():
        return seals.newest_of(device.diary._state.connection, week.name)[contract.id].seal.replaces


def newest(device: Device, at: str, contract: Contract) -> tuple[int, int]:
    week = Week.of(slot(at))
    with device.diary._state.reading():
        seal = seals.newest_of(device.diary._state.connection, week.name)[contract.id].seal
    return seal.number, seal.log_epoch


def numbers_given_out(stage: RestoringStage, device: Device) -> int:
    """Return the greatest number of an invoice that the server itself can show."""
    assert stage.server is not None
    server = Server.at(stage.server.settings, stage.clock)
    try:
        return server._storage.invoices.last(device.diary.account)
    finally:
        server.close()


def tidied(stage: RestoringStage) -> None:
    """Let a server process do what it does when it is idle: seal and bill whatever is due."""
    assert stage.server is not None
    server = Server.at(stage.server.settings, stage.clock)
    server.tidy()
    server.close()


@rule("R43")
@rule("R57")
@rule("R61")
def test_the_numbers_of_invoices_go_on_after_what_a_restored_server_had_given_out(
    either: RestoringStage,
) -> None:
    stage = either
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000, currency="EUR")
    garden = device.diary.new_contract(title="Garden", client="Bo", rate_minor=4321, currency="JPY")
    client = join_in(stage, invited(device, orchard))
    synced(device, client)
    for at in (FIRST, SECOND):
        stage.put_clocks(at.replace("T09", "T18"))
        work(device, orchard, at, 3)
        work(device, garden, at.replace("T09", "T10"), 3)
        synced(device)
        if at == FIRST:
            locked(stage, device, AFTER_FIRST)
            backup = stage.back_up()
    locked(stage, device, AFTER_SECOND)
    stage.put_clocks(THIRD.replace("T09", "T18"))
    work(device, garden, THIRD, 2)
    synced(device, client, device)
    before, sealed = texts(device), newest(device, SECOND, orchard)
    assert sorted(before) == [1, 2, 3, 4]

    stage.restore(backup)
    stage.say_restored()
    stage.put_clocks(AFTER_THIRD)
    tidied(stage)
    synced(client)
    tidied(stage)
    client.sync()
    assert numbers_given_out(stage, client) == 2, "no device has shown what the server gave out since"
    synced(device, client, device)
    assert {number: text for number, text in texts(device).items() if number <= 4} == before
    assert [number for number, _, _ in totals(device)] == [1, 2, 3, 4, 5]
    assert totals(device)[-1] == (5, "Bo", 1440)
    assert all(view.agrees for party in (device, client) for view in party.diary.invoices())
    assert kinds(device) == kinds(client) == []
    assert replaced(device, SECOND, orchard) == sealed
    other = stage.another(device.diary.phrase() or "")
    synced(other, other)
    assert texts(other) == texts(device)
    assert kinds(other) == []


@rule("R43")
@rule("R61")
@rule("R62")
def test_a_bonus_that_comes_back_after_its_lock_was_dealt_with_is_billed_by_the_next_number(
    only: RestoringStage,
) -> None:
    stage = only
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000, currency="EUR")
    client = join_in(stage, invited(device, orchard))
    synced(device, client)
    stage.put_clocks(FIRST.replace("T09", "T18"))
    work(device, orchard, FIRST, 3)
    device.sync()
    locked(stage, device, AFTER_FIRST)
    backup = stage.back_up()
    Typist(client.diary.home, client.clock).types("bonus", "Orchard", "12.50", "For the launch")
    synced(client)

    stage.restore(backup)
    stage.say_restored()
    stage.put_clocks(AFTER_SECOND)
    synced(device, device)
    assert totals(device) == [(1, "Ada", 3000)]
    synced(client)
    assert numbers_given_out(stage, device) == 2
    locked(stage, device, AFTER_THIRD)
    client.sync()

    assert totals(device) == [(1, "Ada", 3000), (2, "Ada", 1250)]
    assert all(view.agrees for party in (device, client) for view in party.diary.invoices())
    assert kinds(device) == kinds(client) == []


def sealed_behind_a_backup(stage: RestoringStage) -> tuple[Device, Device, Contract, Restorable]:
    """Have a week sealed of a log whose last row, of which the week does not hang, came after the backup."""
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", manual_allowed=True)
    client = join_in(stage, invited(device, orchard))
    stage.put_clocks(FIRST.replace("T09", "T18"))
    work(device, orchard, FIRST, 3)
    synced(device, client, device)
    backup = stage.back_up()
    client.diary.change_terms(orchard.id, limit_minutes=600)
    synced(client, device)
    stage.put_clocks(AFTER_FIRST)
    tidied(stage)
    synced(device, client)
    return device, client, orchard, backup


@rule("R43")
@rule("R57")
@rule("R59")
def test_a_seal_that_a_restored_server_signed_twice_under_one_name_gives_way_to_a_third(
    only: RestoringStage,
) -> None:
    """It sealed the week before it knew of its loss: what was lost changes the log, and not the week."""
    stage = only
    device, client, orchard, backup = sealed_behind_a_backup(stage)
    twice = newest(device, FIRST, orchard)

    stage.restore(backup)
    tidied(stage)
    synced(device, client, device, client)
    assert replaced(device, FIRST, orchard) == twice
    assert newest(device, FIRST, orchard) == newest(client, FIRST, orchard) > twice
    week = Week.of(slot(FIRST))
    for party in (device, client):
        assert [one.number for one in party.diary.week(week).seals] == [twice[0] + 1]
        made = party.diary.bundle(orchard, week, None, ZoneInfo("UTC"))
        assert verify(made.whole).holds
        assert kinds(party) == []


@rule("R43")
@rule("R57")
def test_a_seal_of_a_log_that_was_lost_is_shown_no_more(only: RestoringStage) -> None:
    stage = only
    device, client, orchard, backup = sealed_behind_a_backup(stage)
    week = Week.of(slot(FIRST))
    assert len(client.diary.week(week).seals) == 1

    stage.restore(backup)
    stage.say_restored()
    synced(client)  # nothing is sealed before a device has shown what it holds
    assert client.diary.week(week).seals == ()
    assert verify(client.diary.bundle(orchard, week, None, ZoneInfo("UTC")).whole).holds
    synced(device, client)
    assert len(client.diary.week(week).seals) == 1
    assert kinds(client) == kinds(device) == []
