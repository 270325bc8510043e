"""The search in a browser: found, opened, gone back; no word of it in an address (R31, R52)."""

import pytest
from playwright.sync_api import Page, expect

from diary.rules.ids import Slot
from tests.plugins.conftest import HOSTILE_MEMO, MORNING, PLANTED_MEMO, Served, record
from tests.rule import rule

pytestmark = pytest.mark.browser
SEARCH = "/-/diary/search"


@rule("R31")
@rule("R52")
def test_a_word_is_searched_by_keyboard_and_a_hit_opened_and_left_again(served: Served, page: Page) -> None:
    page.goto(served.address(SEARCH))
    expect(page.get_by_role("searchbox", name="What to look for")).to_be_focused()
    page.keyboard.type("MARZIPAN")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem").filter(has_text=PLANTED_MEMO)).to_have_count(3)
    assert "marzipan" not in page.url.lower()
    page.get_by_role("link", name="09:20–09:30").click()
    page.wait_for_url(f"**/{MORNING[2]}")
    page.go_back()
    expect(page.get_by_role("listitem").filter(has_text=PLANTED_MEMO)).to_have_count(3)
    told = page.request.get(f"{page.url}.json").json()
    assert [one["slot"] for one in told["segments"]] == list(reversed(MORNING[:3]))


@rule("R31")
def test_nothing_found_is_said_and_a_memo_with_markup_is_text(served: Served, page: Page) -> None:
    page.goto(served.address(SEARCH))
    box = page.get_by_role("searchbox", name="What to look for")
    box.fill("nowhere")
    box.press("Enter")
    expect(page.get_by_text("Nothing holds “nowhere”.")).to_be_visible()
    box.fill("<script>")
    box.press("Enter")
    expect(page.get_by_role("listitem").filter(has_text=HOSTILE_MEMO)).to_have_count(3)
    assert page.locator("main b").count() == 0


@rule("R31")
def test_older_hits_are_on_the_next_page(served: Served, page: Page) -> None:
    for number in range(60):
        record(served.diary, served.contract, Slot(MORNING[-1] + 20 + number), "Many of these", "editor")
    page.goto(served.address(SEARCH))
    page.get_by_role("searchbox", name="What to look for").fill("many of these")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".hits > li")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".hits > li")).to_have_count(10)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator(".hits > li")).to_have_count(50)


@rule("R52")
def test_a_search_that_was_forgotten_says_so(served: Served, page: Page) -> None:
    answer = page.request.get(served.address(f"{SEARCH}/{'0' * 16}"))
    assert answer.status == 404
    assert "in memory only" in answer.text()
