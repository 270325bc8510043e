"""A diary under a passphrase: the page asks for it, and shows nothing before (R49, R52)."""

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.sealing.keyring import choose_place
from tests.plugins.test_accessible import faults
from tests.plugins.test_open import MEMO, SECONDS_MAX, Viewer, command
from tests.rule import rule

PASSPHRASE = "open sesame"


@pytest.fixture
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    home = tmp_path_factory.mktemp("locked") / "diary"
    home.mkdir()
    clock = SystemClock()
    place = choose_place(home, "passphrase", lambda: PASSPHRASE)
    with Diary.create(home, clock=clock, place=place, device_name="practice") as diary:
        contract = diary.new_contract(title="Orchard", manual_allowed=True)
        acts = diary.add_manual(contract.id, [Slot(slot_at(clock.now_ms()) - 1)], MEMO)
    process = command(home, "open", "--no-browser")
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    assert url, process.stderr.read()
    yield Viewer(process, url, home, acts.done[0])
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=SECONDS_MAX)
    assert "the page asks for it" in said
    assert PASSPHRASE not in said


@pytest.mark.browser
@rule("R49")
@rule("R52")
def test_the_page_asks_for_the_passphrase_and_shows_nothing_before(locked: Viewer, chromium: Browser) -> None:
    page = chromium.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.goto(locked.url)
    expect(page.get_by_role("heading", name="This diary is locked")).to_be_visible()
    assert faults(page) == []
    week = re.sub(r"/-/.*", "/-/diary", locked.url)
    for path in ("", "/search", "/check", "/settings.json"):
        page.goto(week + path)
        assert MEMO not in page.content()
        expect(page.get_by_label("Passphrase")).to_be_focused()
    page.keyboard.type("open barley")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This passphrase does not open")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Totals")).to_be_visible()
    page.goto(week)
    assert MEMO in page.content()
    page.context.close()


@rule("R52")
def test_nobody_else_may_try_a_passphrase(locked: Viewer) -> None:
    form = {"passphrase": PASSPHRASE}
    elsewhere = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    own = {"Origin": f"http://{locked.host}", "Sec-Fetch-Site": "same-origin"}
    assert locked.ask("POST", "/-/diary/unlock", elsewhere, form)[0] == 403
    assert locked.ask("POST", "/-/diary/unlock", own, form, signed_in=False)[0] == 403
    locked.sign_in()
    assert locked.ask("GET", "/-/diary")[0] == 423
    assert locked.ask("POST", "/-/diary/unlock", own, form)[0] == 303
    assert locked.ask("GET", "/-/diary")[0] == 302
