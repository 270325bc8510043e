"""How a page answers an act: heard and seen where its owner looks, and done once (R4, R21, R24, R25)."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.plugins.conftest import MORNING, Served
from tests.plugins.said import said
from tests.practice import instant, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
DAY = "/-/diary/day/2026-11-18"


def expect_in_view(found: Locator) -> None:
    """Expect that the window shows it: a browser scrolls some time after the page has come."""
    expect(found).to_be_in_viewport(ratio=0.9)


@rule("R21")
@rule("R39")
def test_a_refused_form_is_seen_at_once_and_never_sends_itself_again(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.get_by_label("From").select_option("14:00")
    page.get_by_label("Until").select_option("14:30")
    page.get_by_label("What did you work on?").fill("An afternoon that has not come")
    page.get_by_role("button", name="Add manual time").click()
    refused = page.get_by_role("alert")
    expect(refused).to_be_focused()
    expect_in_view(refused)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.locator("h1").click()
    served.clock.put(instant("2026-11-18T15:00Z"))
    served.diary.edit([(served.contract.id, MORNING[0])], memo="The tracker wrote meanwhile")
    page.wait_for_timeout(6_000)  # longer than a page looks for news
    assert posts == []
    assert served.memo_at(slot("2026-11-18T14:00Z")) is None


@rule("R24")
def test_what_an_act_came_to_has_the_focus_and_is_in_view_wherever_the_page_stands(
    served: Served, page: Page
) -> None:
    page.goto(served.address(served.segment_path((served.contract.id, MORNING[0]))))
    page.get_by_role("textbox", name="Memo").fill("Said and heard")
    page.get_by_role("button", name="Save").click()
    expect(said(page).locator(".said")).to_be_focused()
    page.goto(served.address("/-/diary/settings"))
    field = page.get_by_role("textbox", name="Remind memo after")
    field.fill("45")
    field.press("Enter")
    expect(said(page)).to_contain_text("Saved: remind memo after.")
    expect_in_view(said(page).locator(".said"))
    expect_in_view(field)
    field.fill("9999")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("it takes 0 to 480 minutes")
    expect_in_view(page.get_by_role("alert"))
    expect(field).to_have_value("9999")
    expect(field).to_have_attribute("aria-invalid", "true")


@rule("R68")
def test_a_form_is_sent_once_however_often_its_button_is_pressed(served: Served, page: Page) -> None:
    page.goto(served.address(f"/-/diary/messages/{served.contract.id}"))
    held: list[Route] = []
    page.route("**/send", lambda route: held.append(route))  # noqa: PLW0108  # a slow answer
    page.get_by_role("textbox", name="Write to").fill("Once is enough")
    send = page.get_by_role("button", name="Send").bounding_box()
    assert send is not None
    for _ in range(3):  # a bare mouse: whatever asks for an element would wait for the answer
        page.mouse.click(send["x"] + send["width"] / 2, send["y"] + send["height"] / 2)
        page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(said(page)).to_contain_text("Written")
    assert len(served.diary.conversation(served.contract.id).messages) == 1


@rule("R25")
def test_what_another_window_removed_is_not_said_to_be_removed_again(served: Served, page: Page) -> None:
    gone, stands = MORNING[0], MORNING[1]
    page.goto(served.address(DAY))
    for at in (gone, stands):
        page.locator(f'input[value$="/{at}"]').check()
    served.diary.remove([(served.contract.id, gone)])
    page.get_by_role("button", name="Remove the snapshots").click()
    expect(page.locator(".loss")).to_contain_text("10 min of time in 1 segment")
    served.diary.remove([(served.contract.id, stands)])
    page.get_by_role("button", name="Remove the snapshot").click()
    expect(said(page)).to_contain_text("Nothing of that stands there any more.")


def test_a_page_that_would_read_the_same_is_left_in_peace(served: Served, page: Page) -> None:
    path = served.address("/-/diary/week/2026-W40")
    page.goto(path)
    page.evaluate("window.unharmed = true")
    with page.expect_response(path):
        served.diary.edit([(served.contract.id, MORNING[0])], memo="Of another week")
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.unharmed") is True


@rule("R24")
def test_the_first_tab_leads_past_the_rooms_to_the_content(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    expect(skip).to_be_focused()
    expect_in_view(skip)
    page.keyboard.press("Enter")
    expect(page.locator("#diary")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="2026-W47").nth(1)).to_be_focused()


def test_an_address_that_leads_nowhere_is_no_fault_and_says_so(served: Served, page: Page) -> None:
    expected = {
        "/-/diary/day/9999-12-31": (404, "A diary knows the years 1970 to 9998"),
        "/-/diary/day/0001-01-01": (404, "A diary knows the years 1970 to 9998"),
        "/-/diary/nowhere": (404, "There is no page at this address."),
        "/-/diary/week/next": (404, "There is no page at this address."),
        "/diary/segment?_sort=mood": (400, "Cannot sort table by mood"),
    }
    found = {path: page.request.get(served.address(path)) for path in expected}
    assert {path: answer.status for path, answer in found.items()} == {
        path: status for path, (status, _) in expected.items()
    }
    assert [path for path, (_, says) in expected.items() if says not in found[path].text()] == []


@rule("R26")
def test_back_and_reload_work_around_a_selection_and_what_is_done_with_it(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    for at in MORNING[:2]:
        page.locator(f'input[value$="/{at}"]').check()
    page.get_by_role("button", name="Edit memo or label").click()
    page.get_by_role("button", name="12 h").click()  # the tools of the page lead back to it
    expect(page.get_by_role("heading", name="Edit 2 segments")).to_be_visible()
    page.get_by_role("textbox", name="Memo").fill("Written for both")
    page.get_by_role("button", name="Save").click()
    expect(said(page)).to_contain_text("Saved for 2 segments.")
    page.go_back()
    expect(page.get_by_role("textbox", name="Memo")).to_have_value("Written for both")
    page.goto(served.address(DAY))
    page.locator(f'input[value$="/{MORNING[0]}"]').check()
    page.get_by_role("button", name="Remove the snapshots").click()
    expect(page.get_by_role("heading", name="Remove the snapshot (and its time)?")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Remove the snapshot").click()
    expect(said(page)).to_contain_text("Removed 1 segment.")
    page.go_back()
    expect(said(page)).to_contain_text("Nothing of that stands there any more.")
    assert served.memo_at(MORNING[1]) == "Written for both"
    forgotten = page.request.get(served.address("/-/diary/remove/0123456789abcdef"))
    assert (forgotten.status, "This selection was forgotten" in forgotten.text()) == (404, True)
