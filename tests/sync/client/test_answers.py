"""What a client does in their browser reaches the freelancer, and the other way round (R66)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from diary.rules.picture import due_at_ms
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import WEEK, Client, Room, work
from tests.sync.test_missing import put_clocks_ms, send_rows_alone

pytestmark = pytest.mark.browser
# What this browser holds of a contract's rows and pictures, as counts: bodies, wraps, pictures.
HELD = """async (contract) => {
  const base = await new Promise((resolve) => {
    const asked = indexedDB.open("workdiary");
    asked.onsuccess = () => resolve(asked.result);
  });
  const all = (name) => new Promise((resolve) => {
    const asked = base.transaction(name).objectStore(name).getAll();
    asked.onsuccess = () => resolve(asked.result);
  });
  const rows = (await all("week")).filter((week) => week.contract === contract).flatMap((week) => week.rows);
  const pictures = (await all("picture")).map((one) => one.name);
  const live = rows.filter((row) => row.body !== null);
  return { rows: rows.length, bodies: live.length, pictures };
}"""


def says(one: Client, text: str) -> None:
    """Wait until the page's status line says it; other machines' work may take long."""
    expect(one.page.locator("#status")).to_contain_text(text, timeout=60_000)


def reread(one: Client) -> None:
    """Open the page again and let it read what is new."""
    one.page.reload()
    one.page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    expect(one.page.locator("#status")).to_have_text("", timeout=60_000)


@rule("R8")
@rule("R66")
def test_terms_set_in_the_browser_hold_on_both_sides(room: Room, client: Callable[..., Client]) -> None:
    one = client(width=360)
    one.join(room.invite())
    one.go("terms")
    one.page.get_by_label("Weekly limit in hours").fill("1.25")
    one.page.get_by_label("Rate an hour").fill("75.50")
    one.page.get_by_label("Activity labels").fill("Development, Review, Travel")
    one.page.get_by_role("button", name="Set these terms").click()
    says(one, "The terms are set.")
    room.device.sync()
    found = next(each for each in room.device.diary.contracts() if each.id == room.contract.id)
    assert (found.terms.limit_minutes, found.terms.rate_minor) == (75, 7550)
    assert found.labels == ("Development", "Review", "Travel")
    assert one.week() == room.week()
    total = one.week()["totals"][0]
    # A raise holds at once; the rate is that of the week's start (R8).
    assert (total["billable"], total["limit_minutes"], total["rate_minor"]) == (7, 75, 6000)
    one.page.get_by_role("button", name="Pause").click()
    one.page.get_by_role("button", name="Pause this contract").click()
    says(one, "The contract is paused now.")
    room.device.sync()
    found = next(each for each in room.device.diary.contracts() if each.id == room.contract.id)
    assert (found.terms.state, found.terms.limit_minutes) == ("paused", 75)


@rule("R10")
def test_a_request_for_manual_time_is_allowed_for_its_week(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    room.device.sync()
    room.device.diary.ask_manual_time(room.contract.id, "The tracker was off.", week=WEEK)
    room.device.sync()
    reread(one)
    expect(one.page.get_by_text("1 request waits for your answer.")).to_be_visible()
    one.go("terms")
    expect(one.page.get_by_text("The tracker was off.")).to_be_visible()
    one.page.get_by_role("button", name="Allow it for 2026-W47").click()
    says(one, "Manual time is allowed.")
    room.device.sync()
    assert [each.state for each in room.device.diary.requests(room.contract.id)] == ["allowed"]


@rule("R38")
@rule("R62")
def test_late_time_is_accepted_and_a_segment_disputed(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    room.device.sync()
    work(room.device, room.contract, slot("2026-11-18T14:00Z"), "dd")
    room.stage.put_clocks("2026-11-23T13:00Z")
    room.device.diary.send_asked()
    room.device.sync()
    reread(one)
    before = one.week()["totals"][0]
    assert (before["late"], before["billable"], before["bonus"]) == (2, 6, 0)
    one.page.get_by_role("button", name="Accept the late time").click()
    says(one, "20 min of late time accepted.")
    room.device.sync()
    after = one.week()["totals"][0]
    assert (after["billable"], after["bonus"]) == (8, 2)
    assert one.week() == room.week()
    one.go(f"segment/{slot('2026-11-18T09:00Z')}")
    one.page.get_by_role("button", name="Dispute this segment").click()
    one.page.get_by_label("Reason").fill("That was another job.")
    one.page.get_by_role("button", name="Dispute 09:00 to 09:10").click()
    says(one, "The dispute is raised.")
    room.device.sync()
    (raised,) = room.device.diary.disputes(room.contract.id)
    assert raised.reason == "That was another job."
    assert one.week() == room.week()


@rule("R25")
@rule("R65")
def test_what_the_freelancer_deletes_is_destroyed_in_the_browser(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(room.invite())
    one.go("day/2026-11-18")
    expect(one.page.locator(".segment img")).to_have_count(8, timeout=60_000)
    held = one.page.evaluate(HELD, room.contract.id)
    assert len(held["pictures"]) == 8
    place = (room.contract.id, slot("2026-11-18T09:00Z"))
    room.device.sync()
    room.device.diary.remove([place])
    room.device.sync()
    reread(one)
    expect(one.page.locator(".segment img")).to_have_count(7, timeout=60_000)
    now = one.page.evaluate(HELD, room.contract.id)
    assert len(now["pictures"]) == 7
    assert (now["rows"] - held["rows"], now["bodies"] - held["bodies"]) == (1, -2)
    assert one.week() == room.week()
    assert next(each["slot"] for each in one.week()["segments"]) == place[1] + 1


@rule("R41")
def test_a_picture_that_never_came_is_missing_in_the_browser_too_until_it_comes(
    room: Room, client: Callable[..., Client]
) -> None:
    at = slot("2026-11-18T13:00Z")
    one = client()
    one.join(room.invite())
    room.device.sync()  # grants the seat its keys
    room.stage.put_clocks("2026-11-18T13:10Z")
    work(room.device, room.contract, at, "d")
    send_rows_alone(room.device)
    put_clocks_ms(room.stage, due_at_ms(at) - 600_000)
    reread(one)
    assert [each for each in one.week()["segments"] if each["picture_missing"]] == []
    put_clocks_ms(room.stage, due_at_ms(at))
    reread(one)
    one.go(f"segment/{at}")
    expect(one.page.locator(".mark", has_text="missing")).to_be_visible()
    expect(one.page.locator("figure")).to_contain_text("missing: it was due at the server and is not there")
    assert [each["slot"] for each in one.week()["segments"] if each["picture_missing"]] == [at]
    assert one.week() == room.week()
    room.device.sync()
    put_clocks_ms(room.stage, due_at_ms(at) + 120_000)
    reread(one)
    expect(one.page.locator("figure img")).to_be_visible()
    expect(one.page.locator(".mark", has_text="missing")).to_have_count(0)
    assert one.week() == room.week()


@rule("R51")
def test_a_client_who_lost_their_key_is_invited_again_and_the_old_browser_is_let_in_no_more(
    room: Room, client: Callable[..., Client]
) -> None:
    lost, found = client(), client()
    lost.join(room.invite())
    before = lost.week()
    room.device.sync()
    again = room.device.diary.invite(room.contract.id, instead=True).link.text
    room.device.sync()
    found.join(again)
    assert found.week() == room.week()
    lost.page.reload()
    says(lost, "Your access from this browser was ended.")
    assert lost.week() == before  # what was loaded stays readable
