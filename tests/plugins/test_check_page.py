"""The check: what fails is said, and mended from there by a person with a keyboard or a mouse (R4, R30)."""

import pytest
from playwright.sync_api import Page, expect

from datasette_work_diary.check_page import CheckPage, check_page, points_shown
from diary.checking import WeekCheck
from diary.rules.qualifies import Thresholds, check_week, checklist
from diary.rules.timesheet import SegmentView
from tests.plugins.conftest import MORNING, Served, record
from tests.plugins.said import said
from tests.plugins.test_accessible import arrived
from tests.plugins.views import HISTORIES, manual, reading, segment, week_view
from tests.practice import instant, slot
from tests.rule import rule

NOW = "2026-11-20T11:24"
CHECK = "/-/diary/check/2026-W47"


def page_of(*segments: SegmentView, now: str = NOW) -> CheckPage:
    view, read = week_view(*segments, now=now), reading(now)
    findings = {
        (one.contract, one.slot): checklist(one, HISTORIES[one.contract], read.now_ms)
        for one in view.segments
    }
    checks = check_week(view.segments, lambda one: findings[one.contract, one.slot])
    return check_page(WeekCheck(view, read.now_ms, checks, findings, Thresholds()), read)


@rule("R30")
def test_each_failing_point_says_what_how_long_and_where() -> None:
    page = page_of(
        segment("2026-11-18T09:00"),
        segment("2026-11-18T09:10", memo=""),
        segment("2026-11-18T09:20", memo=""),
        manual("2026-11-18T09:30"),
    )
    (orchard,) = page.contracts
    assert orchard.sum == "1 of 4 segments qualify."
    assert orchard.activity == "9.0 of 10 minutes active on average, more than the 5 asked for."
    tracked, memo = orchard.failing
    assert (tracked.title, tracked.act, tracked.mend) == (
        "Recorded by the tracker",
        "",
        "It cannot be mended.",
    )
    assert (memo.length, memo.mend, memo.left, memo.act) == (
        "2 segments",
        "Write a memo.",
        "3 days 36 minutes left",
        "Write a memo",
    )
    assert [place.label for place in memo.places] == ["Wed 09:10", "Wed 09:20"]


@rule("R30")
def test_a_frozen_week_offers_nothing_to_mend() -> None:
    page = page_of(segment("2026-11-18T09:10", memo=""), now="2026-11-24T09:00")
    assert [(each.act, each.left) for each in page.contracts[0].failing] == [("", "")]
    assert page.state_says.startswith("frozen")


@rule("R60")
def test_how_long_after_its_slot_each_segment_was_received_is_counted() -> None:
    prompt = segment("2026-11-18T09:00", received_at_ms=instant("2026-11-18T09:12Z"))
    later = segment("2026-11-18T09:10", received_at_ms=instant("2026-11-20T08:00Z"))
    page = page_of(prompt, later)
    assert page.delays == "Received after the slot: 1 within 15 minutes, 1 later."
    assert page_of(segment("2026-11-20T09:00", state="unsynced", received_at_ms=None)).delays == ""


@rule("R30")
def test_what_the_server_has_still_to_receive_is_counted() -> None:
    waiting = segment("2026-11-20T09:00", state="unsynced", received_at_ms=None)
    assert page_of(waiting).waiting == "1 segment still to be received by the server."
    assert page_of(segment("2026-11-18T09:00")).waiting == ""


@rule("R30")
def test_a_segments_points_stand_with_the_failing_ones_first() -> None:
    one = segment("2026-11-18T09:10", memo="")
    shown = points_shown(checklist(one, HISTORIES[one.contract], reading(NOW).now_ms), reading(NOW))
    assert (shown[0].title, shown[0].word, shown[0].left) == ("Memo", "no", "3 days 36 minutes left")
    assert {point.word for point in shown[1:]} == {"not known", "yes"}


@pytest.mark.browser
@rule("R30")
def test_missing_memos_are_written_for_all_of_them_at_once_from_the_check(served: Served, page: Page) -> None:
    bare = [(served.contract.id, at) for at in MORNING[:3]]
    served.diary.edit(bare, memo="")
    page.goto(served.address(CHECK))
    expect(page.get_by_text("6 of 10 segments qualify.")).to_be_visible()
    page.get_by_role("button", name="Write a memo for 3 segments").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Memo").press_sequentially("Rework the calendar")
    page.keyboard.press("Tab")  # the label
    page.keyboard.press("Tab")  # Save
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("Saved for 3 segments.")
    assert page.url.endswith(CHECK)
    expect(page.get_by_text("9 of 10 segments qualify.")).to_be_visible()
    assert {served.memo_at(at) for at in MORNING[:3]} == {"Rework the calendar"}


@pytest.mark.browser
@rule("R27")
@rule("R30")
def test_why_the_last_segment_does_not_bill_is_seen_and_mended(served: Served, page: Page) -> None:
    small = served.diary.new_contract(title="Night shelter", limit_minutes=10)
    first, last = slot("2026-11-18T13:00Z"), slot("2026-11-18T13:10Z")
    for at in (first, last):
        record(served.diary, small, at, "Ledger", "editor")
    page.goto(served.address("/-/diary/check"))
    page.get_by_role("link", name="Wed 13:10").first.click()
    expect(page.get_by_role("heading", name="Does not bill: over the weekly limit")).to_be_visible()
    expect(page.get_by_text("Remove an earlier segment that should not count.")).to_be_visible()
    page.get_by_role("link", name="Before").click()
    arrived(page, "13:00")
    page.get_by_role("button", name="Remove the snapshot (and its time)").click()
    arrived(page, "Remove the snapshot (and its time)?")
    page.get_by_role("button", name="Remove the snapshot (and its time)").click()
    expect(said(page)).to_contain_text("Removed 1 segment.")
    mended = served.diary.segment((small.id, last))
    assert mended is not None
    assert mended.bills


@pytest.mark.browser
@rule("R30")
def test_the_check_and_the_segment_are_there_as_json_too(served: Served, page: Page) -> None:
    told = page.request.get(served.address(f"{CHECK}.json")).json()
    assert (told["contracts"][0]["segments"], told["contracts"][0]["qualifying"]) == (10, 9)
    assert {one["point"] for one in told["contracts"][0]["failing"]} == {"tracked"}
    place = (served.contract.id, MORNING[0])
    one = page.request.get(served.address(f"{served.segment_path(place)}.json")).json()
    assert one["slot"] == MORNING[0]
    assert {point["outcome"] for point in one["points"]} == {"holds", "open", "unknown"}


@pytest.mark.browser
@rule("R30")
def test_on_monday_morning_the_week_that_is_about_to_freeze_is_checked(served: Served, page: Page) -> None:
    served.clock.put(instant("2026-11-23T11:00Z"))
    page.goto(served.address("/-/diary/check"))
    assert page.url.endswith(CHECK)
    served.clock.put(instant("2026-11-23T12:00Z"))
    page.goto(served.address("/-/diary/check"))
    assert page.url.endswith("2026-W48")
