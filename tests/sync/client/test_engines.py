"""The client's page in the two engines beside Chromium's: Firefox's, and WebKit, which is Safari's (R64)."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from diary.rules.timesheet import day_grid
from sync.revocation import revoke
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, WEEK, Room, work
from tests.webdriver import ENGINES

pytestmark = pytest.mark.browser
BARS = """() => Array.from(
  document.querySelectorAll("div.memo-bar"),
  (bar) => [bar.dataset.bar, bar.querySelector(".memo").textContent],
)"""
IMAGE_WIDTH = """async () => {
  const image = document.querySelector("figure img");
  await image.decode();  // it stands there before it is opened
  return image.naturalWidth;
}"""


@rule("R51")
@rule("R64")
@rule("R66")
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_client_joins_reads_a_week_opens_a_picture_and_disputes(
    room: Room, tmp_path: Path, engine: str
) -> None:
    nine = slot("2026-11-18T09:00Z")
    phrase = room.device.diary.phrase() or ""
    other = room.stage.another(phrase)
    room.device.sync()
    link = room.invite()
    room.stage.put_clocks("2026-11-23T13:00Z")
    room.device.sync()
    with ENGINES[engine](tmp_path) as page:
        page.go(link)
        page.click("//button[normalize-space()='Join this contract']")
        page.see("//*[@id='status'][contains(., 'You have joined')]")
        page.go(f"{room.stage.url}/join#/{room.contract.id}/week/{WEEK.name}")
        page.see("//*[contains(@class, 'sums')][contains(., '60.00 USD for 1 h')]")
        page.see("//*[contains(@class, 'sums')][contains(., '30 min over the limit')]")
        page.go(f"{room.stage.url}/join#/{room.contract.id}/day/2026-11-18")
        page.see("//a//img")
        bars = day_grid(room.device.diary.week(WEEK).segments, date(2026, 11, 18), ZoneInfo("UTC")).bars
        assert [tuple(bar) for bar in page.run(BARS)] == [(bar.bar, bar.memo) for bar in bars]
        page.go(f"{room.stage.url}/join#/{room.contract.id}/segment/{nine}")
        page.see("//figure//img")
        assert page.run(IMAGE_WIDTH) == 320
        page.click("//button[normalize-space()='Dispute this segment']")
        page.write("//dialog//textarea", "That was another job.")
        page.click("//dialog//button[starts-with(normalize-space(), 'Dispute 09:00')]")
        page.see("//*[@id='status'][contains(., 'The dispute is raised.')]")
        room.device.sync()
        (raised,) = room.device.diary.disputes(room.contract.id)
        assert raised.reason == "That was another job."
        # What comes under a later key opens by the key pair that this browser made and kept.
        revoke(room.device.diary, room.device.line, phrase, other.diary.replica)
        work(room.device, room.contract, slot("2026-11-23T12:40Z"), "z")
        room.device.sync()
        page.go(f"{room.stage.url}/join#/{room.contract.id}/day/2026-11-23")
        page.reload()
        page.see(f"//div[contains(@class, 'memo-bar')][contains(., '{PLANTED_MEMO} z')]")
