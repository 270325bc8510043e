"""What wants attention is said on every page until somebody has seen to it (R31, R37d, R38)."""

import re

import pytest
from playwright.sync_api import Page, expect

from diary.rules.ids import Slot
from tests.plugins.conftest import MORNING, Served
from tests.plugins.said import said
from tests.practice import instant, record_slot, refuse
from tests.rule import rule

pytestmark = pytest.mark.browser
DAY = "/-/diary/day/2026-11-18"
WEEK = "/-/diary/week/2026-W47"
LATE = "/-/diary/late"
REFUSED = "/-/diary/refused"


@rule("R37d")
def test_a_refused_deletion_is_loud_on_every_page_until_it_was_seen(served: Served, page: Page) -> None:
    place = (served.contract.id, MORNING[2])
    refuse(served.diary, place, "deletion")
    for path in (DAY, WEEK, LATE, served.segment_path((place[0], MORNING[0]))):
        page.goto(served.address(path))
        loud = page.get_by_role("region", name="A deletion was refused")
        expect(loud).to_contain_text("what was to go still stands")
        expect(loud).to_contain_text("It cannot be deleted any more")
    page.goto(served.address(REFUSED))
    expect(page.locator(".card.loud")).to_contain_text("It cannot be deleted any more")
    page.goto(served.address(DAY))
    expect(page.locator(".rooms .count")).to_have_text("1")
    loud = page.get_by_role("region", name="A deletion was refused")
    expect(loud.get_by_role("link")).to_have_attribute("href", served.segment_path(place))
    loud.get_by_role("button", name="I have seen it").click()
    expect(page).to_have_url(served.address(DAY))
    expect(page.get_by_role("region", name="A deletion was refused")).to_have_count(0)
    expect(page.locator(".rooms .count")).to_have_count(0)
    page.goto(served.address(REFUSED))
    page.get_by_text("Put away (1)").click()
    expect(page.get_by_role("heading", name="Deletion refused")).to_be_visible()


@rule("R37d")
def test_deletions_refused_slot_after_slot_are_said_once_and_put_away_at_once(
    served: Served, page: Page
) -> None:
    for at in MORNING[2:5]:
        refuse(served.diary, (served.contract.id, at), "deletion")
    page.goto(served.address(REFUSED))
    expect(page.locator(".card.loud")).to_have_count(1)
    expect(page.locator(".card.loud")).to_contain_text("3 segments")
    page.goto(served.address(DAY))
    loud = page.get_by_role("region", name="Deletions were refused")
    expect(loud).to_contain_text("3 segments")
    loud.get_by_role("button", name="I have seen it").click()
    expect(page.get_by_role("region", name="Deletions were refused")).to_have_count(0)
    assert all(one.dismissed_at_ms is not None for one in served.diary.refusals())
    page.goto(served.address(REFUSED))
    page.get_by_text("Put away (1)").click()
    expect(page.locator(".put-away .card")).to_contain_text("3 segments")


@rule("R25")
@rule("R37d")
def test_a_refusal_says_why_and_what_can_be_done_and_can_be_forgotten(served: Served, page: Page) -> None:
    refuse(served.diary, (served.contract.id, MORNING[6]), "entry")
    page.goto(served.address(REFUSED))
    card = page.locator(".refusals .card")
    expect(card).to_contain_text("The week is frozen (week_locked)")
    expect(card).to_contain_text("keeps what it said at the lock")
    expect(card).to_contain_text("Review the refunds")
    card.get_by_text("Forget what it keeps").click()
    card.get_by_role("button", name="Forget it").click()
    expect(said(page)).to_contain_text("Forgotten")
    assert [(one.memo, one.kept) for one in served.diary.refusals()] == [("", False)]
    expect(page.get_by_text("Review the refunds")).to_have_count(0)


@rule("R3")
@rule("R31")
def test_before_a_lock_every_page_says_what_is_not_at_the_server_and_how_long_is_left(
    served: Served, page: Page
) -> None:
    served.clock.put(instant("2026-11-23T09:50Z"))
    page.goto(served.address(WEEK))
    expect(page.get_by_text("Not at the server")).to_have_count(0)  # no server, no lock that decides
    served.diary.link_server("https://diary.example", "00" * 32)
    for path in (DAY, WEEK):
        page.goto(served.address(path))
        expect(page.locator("main")).to_contain_text(
            "10 segments of 2026-W47 have not reached the server; it locks in 2 h 10 min (Monday 12:00 UTC)."
        )


@rule("R38")
def test_late_time_is_sent_from_its_page(served: Served, page: Page) -> None:
    places = served.late_time("2026-11-18T12:10Z", "2026-11-18T12:20Z")
    waiting = len(served.diary.asked())
    page.goto(served.address(WEEK))
    page.get_by_role("link", name="Send or destroy").click()
    expect(page.get_by_role("heading", name="Waiting for your answer")).to_be_visible()
    expect(page.locator(".asked li")).to_have_count(waiting)
    expect(page.locator("main")).to_contain_text("does not bill until they accept it")
    page.locator(f'input[value="{places[0][0]}/{places[0][1]}"]').check()
    page.get_by_role("button", name="Send the selected").click()
    expect(said(page)).to_contain_text("1 segment will be sent")
    assert places[0] not in {(one.contract, one.slot) for one in served.diary.asked()}
    assert len(served.diary.asked()) == waiting - 1
    page.get_by_role("button", name=re.compile("Send all")).click()
    expect(page.get_by_text("Nothing waits for an answer.")).to_be_visible()
    assert served.diary.asked() == ()
    assert {served.diary.segment(place).state for place in places} == {"unsynced"}  # type: ignore[union-attr]


