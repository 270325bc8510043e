"""The agency's page, and what a freelancer's page of contracts says of one (R51, R61, R67)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from diary.agency_copies import folder_of
from diary.contracts import Contract
from diary.sealing.keyring import choose_place
from sync.agency import take_in
from tests.plugins.conftest import PLANTED_MEMO, Served, record, serve
from tests.plugins.test_accessible import faults_everywhere
from tests.practice import slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, stage_in

pytestmark = pytest.mark.browser
NINE, TEN = slot("2026-11-18T09:00Z"), slot("2026-11-18T10:00Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


@pytest.fixture
def pair(stage: Stage) -> tuple[Device, Device, Contract]:
    """Return a freelancer's device, that of the agency which reads a contract of theirs, and the contract."""
    device, agency = stage.first(), stage.first()
    contract = device.diary.new_contract(title="Orchard", rate_minor=6000, currency="EUR")
    for at in (NINE, TEN):
        record(device.diary, contract, at, PLANTED_MEMO)
    link = device.diary.invite_manager(contract.id, agency.diary.account).link
    device.sync()
    place = choose_place(folder_of(agency.diary.home, link), "file")
    take_in(agency.diary, link, place, name="Ada <b>", client="Brown & Co")
    device.sync()
    return device, agency, contract


@pytest.fixture
def served(pair: tuple[Device, Device, Contract], request: pytest.FixtureRequest) -> Iterator[Served]:
    """Serve the diary of the freelancer or of the agency, as the test asks."""
    shown = pair[0] if request.param == "freelancer" else pair[1]
    with ExitStack() as stack:
        yield serve(shown.diary.home, shown.diary, shown.clock, pair[2], stack)


@pytest.mark.parametrize("served", ["agency"], indirect=True)
@rule("R61")
@rule("R67")
def test_an_agency_sees_its_members_weeks_and_what_they_bill(served: Served, page: Page) -> None:
    page.goto(served.address("/-/diary/agency"))
    row = page.get_by_role("row", name="Ada <b>")
    for words in ("Orchard", "Brown & Co", "20.00 EUR"):
        expect(row).to_contain_text(words)
    expect(page.get_by_role("row", name="What bills")).to_contain_text("20.00 EUR")
    expect(page.locator("main")).not_to_contain_text(PLANTED_MEMO)
    assert faults_everywhere(page) == []


@pytest.mark.parametrize("served", ["freelancer"], indirect=True)
@rule("R51")
def test_a_freelancer_sees_which_contracts_an_agency_reads(
    pair: tuple[Device, Device, Contract], served: Served, page: Page
) -> None:
    device, agency, contract = pair
    page.goto(served.address("/-/diary/contracts"))
    expect(page.locator("main")).to_contain_text(f"The manager of agency {agency.diary.account[:8]} reads")
    expect(page.locator("main")).to_contain_text("No client has joined yet.")
    device.diary.end_managers(contract.id)
    page.reload()
    expect(page.locator("main")).not_to_contain_text("The manager of agency")
    page.goto(served.address("/-/diary/agency"))
    expect(page.locator("main")).to_contain_text("No contract stands on your bill.")
