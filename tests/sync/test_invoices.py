"""Invoices in a replica: taken as signed, borne out by its own rows, else an alarm (R57, R61)."""

from collections.abc import Callable

import msgspec
import pytest

from diary.contracts import Contract
from diary.evidence.alarm import FeedFaultError
from diary.evidence.invoice_statement import sign_invoice
from diary.evidence.signature import public_of
from diary.evidence.statement import SignedStatement
from diary.rules.ids import Millis
from diary.rules.invoice import Charge, Issue, Life, hours_charge, invoices
from diary.rules.invoice_parts import Invoice
from diary.rules.week import Week
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import kinds
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage

SEED = b"\x07" * 32
KEY = public_of(SEED).hex()
NINE = slot("2026-11-18T09:00Z")
WEEK = Week.of(NINE)


def locked(stage: Stage) -> tuple[Device, Contract]:
    """Return a device with a sealed week of three segments at 60 dollars."""
    device = stage.first()
    contract = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    for number in range(3):
        record_slot(
            device.diary, contract, slot(f"2026-11-18T09:{number}0Z"), picture=SCREEN + bytes([number])
        )
    device.sync()
    stage.put_clocks(AFTER_THE_LOCK)
    device.diary.new_contract(title="Next")
    device.sync()
    device.sync()
    return device, contract


def billed(device: Device, contract: Contract, amount: int = 3000, **fields: object) -> Invoice:
    """Return the invoice of the week, of what the seal says or of another amount."""
    charge = hours_charge(contract.id, WEEK, 3, 6000, "USD", amount)
    issue = Issue(device.diary.account, WEEK, Millis(WEEK.locked_at_ms + 1000), Life(), 1)
    (made,) = invoices(issue, [Charge("USD", charge.line)], {contract.id: str(contract.terms.payer)})
    return msgspec.structs.replace(made, **fields)


def signed(invoice: Invoice) -> SignedStatement:
    return sign_invoice(invoice, SEED)


@rule("R61")
@pytest.mark.parametrize("amount", [1, 3000, -3000])
def test_one_that_the_own_rows_do_not_come_to_is_never_due_and_an_alarm_after_a_second_look(
    stage: Stage, amount: int
) -> None:
    device, contract = locked(stage)
    diary = device.diary
    assert [one.number for one in diary.invoices()] == [1]
    assert diary.invoice(1).due_minor == 3000
    again = signed(billed(device, contract, amount, number=2))
    assert diary.take_invoices([again], KEY) == 1
    assert diary.judge_invoices() == 0, "rows may still be on their way"
    assert diary.invoice(2).due_minor is None
    assert kinds(device) == []
    assert diary.judge_invoices() == 1
    view = diary.invoice(2)
    assert (view.agrees, view.due_minor, view.own_total_minor) == (False, None, 0)
    (alarm,) = diary.alarms()
    assert alarm.kind == "invoice_differs"
    assert str(amount) in alarm.says
    assert [one.text for one in alarm.evidence] == [again.text]
    assert [line.invoice for one in diary.statements() for line in one.lines] == [1]


@rule("R61")
def test_a_number_that_becomes_another_invoice_is_an_alarm_and_the_first_stays(stage: Stage) -> None:
    device, contract = locked(stage)
    diary = device.diary
    assert diary.take_invoices([signed(billed(device, contract, 9000))], KEY) == 0
    assert [alarm.kind for alarm in diary.alarms()] == ["invoice_differs"]
    assert diary.invoice(1).total_minor == 3000


@rule("R48")
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda one: msgspec.structs.replace(one, text=one.text.replace("3000", "3001")), "unsigned_head"),
        (lambda one: msgspec.structs.replace(one, text="{}"), "unsigned_head"),
        (lambda one: msgspec.structs.replace(one, signature=bytes(64)), "unsigned_head"),
    ],
    ids=["another amount", "no invoice", "no signature"],
)
def test_what_the_server_did_not_sign_is_not_taken(
    stage: Stage, spoil: Callable[[SignedStatement], SignedStatement], kind: str
) -> None:
    device, contract = locked(stage)
    with pytest.raises(FeedFaultError) as fault:
        device.diary.take_invoices([spoil(signed(billed(device, contract)))], KEY)
    assert fault.value.kind == kind
    with pytest.raises(FeedFaultError, match="another's"):
        device.diary.take_invoices([signed(billed(device, contract, account="0" * 32))], KEY)
    assert len(device.diary.invoices()) == 1
    assert kind in kinds(device)


@rule("R51")
@rule("R66")
def test_a_client_is_shown_their_part_marks_it_paid_and_the_freelancer_confirms(stage: Stage) -> None:
    device, contract = locked(stage)
    client = join_in(stage, invited(device, contract))
    device.sync()
    client.sync()
    client.sync()
    with pytest.raises(FeedFaultError):
        client.diary.take_invoices([signed(billed(device, contract))], KEY)
    view = client.diary.invoice(1)
    assert (view.is_part, view.due_minor) == (True, 3000)
    client.diary.mark_paid(1, 3000, "SEPA 4711")
    for each in (client, device):
        each.sync()
    (claim,) = device.diary.invoice(1).payments
    assert (claim.state, claim.amount_minor, claim.reference) == ("claimed", 3000, "SEPA 4711")
    assert device.diary.confirm_payment(1, claim.id[:6], 2500, "came in short") == 2500
    for each in (device, client):
        each.sync()
    for each in (device, client):
        seen = each.diary.invoice(1)
        assert (seen.due_minor, seen.paid_minor, seen.payments[0].state) == (500, 2500, "disagrees")
        assert seen.payments[0].reference == "SEPA 4711 · came in short"
        (found,) = each.diary.statements()
        assert [line.what for line in found.lines] == ["closed", "received"]
