"""The invoices of a lock: lines, rounding, numbers, corrections (R38, R43, R61)."""

from typing import Any

import msgspec
import pytest

from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.invoice import (
    Charge,
    Life,
    bonus_charges,
    charges_of,
    hours_charge,
    invoices,
    late_charges,
    part_of,
    payers_of,
    still_due,
)
from diary.rules.invoice_parts import Invoice
from diary.rules.payments import bonuses
from diary.rules.timesheet import amount_minor
from diary.rules.week import Week
from tests.diary.rules.billed import PAYER, invoice, issue, line
from tests.diary.rules.made import CONTRACT, OTHER_CONTRACT, WEEK, history, ms, received
from tests.diary.rules.said import BROWSER, bonus
from tests.rule import rule

THIRD = ContractId("c2" * 16)
BOTH = {CONTRACT: PAYER, OTHER_CONTRACT: PAYER}


def charge(amount: int = 6000, currency: str = "USD", **fields: Any) -> Charge:
    return Charge(currency, line(amount, **fields))


@rule("R61")
def test_contracts_of_one_payer_and_currency_go_on_one_invoice() -> None:
    charges = [
        charge(500, contract=OTHER_CONTRACT),
        charge(600, contract=CONTRACT),
        charge(70, "EUR", contract=CONTRACT),
        charge(8, contract=THIRD),
    ]
    made = invoices(issue(first_number=41), charges, BOTH)
    assert [(one.number, one.payer, one.currency, one.total_minor) for one in made] == [
        (41, PAYER, "EUR", 70),
        (42, PAYER, "USD", 1100),
        (43, str(THIRD), "USD", 8),
    ]
    assert [one.contract for one in made[1].lines] == [CONTRACT, OTHER_CONTRACT]
    assert invoices(issue(first_number=41), charges[::-1], BOTH) == made, "whatever the order they come in"


@rule("R61")
def test_there_is_no_invoice_for_nothing_and_no_number_is_lost_by_it() -> None:
    nothing = charge(0, contract=CONTRACT, rate_minor=0)
    assert invoices(issue(), [], {}) == []
    assert invoices(issue(), [nothing], {}) == []
    made = invoices(issue(), [nothing, charge(8, contract=THIRD)], {})
    assert [(one.number, one.total_minor) for one in made] == [(1, 8)]


@rule("R62")
def test_an_invoice_bears_the_dates_of_its_life() -> None:
    (made,) = invoices(issue(), [charge()], BOTH)
    assert (made.review_ends_at_ms, made.available_at_ms) == (
        ms("2026-11-28T00:00Z"),
        ms("2026-12-02T00:00Z"),
    )
    (short,) = invoices(issue(life=Life(review_ms=1000, security_ms=0)), [charge()], BOTH)
    assert (short.review_ends_at_ms, short.available_at_ms) == (WEEK.locked_at_ms + 1000,) * 2
    with pytest.raises(ValueError, match="shorter than nothing"):
        Life(review_ms=-1)


@rule("R38")
@rule("R61")
def test_accepted_late_time_is_a_line_for_each_week_and_acceptance_at_the_rate_of_its_week() -> None:
    raised = history(("2026-11-01T00:00Z", {}), ("2026-11-17T00:00Z", {"rate_minor": 9001}))
    first, later = WEEK.slots[0], WEEK.next().slots[0]
    accepted = {
        Slot(first): (BROWSER, 3),
        Slot(first + 1): (BROWSER, 3),
        Slot(first + 2): (BROWSER, 4),
        Slot(first + 3): (BROWSER, 4),
        Slot(later): (BROWSER, 4),
    }
    billing = set(accepted) - {Slot(first + 3)}
    made = late_charges(CONTRACT, accepted, billing, raised)
    assert [(one.line.week, one.line.act, one.line.segments, one.line.amount_minor) for one in made] == [
        (WEEK.name, (BROWSER, 3), 2, 2000),
        (WEEK.name, (BROWSER, 4), 1, 1000),
        (WEEK.next().name, (BROWSER, 4), 1, 1500),
    ]


