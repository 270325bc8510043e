"""Everybody can use the client's page: axe finds nothing, by keyboard, narrow, wide, on paper (R24)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.plugins.test_accessible import faults, overflow
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, Client, Room

WIDTH = "(one) => one.clientWidth"
FONT_SIZE = "(one) => parseFloat(getComputedStyle(one).fontSize)"
pytestmark = pytest.mark.browser


@rule("R24")
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light"), (2560, "dark")])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    room: Room, client: Callable[..., Client], width: int, scheme: str
) -> None:
    one = client(width=width, color_scheme=scheme, bypass_csp=True)
    link = room.invite()
    one.open(link)
    found = {"invited": (faults(one.page), overflow(one.page))}
    one.join(link)
    places = ("", "week/2026-W47", "day/2026-11-18", f"segment/{slot('2026-11-18T09:10Z')}", "terms")
    for place in places:
        one.go(place)
        one.page.wait_for_timeout(500)
        found[place] = (faults(one.page), overflow(one.page))
    assert found == dict.fromkeys(found, ([], 0))
    one.go("week/2026-W47")
    memo = one.page.get_by_role("cell", name=f"{PLANTED_MEMO} a").first
    assert memo.evaluate(WIDTH) >= 6 * memo.evaluate(FONT_SIZE)  # its words are not broken to fit


@rule("R24")
def test_a_day_is_reached_and_read_by_keyboard_alone(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    page = one.page
    for name, heading in (
        ("Wed 18 Nov", "Wednesday, 18 November 2026"),
        ("09:00, automatic", "09:00 to 09:10"),
    ):
        link = page.get_by_role("link", name=name).first
        link.wait_for()
        for _ in range(40):
            page.keyboard.press("Tab")
            if link.evaluate("element => element === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert {role: page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")} == {
        "banner": 1,
        "main": 1,
        "contentinfo": 1,
    }


@rule("R24")
def test_on_paper_the_week_stands_without_its_buttons(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    one.go("week/2026-W47")
    one.page.get_by_role("button", name="CSV of this week").wait_for()
    one.page.emulate_media(media="print")
    expect(one.page.get_by_role("button", name="CSV of this week")).to_be_hidden()
    expect(one.page.locator(".sums")).to_be_visible()
