"""Invoices in the browser: come to by itself, a bonus, marked as paid (R61, R62, R63, R66)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.plugins.test_accessible import faults, overflow
from tests.rule import rule
from tests.sync.client.conftest import Client, Room
from tests.sync.client.test_answers import reread, says

pytestmark = pytest.mark.browser
TUESDAY = "2026-11-24T09:00Z"


def locked(room: Room, one: Client) -> None:
    """Let the week lock and the server close it, and let the page read."""
    one.join(room.invite())
    room.stage.put_clocks(TUESDAY)
    room.device.diary.new_contract(title="Next")
    room.device.sync()
    room.device.sync()
    reread(one)
    reread(one)


@rule("R61")
@rule("R63")
@rule("R66")
def test_an_invoice_is_borne_out_in_the_browser_marked_as_paid_and_confirmed(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    locked(room, one)
    one.page.get_by_role("link", name="Invoices").click()
    (mine,) = room.device.diary.invoices()
    table = one.page.get_by_role("table")
    expect(table).to_contain_text("60.00 USD", timeout=60_000)
    assert mine.due_minor == 6000
    one.page.get_by_role("link", name="Invoice 1").click()
    main = one.page.locator("main")
    expect(main).to_contain_text("in review; security period from 2026-11-28 00:00 UTC")
    expect(main).to_contain_text("1:00")
    for width in (360, 1280):
        one.page.set_viewport_size({"width": width, "height": 900})
        assert (faults(one.page), overflow(one.page)) == ([], 0)
    one.page.get_by_label("I have paid, in USD").fill("45.50")
    one.page.get_by_label("Reference").fill("SEPA 4711")
    one.page.get_by_role("button", name="Mark as paid").click()
    says(one, "Marked as paid")
    expect(main).to_contain_text("marked as paid by you, not confirmed")
    room.device.sync()
    (claim,) = room.device.diary.invoice(1).payments
    assert (claim.amount_minor, claim.reference) == (4550, "SEPA 4711")
    room.device.diary.confirm_payment(1, claim.id)
    room.device.sync()
    reread(one)
    expect(main).to_contain_text("14.50 USD")
    assert room.device.diary.invoice(1).due_minor == 1450


@rule("R62")
@rule("R66")
def test_a_bonus_is_added_for_the_week_in_review(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    locked(room, one)
    one.page.get_by_role("link", name="Invoices").click()
    expect(one.page.get_by_role("table")).to_contain_text("60.00 USD", timeout=60_000)
    one.page.get_by_label("Amount in USD").fill("25")
    one.page.get_by_label("Why; the freelancer reads it").fill("For the launch")
    one.page.get_by_role("button", name="Add the bonus").click()
    says(one, "The bonus is added")
    room.device.sync()
    room.stage.put_clocks("2026-12-01T09:00Z")
    room.device.diary.new_contract(title="After")
    room.device.sync()
    room.device.sync()
    bonus = room.device.diary.invoice(2)
    assert [(line.what, line.amount_minor, line.note) for line in bonus.lines] == [
        ("bonus", 2500, "For the launch"),
    ]  # fmt: skip
