"""The page follows what comes: what differs is drawn anew, and what a person has in hand stays (R65)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from diary.rules.ids import ContractId, Slot
from diary.rules.week import Week
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, Client, Room, work

pytestmark = pytest.mark.browser
WAITS = 60_000  # other machines' work may take long
NINE = slot("2026-11-18T09:00Z")
ASK_AGAIN = (
    "dispatchEvent(new Event('online'))"  # what a browser says when the network is back: the page syncs
)
MARK = """() => {
  for (const one of document.querySelectorAll("body *")) one.stood = true;
  const status = document.getElementById("status");
  window.said = [];
  new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true });
}"""
STANDS = "(one) => one.stood === true"
NEW_ONES = """(selector) => [...document.querySelectorAll(selector)].filter((one) => !one.stood).length"""
SELECT = """(one) => getSelection().selectAllChildren(one)"""
IN_HAND = """() => [document.activeElement.getAttribute("aria-label"), getSelection().toString(), scrollY]"""


def after(room: Room, one: Client, minute: str, memo: str) -> None:
    """Let the freelancer record one more slot, and the page hear of it."""
    room.stage.put_clocks(f"{minute[:11]}{int(minute[11:13]) + 1:02}{minute[13:]}")
    work(room.device, room.contract, slot(minute), memo)
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)


def counted(page: Page, images: int) -> None:
    expect(page.locator(".segment img")).to_have_count(images, timeout=WAITS)


@rule("R65")
@rule("R64")
def test_what_differs_is_drawn_anew_and_what_is_in_hand_stays(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    page = one.page
    page.set_viewport_size({"width": 1280, "height": 420})
    one.join(room.invite())
    one.go("day/2026-11-18")
    counted(page, 8)
    page.get_by_role("link", name="09:10, automatic").focus()
    page.locator(".memo-bar .memo").nth(1).evaluate(SELECT)
    page.evaluate("scrollTo(0, 90)")
    page.evaluate(MARK)
    in_hand = page.evaluate(IN_HAND)
    assert in_hand == [f"09:10, automatic, {PLANTED_MEMO} a", f"{PLANTED_MEMO} b", 90]
    room.device.diary.edit([(room.contract.id, Slot(NINE + 6))], memo="Another memo")
    after(room, one, "2026-11-18T12:10Z", "n")
    # What changed and what came is there, and the page is where it was.
    expect(page.get_by_role("link", name="12:10, over the limit")).to_be_visible(timeout=WAITS)
    expect(page.get_by_role("link", name="10:00, over the limit, Another memo")).to_have_count(1)
    counted(page, 9)
    assert page.evaluate(IN_HAND) == in_hand
    assert page.evaluate(NEW_ONES, ".segment img") == 1
    assert page.evaluate(NEW_ONES, ".segment a") == 1
    assert page.evaluate(NEW_ONES, "header *, h1, .legend *") == 0
    assert page.evaluate("said") == []  # and a screen reader had nothing to say
    # The hours' zone is another one: the switch that was used keeps the keyboard.
    zone = page.get_by_label("Times are shown in")
    zone.focus()
    zone.select_option("utc")
    page.get_by_label("Clock").select_option("12")
    expect(page.locator(".hour-name").first).to_have_text("9 am")
    expect(zone).to_have_value("utc")
    assert zone.evaluate(STANDS)


@rule("R65")
def test_weeks_that_are_shown_follow_where_they_stand(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    page = one.page
    one.join(room.invite())
    expect(page.locator(".sums")).to_contain_text("60.00 USD for 1 h")
    link = page.get_by_role("link", name="18 Nov")
    link.focus()
    page.evaluate(MARK)
    after(room, one, "2026-11-20T09:00Z", "n")
    expect(page.get_by_role("link", name="20 Nov")).to_be_visible(timeout=WAITS)
    expect(link).to_be_focused()
    assert page.locator("section.week").evaluate(STANDS)
    expect(page.locator(".sums")).to_contain_text("40 min over the limit")
    # What is saved is what stands there now, not what stood there when the button was drawn.
    with page.expect_download(lambda file: file.suggested_filename == "timesheet.csv") as saved:
        page.get_by_role("button", name="CSV of all weeks").click()
    assert "2026-11-20 09:00" in saved.value.path().read_text(encoding="utf-8")
    one.go("week/2026-W47")
    expect(page.get_by_role("button", name="CSV of this week")).to_be_visible()
    after(room, one, "2026-11-20T11:00Z", "n")
    expect(page.locator(".sums")).to_contain_text("50 min over the limit", timeout=WAITS)
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV of this week").click()
    assert "2026-11-20 11:00" in saved.value.path().read_text(encoding="utf-8")


@rule("R65")
@rule("R66")
def test_half_typed_terms_stay_while_a_request_comes_and_are_gone_once_sent(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    page = one.page
    one.join(room.invite())
    room.device.sync()
    one.go("terms")
    limit, rate = page.get_by_label("Weekly limit in hours"), page.get_by_label("Rate an hour")
    limit.fill("1.5")
    page.get_by_text("All terms so far").click()
    ask_for_manual_time(room)
    page.evaluate(ASK_AGAIN)
    expect(page.get_by_text("Manual time in 2026-W48")).to_be_visible(timeout=WAITS)
    expect(limit).to_have_value("1.5")
    expect(limit).to_be_visible()
    expect(page.get_by_text("by the freelancer:").first).to_be_visible()  # what was opened stays open
    page.get_by_role("button", name="Set these terms").click()
    expect(page.locator("#status")).to_contain_text("The terms are set.", timeout=WAITS)
    expect(limit).to_have_value("1.5")
    # Nothing is half typed any more: what another tab sets is shown here.
    other = Client(room, page.context.new_page())
    other.go("terms")
    other.page.get_by_label("Rate an hour").fill("70")
    other.page.get_by_label("Weekly limit in hours").fill("3")
    other.page.get_by_role("button", name="Set these terms").click()
    expect(other.page.locator("#status")).to_contain_text("The terms are set.", timeout=WAITS)
    page.evaluate(ASK_AGAIN)
    expect(rate).to_have_value("70.00", timeout=WAITS)
    expect(limit).to_have_value("3")
    # An answer beside a form that was opened before keeps what the form does not show.
    page.get_by_role("button", name="Allow it for 2026-W48").click()
    expect(page.locator("#status")).to_contain_text("Manual time is allowed.", timeout=WAITS)
    limit.fill("4")
    page.get_by_role("button", name="Set these terms").click()
    expect(page.locator("#status")).to_contain_text("The terms are set.", timeout=WAITS)
    room.device.sync()
    terms = known(room, room.contract.id).terms
    assert (terms.limit_minutes, terms.rate_minor, terms.manual_weeks) == (240, 7000, ("2026-W48",))


@rule("R62")
@rule("R65")
def test_a_reason_that_is_being_typed_and_a_picture_stay_while_time_comes(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    page = one.page
    one.join(room.invite())
    room.stage.put_clocks("2026-11-23T13:00Z")
    room.device.diary.new_contract(title="Next")  # a push finds the week due
    room.device.sync()
    one.go(f"segment/{NINE}")
    page.reload()
    page.locator("figure img").wait_for()
    page.locator("summary").click()
    page.get_by_role("button", name="Dispute this segment").click(timeout=WAITS)
    reason = page.get_by_label("Reason")
    reason.press_sequentially("That was ano")
    page.evaluate(MARK)
    room.device.diary.send_message(room.contract.id, "By the way")
    after(room, one, "2026-11-23T13:10Z", "n")
    expect(page.get_by_role("link", name="Messages (1)")).to_be_visible(timeout=WAITS)
    expect(reason).to_have_value("That was ano")
    expect(reason).to_be_focused()
    assert page.locator("figure img").evaluate(STANDS)
    expect(page.locator("table.minutes")).to_be_hidden()
    reason.press_sequentially("ther job.")
    page.get_by_role("button", name="Dispute 09:00").click()
    expect(page.locator("#status")).to_contain_text("The dispute is raised.", timeout=WAITS)
    assert page.locator("figure img").evaluate(STANDS)
    room.device.sync()
    (raised,) = room.device.diary.disputes(room.contract.id)
    assert raised.reason == "That was another job."


def ask_for_manual_time(room: Room) -> None:
    room.device.diary.ask_manual_time(room.contract.id, "A day at the client's", week=Week.parse("2026-W48"))
    room.device.sync()


def known(room: Room, contract: ContractId) -> Any:
    return next(each for each in room.device.diary.contracts() if each.id == contract)
