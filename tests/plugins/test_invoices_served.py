"""Invoices behind a real viewer: read, taken out, paid, confirmed, given back (R61, R62, R63)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.diary.pdf.printed import text_of
from tests.plugins.conftest import Served, record, serve
from tests.plugins.said import said
from tests.plugins.test_accessible import faults, faults_everywhere, overflow
from tests.practice import slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, stage_in

pytestmark = pytest.mark.browser
PATH = "/-/diary/invoices"
Pair = tuple[Device, Served, Device, Served]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Serve a freelancer's diary with a billed week, and the copy of its client."""
    with stage_in(tmp_path) as stage, ExitStack() as stack:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard <b>", client="Ada & Co", rate_minor=6000)
        for at in ("09:00", "09:10", "09:20"):
            record(device.diary, contract, slot(f"2026-11-18T{at}Z"), "Sketches")
        stage.put_clocks("2026-11-18T12:04Z")
        client = join_in(stage, invited(device, contract))
        device.sync()
        _lock(stage, device, client)
        for each in (device, client):
            each.diary.set_setting("zone", "UTC")
        device.diary.set_setting("bill_name", "Grace Hopper")
        served = [
            serve(each.diary.home, each.diary, each.clock, contract, stack) for each in (device, client)
        ]
        yield device, served[0], client, served[1]


def _lock(stage: Stage, *devices: Device) -> None:
    stage.put_clocks("2026-11-24T09:00Z")
    devices[0].diary.new_contract(title="Next")
    for each in (devices[0], *devices, *devices):
        each.sync()


def opened(chromium: Browser, served: Served, width: int = 1280) -> Page:
    page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(served.door.url)
    return page


@rule("R61")
@rule("R62")
def test_an_invoice_is_read_printed_and_taken_out(pair: Pair, chromium: Browser) -> None:
    _, served, _, copy = pair
    page = opened(chromium, served, width=360)
    page.get_by_role("link", name="Invoices", exact=True).click()
    expect(page.locator("main")).to_contain_text("Due: 30.00 USD.")
    for path in (PATH, f"{PATH}/1", "/-/diary/statement"):
        page.goto(served.address(path))
        assert faults_everywhere(page) == [], path
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(served.address(PATH))
    page.get_by_role("link", name="1", exact=True).click()
    main = page.locator("main")
    for words in ("Grace Hopper", "Ada & Co", "Orchard <b>", "0:30", "30.00 USD", "In review;"):
        expect(main).to_contain_text(words)
    expect(page.locator("[aria-current=step]")).to_contain_text("in review")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Payments")).to_be_hidden()
    expect(page.get_by_role("heading", name="Lines")).to_be_visible()
    answer = page.request.get(served.address(f"{PATH}/1.pdf"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert "Grace Hopper" in text_of(answer.body())
    assert page.request.get(served.address(f"{PATH}/1.json")).json()["due_minor"] == 3000
    assert "30.00" in page.request.get(served.address(f"{PATH}.csv")).text()
    assert page.request.get(served.address(f"{PATH}/9")).status == 404
    client = opened(chromium, copy)
    client.goto(copy.address(f"{PATH}/1"))
    expect(client.locator("main")).to_contain_text("You see the lines of your own contract")
    expect(client.locator("main")).not_to_contain_text("Grace Hopper")


@rule("R63")
@rule("R66")
def test_a_payment_is_marked_by_the_client_and_confirmed_and_given_back_by_the_freelancer(
    pair: Pair, chromium: Browser
) -> None:
    device, served, client, copy = pair
    page = opened(chromium, copy, width=360)
    page.goto(copy.address(f"{PATH}/1"))
    page.get_by_label("I have paid, in USD").fill("20")
    page.get_by_label("Reference").fill("SEPA <i>4711</i>")
    page.get_by_role("button", name="Mark as paid").click()
    expect(said(page)).to_contain_text("Marked as paid")
    assert (faults(page), overflow(page)) == ([], 0)
    client.sync()
    device.sync()
    mine = opened(chromium, served)
    mine.goto(served.address(f"{PATH}/1"))
    expect(mine.locator("main")).to_contain_text("SEPA <i>4711</i>")
    mine.get_by_role("button", name="Confirm that 20.00 USD has come in").click()
    expect(said(mine)).to_contain_text("Confirmed.")
    expect(mine.locator("main")).to_contain_text("not sent yet")
    device.sync()
    mine.goto(served.address(f"{PATH}/1"))
    expect(mine.locator("main")).to_contain_text("10.00 USD")
    mine.get_by_role("button", name="Note that 20.00 USD was given back").click()
    expect(said(mine)).to_contain_text("Noted as given back.")
    mine.get_by_label("Came in, in USD").fill("a lot")
    mine.get_by_role("button", name="Record it").click()
    expect(mine.locator("main")).to_contain_text("is no amount of USD")
    device.sync()
    client.sync()
    page.goto(copy.address("/-/diary/statement"))
    for words in ("Paid", "Given back", "Invoiced"):
        expect(page.locator("main")).to_contain_text(words)
