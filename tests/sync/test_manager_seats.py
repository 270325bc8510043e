"""An agency's manager reads the contracts that were granted, changes nothing, and leaves it readable."""

from contextlib import closing

import pytest

from diary.contracts import Contract
from diary.parties import RefusedSayingError
from diary.rules.ids import AccountId
from diary.rules.segment import GrantInClear
from diary.rules.week import Week
from diary.sealing.invitation import Link
from diary.store import connection, versions
from sync.join import NotLetInError
from sync.transport import TurnedAwayError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in, shown
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

FIRST, SECOND, THIRD = (slot(f"2026-11-18T09:{minute}0Z") for minute in range(3))
WEEK = Week.of(FIRST)
AGENCY = AccountId("a9" * 16)


def managed(stage: Stage) -> tuple[Device, Device, Device, Contract, Contract]:
    """Return two devices, the manager's replica of the first contract, and two contracts with a slot each."""
    a, b, granted = two_devices(stage, (FIRST,))
    kept_back = a.diary.new_contract(title="Kept back")
    record_slot(a.diary, kept_back, SECOND, picture=SCREEN + b"kept back")
    manager = join_in(stage, invited_manager(a, granted), "manager")
    all_sync(a, b, manager)
    return a, b, manager, granted, kept_back


def invited_manager(device: Device, contract: Contract) -> Link:
    link = device.diary.invite_manager(contract.id, AGENCY).link
    device.sync()
    return link


def grants_of(device: Device, contract: Contract) -> list[GrantInClear]:
    with closing(connection.connect(device.diary.home)) as file:
        rows = versions.slotless(file, "grant", contract.id)
    return [stored.header.grant for stored in rows if stored.header.grant is not None]


def all_sync(*devices: Device) -> None:
    for device in devices * 2:
        device.sync()
        assert device.diary.alarms() == ()


@rule("R67")
@rule("R51")
def test_a_manager_sees_what_was_granted_as_the_freelancer_does_and_nothing_else(stage: Stage) -> None:
    a, _, manager, granted, _ = managed(stage)
    assert [one.title for one in manager.diary.contracts()] == ["Practice"]
    assert shown(manager, granted, WEEK) == shown(a, granted, WEEK)
    (segment,) = shown(manager, granted, WEEK)[0]
    assert manager.diary.picture(segment.snapshots[0].screen) == a.diary.picture(segment.snapshots[0].screen)


@rule("R8")
def test_a_manager_takes_no_terms_from_anybody(stage: Stage) -> None:
    a, b, manager, granted, _ = managed(stage)
    a.diary.change_terms(granted.id, limit_minutes=600)
    all_sync(a, b, manager)
    assert manager.diary.contract("Practice").terms.limit_minutes == 600
    assert manager.diary.seats(granted.id) == frozenset(), "no client has joined"
    client = join_in(stage, invited(a, granted))
    client.diary.change_terms(granted.id, rate_minor=9000)
    all_sync(client, a, b, manager)
    assert {one.diary.contract("Practice").terms.rate_minor for one in (a, b, client, manager)} == {9000}


@rule("R48")
@rule("R66")
def test_a_manager_writes_nothing_that_the_others_go_by(stage: Stage) -> None:
    a, _, manager, granted, _ = managed(stage)
    place = (granted.id, FIRST)
    asked = a.diary.ask_manual_time(granted.id, "Please")
    all_sync(a, manager)
    stage.put_clocks(AFTER_THE_LOCK)
    tries = (
        lambda: manager.diary.change_terms(granted.id, state="closed"),
        lambda: manager.diary.change_terms(granted.id, rate_minor=1),
        lambda: manager.diary.answer_request(granted.id, asked, allows=True),
        lambda: manager.diary.accept_late([place]),
        lambda: manager.diary.dispute([place], "Idle"),
        lambda: manager.diary.redact([place]),
    )
    for attempt in tries:
        with pytest.raises(RefusedSayingError, match="not_yours: a manager writes no"):
            attempt()
    assert manager.sync().pushed == 0


@rule("R51")
@rule("R65")
def test_who_leaves_is_read_up_to_there_and_no_further(stage: Stage) -> None:
    a, b, manager, granted, _ = managed(stage)
    client = join_in(stage, invited(a, granted))
    all_sync(a, b, client, manager)
    assert b.diary.end_managers(granted.id) == 1
    all_sync(b, a)
    record_slot(a.diary, granted, THIRD, memo="after they left", picture=SCREEN + b"third")
    all_sync(a, b, client)
    with pytest.raises(TurnedAwayError, match="device_revoked"):
        manager.sync()
    assert [one.slot for one in shown(manager, granted, WEEK)[0]] == [FIRST], "the past stays readable"
    assert [one.memo for one in shown(client, granted, WEEK)[0]] == ["first", "after they left"]
    assert [one.ended for one in a.diary.joined(granted.id)] == [True, False]


@rule("R51")
def test_no_key_of_what_was_written_after_lies_where_the_manager_could_open_it(stage: Stage) -> None:
    a, b, manager, granted, _ = managed(stage)
    known = manager.diary.replica
    a.diary.end_managers(granted.id)
    all_sync(a, b)
    epochs = {grant.epoch for grant in grants_of(a, granted)}
    assert len(epochs) == 2
    assert {grant.epoch for grant in grants_of(a, granted) if grant.to == known} == {min(epochs)}
    assert a.diary.end_managers(granted.id) == 0, "there is nobody to end any more"


@rule("R51")
def test_a_manager_who_was_invited_and_is_ended_before_joining_does_not_join(stage: Stage) -> None:
    a, _, granted = two_devices(stage, (FIRST,))
    link = invited_manager(a, granted)
    assert a.diary.end_managers(granted.id) == 1
    a.sync()
    with pytest.raises(NotLetInError, match="invitation_expired"):
        join_in(stage, link, "manager")


@rule("R51")
def test_a_client_is_not_ended_with_the_managers(stage: Stage) -> None:
    a, b, manager, granted, _ = managed(stage)
    client = join_in(stage, invited(a, granted))
    a.diary.end_managers(granted.id)
    all_sync(a, b, client)
    again = join_in(stage, invited(a, granted, instead=True), "again")
    all_sync(a, b, again)
    ended = {seat.replica: seat.ended for seat in a.diary.joined(granted.id)}
    assert ended == {manager.diary.replica: True, client.diary.replica: True, again.diary.replica: False}
