"""A week's chores done as a person does them, by mouse and by keyboard alone (R4, R21, R26, R27, R31, R58).

Each job begins on the week's page, where `diary open` leads, and is followed through to what the diary then
holds. `Hands` are the two ways of doing the same.
"""

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import starts_at_ms
from tests.plugins.conftest import Served, screen, serve
from tests.plugins.said import said
from tests.practice import draft_of, instant, practice_diary, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
MONDAY = tuple(Slot(slot("2026-11-16T09:00Z") + number) for number in range(40))
TUESDAY = tuple(Slot(slot("2026-11-17T09:00Z") + number) for number in range(6))
THURSDAY = tuple(Slot(slot("2026-11-19T09:00Z") + number) for number in range(12))
PRIVATE = TUESDAY[3]
LIMIT_MINUTES = 10 * (len(MONDAY) + len(TUESDAY) + 6)  # Thursday's last hour is over it
TABS_MAX = 160  # more stops than the longest page has


class Hands(Protocol):
    """One way of using a page."""

    def press(self, target: Locator) -> None:
        """Press a button, or follow a link."""
        ...

    def fill(self, field: Locator, text: str) -> None:
        """Write into a field."""
        ...

    def choose(self, field: Locator, option: str) -> None:
        """Choose from a list."""
        ...

    def select_all(self, boxes: Locator) -> None:
        """Select a day's segments, from the first to the last."""
        ...

    def open(self, boxes: Locator, number: int) -> None:
        """Open one of a day's segments, counted from 0."""
        ...


class Mouse:
    """Points and clicks."""

    def press(self, target: Locator) -> None:
        target.click()

    def fill(self, field: Locator, text: str) -> None:
        field.click()
        field.fill(text)

    def choose(self, field: Locator, option: str) -> None:
        field.select_option(label=option)

    def select_all(self, boxes: Locator) -> None:
        boxes.first.click()
        boxes.last.click(modifiers=["Shift"])

    def open(self, boxes: Locator, number: int) -> None:
        boxes.nth(number).locator("xpath=../a").click()


class Keyboard:
    """Never touches the mouse: Tab from stop to stop, and the keys that each stop takes."""

    def _reach(self, target: Locator) -> None:
        keyboard = target.page.keyboard
        for _ in range(TABS_MAX):
            if target.evaluate("target => target === document.activeElement"):
                return
            keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")

    def press(self, target: Locator) -> None:
        self._reach(target)
        target.page.keyboard.press("Enter")

    def fill(self, field: Locator, text: str) -> None:
        self._reach(field)
        field.page.keyboard.press("ControlOrMeta+a")
        field.page.keyboard.type(text)

    def choose(self, field: Locator, option: str) -> None:
        self._reach(field)
        field.page.keyboard.type(option)
        assert field.evaluate("field => field.selectedOptions[0].label") == option

    def select_all(self, boxes: Locator) -> None:
        self._reach(boxes.first)
        boxes.page.keyboard.press("Space")
        boxes.page.keyboard.press("Shift+End")

    def open(self, boxes: Locator, number: int) -> None:
        self._reach(boxes.first)
        for _ in range(number):
            boxes.page.keyboard.press("ArrowRight")
        boxes.page.keyboard.press("Enter")


