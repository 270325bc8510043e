"""What hands do on the pages: drag a selection, undo, zoom, take the week away as a file (R26, R58)."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from diary.evidence.week_csv import segments_csv
from diary.rules.week import Week
from tests.plugins.conftest import MORNING, Served
from tests.plugins.said import said
from tests.plugins.test_pages import box_at
from tests.rule import rule

pytestmark = pytest.mark.browser
DAY = "/-/diary/day/2026-11-18"
WEEK = "/-/diary/week/2026-W47"


def drag(page: Page, first: int, last: int) -> None:
    """Drag from one segment's thumbnail to another's."""
    for at, act in ((first, page.mouse.down), (last, page.mouse.up)):
        spot = page.locator(f".segment:has({box_at(page, MORNING[at])}) a").bounding_box()
        assert spot is not None
        page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2, steps=6)
        act()


@rule("R24")
def test_a_drag_selects_what_it_passes_and_opens_nothing(served: Served, page: Page) -> None:
    page.goto(served.address(DAY))
    page.locator(box_at(page, MORNING[0])).scroll_into_view_if_needed()
    drag(page, 1, 4)
    expect(page.locator("#selected")).to_have_text("4 selected, 40 min.")
    assert page.url.endswith(DAY)
    drag(page, 4, 3)
    expect(page.locator("#selected")).to_have_text("2 selected, 20 min.")
    page.locator(f".segment:has({box_at(page, MORNING[0])}) a").click()
    expect(page).to_have_url(served.address(served.segment_path((served.contract.id, MORNING[0]))))


@rule("R26")
def test_an_edit_is_undone_from_any_page_and_a_removal_never(served: Served, page: Page) -> None:
    places = [(served.contract.id, at) for at in MORNING[:3]]
    served.diary.undo()  # the manual time that the morning has
    before = served.memo_at(MORNING[0])
    served.diary.edit(places, memo="Relabelled by mistake")
    page.goto(served.address(WEEK))
    page.get_by_role("button", name="Undo the last edit of 3 segments").click()
    expect(said(page)).to_contain_text("Undone for 3 segments.")
    assert page.url.endswith(WEEK)
    assert served.memo_at(MORNING[0]) == before
    served.diary.remove(places[:1])
    page.goto(served.address(WEEK))
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


@rule("R24")
def test_a_picture_is_zoomed_by_button_and_by_keyboard(served: Served, page: Page) -> None:
    page.goto(served.address(served.segment_path((served.contract.id, MORNING[0]))))
    picture = page.locator(".pictures img").first
    expect(picture).to_have_js_property("complete", True)
    width = picture.evaluate("picture => picture.clientWidth")
    page.get_by_role("button", name="Show the picture larger").click()
    assert picture.evaluate("picture => picture.clientWidth") == pytest.approx(2 * width, rel=0.05)
    page.keyboard.press("+")
    assert picture.evaluate("picture => picture.clientWidth") == pytest.approx(3 * width, rel=0.05)
    page.keyboard.press("0")
    assert picture.evaluate("picture => picture.clientWidth") == pytest.approx(width, rel=0.05)
    expect(page.get_by_role("button", name="Show the picture smaller")).to_be_disabled()


@rule("R58")
def test_the_week_is_taken_away_as_the_csv_that_export_writes(served: Served, page: Page) -> None:
    page.goto(served.address(WEEK))
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    assert coming.value.suggested_filename == "2026-W47-segments.csv"
    text = coming.value.path().read_text(encoding="utf-8")
    view = served.diary.week(Week(2026, 47))
    assert text.split() == segments_csv(view.segments, zone=ZoneInfo("UTC"), picture_files=None).split()
    assert len(list(csv.DictReader(io.StringIO(text)))) == 11
    sums = page.request.get(served.address(f"{WEEK}/totals.csv"))
    assert sums.headers["content-type"].startswith("text/csv")
    assert sums.headers["cache-control"] == "no-store"


@rule("R2")
def test_a_day_and_its_week_are_gone_to_by_date(served: Served, page: Page) -> None:
    page.goto(served.address(WEEK))
    goes = page.get_by_role("form", name="Go to a day")
    expect(goes.get_by_label("Day")).to_have_value("2026-11-16")
    goes.get_by_label("Day").fill("2027-01-03")
    goes.get_by_role("button", name="Go").click()
    expect(page).to_have_url(served.address("/-/diary/week/2026-W53"))
    page.goto(served.address(DAY))
    goes.get_by_label("Day").fill("2026-08-31")
    goes.get_by_label("Day").press("Enter")
    expect(page).to_have_url(served.address("/-/diary/day/2026-08-31"))
    assert page.request.get(served.address("/-/diary/go?room=week&day=soon")).status == 404
