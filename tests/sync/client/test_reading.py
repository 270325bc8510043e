"""A client joins by a link in a browser and sees what the freelancer sees (R24, R51, R64, R65)."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from diary.rules.timesheet import day_grid
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, PLANTED_TITLE, WEEK, Client, Room, picture, work

# It stands there before it is opened.
SIZE = "async (image) => (await image.decode(), [image.naturalWidth, image.naturalHeight])"
pytestmark = pytest.mark.browser
# What the page's worker opens of a segment's first snapshot, by its role.
SHA_OF_PICTURE = """async ([contract, first, slot, role]) => {
  const { Asking } = await import("/client/asking.js");
  const asking = new Asking(() => undefined);
  const [view] = await asking.ask("weeks", { contract, first: [first], whole: true });
  const [shot] = view.segments.find((one) => one.slot === slot).snapshots;
  const asked = { contract, slot, version: shot.version, name: shot[role], index: shot.indexes[shot[role]] };
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await asking.ask("picture", asked)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


@rule("R64")
@rule("R65")
def test_the_page_shows_the_week_that_diary_week_says(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    assert one.week() == room.week()
    total = room.week()["totals"][0]
    assert (total["billable"], total["over_limit"], total["amount_minor"]) == (6, 3, 6000)
    expect(one.page.locator(".sums")).to_contain_text("60.00 USD for 1 h at 60.00 an hour; limit 1 h.")
    expect(one.page.locator(".sums")).to_contain_text("30 min does not bill: 30 min over the limit.")


@rule("R24")
def test_a_day_has_the_bars_of_the_diarys_own_grid_in_words_and_colours(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(room.invite())
    one.go("day/2026-11-18")
    one.page.locator("div.memo-bar").first.wait_for()
    shown = one.page.locator("div.memo-bar").evaluate_all(
        "bars => bars.map((bar) => [bar.dataset.bar, bar.querySelector('.memo').textContent])"
    )
    bars = day_grid(room.device.diary.week(WEEK).segments, date(2026, 11, 18), ZoneInfo("UTC")).bars
    assert [tuple(bar) for bar in shown] == [(bar.bar, bar.memo) for bar in bars]
    assert {bar for bar, _ in shown} == {"automatic", "over_limit"}
    expect(one.page.get_by_role("link", name=f"09:00, automatic, {PLANTED_MEMO} a")).to_be_visible()
    expect(one.page.get_by_role("link", name="11:00, over the limit, Telephone call")).to_be_visible()


@rule("R64")
def test_pictures_are_opened_in_the_browser_byte_for_byte(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    one.go("day/2026-11-18")
    one.page.locator(".segment img").first.wait_for()
    at = slot("2026-11-18T09:10Z")
    for role, number in (("screen", 1), ("thumbnail", 101)):
        asked = [room.contract.id, WEEK.first_slot, at, role]
        assert one.page.evaluate(SHA_OF_PICTURE, asked) == hashlib.sha256(picture(number)).hexdigest()
    one.go(f"segment/{at}")
    screen = one.page.locator("figure img")
    screen.wait_for()
    assert screen.evaluate(SIZE) == [320, 180]
    expect(one.page.locator("dl.facts")).to_contain_text(PLANTED_TITLE)
    expect(one.page.locator("table.minutes tbody tr")).to_have_count(10)


@rule("R5")
def test_times_are_shown_in_the_viewers_zone_in_utc_or_in_the_freelancers(
    room: Room, client: Callable[..., Client]
) -> None:
    room.device.diary.set_setting("zone", "America/New_York")
    room.stage.put_clocks("2026-11-18T12:10Z")
    work(room.device, room.contract, slot("2026-11-18T12:00Z"), "n")
    one = client(timezone_id="Asia/Kathmandu")
    one.join(room.invite())
    one.go("day/2026-11-18")
    expect(one.page.locator(".sheet thead th").nth(1)).to_have_text(":05")
    expect(one.page.locator(".hour-name").first).to_have_text("14:00")
    one.page.get_by_label("Times are shown in").select_option("utc")
    expect(one.page.locator(".hour-name").first).to_have_text("09:00")
    one.page.get_by_label("Clock").select_option("12")
    expect(one.page.locator(".hour-name").first).to_have_text("9 am")
    one.page.get_by_label("Times are shown in").select_option("theirs")
    expect(one.page.locator(".hour-name").first).to_have_text("4 am")
    one.page.reload()  # what was chosen stays
    expect(one.page.locator(".hour-name").first).to_have_text("4 am")
    assert one.week()["totals"] == room.week()["totals"]
    # Of a contract in which nothing was recorded no zone is told: times are the viewer's.
    untold = room.device.diary.new_contract(title="Next", client="Ada")
    one.join(replace(room, contract=untold).invite())
    expect(one.page.get_by_role("option", name="not told yet")).to_be_disabled()
    expect(one.page.get_by_label("Times are shown in")).to_have_value("mine")


@rule("R64")
def test_what_was_loaded_is_shown_without_a_network(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    one.go("day/2026-11-18")
    one.page.locator(".segment img").first.wait_for()
    one.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    one.page.context.set_offline(True)
    one.page.reload()
    one.page.locator(".segment img").first.wait_for()
    expect(one.page.locator("#status")).to_contain_text("cannot be reached")
    assert one.week() == room.week()
    one.page.context.set_offline(False)


@rule("R64")
def test_what_is_shown_is_saved_as_the_table_of_an_export(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    one.go("week/2026-W47")
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="CSV of this week").click()
    saved = download.value.path().read_text(encoding="utf-8").splitlines()
    assert saved[0].startswith("week,start_utc,start_local,utc_offset,contract,client,kind,state,bills")
    assert len(saved) == 1 + len(room.week()["segments"])
    assert saved[1].startswith(
        "2026-W47,2026-11-18 09:00,2026-11-18 09:00,UTC+00:00,Orchard booking site,Ada"
    )


@rule("R53")
def test_the_page_says_before_anything_is_sent_who_is_trusted_with_what(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    asked: list[str] = []
    one.page.on("request", lambda request: asked.append(request.url.removeprefix(room.stage.url)))
    one.open(room.invite())
    expect(one.page.get_by_text("Whoever serves this page could change it")).to_be_visible()
    assert not [path for path in asked if path.startswith("/v1")]
    assert {path.split("/")[1].split("#")[0] for path in asked} == {"join", "client"}
