"""An agency and its members over a real server: what its manager reads, and what stands on its bill."""

from pathlib import Path

import pytest

from diary.agency_copies import folder_of, views
from diary.contracts import Contract
from diary.rules.week import Week
from diary.sealing.invitation import Link
from diary.sealing.keyring import choose_place
from diary.store.connection import DiaryExistsError
from sync.agency import NotForUsError, sync_copies, take_in
from sync.engine import NotRegisteredError
from sync.join import NotLetInError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage

FIRST, SECOND = (slot(f"2026-11-18T09:{minute}0Z") for minute in range(2))
WEEK = Week.of(FIRST)


def member_of(stage: Stage, agency: Device, title: str, *, days: int = 14) -> tuple[Device, Contract, Link]:
    """Return a freelancer, their contract with a slot, and the link by which the agency's manager joins."""
    device = stage.first()
    contract = device.diary.new_contract(title=title, rate_minor=6000)
    record_slot(device.diary, contract, FIRST, picture=SCREEN + title.encode())
    link = device.diary.invite_manager(contract.id, agency.diary.account, days=days).link
    device.sync()
    return device, contract, link


def taken_in(agency: Device, link: Link, name: str = "", client: str = "") -> Contract:
    place = choose_place(folder_of(agency.diary.home, link), "file")
    return take_in(agency.diary, link, place, name=name, client=client)


def titles(agency: Device) -> list[str]:
    shown = views(agency.diary.home, WEEK, clock=agency.clock)
    return sorted(view.contract.title for view in shown.values())


@rule("R61")
@rule("R67")
def test_two_members_contracts_are_read_and_stand_on_the_bill_of_their_client(stage: Stage) -> None:
    agency = stage.first()
    ada, first, ada_link = member_of(stage, agency, "Orchard")
    ben, second, ben_link = member_of(stage, agency, "Garden")
    assert taken_in(agency, ada_link, "Ada", "Brown").title == "Orchard"
    taken_in(agency, ben_link, "Ben", " brown ")
    one, other = agency.diary.members()
    assert [(view.name, view.contract, view.sent) for view in (one, other)] == [
        ("Ada", first.id, True),
        ("Ben", second.id, True),
    ]
    assert one.payer == other.payer is not None, "contracts of one client go on one bill"
    assert (one.member, other.member) == (ada.diary.account, ben.diary.account)
    assert titles(agency) == ["Garden", "Orchard"]
    record_slot(ada.diary, first, SECOND, picture=SCREEN + b"more")
    ada.sync()
    done = {
        one.title: (one.pulled > 0, one.fault) for one in sync_copies(agency.diary.home, clock=agency.clock)
    }
    assert done["Orchard"] == (True, None)
    shown = views(agency.diary.home, WEEK, clock=agency.clock)
    totals = {view.contract.title: view.totals.segments for view in shown.values() if view.totals}
    assert totals == {"Orchard": 2, "Garden": 1}


@rule("R50")
def test_every_device_of_the_agency_knows_its_members_and_makes_the_same_payer(stage: Stage) -> None:
    agency = stage.first()
    _, first, link = member_of(stage, agency, "Orchard")
    taken_in(agency, link, "Ada", "Brown")
    second = stage.another(agency.diary.phrase() or "")
    second.sync()
    (known,), (seen,) = agency.diary.members(), second.diary.members()
    assert (seen.contract, seen.payer, seen.sent) == (first.id, known.payer, True)
    assert (seen.name, seen.client) == ("", ""), "names stay where they were given"
    second.diary.put_on_bill(known.member, known.contract, name="Ada", client="BROWN")
    second.sync()
    agency.sync()
    assert agency.diary.members()[0].payer == known.payer
    assert agency.diary.alarms() == second.diary.alarms() == ()


@rule("R61")
def test_a_contract_that_was_taken_off_the_bill_is_still_read(stage: Stage) -> None:
    agency = stage.first()
    _, first, link = member_of(stage, agency, "Orchard")
    taken_in(agency, link)
    assert agency.diary.take_off_bill(first.id).contract == first.id
    agency.sync()
    assert agency.diary.members() == ()
    assert titles(agency) == ["Orchard"]


@rule("R51")
def test_a_member_who_left_stops_no_other_members_sync_and_their_past_stays(stage: Stage) -> None:
    agency = stage.first()
    ada, first, ada_link = member_of(stage, agency, "Orchard")
    _, _, ben_link = member_of(stage, agency, "Garden")
    for link in (ada_link, ben_link):
        taken_in(agency, link)
    ada.diary.end_managers(first.id)
    ada.sync()
    faults = {one.title: one.fault for one in sync_copies(agency.diary.home, clock=agency.clock)}
    assert faults["Garden"] is None
    assert "takes nothing of this device any more" in str(faults["Orchard"])
    assert titles(agency) == ["Garden", "Orchard"]
    again = ada.diary.invite_manager(first.id, agency.diary.account).link
    ada.sync()
    taken_in(agency, again)
    assert titles(agency) == ["Garden", "Orchard"], "the newer of two copies is shown"


@rule("R51")
def test_a_link_that_is_not_for_this_agency_bills_nothing(stage: Stage) -> None:
    agency, other = stage.first(), stage.first()
    ada, first, link = member_of(stage, other, "Orchard")
    with pytest.raises(NotForUsError, match="another agency's manager"):
        taken_in(agency, link)
    clients = ada.diary.invite(first.id).link
    ada.sync()
    with pytest.raises(NotForUsError, match="the client"):
        taken_in(agency, clients)
    assert agency.diary.members() == ()


@rule("R51")
def test_a_dead_link_leaves_neither_copy_nor_bill(stage: Stage) -> None:
    agency = stage.first()
    ada, first, link = member_of(stage, agency, "Orchard")
    ada.diary.end_managers(first.id)
    ada.sync()
    with pytest.raises(NotLetInError):
        taken_in(agency, link)
    assert agency.diary.members() == ()
    assert not list((agency.diary.home / "agency").iterdir())


@rule("R50")
def test_an_agency_without_a_server_takes_nobody_in(stage: Stage, tmp_path: Path) -> None:
    agency = stage.first(registered=False)
    other = stage.first()
    _, _, link = member_of(stage, other, "Orchard")
    with pytest.raises(NotRegisteredError):
        taken_in(agency, link)
    assert not (agency.diary.home / "agency").exists(), tmp_path


@rule("R40")
def test_a_link_that_was_used_here_before_makes_no_second_copy(stage: Stage) -> None:
    agency = stage.first()
    _, _, link = member_of(stage, agency, "Orchard")
    taken_in(agency, link)
    with pytest.raises(DiaryExistsError):
        taken_in(agency, link)
    assert len(agency.diary.members()) == 1