@rule("R62")
def test_each_bonus_is_a_line() -> None:
    given = bonuses([received(bonus(7, 2500)), received(bonus(8, 100))])
    assert [
        (one.line.what, one.line.act, one.line.amount_minor) for one in bonus_charges(CONTRACT, given)
    ] == [
        ("bonus", (BROWSER, 7), 2500),
        ("bonus", (BROWSER, 8), 100),
    ]


@rule("R43")
@rule("R61")
def test_what_a_seal_changes_is_billed_as_the_difference_and_never_billed_twice() -> None:
    billed = charges_of([invoice(line(6000, segments=6), line(500, contract=OTHER_CONTRACT, segments=1))])
    due = [
        charge(4000, segments=4),
        charge(500, contract=OTHER_CONTRACT, segments=1),
        charge(9, contract=THIRD),
    ]
    more = still_due(due, billed)
    assert {(one.line.contract, one.line.segments, one.line.amount_minor) for one in more} == {
        (THIRD, 6, 9),
        (CONTRACT, -2, -2000),
    }
    assert still_due(due, [*billed, *more]) == []
    gone = still_due([], billed)
    assert [(one.line.contract, one.line.amount_minor) for one in gone] == [
        (CONTRACT, -6000),
        (OTHER_CONTRACT, -500),
    ]
    in_euros = still_due([charge(4000, "EUR")], charges_of([invoice(line(6000))]))
    assert {(one.currency, one.line.amount_minor) for one in in_euros} == {("USD", -6000), ("EUR", 4000)}


@rule("R43")
def test_a_correction_names_the_invoice_it_corrects() -> None:
    made = invoices(issue(first_number=9), [charge(-2000)], BOTH, {(PAYER, "USD"): 4})
    assert [(one.number, one.corrects, one.total_minor) for one in made] == [(9, 4, -2000)]


@rule("R51")
@rule("R61")
def test_a_seats_part_shows_nothing_of_other_contracts() -> None:
    whole = invoice(line(6000), line(123456, contract=OTHER_CONTRACT))
    part = part_of(whole, CONTRACT)
    assert part is not None
    assert part.lines == whole.lines[:1]
    text = msgspec.json.encode(part).decode()
    assert "123456" not in text
    assert str(OTHER_CONTRACT) not in text
    assert part_of(whole, THIRD) is None


@rule("R61")
@pytest.mark.parametrize(
    "fields",
    [
        {"number": 0},
        {"corrects": 1},
        {"corrects": 0, "number": 4},
        {"week": "2026-W54"},
        {"total_minor": 5999},
        {"lines": (), "total_minor": 0},
        {"lines": (line(0),), "total_minor": 0},
        {"lines": (line(week="W47"),)},
        {"available_at_ms": 5},
    ],
)
def test_what_contradicts_itself_is_no_invoice(fields: dict[str, Any]) -> None:
    assert invoice().fault() is None
    assert invoice(**fields).fault()


@rule("R61")
def test_who_pays_is_the_payer_of_the_first_terms_else_the_contract_itself() -> None:
    with_payer = history(("2026-11-01T00:00Z", {"payer": PAYER}), ("2026-11-02T00:00Z", {"payer": PAYER}))
    assert payers_of({CONTRACT: with_payer, THIRD: history()}) == {CONTRACT: PAYER}


@rule("R61")
def test_an_agencys_line_says_whose_it_is() -> None:
    member = AccountId("ad" * 16)
    whole = invoice(line(member=member))
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Invoice) == whole


@rule("R57")
@rule("R61")
def test_a_line_of_hours_says_what_the_seal_says() -> None:
    made = hours_charge(CONTRACT, Week.parse("2026-W47"), 7, 6000, "USD", amount_minor(7, 6000))
    assert made == charge(7000, segments=7)
    assert made.key == (CONTRACT, "USD", "hours", "2026-W47", None)
