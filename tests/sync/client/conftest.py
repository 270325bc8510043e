"""A freelancer's diary at a real server, and a real Chromium in which a client opens that server's page."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from diary.contracts import Contract
from diary.rules.ids import Millis, Slot
from diary.rules.json_form import week_json
from diary.rules.week import Week, ends_at_ms
from tests.practice import draft_of, slot
from tests.sync.stage import Device, Stage, stage_in

WEEK = Week.parse("2026-W47")
PLANTED_MEMO = "planted-memo-quince"
PLANTED_TITLE = "planted-title-medlar"
READ_WEEK = """async ([contract, first]) => {
  const { Asking } = await import("/client/asking.js");
  const { weekJson } = await import("/client/timesheet.js");
  const asking = new Asking(() => undefined);
  const summary = await asking.ask("look", { contract });
  const [view] = await asking.ask("weeks", { contract, first: [first], whole: true });
  const nowMs = Date.now() + summary.clock_ahead_ms;
  return JSON.stringify(weekJson(view.week, view.segments, view.totals, nowMs));
}"""


def picture(number: int) -> bytes:
    """Return a small WebP that differs by its number."""
    file = io.BytesIO()
    Image.new("RGB", (320, 180), (30 + number * 37 % 200, 90, 140)).save(file, "WEBP")
    return file.getvalue()


@dataclass
class Room:
    """The freelancer's side and the server."""

    stage: Stage
    device: Device
    contract: Contract

    def invite(self, days: int = 14) -> str:
        """Return a new link of the contract, synced."""
        invited = self.device.diary.invite(self.contract.id, days=days)
        self.device.sync()
        return invited.link.text

    def week(self, week: Week = WEEK) -> dict[str, Any]:
        """Return what `diary week --json` says of the contract's week."""
        found: dict[str, Any] = json.loads(json.dumps(week_json(self.device.diary.week(week))))
        # To a client deleted time looks like no time (R65).
        found["segments"] = [one for one in found["segments"] if one["state"] != "deleted"]
        for part in ("segments", "totals"):
            found[part] = [one for one in found[part] if one["contract"] == self.contract.id]
        return found


@dataclass
class Client:
    """One browser of a client."""

    room: Room
    page: Page

    @property
    def said(self) -> str:
        """Return what the page's status line says."""
        return self.page.locator("#status").inner_text()

    def open(self, link: str) -> None:
        """Open a link as the address of the page."""
        self.page.goto(link)
        self.page.get_by_role("button", name="Join this contract").wait_for()

    def join(self, link: str) -> None:
        """Open a link and join by it."""
        self.open(link)
        self.page.get_by_role("button", name="Join this contract").click()
        self.page.locator("#status", has_text="You have joined").wait_for()
        expect(self.page.get_by_text("is still being checked")).to_have_count(0)  # the log was read

    def week(self, week: Week = WEEK) -> dict[str, Any]:
        """Return what the page has worked out of a week, as JSON."""
        answer = self.page.evaluate(READ_WEEK, [self.room.contract.id, week.first_slot])
        found: dict[str, Any] = json.loads(answer)
        return found

    def go(self, path: str) -> None:
        """Go to a place of the contract, such as "week/2026-W47"."""
        self.page.goto(f"{self.room.stage.url}/join#/{self.room.contract.id}/{path}")


def work(device: Device, contract: Contract, first: Slot, memos: str) -> None:
    """Record one slot a letter, each memo that letter, its screen and thumbnail real pictures."""
    clock = device.clock
    for number, letter in enumerate(memos):
        at = Slot(first + number)
        memo = f"{PLANTED_MEMO} {letter}"
        clock.put(Millis(max(clock.now_ms(), ends_at_ms(at))))
        draft = draft_of(contract, at, memo=memo, title=PLANTED_TITLE, replica=device.diary.replica)
        pictures = (("screen", picture(number)), ("thumbnail", picture(number + 100)))
        device.diary.record(msgspec.structs.replace(draft, pictures=pictures))


@contextmanager
def room_in(folder: Path) -> Iterator[Room]:
    """Give a Wednesday's work of a freelancer over a limit of an hour, synced."""
    with stage_in(folder) as stage:
        device = stage.first()
        contract = device.diary.new_contract(
            title="Orchard booking site", client="Ada", rate_minor=6000, currency="USD", limit_minutes=60,
            manual_allowed=True, labels=("Development", "Review"),
        )  # fmt: skip
        work(device, contract, slot("2026-11-18T09:00Z"), "aaabbbcc")
        device.diary.add_manual(contract.id, [slot("2026-11-18T11:00Z")], "Telephone call", "Review")
        device.sync()
        yield Room(stage, device, contract)


@contextmanager
def clients_of(room: Room, chromium: Browser) -> Iterator[Callable[..., Client]]:
    """Open browsers for clients; what their pages complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(width: int = 1280, **options: Any) -> Client:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                # A refusal or a broken line is meant; the browser says so by itself.
                if line.type == "error" and "Failed to load resource" not in line.text
                else None
            ),
        )
        return Client(room, context.new_page())

    try:
        yield opened
    finally:
        for context in contexts:
            # What a test does to a request under way ends in that test, not as a fault of the next one.
            context.unroute_all(behavior="wait")
            context.close()
    assert complaints == []


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Give a room of its own to a test."""
    with room_in(tmp_path) as room:
        yield room


@pytest.fixture
def client(room: Room, chromium: Browser) -> Iterator[Callable[..., Client]]:
    """Open a browser of its own for a client."""
    with clients_of(room, chromium) as opened:
        yield opened
