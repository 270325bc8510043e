"""A client who does not open the page for weeks finds what happened meanwhile (R28, R61)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from diary.rules.week import Week
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, work

pytestmark = pytest.mark.browser
NEXT = Week.parse("2026-W48")
NINE = slot("2026-11-25T09:00Z")


@rule("R28")
@rule("R61")
def test_time_that_another_contract_had_first_is_known_however_long_nobody_looked(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(room.invite())
    one.page.goto("about:blank")
    room.stage.put_clocks("2026-11-25T12:00Z")
    other = room.device.diary.new_contract(title="Mill", client="Bob")
    work(room.device, other, NINE, "x")
    room.device.sync()
    work(room.device, room.contract, NINE, "ab")
    for moment in ("2026-11-25T18:00Z", "2026-12-01T09:00Z", "2026-12-08T09:00Z"):
        room.stage.put_clocks(moment)
        room.device.diary.new_contract(title=f"At {moment}")
        room.device.sync()
        room.device.sync()
    one.go("invoices")
    row = one.page.get_by_role("row").filter(has_text="2026-W48")
    expect(row).to_contain_text("10.00 USD", timeout=60_000)
    expect(row).not_to_contain_text("not borne out", timeout=60_000)
    assert one.week(NEXT) == room.week(NEXT)
    assert [each["why_not"] for each in one.week(NEXT)["segments"]] == ["overlapping", None]
