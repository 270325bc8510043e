"""A picture that gave way is shown as its thumbnail, plainly, and can be asked for (R31)."""

import pytest
from playwright.sync_api import Page, expect

from tests.plugins.conftest import MORNING, Served
from tests.plugins.said import said
from tests.rule import rule

pytestmark = pytest.mark.browser


@rule("R31")
def test_pages_show_the_thumbnail_say_so_and_ask_for_the_picture(served: Served, page: Page) -> None:
    state = served.diary._state
    served.diary.link_server("https://diary.example", "00" * 32)
    with state.writing():
        # As a server's answers would mark them, and a spring later the budget.
        state.connection.execute("UPDATE picture SET at_server = 1")
        state.connection.execute("UPDATE picture SET sealed = NULL, thinned_at_ms = 1 WHERE idx = 0")
    page.goto(served.address("/-/diary/day/2026-11-18"))
    expect(page.locator(".segment img")).to_have_count(10)
    for image in page.locator(".segment img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("async (one) => (await one.decode(), one.naturalWidth)") == 320
    page.goto(served.address(served.segment_path((served.contract.id, MORNING[0]))))
    figure = page.locator(".pictures figure")
    expect(figure).to_contain_text("This is its thumbnail")
    assert figure.locator("img").evaluate("one => one.naturalWidth") == 320
    figure.get_by_role("button", name="Fetch the picture").click()
    expect(said(page)).to_contain_text("Asked for")
    expect(page.locator(".pictures figure")).to_contain_text("This is its thumbnail")
    assert [one.slot for one in served.diary.pictures_to_fetch()] == [MORNING[0]]