@pytest.fixture(params=[Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def hands(request: pytest.FixtureRequest) -> Hands:
    found: Hands = request.param
    return found


@dataclass(frozen=True)
class Desk:
    """A week's diary, and the page on which its owner starts."""

    served: Served
    page: Page

    @property
    def diary(self) -> Diary:
        return self.served.diary

    @property
    def contract(self) -> Contract:
        return self.served.contract

    def says(self, text: str) -> None:
        """Check what the page says of the act that was done."""
        expect(said(self.page)).to_contain_text(text)

    @property
    def boxes(self) -> Locator:
        return self.page.locator("input[name=place]")


@pytest.fixture
def desk(tmp_path: Path, chromium: Browser) -> Iterator[Desk]:
    """Serve a week of forty segments on Monday, an hour on Tuesday, two on Thursday; it is Friday noon."""
    with ExitStack() as stack:
        diary, clock, contract = practice_diary(
            tmp_path,
            "2026-11-16T08:50Z",
            title="Orchard booking site",
            client="Orchard",
            limit_minutes=LIMIT_MINUTES,
            manual_allowed=True,
            labels=("Development", "Review", "Meeting"),
        )
        stack.enter_context(diary)
        diary.set_setting("zone", "UTC")
        pictures = (("screen", screen(1)), ("thumbnail", screen(1, 320, 180)))
        for at in (*MONDAY, *TUESDAY, *THURSDAY):
            clock.put(starts_at_ms(Slot(at + 1)))
            title = "Online banking — my account" if at == PRIVATE else "calendar.ts — editor"
            memo = "Rounding of the ledger" if at in TUESDAY else "Rework the calendar"
            draft = draft_of(contract, at, memo=memo, label="Development", title=title, replica=diary.replica)
            diary.record(msgspec.structs.replace(draft, pictures=pictures))
        clock.put(instant("2026-11-20T12:04Z"))
        served = serve(tmp_path / "diary", diary, clock, contract, stack)
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        stack.callback(context.close)
        page = context.new_page()
        page.goto(served.door.url)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Week 47")
        yield Desk(served, page)


@rule("R4")
@rule("R25")
def test_tuesdays_private_screenshot_is_found_and_removed_before_sunday(desk: Desk, hands: Hands) -> None:
    page = desk.page
    hands.press(page.get_by_role("link", name="Tue 17 Nov"))
    expect(desk.boxes).to_have_count(len(TUESDAY))
    hands.open(desk.boxes, TUESDAY.index(PRIVATE))
    expect(page.get_by_text("Online banking — my account")).to_be_visible()
    picture = page.locator(".pictures img").first.get_attribute("src")
    hands.press(page.get_by_role("button", name="Remove the snapshot (and its time)"))
    expect(page.locator(".loss")).to_contain_text("10 min of time in 1 segment")
    hands.press(page.get_by_role("button", name="Remove the snapshot (and its time)"))
    desk.says("Removed 1 segment.")
    assert page.request.get(desk.served.address(str(picture))).status == 404
    assert [desk.served.memo_at(at) is None for at in TUESDAY] == [at == PRIVATE for at in TUESDAY]


@rule("R26")
def test_forty_segments_are_relabelled_at_once(desk: Desk, hands: Hands) -> None:
    page = desk.page
    hands.press(page.get_by_role("link", name="Mon 16 Nov"))
    hands.select_all(desk.boxes)
    expect(page.locator("#selected")).to_have_text("40 selected, 6 h 40 min.")
    hands.press(page.get_by_role("button", name="Edit memo or label"))
    hands.choose(page.get_by_label("Label", exact=True), "Review")
    hands.press(page.get_by_role("button", name="Save"))
    desk.says("Saved for 40 segments.")
    found = [desk.diary.segment((desk.contract.id, at)) for at in (*MONDAY, *TUESDAY)]
    assert [one.label for one in found if one] == ["Review"] * len(MONDAY) + ["Development"] * len(TUESDAY)
    assert {one.memo for one in found if one and one.slot in MONDAY} == {"Rework the calendar"}


@rule("R21")
def test_a_forgotten_hour_is_added(desk: Desk, hands: Hands) -> None:
    page = desk.page
    hands.press(page.get_by_role("link", name="Wed 18 Nov"))
    hands.choose(page.get_by_label("From"), "13:00")
    hands.choose(page.get_by_label("Until"), "14:00")
    hands.fill(page.get_by_label("What did you work on?"), "Call with Ada about the refunds")
    hands.choose(page.get_by_label("Label", exact=True), "Meeting")
    hands.press(page.get_by_role("button", name="Add manual time"))
    desk.says("Added 1 h of manual time.")
    first = slot("2026-11-18T13:00Z")
    added = [desk.diary.segment((desk.contract.id, Slot(first + number))) for number in range(-1, 7)]
    kinds = [one and (one.kind, one.label) for one in added]
    assert kinds == [None, *[("manual", "Meeting")] * 6, None]


@rule("R27")
@rule("R30")
def test_why_thursdays_last_hour_does_not_bill_is_seen_and_mended(desk: Desk, hands: Hands) -> None:
    page = desk.page
    hands.press(page.get_by_role("navigation", name="Diary").get_by_role("link", name="Check"))
    over = page.get_by_role("heading", name="Within the weekly limit 6 segments")
    expect(over).to_be_visible()
    hands.press(page.get_by_role("link", name="Thu 10:50").first)
    expect(page.get_by_role("heading", name="Does not bill: over the weekly limit")).to_be_visible()
    expect(page.get_by_text("Remove an earlier segment that should not count.")).to_be_visible()
    # Tuesday's hour was somebody else's: it goes, and the last hour comes in.
    hands.press(page.get_by_role("navigation", name="Diary").get_by_role("link", name="Week"))
    hands.press(page.get_by_role("link", name="Tue 17 Nov"))
    hands.select_all(desk.boxes)
    hands.press(page.get_by_role("button", name="Remove the snapshots (and their time)"))
    hands.press(page.get_by_role("button", name="Remove the snapshots (and their time)"))
    desk.says("Removed 6 segments.")
    last_hour = [desk.diary.segment((desk.contract.id, at)) for at in THURSDAY[6:]]
    assert [one is not None and one.bills for one in last_hour] == [True] * 6
    hands.press(page.get_by_role("navigation", name="Diary").get_by_role("link", name="Check"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Will it count?")
    expect(over).to_have_count(0)


@rule("R31")
def test_a_word_is_searched_and_where_it_stands_is_opened(desk: Desk, hands: Hands) -> None:
    page = desk.page
    hands.press(page.get_by_role("navigation", name="Diary").get_by_role("link", name="Search"))
    hands.fill(page.get_by_role("searchbox"), "banking")
    hands.press(page.get_by_role("button", name="Search"))
    expect(page.locator(".hits li")).to_have_count(1)
    hands.press(page.locator(".hits h2 a"))
    expect(page).to_have_url(desk.served.address(desk.served.segment_path((desk.contract.id, PRIVATE))))


@rule("R58")
def test_the_week_is_exported(desk: Desk, hands: Hands) -> None:
    page = desk.page
    with page.expect_download() as coming:
        hands.press(page.get_by_role("link", name="CSV", exact=True))
    assert coming.value.suggested_filename == "2026-W47-segments.csv"
    with coming.value.path().open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(MONDAY) + len(TUESDAY) + len(THURSDAY)
    assert [line["bills"] for line in lines].count("no") == 6
