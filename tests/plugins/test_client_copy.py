"""A client's copy in Datasette: their colours, what stands, and nothing to change (R24, R67)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.plugins.conftest import PLANTED_MEMO, Served, record, serve
from tests.practice import slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import stage_in

NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "11"))
DARK_BLUE, LIGHT_BLUE = "rgb(29, 79, 145)", "rgb(169, 211, 245)"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve the copy of a client who has joined: automatic, manual and deleted time."""
    with stage_in(tmp_path) as stage, ExitStack() as stack:
        device = stage.first()
        device.diary.set_setting("zone", "America/New_York")
        contract = device.diary.new_contract(title="Orchard", client="Orchard", manual_allowed=True)
        for at in (NINE, TEN):
            record(device.diary, contract, at, PLANTED_MEMO)
        stage.put_clocks("2026-11-18T12:04Z")
        device.diary.add_manual(contract.id, [ELEVEN], "A call")
        device.diary.remove([(contract.id, TEN)])
        client = join_in(stage, invited(device, contract))
        client.diary.set_setting("zone", "UTC")
        yield serve(client.diary.home, client.diary, client.clock, contract, stack)


@rule("R24")
def test_a_client_sees_their_own_colours_and_what_stands(served: Served, page: Page) -> None:
    page.goto(served.address("/-/diary/day/2026-11-18"))
    expect(page.locator("body")).to_have_class("diary for-client")
    bars = page.locator(".memo-bar")
    expect(bars.filter(has_text=PLANTED_MEMO)).to_have_css("background-color", DARK_BLUE)
    expect(bars.filter(has_text="A call")).to_have_css("background-color", LIGHT_BLUE)
    expect(page.locator(".segment")).to_have_count(2)
    expect(page.locator(".segment img")).to_have_count(1)
    assert "deleted" not in page.inner_text("main")


@rule("R5")
def test_a_client_reads_times_by_the_zone_that_the_freelancer_told(served: Served, page: Page) -> None:
    page.goto(served.address("/-/diary/day/2026-11-18"))
    expect(page.locator(".hour-name").first).to_have_text("08:00")
    page.get_by_role("button", name="America/New York").click()
    expect(page.locator(".hour-name").first).to_have_text("03:00")
    expect(page.get_by_role("button", name="America/New York")).to_have_count(0)
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(page.locator(".hour-name").first).to_have_text("08:00")


@rule("R67")
def test_a_client_is_offered_nothing_to_change(served: Served, page: Page) -> None:
    segment = served.segment_path((served.contract.id, NINE))
    for path in ("/-/diary", "/-/diary/day/2026-11-18", segment, "/-/diary/sync", "/-/diary/report"):
        page.goto(served.address(path))
        expect(page.locator("h1")).to_be_visible()
        for action in ("edit", "remove", "add", "late", "undo", "refused"):
            expect(page.locator(f'form[action^="/-/diary/{action}"]:has(button)')).to_have_count(0)
        expect(page.get_by_role("link", name="Refused")).to_have_count(0)
    page.goto(served.address(segment))
    expect(page.locator("main")).to_contain_text("The freelancer writes it")
    expect(page.locator("figure img")).to_be_visible()


@rule("R31")
def test_a_client_finds_a_memo(served: Served, page: Page) -> None:
    page.goto(served.address("/-/diary/search"))
    page.get_by_role("searchbox").fill("marzipan")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("main")).to_contain_text(PLANTED_MEMO)
