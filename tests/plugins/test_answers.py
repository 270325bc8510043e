"""How a page answers an act: heard and seen where its owner looks, and done once (R4, R21, R24, R25)."""

import pytest
from playwright.sync_api import Page, expect

from tests.plugins.conftest import MORNING, Served
from tests.practice import instant, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
DAY = "/-/diary/day/2026-11-18"


@rule("R21")
@rule("R39")
def test_a_refused_form_is_seen_at_once_and_never_sends_itself_again(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.get_by_label("From").select_option("14:00")
    page.get_by_label("Until").select_option("14:30")
    page.get_by_label("What did you work on?").fill("An afternoon that has not come")
    page.get_by_role("button", name="Add manual time").click()
    refused = page.get_by_role("alert")
    expect(refused).to_be_visible()
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.locator("h1").click()
    served.clock.put(instant("2026-11-18T15:00Z"))
    served.diary.edit([(served.contract.id, MORNING[0])], memo="The tracker wrote meanwhile")
    page.wait_for_timeout(6_000)  # longer than a page looks for news
    assert posts == []
    assert served.memo_at(slot("2026-11-18T14:00Z")) is None


def test_a_page_that_would_read_the_same_is_left_in_peace(served: Served, page: Page) -> None:
    path = served.address("/-/diary/week/2026-W40")
    page.goto(path)
    page.evaluate("window.unharmed = true")
    with page.expect_response(path):
        served.diary.edit([(served.contract.id, MORNING[0])], memo="Of another week")
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.unharmed") is True
