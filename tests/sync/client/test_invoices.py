"""Invoices in the browser: come to by itself, a bonus, marked as paid (R61, R62, R63, R66)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.plugins.test_accessible import faults, overflow
from tests.rule import rule
from tests.sync.client.conftest import Client, Room
from tests.sync.client.test_answers import reread, says
from tests.sync.client.test_page_audits import summary
from tests.sync.stage import Device
from tests.sync.test_agency import taken_in

pytestmark = pytest.mark.browser
TUESDAY = "2026-11-24T09:00Z"
SYNC = """async (contract) => {
  const { Asking } = await import("/client/asking.js");
  await new Asking(() => undefined).ask("sync", { contract });
}"""


def locked(room: Room, one: Client, agency: Device | None = None) -> None:
    """Let the week lock and the server close it, for an agency too, and let the page read."""
    one.join(room.invite())
    room.stage.put_clocks(TUESDAY)
    for device in (room.device, agency):
        if device is not None:
            device.diary.new_contract(title="Next")
            device.sync()
            device.sync()
    reread(one)
    reread(one)


@rule("R57")
@rule("R61")
def test_a_sealed_week_that_no_invoice_bills_is_an_alarm_with_its_seal(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()

    def left_out(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "invoices": []})

    one.page.context.route("**/v1/invoices", left_out)
    locked(room, one)
    expect(one.page.get_by_role("alert").first).to_contain_text("Alarm (invoice_missing)", timeout=60_000)
    expect(one.page.get_by_role("alert").first).to_contain_text("no invoice bills the hours of 2026-W47")
    (alarm,) = summary(one)["alarms"]
    assert [each["domain"] for each in alarm["evidence"]] == ["workdiary/1/seal"]


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


@rule("R51")
@rule("R61")
def test_what_an_agency_bills_of_the_contract_is_borne_out_in_the_browser_too(
    room: Room, client: Callable[..., Client]
) -> None:
    agency = room.stage.first()
    link = room.device.diary.invite_manager(room.contract.id, agency.diary.account).link
    room.device.sync()
    taken_in(agency, link, "Ada", "Brown")
    one = client()
    locked(room, one, agency)
    one.page.evaluate(SYNC, room.contract.id)
    one.page.get_by_role("link", name="Invoices").click()
    expect(one.page.get_by_role("table")).to_contain_text("60.00 USD", timeout=60_000)
    (bill,) = agency.diary.invoices()
    assert [(line.contract, line.amount_minor) for line in bill.lines] == [(room.contract.id, 6000)]
    assert one.page.locator("main").get_by_text("differs").count() == 0


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
