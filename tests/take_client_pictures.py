"""The pictures of the client's page in `docs/pictures`: `python -m tests.take_client_pictures`.

A freelancer's two days are recorded through the real diary and server; a client joins in the browser.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, Page, sync_playwright

from diary.contracts import Contract
from diary.rules.ids import Millis, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import ends_at_ms
from tests.plugins.conftest import screen
from tests.practice import draft_of, slot
from tests.sync.client.conftest import Client, Room
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, stage_in
from tests.take_pictures import NARROW, SIZE, drawn, keep

LIMIT_MINUTES = 270
DAYS = {
    "2026-11-17T09:00Z": "aaaaaabbb_cccccc",
    "2026-11-18T08:30Z": "bbbbbb__cccdddddd",
}
MEMOS = {
    "a": ("Harvest calendar: the pages that a visitor sees first", "Development"),
    "b": ("Prices by weight and by crate", "Development"),
    "c": ("Reading through the booking form with Ada", "Review"),
    "d": ("Tests for the booking form", "Development"),
}


def record(device: Device, contract: Contract, first: Slot, memos: str) -> None:
    """Record a slot a letter; an underscore is a break."""
    for number, letter in enumerate(memos):
        if letter == "_":
            continue
        at = Slot(first + number)
        memo, label = MEMOS[letter]
        device.clock.put(Millis(ends_at_ms(at)))
        draft = draft_of(
            contract, at, memo=memo, label=label, title="orchard — editor", replica=device.diary.replica
        )
        minutes = tuple(
            MinuteCounts(31 + 7 * minute, minute % 4, minute % 3, True)
            if (minute + number) % 4
            else MinuteCounts(0, 0, 0, False)
            for minute in range(10)
        )
        seed = int(at) % 97
        pictures = (("screen", screen(seed, 1280, 720)), ("thumbnail", screen(seed, 320, 180)))
        device.diary.record(msgspec.structs.replace(draft, pictures=pictures, minutes=minutes))


def story(stage: Stage) -> Room:
    """Return a contract with two days of work over its limit, a telephone call, and messages."""
    device = stage.first()
    diary = device.diary
    diary.set_setting("zone", "Europe/Berlin")
    contract = diary.new_contract(
        title="Orchard website", client="Ada Orchard", rate_minor=7200, currency="EUR",
        limit_minutes=LIMIT_MINUTES, manual_allowed=True, labels=("Development", "Review"),
    )  # fmt: skip
    for first, memos in DAYS.items():
        record(device, contract, slot(first), memos)
    stage.put_clocks("2026-11-18T14:04Z")
    call = [slot("2026-11-18T09:30Z"), slot("2026-11-18T09:40Z")]
    diary.add_manual(contract.id, call, "Telephone call about the crates", "Review")
    device.sync()
    return Room(stage, device, contract)


def talk(room: Room, page: Page, client: Client) -> None:
    """Let both sides write."""
    diary, contract = room.device.diary, room.contract.id
    room.device.sync()
    client.go("messages")
    page.get_by_label("Write to the freelancer").fill(
        "Good morning! Could the harvest calendar start in May?"
    )
    page.get_by_role("button", name="Send").click()
    page.locator(".message .state", has_text="Sent").or_(
        page.locator(".message .state", has_text="Delivered")
    ).wait_for()
    room.device.sync()
    diary.mark_read(contract)
    diary.send_message(contract, "Yes. It is in the second page now; here is how it looks.", (drawn(),))
    diary.set_call(contract, "https://meet.example/orchard")
    room.device.sync()
    page.reload()
    page.locator(".message img").wait_for()


def take(browser: Browser, room: Room) -> None:
    """Take the timesheet, a day, a segment, terms, messages and an invoice; a narrow and dark one too."""
    light = browser.new_context(
        viewport=SIZE,  # type: ignore[arg-type]  # a dict of its shape
        color_scheme="light",
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    page = light.new_page()
    client = Client(room, page)
    client.join(room.invite())
    page.locator(".strip").first.wait_for()
    keep(page, "client-timesheet")
    client.go("day/2026-11-18")
    page.locator(".segment img").nth(8).wait_for()
    keep(page, "client-day")
    client.go(f"segment/{slot('2026-11-18T09:00Z')}")
    page.locator("figure img").wait_for()
    keep(page, "client-segment")
    client.go("terms")
    page.get_by_role("button", name="Set these terms").wait_for()
    keep(page, "client-terms")
    talk(room, page, client)
    keep(page, "client-messages")
    room.stage.put_clocks(AFTER_THE_LOCK)
    room.device.diary.new_contract(title="Next")  # a push finds the week due
    room.device.sync()
    client.go("invoices/1")
    page.reload()
    page.get_by_role("heading", name="Payments").wait_for()
    keep(page, "client-invoice")
    light.close()
    dark = browser.new_context(
        viewport=NARROW,  # type: ignore[arg-type]  # as above
        color_scheme="dark",
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    page = dark.new_page()
    client = Client(room, page)
    client.join(room.invite())
    client.go("day/2026-11-18")
    page.locator(".segment img").nth(2).wait_for()
    keep(page, "client-narrow-and-dark")
    dark.close()


def main() -> None:
    """Take all pictures of the client's page."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        take(browser, story(stack.enter_context(stage_in(Path(made)))))
        browser.close()


if __name__ == "__main__":
    main()
