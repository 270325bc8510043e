"""The page of contracts: terms, requests and answers, disputes and replies (R8, R10, R38, R54, R62)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.plugins.conftest import PLANTED_MEMO, Served, record, serve
from tests.plugins.said import said
from tests.plugins.test_accessible import faults_everywhere
from tests.practice import slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, stage_in

pytestmark = pytest.mark.browser
NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "11"))
PATH = "/-/diary/contracts"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


@pytest.fixture
def pair(stage: Stage) -> Iterator[tuple[Device, Device, Served]]:
    """Serve a freelancer's diary whose client has joined; both are in the test's hand."""
    with ExitStack() as stack:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard", client="Orchard", limit_minutes=600)
        for at in (NINE, TEN):
            record(device.diary, contract, at, PLANTED_MEMO)
        device.diary.set_setting("zone", "UTC")
        stage.put_clocks("2026-11-18T12:04Z")
        client = join_in(stage, invited(device, contract))
        device.sync()
        yield device, client, serve(device.diary.home, device.diary, device.clock, contract, stack)


@pytest.fixture
def served(pair: tuple[Device, Device, Served]) -> Served:
    return pair[2]


@rule("R10")
def test_manual_time_is_asked_for_on_the_page_and_the_answer_stands_there(
    pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, client, served = pair
    page.goto(served.address("/-/diary/week/2026-W47"))
    page.get_by_role("link", name="Terms, requests and disputes").click()
    expect(page.locator("main")).to_contain_text("The client has joined: the terms are theirs.")
    page.get_by_label("Ask for manual time: why?").fill("A workshop <b>without</b> a screen")
    page.get_by_label("For", exact=True).select_option("2026-W47")
    page.get_by_role("button", name="Ask the client").click()
    expect(said(page)).to_contain_text("Asked; your client decides.")
    expect(page.locator("main")).to_contain_text("waits for an answer, not sent yet")
    expect(page.locator("main")).to_contain_text("A workshop <b>without</b> a screen")
    device.sync()
    client.sync()
    (asked,) = client.diary.requests(served.contract.id)
    client.diary.answer_request(served.contract.id, asked.name, allows=True, reason="This once")
    client.sync()
    device.sync()
    page.goto(served.address(PATH))
    expect(page.locator("main")).to_contain_text("Manual time in 2026-W47: allowed")
    expect(page.locator("main")).to_contain_text("This once")
    expect(page.locator(".terms")).to_contain_text("allowed for 2026-W47")
    page.get_by_text("How the terms came to be").click()
    expect(page.locator(".contract-card details")).to_contain_text(
        "by the client: manual time allowed for 2026-W47"
    )


@rule("R10")
def test_a_request_is_taken_back_by_keyboard_and_a_second_time_is_refused_in_words(
    pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, _, served = pair
    name = device.diary.ask_manual_time(served.contract.id, "Please")
    page.goto(served.address(PATH))
    button = page.get_by_role("button", name="Take it back")
    button.focus()
    device.diary.take_request_back(served.contract.id, name)
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("unknown_request")
    expect(page.locator("main")).to_contain_text("taken back")


@rule("R38")
@rule("R54")
@rule("R62")
def test_disputes_accepted_and_redacted_time_are_said_on_every_page(
    stage: Stage, pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, client, served = pair
    contract = served.contract
    record(device.diary, contract, ELEVEN, "Worked on the train")
    stage.put_clocks("2026-11-24T09:00Z")
    device.sync()
    device.diary.send_asked()
    for each in (device, client):
        each.sync()
    client.diary.dispute([(contract.id, NINE)], "Nothing moves in it")
    client.diary.accept_late([(contract.id, ELEVEN)])
    device.diary.redact([(contract.id, TEN)])
    device.sync()
    client.sync()
    client.diary.redact([(contract.id, TEN)])
    for each in (client, device):
        each.sync()
    page.goto(served.address("/-/diary/week/2026-W47"))
    expect(page.locator("main")).to_contain_text("1 segment disputed by the client.")
    expect(page.locator("main")).to_contain_text("1 segment of late time accepted")
    page.goto(served.address("/-/diary/day/2026-11-18"))
    for word in ("disputed", "accepted", "redacted"):
        expect(page.locator("main")).to_contain_text(word)
    page.goto(served.address(served.segment_path((contract.id, TEN))))
    expect(page.locator(".no-picture")).to_contain_text("redacted by both parties")
    page.goto(served.address(served.segment_path((contract.id, ELEVEN))))
    expect(page.locator("main")).to_contain_text("Bills as a bonus")
    page.goto(served.address(served.segment_path((contract.id, NINE))))
    page.get_by_role("link", name="It is disputed: read why").click()
    expect(page.locator("main")).to_contain_text("Nothing moves in it")
    assert faults_everywhere(page) == []
    page.get_by_label("Your reply").fill("I was reading")
    page.get_by_role("button", name="Reply").click()
    expect(said(page)).to_contain_text("Replied.")
    expect(page.locator("main")).to_contain_text("I was reading")


@rule("R59")
@rule("R62")
def test_a_dispute_is_answered_with_its_proofs_in_one_step_and_then_conceded(
    stage: Stage, pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, client, served = pair
    stage.put_clocks("2026-11-24T09:00Z")
    for each in (device, client):
        each.sync()
    client.diary.dispute([(served.contract.id, NINE)], "Nothing moves in it")
    client.sync()
    device.sync()
    page.goto(served.address(PATH))
    page.get_by_label("Your reply").fill("See the plan on the screen")
    page.get_by_label("Send these segments with their proofs").check()
    page.get_by_role("button", name="Reply").click()
    expect(said(page)).to_contain_text("Replied, with a file.")
    expect(page.locator("main")).to_contain_text("With it: 2026-W47-dispute.bundle.zip")
    (message,) = device.diary.conversation(served.contract.id).messages
    assert [file.name for file in message.files] == ["2026-W47-dispute.bundle.zip"]
    page.get_by_role("button", name="Concede them").click()
    expect(said(page)).to_contain_text("Conceded")
    expect(page.locator("main")).to_contain_text("no longer disputed")
