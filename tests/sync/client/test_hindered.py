"""What stands in a client's way is said in words, with what mends it, and costs nothing (R49, R51, R64)."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Playwright, Route, expect

from tests.rule import rule
from tests.sync.client.conftest import Client, Room

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
ASK_AGAIN = (
    "dispatchEvent(new Event('online'))"  # what a browser says when the network is back: the page syncs
)
# A browser of before 2025, as far as a page can tell.
OLDER = """
  const makes = crypto.subtle.generateKey.bind(crypto.subtle);
  crypto.subtle.generateKey = (how, ...rest) =>
    how === "X25519" ? Promise.reject(new DOMException("unknown", "NotSupportedError")) : makes(how, ...rest);
"""
JOIN = "Join this contract"
CANNOT = "The diary cannot be opened here"


def check_hindered(page: Page, says: str) -> None:
    expect(page.get_by_role("heading", name=CANNOT)).to_be_visible()
    expect(page.locator("body")).to_contain_text(says)
    expect(page.get_by_role("button", name=JOIN)).to_have_count(0)


@rule("R49")
@rule("R64")
def test_a_line_without_encryption_is_said_before_anything_is_sent(
    room: Room, playwright: Playwright, client: Callable[..., Client]
) -> None:
    link = room.invite()
    rules = "--host-resolver-rules=MAP diary.example 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link.replace("127.0.0.1", "diary.example"))
    check_hindered(page, "an address that begins with https")
    browser.close()
    assert not [url for url in asked if "/v1/" in url]
    client().join(link)  # it was not used up


@rule("R49")
@rule("R64")
def test_a_browser_that_is_too_old_or_gets_half_a_page_says_so(
    room: Room, client: Callable[..., Client]
) -> None:
    link = room.invite()
    old = client()
    old.page.add_init_script(OLDER)
    old.page.goto(link)
    check_hindered(old.page, "This browser is too old")
    one = client()
    for name in ("day.js", "feed.js"):  # of the page itself, and of its worker
        one.page.context.route(f"**/client/{name}", lambda route: route.fulfill(status=503))
        one.page.goto(link)
        check_hindered(one.page, "A part of this page did not come")
        one.page.context.unroute(f"**/client/{name}")
        one.page.goto("about:blank")
    one.join(link)


@rule("R49")
def test_a_browser_that_lets_a_page_keep_nothing_says_so(
    room: Room, playwright: Playwright, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(blocked))
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=["--no-sandbox"]
    )
    page = context.new_page()
    page.goto(room.invite())
    check_hindered(page, "This browser lets the page keep nothing")
    context.close()


@rule("R49")
@rule("R64")
def test_a_full_browser_says_so_and_shows_what_it_cannot_keep(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    page = one.page
    one.open(room.invite())
    line = page.context.new_cdp_session(page)

    def give(**room_given: int) -> None:
        line.send("Storage.overrideQuotaForOrigin", {"origin": room.stage.url, **room_given})

    give(quotaSize=1)
    page.get_by_role("button", name=JOIN).click()
    expect(page.locator("#status")).to_contain_text("This browser has no room left")
    give()
    page.get_by_role("button", name=JOIN).click()
    expect(page.locator("#status")).to_contain_text("You have joined")
    expect(page.get_by_text("is still being checked")).to_have_count(0)
    give(quotaSize=1)
    one.go("day/2026-11-18")
    expect(page.locator(".segment img")).to_have_count(8)


@rule("R49")
@rule("R51")
def test_deleted_site_data_is_said_and_what_to_do(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    page = one.page
    one.join(room.invite())
    line = page.context.new_cdp_session(page)
    line.send("Storage.clearDataForOrigin", {"origin": room.stage.url, "storageTypes": "all"})
    page.evaluate(ASK_AGAIN)
    expect(page.locator("#status")).to_contain_text("Load the page again.")
    page.reload()
    expect(page.get_by_text("This browser does not hold the contract of this address")).to_be_visible()


@rule("R40")
@rule("R51")
def test_an_answer_that_was_lost_loses_no_way_in(room: Room, client: Callable[..., Client]) -> None:
    """The server took the joining; somebody else's page came in the place of its answer."""
    one = client()
    page = one.page
    heard: list[int] = []

    def in_its_place(route: Route) -> None:
        heard.append(route.fetch().status)
        route.fulfill(status=200, content_type="text/html", body="<title>Log in to the hotel</title>")

    page.context.route("**/v1/join", in_its_place)
    one.open(room.invite())
    page.get_by_role("button", name=JOIN).click()
    expect(page.locator("#status")).to_contain_text("Joining is not finished")
    page.goto(f"{room.stage.url}/join#/")
    page.get_by_role("link", name="Joining is not finished").click()
    expect(page.get_by_text("joining goes on by itself").first).to_be_visible()
    expect(page.get_by_text("No time has come yet")).to_have_count(0)
    page.context.unroute("**/v1/join", in_its_place)
    page.evaluate(ASK_AGAIN)
    expect(page.locator(".sums")).to_contain_text("60.00 USD for 1 h")
    assert heard[0] == httpx.codes.OK  # it had let the browser in
    page.context.route("**/v1/pull", lambda route: route.fulfill(status=200, body="<title>Log in</title>"))
    page.evaluate(ASK_AGAIN)
    expect(page.locator("#status")).to_contain_text("Something else answers in the server's place")


@rule("R51")
def test_a_link_that_was_left_in_the_middle_gives_way_to_a_new_one(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    page = one.page
    page.context.route("**/v1/join", lambda route: route.abort())
    one.open(room.invite(days=1))
    page.get_by_role("button", name=JOIN).click()
    expect(page.locator("#status")).to_contain_text("Joining is not finished")
    page.context.unroute("**/v1/join")
    room.stage.put_clocks("2026-11-19T12:02Z")
    link = room.invite()
    page.goto("about:blank")
    one.join(link)
    # Opened once more it leads to what it opened.
    page.goto("about:blank")
    page.goto(link)
    page.get_by_role("link", name="Open “Orchard booking site”").click()
    expect(page.locator(".sums")).to_contain_text("60.00 USD for 1 h")
