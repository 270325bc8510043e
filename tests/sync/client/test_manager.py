"""An agency's manager in a browser: what the client sees, and no form to change any of it (R51, R66)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from diary.rules.ids import AccountId
from tests.rule import rule
from tests.sync.client.conftest import Client, Room

pytestmark = pytest.mark.browser

AGENCY = AccountId("a9" * 16)


def manager_link(room: Room) -> str:
    link = room.device.diary.invite_manager(room.contract.id, AGENCY).link
    room.device.sync()
    return link.text


@rule("R51")
@rule("R66")
def test_a_manager_reads_the_week_and_is_offered_nothing_to_change(
    room: Room, client: Callable[..., Client]
) -> None:
    room.device.diary.ask_manual_time(room.contract.id, "A workshop without a screen")
    one, other = client(), client()
    one.join(manager_link(room))
    other.join(room.invite())
    assert one.week() == room.week()
    one.go("terms")
    expect(one.page.get_by_text("The client sets the terms")).to_be_visible()
    expect(one.page.get_by_role("button", name="Set these terms")).to_be_disabled()
    expect(one.page.get_by_text("A workshop without a screen")).to_be_visible()
    for words in ("Allow it", "Decline", "Pause", "Close"):
        expect(one.page.get_by_role("button", name=words, exact=True)).to_have_count(0)
    other.go("terms")
    expect(other.page.get_by_role("button", name="Allow it", exact=True)).to_be_visible()
    expect(other.page.get_by_role("button", name="Set these terms")).to_be_enabled()


@rule("R51")
def test_what_a_managers_browser_holds_stays_readable_after_leaving_and_no_more_comes(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(manager_link(room))
    before = one.week()
    assert room.device.diary.end_managers(room.contract.id) == 1
    room.device.sync()
    one.page.reload()
    one.go("week/2026-W47")
    expect(one.page.get_by_text("Your access from this browser was ended").first).to_be_visible()
    assert one.week() == before
