"""The pages of devices and sync, and of settings (R5, R50, R55)."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from datasette_work_diary.syncing import look_at_sync, sync_page
from diary.errors import PeerError
from diary.rules.ids import Millis
from diary.rules.json_form import iso
from diary.settings import SETTINGS
from diary.store import feed
from diary.store.sending import SentNote
from diary.unanswered import Suspicion
from sync.line_faults import NoHttpsError, UnreachableError
from tests.plugins.conftest import MORNING, Served
from tests.plugins.said import said
from tests.practice import refuse
from tests.rule import rule

pytestmark = pytest.mark.browser
SYNC = "/-/diary/sync"
SETTINGS_PAGE = "/-/diary/settings"


@rule("R50")
@rule("R55")
def test_what_waits_what_is_stored_and_which_devices_there_are(served: Served, page: Page) -> None:
    refuse(served.diary, (served.contract.id, MORNING[0]), "entry")
    page.goto(served.address(SYNC))
    expect(page.get_by_text("Everything stays on this device until")).to_be_visible()
    expect(page.get_by_role("region", name="What waits")).to_contain_text("segments not at the server yet")
    expect(page.get_by_role("link", name="1 change")).to_have_attribute("href", "/-/diary/refused")
    row = page.get_by_role("row", name="practice")
    expect(row).to_contain_text("this device")
    expect(row.get_by_role("rowheader")).to_have_text(served.diary.replica[:8])
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("None")
    expect(page.get_by_role("region", name="What is stored here")).to_contain_text("picture")
    told = page.request.get(served.address(f"{SYNC}.json")).json()
    assert told["server"] is None
    assert [one["this"] for one in told["devices"]] == [True]
    assert told["refused"] == 1


@rule("R56")
def test_an_alarm_says_what_it_means_and_what_to_do(served: Served, page: Page) -> None:
    what = "seal 1 of week 2026-W46 is not what the log comes to"
    alarm = feed.Alarm(served.diary.now_ms(), served.contract.id, "seal_differs", what)
    with served.diary._state.writing():
        feed.raise_alarm(served.diary._state.connection, alarm)
    served.diary.note_unanswered(Suspicion("its log went back"), is_clock_unsure=False)
    page.goto(served.address(SYNC))
    expect(page.get_by_text("the server does not answer for its log: its log went back.")).to_be_visible()
    alarms = page.get_by_role("region", name="Alarms")
    expect(alarms).to_contain_text(what)
    expect(alarms).to_contain_text("The server sealed a week that the log does not come to")
    expect(alarms).to_contain_text("Keep this diary and a backup of it")
    shown = page.request.get(served.address(f"{SYNC}.json")).json()
    assert shown["unanswered_since"] == iso(served.diary.now_ms())
    told = shown["alarms"]
    assert [(one["kind"], one["says"]) for one in told] == [("seal_differs", what)]
    assert told[0]["means"].startswith("The server sealed a week")


@rule("R19")
def test_why_syncs_do_not_go_through_is_said_and_on_every_page_where_somebody_must_mend_it(
    served: Served, page: Page
) -> None:
    served.diary.link_server("https://diary.example", "00" * 32)
    for error in (UnreachableError(url="https://diary.example", why="no network"), NoHttpsError(url="x")):
        with pytest.raises(PeerError), served.diary.noting_sync():
            raise error
        page.goto(served.address(SYNC))
        waits = page.get_by_role("region", name="What waits")
        expect(waits).to_contain_text("The last sync did not go through.")
        expect(waits).to_contain_text(error.in_full)
        assert page.request.get(served.address(f"{SYNC}.json")).json()["sync_fault"]["mend"]
        page.goto(served.address("/-/diary/day/2026-11-18"))
        expect(page.get_by_text("Not in sync.")).to_have_count(0 if error.passes else 1)


@rule("R38")
def test_what_waits_for_an_answer_is_counted_among_what_is_not_sent(served: Served, page: Page) -> None:
    served.late_time("2026-11-18T12:10Z", "2026-11-18T12:20Z")
    asked = len(served.diary.asked())
    page.goto(served.address(SYNC))
    waits = page.get_by_role("region", name="What waits")
    expect(waits).to_contain_text(f"{served.diary.status().unsynced} segments not at the server yet")
    expect(waits).to_contain_text(f"{asked} segments of them waiting for your answer")


@rule("R55")
def test_what_was_sent_within_a_minute_is_one_line(served: Served) -> None:
    def note(at_ms: int, what: str, size: int) -> SentNote:
        return SentNote(Millis(at_ms), "https://diary.example", what, "0" * 64, size)

    sent = (note(0, "versions", 3000), note(60_000, "picture", 4096), note(119_000, "picture", 8192))
    seen = look_at_sync(served.diary)
    page = sync_page(replace(seen, audit=replace(seen.audit, sent=sent)))
    assert [row.cells[1:3] for row in page.sent] == [("2 pictures", "12 KB"), ("1 push of versions", "3 KB")]
    assert page.sent_more == 0


@rule("R5")
def test_a_setting_is_changed_by_keyboard_and_a_wrong_value_is_refused_with_what_it_takes(
    served: Served, page: Page
) -> None:
    page.goto(served.address(SETTINGS_PAGE))
    expect(page.locator(".settings > li")).to_have_count(len(SETTINGS))
    field = page.get_by_role("textbox", name="Hold seconds")
    field.focus()
    field.press("Control+a")
    page.keyboard.type("90")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("Saved: hold seconds.")
    assert served.diary.setting("hold_seconds") == 90
    page.get_by_role("textbox", name="Hold seconds").fill("a while")
    page.get_by_role("button", name="Save Hold seconds").click()
    expect(page.get_by_text("It takes 0 to 3600 seconds.")).to_be_visible()
    assert served.diary.setting("hold_seconds") == 90


@rule("R5")
def test_a_zone_that_is_set_holds_for_every_page(served: Served, page: Page) -> None:
    page.goto(served.address(SETTINGS_PAGE))
    page.get_by_role("combobox", name="Zone").fill("Asia/Kathmandu")
    page.get_by_role("button", name="Save Zone").click()
    expect(page.get_by_text("Times in Asia/Kathmandu.")).to_be_visible()
    page.goto(served.address("/-/diary/day/2026-11-18"))
    expect(page.get_by_role("columnheader", name=":05")).to_be_visible()
    told = page.request.get(served.address(f"{SETTINGS_PAGE}.json")).json()
    assert told["zone"] == "Asia/Kathmandu"


@rule("R22")
def test_private_rules_are_added_and_removed_on_the_settings_page(served: Served, page: Page) -> None:
    page.goto(served.address("/-/diary/settings"))
    card = page.get_by_role("region", name="Never captured")
    card.get_by_label("Words").fill("my <b>bank</b>")
    card.get_by_role("button", name="Never capture").click()
    expect(said(page)).to_have_text("Never captured from now on.")
    expect(card).to_contain_text("“my <b>bank</b>”")
    card.get_by_label("Application").fill("KeePassXC")
    card.get_by_label("Application").press("Enter")
    expect(card).to_contain_text("all windows of “KeePassXC”")
    assert [(each.application, each.words) for each in served.diary.private_rules()] == [
        ("", "my <b>bank</b>"),
        ("KeePassXC", ""),
    ]
    card.get_by_label("Words").fill("*")
    card.get_by_role("button", name="Never capture").click()
    expect(said(page)).to_contain_text("fits every window")
    card.get_by_role("button", name="Capture again: my <b>bank</b>").click()
    expect(said(page)).to_have_text("Captured again from now on.")
    assert [each.application for each in served.diary.private_rules()] == ["KeePassXC"]
    page.goto(served.address("/-/diary/private.json"))
    expect(page.locator("body")).to_contain_text("KeePassXC")
