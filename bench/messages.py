"""What 5,000 messages of one contract cost whoever opens them: the client's page, Datasette's, the prompt.

    python -m bench messages

Freelancer and client have written 2,500 each, through their diaries and a real server, and read the first
half. `client_page_5000_messages` is from the start of a navigation in a browser that was started anew, its
memory cold and the rows in its database, to the last message shown, beside `client_page_terms`, the same of a
page of the contract that opens one row; `messages_page_5000` is the making of
Datasette's page by a diary whose memory is cold; `unread_of_5000` is what `diary status` needs to count.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.client_page import browser_at
from bench.figure import print_figure
from datasette_work_diary.messages_page import messages_page
from diary.contracts import Contract
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, stage_in

MESSAGES = 5_000
TURN = 250  # how many one side writes before the other syncs
RUNS = 5
LAST = "the last of all messages"
JOINED = "#status:has-text('You have joined')"


def measure(count: int = MESSAGES) -> None:
    with tempfile.TemporaryDirectory() as folder, stage_in(Path(folder, "stage")) as stage:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard website", client="Ada")
        client = join_in(stage, invited(device, contract))
        _converse(device, client, contract, count)
        device.diary.send_message(contract.id, LAST)
        device.sync()
        _measure_diary(device, contract, count)
        _measure_page(stage, device, contract, Path(folder, "browser"))


def _converse(device: Device, client: Device, contract: Contract, count: int) -> None:
    for turn in range(count // TURN):
        by, other = (device, client) if turn % 2 else (client, device)
        for number in range(TURN):
            by.diary.send_message(
                contract.id, f"Message {turn * TURN + number} of many. " + "A sentence. " * 5
            )
        by.sync()
        other.sync()
        if turn < count // TURN // 2:
            other.diary.mark_read(contract.id)


def _measure_diary(device: Device, contract: Contract, count: int) -> None:
    pages, counts = [], []
    for _ in range(RUNS):
        device.diary.forget_opened()
        began = time.process_time()
        messages_page(device.diary, contract.id, None)
        pages.append(time.process_time() - began)
        device.diary.forget_opened()
        began = time.process_time()
        unread = sum(device.diary.unread().values())
        counts.append(time.process_time() - began)
    print_figure("messages_page_5000", pages, "s", at_most=1, messages=count)
    print_figure("unread_of_5000", counts, "s", at_most=1, unread=unread)


def _measure_page(stage: Stage, device: Device, contract: Contract, profile: Path) -> None:
    link = device.diary.invite(contract.id).link.text
    device.sync()
    seconds, terms = [], []
    with sync_playwright() as playwright:
        with browser_at(playwright, profile) as context:
            page = context.new_page()
            page.goto(link)
            page.get_by_role("button", name="Join this contract").click()
            page.locator(JOINED).wait_for(timeout=120_000)
        for _ in range(RUNS):
            with browser_at(playwright, profile) as context:
                page = context.new_page()
                seconds.append(_opened(page, f"{stage.url}/join#/{contract.id}/messages", LAST))
            with browser_at(playwright, profile) as context:
                page = context.new_page()
                terms.append(_opened(page, f"{stage.url}/join#/{contract.id}/terms", "You set the terms"))
    print_figure("client_page_terms", terms, "s")
    print_figure("client_page_5000_messages", seconds, "s", at_most=1)


def _opened(page: Page, address: str, shows: str) -> float:
    """Return the seconds from the start of the navigation to a text that the page shows, by its own clock."""
    page.goto(address, wait_until="commit")
    page.locator("main", has_text=shows).wait_for(timeout=60_000)
    at_ms: float = page.evaluate("performance.now()")
    return at_ms / 1000
