"""What a server left out of what it bills is found by who holds what makes it due (R38, R56, R61, R62)."""

from collections.abc import Callable

import msgspec
import pytest

from diary.contracts import Contract
from diary.evidence.signature import INVOICE, INVOICE_PART, SEAL
from diary.rules.alarm_words import meaning_of
from diary.rules.invoice_parts import Invoice
from tests.diary.typed import Typist
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import Bill, kinds, liar_before
from tests.sync.stage import Device, Stage
from tests.sync.test_billed_weeks import TUESDAY, locked, synced, work

TUESDAY_AFTER = "2026-12-01T09:00Z"
NEXT_WEEK, NEXT_EVENING = "2026-11-25T09:00Z", "2026-11-25T18:00Z"


def two_contracts(stage: Stage) -> tuple[Device, Contract]:
    """Return a device with an hour for one client and ten minutes for another, a week apart from its lock."""
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    garden = device.diary.new_contract(title="Garden", client="Bo", rate_minor=4321, currency="EUR")
    work(device, orchard, "2026-11-18T09:00Z", 6)
    work(device, garden, "2026-11-18T11:00Z", 1)
    device.sync()
    return device, orchard


@rule("R56")
@rule("R61")
def test_a_number_that_is_left_out_is_an_alarm_with_the_next_one_and_is_asked_for_again(stage: Stage) -> None:
    device, orchard = two_contracts(stage)
    liar = liar_before(stage, device)
    liar.bills = lambda bills: [bill for bill in bills if bill.number != 1]
    locked(stage, device)
    (gap, hours) = device.diary.alarms()
    assert {gap.kind, hours.kind} == {"invoice_missing"}
    assert gap.says == "invoice 1 is missing, and invoice 2 is there"
    assert [msgspec.json.decode(one.text)["number"] for one in gap.evidence] == [2]
    assert hours.says.startswith("no invoice bills the hours of 2026-W47")
    assert meaning_of(gap.kind).startswith("The server left out an invoice")
    liar.bills = None
    stage.put_clocks(NEXT_EVENING)
    work(device, orchard, NEXT_WEEK, 1)
    device.sync()
    locked(stage, device, TUESDAY_AFTER)
    assert sorted(view.number for view in device.diary.invoices()) == [1, 2, 3]
    assert kinds(device) == ["invoice_missing"] * 2, "an alarm stays, and is raised once"


@rule("R57")
@rule("R61")
def test_a_sealed_week_that_is_not_billed_at_all_is_an_alarm_with_its_seal(stage: Stage) -> None:
    device, orchard = two_contracts(stage)
    client = join_in(stage, invited(device, orchard))
    for party in (device, client):
        liar_before(stage, party).bills = lambda _: []
    locked(stage, device)
    client.sync()
    for party, missing in ((device, 2), (client, 1)):
        alarms = party.diary.alarms()
        assert [alarm.kind for alarm in alarms] == ["invoice_missing"] * missing
        seals = [msgspec.json.decode(one.text) for alarm in alarms for one in alarm.evidence]
        assert [seal["week"] for seal in seals] == ["2026-W47"] * missing


def without(what: str) -> Callable[[list[Bill]], list[Bill]]:
    """Return a lie that leaves lines of a kind out of every bill, and bills of nothing out altogether."""

    def lie(bills: list[Bill]) -> list[Bill]:
        lied: list[Bill] = []
        for bill in bills:
            lines = tuple(line for line in bill.lines if line.what != what)
            if not lines:
                continue
            fewer = msgspec.structs.replace(bill, lines=lines)
            if isinstance(fewer, Invoice):
                total = sum(line.amount_minor for line in lines)
                fewer = msgspec.structs.replace(fewer, total_minor=total)
            lied.append(fewer)
        return lied

    return lie


@rule("R38")
@rule("R61")
@rule("R62")
@pytest.mark.parametrize("what", ["late", "bonus"])
def test_late_time_or_a_bonus_that_is_left_out_is_found_on_both_sides(stage: Stage, what: str) -> None:
    device, orchard = two_contracts(stage)
    client = join_in(stage, invited(device, orchard))
    synced(device)
    record_slot(device.diary, orchard, slot("2026-11-20T09:00Z"), picture=SCREEN + b"late")
    stage.put_clocks(TUESDAY)
    Typist(device.diary.home, device.clock).types("late", "send")
    synced(device, client, device, client)
    theirs = Typist(client.diary.home, client.clock)
    theirs.types("late", "accept")
    theirs.types("bonus", "Orchard", "12.50", "For the launch")
    stage.put_clocks(NEXT_EVENING)
    work(device, orchard, NEXT_WEEK, 1)
    synced(client, device)
    assert kinds(device) == kinds(client) == []
    for party in (device, client):
        liar_before(stage, party).bills = without(what)
    locked(stage, device, TUESDAY_AFTER)
    synced(client, client)
    for party in (device, client):
        (alarm,) = party.diary.alarms()
        assert alarm.kind == "invoice_missing"
        assert ("a bonus" if what == "bonus" else "late time that was accepted") in alarm.says
        (proof,) = alarm.evidence
        assert proof.domain in {INVOICE, INVOICE_PART, SEAL}