@rule("R25")
@rule("R38")
def test_late_time_is_destroyed_by_keyboard_alone_once_it_was_said_what_is_lost(
    served: Served, page: Page
) -> None:
    places = served.late_time("2026-11-18T12:10Z", "2026-11-18T12:20Z")
    page.goto(served.address(LATE))
    box = page.locator(f'input[value="{places[1][0]}/{places[1][1]}"]')
    for _ in range(60):
        page.keyboard.press("Tab")
        if box.evaluate("box => box === document.activeElement"):
            break
    page.keyboard.press("Space")
    for _ in range(60):
        page.keyboard.press("Tab")
        if "Destroy the selected" in (page.evaluate("document.activeElement?.textContent") or ""):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Destroy 10 min of recorded time?")).to_be_visible()
    assert served.diary.segment(places[1]) is not None
    page.get_by_role("link", name="Keep it").click()
    assert served.diary.segment(places[1]) is not None
    box.check()
    page.get_by_role("button", name="Destroy the selected").press("Enter")
    page.get_by_role("button", name="Destroy it").press("Enter")
    expect(said(page)).to_contain_text("1 segment destroyed.")
    assert served.diary.segment(places[1]) is None
    assert served.diary.segment(places[0]) is not None


@rule("R25")
def test_nothing_is_destroyed_that_the_question_did_not_speak_of(served: Served, page: Page) -> None:
    places = served.late_time("2026-11-18T12:10Z")
    page.goto(served.address(LATE))
    page.get_by_role("button", name=re.compile("Destroy all")).click()
    more = served.late_time("2026-11-18T12:20Z")
    page.get_by_role("button", name="Destroy it").click()
    expect(page.get_by_role("heading", name=re.compile("recorded time?"))).to_be_visible()
    assert all(served.diary.segment(place) is not None for place in (*places, *more))
    page.get_by_role("button", name="Destroy it").click()
    assert served.diary.asked() == ()


def test_an_answer_for_nothing_says_so(served: Served, page: Page) -> None:
    served.late_time("2026-11-18T12:10Z")
    page.goto(served.address(LATE))
    page.get_by_role("button", name="Send the selected").click()
    expect(said(page)).to_contain_text("Nothing is selected.")


@rule("R18")
def test_time_away_is_asked_about_on_every_page_and_answered_there(served: Served, page: Page) -> None:
    mill = served.diary.new_contract(title="Mill")
    since, until = instant("2026-11-18T11:40Z"), instant("2026-11-18T11:50Z")
    served.diary.ask_idle(served.contract.id, since_ms=since, until_ms=until, minutes=10)
    for path in (DAY, WEEK, REFUSED):
        page.goto(served.address(path))
        expect(page.get_by_role("region", name="10 minutes without you")).to_contain_text(
            served.contract.title
        )
    asked = page.get_by_role("region", name="10 minutes without you")
    asked.get_by_label("or move it to").select_option("Mill")
    asked.get_by_role("button", name="Move it").click()
    expect(said(page)).to_contain_text("goes to the other contract")
    expect(page.get_by_role("region", name="10 minutes without you")).to_have_count(0)
    found = served.diary.idle_question()
    assert found
    assert (found.answer, found.move_to) == ("move", mill.id)


@rule("R18")
def test_an_answer_to_a_question_that_is_closed_says_so(served: Served, page: Page) -> None:
    since, until = instant("2026-11-18T11:40Z"), instant("2026-11-18T11:50Z")
    served.diary.ask_idle(served.contract.id, since_ms=since, until_ms=until, minutes=10)
    page.goto(served.address(DAY))
    served.diary.settle_idle()
    page.get_by_role("button", name="Keep it").click()
    expect(said(page)).to_contain_text("That is not asked any more")


@rule("R31")
def test_a_page_reminds_on_sunday_evening_of_what_the_week_lacks(served: Served, page: Page) -> None:
    record_slot(served.diary, served.contract, Slot(MORNING[-1] + 6), memo=None, picture=None)
    served.clock.put(instant("2026-11-22T19:00Z"))
    page.goto(served.address(DAY))
    reminder = page.locator(".attention .notice", has_text="Before it locks")
    expect(reminder).to_contain_text("2026-W47 locks in 17 h 0 min")
    expect(reminder).to_contain_text("no memo")
    reminder.get_by_role("link", name="See what to do").click()
    expect(page).to_have_url(served.address("/-/diary/check/2026-W47"))
    served.clock.put(instant("2026-11-21T19:00Z"))
    page.goto(served.address(DAY))
    expect(page.get_by_text("Before it locks")).to_have_count(0)
