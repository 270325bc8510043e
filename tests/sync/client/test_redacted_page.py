"""What both parties sign to be redacted is destroyed in the client's browser, whoever asked first (R54)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from diary.rules.ids import Slot
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room
from tests.sync.client.test_answers import HELD, reread, says
from tests.sync.stage import AFTER_THE_LOCK

pytestmark = pytest.mark.browser
TEN_PAST, TWENTY_PAST = slot("2026-11-18T09:10Z"), slot("2026-11-18T09:20Z")


def look_at(one: Client, at: Slot) -> None:
    one.go(f"segment/{at}")
    expect(one.page.locator("h1")).to_contain_text("to")


@rule("R54")
@rule("R66")
def test_a_segment_is_redacted_once_both_have_signed_and_bills_as_before(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(room.invite())
    for at in (TEN_PAST, TWENTY_PAST):
        look_at(one, at)
        expect(one.page.locator("figure img")).to_be_visible()
    room.stage.put_clocks(AFTER_THE_LOCK)
    assert room.device.diary.redact([(room.contract.id, TEN_PAST)], "A bystander") == 0
    room.device.sync()
    reread(one)
    before = one.page.evaluate(HELD, room.contract.id)

    look_at(one, TEN_PAST)
    expect(one.page.locator("figure img")).to_be_visible()  # one side alone destroys nothing
    one.page.get_by_role("button", name="Agree to redact its content").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Agree to redact its content").click()
    says(one, "Your side of the redaction is signed.")
    expect(one.page.locator("main")).to_contain_text("Its content was redacted by both.")
    expect(one.page.locator("figure img")).to_have_count(0)

    look_at(one, TWENTY_PAST)
    one.page.get_by_role("button", name="Ask to redact its content").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Ask to redact its content").click()
    says(one, "Your side of the redaction is signed.")
    expect(one.page.locator("main")).to_contain_text("the freelancer has not agreed yet")
    expect(one.page.locator("figure img")).to_be_visible()
    room.device.sync()
    assert room.device.diary.redact([(room.contract.id, TWENTY_PAST)]) == 1
    room.device.sync()
    reread(one)
    expect(one.page.locator("main")).to_contain_text("Its content was redacted by both.")

    after = one.page.evaluate(HELD, room.contract.id)
    # Two captures and two entries lost their content, and no row its place.
    assert (after["rows"], after["bodies"]) == (before["rows"], before["bodies"] - 4)
    assert len(set(before["pictures"]) - set(after["pictures"])) >= 2
    shown = one.week()
    assert shown == room.week()
    gone = [each for each in shown["segments"] if each["redacted"]]
    assert [(each["slot"], each["memo"], each["pictures"], each["bills"]) for each in gone] == [
        (TEN_PAST, "", [], True),
        (TWENTY_PAST, "", [], True),
    ]
