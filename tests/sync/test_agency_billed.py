"""An agency's bill over real diaries: each party comes to the same lines, each in its own copy (R51, R61)."""

from diary.agency_copies import folders
from diary.contracts import Contract
from diary.diary import Diary
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
