"""The diary's pages in a real Chromium: looked at, changed by mouse and by keyboard alone (R4, R24, R52)."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from diary.rules.ids import Slot
from diary.rules.week import Week
from tests.plugins.conftest import HOSTILE_MEMO, MORNING, PLANTED_MEMO, PLANTED_TITLE, Served
from tests.plugins.said import said
from tests.practice import instant, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
DAY = "/-/diary/day/2026-11-18"
WEEK = "/-/diary/week/2026-W47"


def box_at(page: Page, at: Slot) -> str:
    """Return the selector of a segment's box."""
    return f'input[name="place"][value$="/{at}"]'


def hold_documents(page: Page, address: str) -> list[Route]:
    """Hold back what is asked of an address to be shown, not what scripts ask of it; return what is held."""
    held: list[Route] = []
    page.route(
        address,
        lambda route: held.append(route) if route.request.is_navigation_request() else route.continue_(),
    )
    return held


@rule("R24")
def test_the_day_shows_every_segment_with_its_thumbnail_its_bar_and_its_activity(
    served: Served, page: Page
) -> None:
    page.goto(served.address(DAY))
    expect(page.locator(".segment")).to_have_count(11)
    expect(page.locator(".segment img")).to_have_count(10)
    for picture in page.locator(".segment img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("picture => picture.naturalWidth") == 320
    expect(page.locator("div.memo-bar[data-bar=manual]")).to_contain_text("Telephone call with Ada")
    expect(page.locator("div.memo-bar[data-bar=automatic]").first).to_contain_text(PLANTED_MEMO)
    expect(page.get_by_label("10 of 10 minutes active").first).to_be_visible()


@rule("R12")
def test_the_segment_under_way_shows_its_snapshot(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    draft = page.locator(".segment[data-state=draft]")
    draft.scroll_into_view_if_needed()
    expect(draft).to_contain_text("draft")
    assert (
        draft.locator("img").evaluate("async picture => (await picture.decode(), picture.naturalWidth)")
        == 320
    )


@rule("R52")
def test_a_memo_with_markup_is_shown_as_text_on_every_page(served: Served, page: Page) -> None:
    place = (served.contract.id, MORNING[3])
    for path in (DAY, WEEK, served.segment_path(place), "/diary/segment"):
        page.goto(served.address(path))
        assert "owned" not in page.title()
        assert page.locator("main b, table b").count() == 0
        assert HOSTILE_MEMO in page.content().replace("&lt;", "<").replace("&gt;", ">").replace(
            "&#34;", '"'
        ).replace("&quot;", '"')


@rule("R26")
def test_a_memo_is_edited_on_the_segments_page_and_the_old_one_is_shown(served: Served, page: Page) -> None:
    place = (served.contract.id, MORNING[0])
    page.goto(served.address(served.segment_path(place)))
    page.get_by_role("textbox", name="Memo").fill("What it really was")
    page.get_by_role("combobox", name="Label").select_option("Review")
    page.get_by_role("button", name="Save").click()
    expect(said(page)).to_contain_text("Saved for 1 segment.")
    expect(page.get_by_role("textbox", name="Memo")).to_have_value("What it really was")
    page.get_by_text("Earlier memos").click()
    expect(page.locator(".history")).to_contain_text(PLANTED_MEMO)
    found = served.diary.segment(place)
    assert found is not None
    assert (found.memo, found.label) == ("What it really was", "Review")


@rule("R26")
def test_a_selection_is_made_with_shift_and_edited_at_once(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.locator(box_at(page, MORNING[0])).check()
    page.locator(box_at(page, MORNING[5])).click(modifiers=["Shift"])
    expect(page.locator("#selected")).to_have_text("6 selected, 1 h 00 min.")
    page.get_by_role("button", name="Edit memo or label").click()
    expect(page.get_by_text("They have different memos")).to_be_visible()
    page.get_by_role("textbox", name="Memo").fill("One thing")
    page.get_by_role("button", name="Save").click()
    expect(said(page)).to_contain_text("Saved for 6 segments.")
    assert page.url.endswith(DAY)
    assert {served.memo_at(at) for at in MORNING[:6]} == {"One thing"}
    assert served.memo_at(MORNING[6]) == "Review the refunds"


@rule("R21")
def test_manual_time_is_added(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.get_by_label("From").select_option("11:20")
    page.get_by_label("Until").select_option("11:50")
    page.get_by_label("What did you work on?").fill("Sketches on paper")
    page.get_by_role("button", name="Add manual time").click()
    expect(said(page)).to_contain_text("Added 30 min of manual time.")
    expect(page.locator("div.memo-bar[data-bar=manual]", has_text="Sketches")).to_have_count(1)
    found = served.diary.segment((served.contract.id, slot("2026-11-18T11:40Z")))
    assert found is not None
    assert (found.kind, found.memo) == ("manual", "Sketches on paper")


@rule("R21")
@rule("R39")
def test_refused_manual_time_says_why_and_loses_nothing_typed(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.get_by_label("From").select_option("14:00")
    page.get_by_label("Until").select_option("14:30")
    page.get_by_label("What did you work on?").fill("An afternoon that has not come")
    page.get_by_role("button", name="Add manual time").click()
    expect(page.get_by_role("alert")).to_contain_text("slot_in_future")
    expect(page.get_by_role("alert")).to_contain_text("Choose an earlier time.")
    expect(page.get_by_label("What did you work on?")).to_have_value("An afternoon that has not come")
    assert served.memo_at(slot("2026-11-18T14:00Z")) is None


@rule("R4")
def test_removing_says_first_what_is_lost_and_can_be_left(served: Served, page: Page) -> None:
    place = (served.contract.id, MORNING[2])
    page.goto(served.address(served.segment_path(place)))
    page.get_by_role("button", name=re.compile("Remove the snapshot")).click()
    expect(page.get_by_role("heading", name="Remove the snapshot (and its time)?")).to_be_visible()
    expect(page.locator(".loss")).to_contain_text("10 min of time in 1 segment")
    expect(page.locator(".loss")).to_contain_text("1 picture")
    page.get_by_role("link", name="Keep it").click()
    assert served.memo_at(MORNING[2]) == PLANTED_MEMO
    page.goto(served.address(served.segment_path(place)))
    page.get_by_role("button", name=re.compile("Remove the snapshot")).click()
    page.get_by_role("button", name="Remove the snapshot (and its time)").click()
    expect(said(page)).to_contain_text("Removed 1 segment.")
    assert served.memo_at(MORNING[2]) is None


@rule("R4")
def test_a_selection_is_removed_by_keyboard_alone(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.name") == "place":
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#selected")).to_have_text("3 selected, 30 min.")
    for _ in range(20):
        page.keyboard.press("Tab")
        if "Remove" in (page.evaluate("document.activeElement?.textContent") or ""):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Remove the snapshots"))).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.name") == "sure":
            break
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("Removed 3 segments.")
    assert [served.memo_at(at) is None for at in MORNING[:5]] == [False, True, True, True, False]


def test_arrow_keys_move_in_two_dimensions_and_enter_opens(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    first = page.locator(box_at(page, MORNING[0]))
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(box_at(page, MORNING[6]))).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page).to_have_url(served.address(served.segment_path((served.contract.id, MORNING[0]))))


def test_escape_selects_nothing(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.locator(box_at(page, MORNING[0])).check()
    page.keyboard.press("Escape")
    expect(page.locator("#selected")).to_have_text("Nothing is selected.")
    expect(page.get_by_role("button", name="Edit memo or label")).to_be_disabled()


@rule("R4")
def test_after_the_week_the_time_is_deleted_and_its_snapshot_with_it(served: Served, page: Page) -> None:
    served.clock.put(instant("2026-11-23T09:00Z"))
    page.goto(served.address(served.segment_path((served.contract.id, MORNING[0]))))
    expect(
        page.get_by_role("button", name=re.compile(r"Delete the time \(and its snapshot\)"))
    ).to_be_visible()
    page.goto(served.address(WEEK))
    expect(page.locator(".deadlines")).to_contain_text("3 hours left")
    expect(page.locator(".deadlines")).to_contain_text("over")


@rule("R3")
@rule("R37")
def test_an_edit_that_comes_after_the_lock_is_refused_with_the_reason_and_keeps_the_text(
    served: Served, page: Page
) -> None:
    telephone = (served.contract.id, slot("2026-11-18T11:00Z"))
    page.goto(served.address(served.segment_path(telephone)))
    page.get_by_role("textbox", name="Memo").fill("Too late")
    served.clock.put(instant("2026-11-23T12:00Z"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("week_locked")
    expect(page.get_by_role("alert")).to_contain_text("The week is frozen")
    expect(page.get_by_role("textbox", name="Memo")).to_have_value("Too late")
    assert served.memo_at(telephone[1]) == "Telephone call with Ada"
    page.goto(served.address(served.segment_path(telephone)))
    expect(page.get_by_text("The week is frozen since")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


@rule("R5")
def test_zone_and_clock_are_toggled_and_stay(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    page.goto(served.address(DAY))
    totals = served.diary.week(Week.parse("2026-W47")).totals
    page.get_by_role("button", name="Asia/Kathmandu").click()
    expect(page.locator("thead")).to_contain_text(":05")
    expect(page.locator("footer")).to_contain_text("Times in Asia/Kathmandu")
    page.get_by_role("button", name="12 h").click()
    expect(page.locator(".segment .time").first).to_have_text("2:45 pm")
    page.goto(served.address(WEEK))
    expect(page.locator("footer")).to_contain_text("Asia/Kathmandu")
    assert served.diary.week(Week.parse("2026-W47")).totals == totals


@rule("R46")
def test_the_plain_table_opens_rows_while_one_looks_and_follows_a_change(served: Served, page: Page) -> None:
    page.goto(served.address("/diary/segment"))
    expect(page.locator("td", has_text=PLANTED_TITLE).first).to_be_visible()
    served.diary.edit([(served.contract.id, MORNING[0])], memo="Changed meanwhile")
    page.reload()
    expect(page.locator("td", has_text="Changed meanwhile")).to_have_count(1)
    page.goto(served.address("/diary/segment?memo__contains=refunds&_sort=slot"))
    expect(page.get_by_role("heading", name="3 rows")).to_be_visible()


@rule("R46")
def test_the_opened_view_is_faceted_queried_and_described_as_datasette_does(
    served: Served, page: Page
) -> None:
    served.diary.edit([(served.contract.id, MORNING[0])], label="Review")
    page.goto(served.address("/diary/segment"))
    expect(page.locator("dl.column-descriptions")).to_contain_text("Active minutes, 0 to 10")
    # A facet is asked for by whoever looks, in the column's own menu; none is suggested (R46).
    page.set_viewport_size({"width": 2560, "height": 900})  # all columns to be seen: a scroll closes the menu
    page.get_by_role("columnheader", name="label").locator(".dropdown-menu-icon").click()
    page.get_by_role("link", name="Facet by this").click()
    facet = page.locator(".facet-info[data-column=label]")
    expect(facet.locator("li", has_text="Development")).to_contain_text("8")
    facet.get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="1 row")).to_be_visible()
    query = "select label, count(*) as segments from segment where bills group by label order by label"
    answer = page.request.get(served.address("/diary.json"), params={"sql": query, "_shape": "array"})
    assert answer.json() == [
        {"label": "Development", "segments": 8},
        {"label": "Meeting", "segments": 1},
        {"label": "Review", "segments": 1},
    ]


def test_an_open_page_shows_what_was_written_meanwhile(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    served.diary.edit([(served.contract.id, MORNING[0])], memo="Written by the tracker")
    expect(page.locator(".memo-bar", has_text="Written by the tracker")).to_be_visible()


def test_an_open_page_does_not_take_away_what_somebody_is_typing(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.get_by_label("What did you work on?").fill("Half a sent")
    served.diary.edit([(served.contract.id, MORNING[0])], memo="Written by the tracker")
    expect(page.get_by_text("The diary has changed.")).to_be_visible()
    expect(page.get_by_label("What did you work on?")).to_have_value("Half a sent")


def test_what_is_typed_while_a_new_page_is_on_its_way_stays(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    field = page.get_by_label("What did you work on?")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None
    held = hold_documents(page, served.address(DAY))  # the new one never comes
    with page.expect_request(lambda request: request.is_navigation_request()):
        served.diary.edit([(served.contract.id, MORNING[0])], memo="Written by the tracker")
    # Bare mouse and keys: whatever asks for an element would wait for the new page.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.type("Half a sent")
    expect(page.get_by_text("The diary has changed.")).to_be_visible()
    expect(field).to_have_value("Half a sent")
    assert len(held) == 1


def test_who_follows_a_link_while_the_diary_changes_is_not_called_back(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    held = hold_documents(page, served.address("/-/diary/search"))
    page.get_by_role("link", name="Search", exact=True).click(no_wait_after=True)
    with page.expect_response(served.address(DAY)):  # the open page compares itself, and sees the change
        served.diary.edit([(served.contract.id, MORNING[0])], memo="Written by the tracker")
    with page.expect_response("**/version.json"):  # a turn later; it would have been on its way long since
        pass
    (route,) = held
    route.continue_()
    expect(page).to_have_url(served.address("/-/diary/search"))


@rule("R52")
def test_browsing_writes_nothing_opened_to_disk(served: Served, page: Page, tmp_path: Path) -> None:
    place = (served.contract.id, MORNING[0])
    for path in (DAY, WEEK, served.segment_path(place), "/diary/segment", "/diary/segment?_facet=memo"):
        page.goto(served.address(path))
    page.goto(served.address(served.segment_path(place)))
    page.get_by_role("textbox", name="Memo").fill(f"{PLANTED_MEMO} again")
    page.get_by_role("button", name="Save").click()
    needles = (PLANTED_MEMO.encode(), PLANTED_TITLE.encode(), b"WEBPVP8")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if any(needle in path.read_bytes() for needle in needles)] == []
