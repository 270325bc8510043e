"""An agency's bill over real diaries: each party comes to the same lines, each in its own copy (R51, R61)."""

import pytest

from diary.agency_copies import folders
from diary.contracts import Contract
from diary.diary import Diary
from diary.messaging import NewFile
from diary.parties import RefusedSayingError
from diary.paying import NoReceiptError
from diary.rules.ids import ContractId
from diary.rules.week import Week
from sync.agency import sync_copies
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import kinds
from tests.sync.stage import Device, Stage
from tests.sync.test_agency import taken_in

NINE = slot("2026-11-18T09:00Z")
WEEK = Week.of(NINE)


def worked(stage: Stage, agency: Device, title: str, segments: int) -> tuple[Device, Contract]:
    """Return a member of the agency and their contract, at 60 euros an hour."""
    device = stage.first()
    contract = device.diary.new_contract(title=title, client="Brown", rate_minor=6000, currency="EUR")
    for number in range(segments):
        at = type(NINE)(NINE + number)
        record_slot(device.diary, contract, at, picture=SCREEN + title.encode() + str(at).encode())
    link = device.diary.invite_manager(contract.id, agency.diary.account).link
    device.sync()
    taken_in(agency, link, title, "Brown")
    return device, contract


def billed(stage: Stage) -> tuple[Device, Device, Device, ContractId]:
    """Return an agency, its member and their client, an hour of whose contract is on the agency's bill."""
    agency = stage.first()
    ada, orchard = worked(stage, agency, "Ada", 6)
    client = join_in(stage, invited(ada, orchard))
    stage.put_clocks("2026-11-24T09:00Z")
    ada.diary.new_contract(title="After")
    ada.sync()
    agency.diary.new_contract(title="Own")
    for device in (agency, agency, ada, client, ada, client):
        device.sync()
    return agency, ada, client, orchard.id


def due(device: Device, agency: Device) -> tuple[int | None, list[str]]:
    """Return what a copy shows as due of the agency's invoice, and what became of its payments."""
    view = device.diary.invoice(1, None if device is agency else agency.diary.account)
    return view.due_minor, sorted(one.state for one in view.payments)


@rule("R61")
@rule("R62")
@rule("R63")
def test_member_client_and_agency_agree_on_what_was_paid_of_the_agencys_bill(stage: Stage) -> None:
    agency, ada, client, contract = billed(stage)
    account = agency.diary.account
    client.diary.mark_paid(1, 5000, "SEPA 4711", agency=account)
    client.diary.dispute([(contract, NINE)], "Not that one")
    client.sync()
    stage.put_clocks("2026-11-24T09:11Z")
    for device in (ada, agency):
        device.sync()
    assert due(agency, agency) == (5000, ["claimed"]), "6000, less what is disputed"
    with pytest.raises(RefusedSayingError, match="agency"):
        ada.diary.note_received(1, 5000, agency=account)
    (claim,) = agency.diary.invoice(1).payments
    assert agency.diary.confirm_payment(1, claim.id, reference="on Monday") == 5000
    agency.diary.note_received(1, 600)
    with pytest.raises(NoReceiptError):
        agency.diary.note_received(1, 1, receipts=[NewFile("slip.txt", "text/plain", b"slip")])
    ada.diary.concede([(contract, NINE)])
    for device in (agency, ada):
        device.sync()
    stage.put_clocks("2026-11-24T09:23Z")
    for device in (client, ada, agency):
        device.sync()
        assert due(device, agency) == (-600, ["received", "received"])
    agency.diary.refund(1, 600)
    agency.sync()
    stage.put_clocks("2026-11-24T09:35Z")
    for device in (client, ada, agency):
        device.sync()
        assert due(device, agency) == (0, ["received", "received", "refunded"])
    (statement,) = agency.diary.statements()
    assert statement.client == "Brown"
    assert statement.balances == {"in_review": -5000, "paid_by_hand": 5000}
    words = [one.reference for one in agency.diary.invoice(1).payments if one.id == claim.id]
    assert words == ["on Monday"]
    assert ada.diary.statements() == (), "it is no account between Ada and Brown"
    for device in (client, ada, agency):
        assert kinds(device) == []


@rule("R51")
@rule("R61")
def test_two_freelancers_an_agency_and_a_client_agree_on_one_bill(stage: Stage) -> None:
    agency = stage.first()
    ada, orchard = worked(stage, agency, "Ada", 6)
    ben, garden = worked(stage, agency, "Ben", 3)
    client = join_in(stage, invited(ada, orchard))
    stage.put_clocks("2026-11-24T09:00Z")
    for device in (ada, ben):  # each with something to push: that closes their week
        device.diary.new_contract(title="After")
        device.sync()
    agency.diary.new_contract(title="Own")
    for device in (agency, agency, ada, ben, client, ada, ben, client):
        device.sync()
    (bill,) = agency.diary.invoices()
    assert (bill.number, bill.agrees, sum(line.amount_minor for line in bill.lines)) == (1, True, 9000)
    for device, contract, minor in ((ada, orchard, 6000), (ben, garden, 3000), (client, orchard, 6000)):
        (part,) = device.diary.invoices()
        assert (part.number, part.agrees) == (1, True)
        assert [(line.contract, line.amount_minor) for line in part.lines] == [(contract.id, minor)]
        assert kinds(device) == []
    assert ada.diary.statements() == (), "Brown owes the agency, not Ada"
    assert [one.fault for one in sync_copies(agency.diary.home, clock=agency.clock)] == [None, None]
    for folder in folders(agency.diary.home):
        with Diary.open(folder, clock=agency.clock) as copy:
            assert [view.agrees for view in copy.invoices()] == [True]
    assert kinds(agency) == []
