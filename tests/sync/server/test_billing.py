"""What a lock bills at the server, who may see it, and where it stands (R38, R51, R61, R62, R63)."""

from pathlib import Path
from typing import Any

import pytest

from diary.rules.invoice import LIFE
from sync.protocol import Invoices
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.billed import FIRST, LOCK, PAYER, WEEK, Parties, fetched, parties
from tests.sync.server.conftest import Here
from tests.sync.server.saying import acceptance, bonus, dispute, payment
from tests.sync.server.seat import Seat, joined

DAY = 86_400_000
REVIEW_ENDS, AVAILABLE = LIFE.dates(WEEK)
NEXT = WEEK.next()


@pytest.fixture
def both(here: Here) -> Parties:
    return parties(here)


@rule("R61")
def test_a_lock_bills_what_its_week_came_to_and_the_next_one_goes_on_in_numbers(both: Parties) -> None:
    both.work(FIRST, 7)
    both.at(LOCK - 1)
    assert both.whole() == []
    both.at(LOCK)
    (first,) = both.whole()
    assert (first.number, first.payer, first.currency, first.week) == (1, PAYER, "USD", WEEK.name)
    assert [(line.what, line.segments, line.amount_minor) for line in first.lines] == [("hours", 7, 7000)]
    both.work(NEXT.first_slot, 1)
    both.at(NEXT.locked_at_ms + 3 * DAY)
    both.at(NEXT.next().locked_at_ms)
    assert both.whole()[0] == first, "an invoice is never changed"
    assert [(one.number, one.week, one.total_minor) for one in both.whole()] == [
        (1, WEEK.name, 7000),
        (2, NEXT.name, 1000),
    ]


@rule("R38")
@rule("R61")
@rule("R62")
def test_accepted_late_time_and_a_bonus_stand_on_the_next_invoice(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK + 1)
    both.work(FIRST + 6, 3)
    assert both.push(both.seat, acceptance(both.seat, FIRST + 6, FIRST + 7)) == ["received"]
    assert both.push(both.seat, bonus(both.seat, 2500, WEEK.name)) == ["received"]
    both.at(NEXT.locked_at_ms - 1)
    assert [one.total_minor for one in both.whole()] == [6000]
    both.at(NEXT.locked_at_ms)
    _, second = both.whole()
    assert [(line.what, line.week, line.segments, line.amount_minor) for line in second.lines] == [
        ("late", WEEK.name, 2, 2000),
        ("bonus", WEEK.name, 0, 2500),
    ]
    both.at(NEXT.next().locked_at_ms)
    assert len(both.whole()) == 2, "each is due once"


@rule("R61")
def test_weeks_for_which_nobody_asked_are_billed_together_each_with_its_own(both: Parties) -> None:
    """The bonus of the first week's review came before the second lock: it stands there."""
    both.work(FIRST, 6)
    both.at(LOCK + DAY)
    both.work(NEXT.first_slot, 2)
    assert both.push(both.seat, bonus(both.seat, 77, WEEK.name)) == ["received"]
    both.at(NEXT.next().locked_at_ms + DAY)
    assert [(one.number, one.week, one.total_minor) for one in both.whole()] == [
        (1, WEEK.name, 6000),
        (2, NEXT.name, 2077),
    ]


@rule("R61")
def test_contracts_of_one_payer_stand_on_one_invoice_and_others_on_their_own(both: Parties) -> None:
    other, alone = Seat(both.author, bytes(1)), Seat(both.author, bytes(2))
    other.contract, alone.contract = (type(both.author.contract)(letter * 32) for letter in "12")
    given: dict[str, Any] = {"manual_allowed": True, "limit_minutes": None, "rate_minor": 10}
    rows = [
        both.author.terms(contract=other.contract, payer=PAYER, currency="USD", **given),
        both.author.terms(contract=alone.contract, currency="USD", **given),
    ]
    assert both.push(both.author, *rows) == ["received"] * 2
    both.work(FIRST, 6)
    rows = [both.author.capture(FIRST + 10, contract=other.contract)]
    rows += [both.author.capture(FIRST + 20, contract=alone.contract)]
    assert both.push(both.author, *rows) == ["received"] * 2
    both.at(LOCK)
    found = [(one.number, one.payer, [line.amount_minor for line in one.lines]) for one in both.whole()]
    amounts = [2, 6000] if other.contract < both.author.contract else [6000, 2]
    payers = sorted([PAYER, str(alone.contract)])
    of_payer = {PAYER: amounts, str(alone.contract): [2]}
    assert found == [(number, payer, of_payer[payer]) for number, payer in enumerate(payers, 1)]
    (part,) = both.parts()
    assert [line.amount_minor for line in part.lines] == [6000], "a seat sees what is its contract's"


@rule("R51")
@rule("R61")
def test_a_seat_gets_its_contracts_part_and_another_accounts_device_nothing(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK)
    (whole,) = both.whole()
    (part,) = both.parts()
    assert (part.number, part.lines, part.contract) == (whole.number, whole.lines, both.author.contract)
    answer = fetched(both.here, both.author, after=1)
    assert (answer.invoices, answer.last, answer.issued) == ([], 1, 1)
    stranger = Author()
    both.here.client.enrol(stranger)
    assert fetched(both.here, stranger).invoices == []
    of_another = Invoices(account=both.author.account)
    assert both.here.client.post("/v1/invoices", of_another, stranger).status_code == 403


@rule("R62")
def test_an_amount_takes_its_steps_with_the_first_request_that_finds_them_due(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK)
    assert both.balances() == {"client_owes": 6000, "in_review": -6000}
    both.at(REVIEW_ENDS - 1)
    assert both.balances() == {"client_owes": 6000, "in_review": -6000}
    both.at(REVIEW_ENDS + 5)
    assert both.balances() == {"client_owes": 6000, "security_period": -6000}
    both.at(AVAILABLE)
    assert both.balances() == {"client_owes": 6000, "available": -6000}
    assert [(entry.what, entry.at_ms) for entry in both.ledger()] == [
        ("closed", LOCK), ("review_ended", REVIEW_ENDS), ("available", AVAILABLE),
    ]  # fmt: skip


@rule("R62")
def test_a_dispute_a_reply_and_a_concession_move_what_they_are_about(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK)
    raised = dispute(both.seat, "raised", FIRST, FIRST + 1, FIRST + 2)
    assert both.push(both.seat, raised) == ["received"]
    assert both.balances() == {"client_owes": 6000, "in_review": -3000, "disputed": -3000}
    assert both.push(both.author, dispute(both.author, "conceded", FIRST)) == ["received"]
    assert both.balances() == {"client_owes": 5000, "in_review": -3000, "disputed": -2000}
    assert both.push(both.author, dispute(both.author, "conceded", FIRST)) == ["not_disputed"]
    both.at(AVAILABLE)
    assert both.push(both.seat, dispute(both.seat, "withdrawn", FIRST + 1)) == ["received"]
    assert both.balances() == {"client_owes": 5000, "available": -4000, "disputed": -1000}
    assert both.push(both.seat, dispute(both.seat, "raised", FIRST + 4)) == ["not_in_review"]


@rule("R63")
def test_a_payment_by_hand_settles_once_the_freelancer_confirms_it(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK)
    assert both.push(both.seat, payment(both.seat, "paid", 6000)) == ["received"]
    assert both.balances() == {"client_owes": 6000, "in_review": -6000}
    confirmed = payment(both.author, "received", 6000)
    assert both.push(both.author, confirmed) == ["received"]
    assert both.push(both.author, confirmed) == ["received"], "sent twice it is answered alike"
    assert both.push(both.author, payment(both.author, "received", 6000)) == ["payment_known"]
    assert both.balances() == {"paid_by_hand": 6000, "in_review": -6000}
    both.at(AVAILABLE)
    assert both.balances() == {"paid_by_hand": 6000, "withdrawn": -6000}
    refund = payment(both.author, "refunded", 500, id_="7" * 32)
    assert both.push(both.author, refund) == ["received"]
    assert both.balances() == {"paid_by_hand": 5500, "refunded": 500, "withdrawn": -6000}


@rule("R63")
def test_only_an_invoice_of_the_contract_is_paid_and_only_by_its_own_parties(both: Parties) -> None:
    both.work(FIRST, 6)
    both.at(LOCK)
    assert both.push(both.seat, payment(both.seat, "paid", 6000, invoice=2)) == ["unknown_invoice"]
    assert both.push(both.seat, payment(both.seat, "paid", 6000, currency="EUR")) == ["wrong_currency"]
    assert both.push(both.seat, payment(both.seat, "received", 6000)) == ["not_yours"]
    assert both.push(both.author, payment(both.author, "paid", 6000)) == ["not_yours"]
    assert both.push(both.author, bonus(both.author, 5, WEEK.name)) == ["not_yours"]
    assert both.push(both.seat, bonus(both.seat, 5, WEEK.name, currency="EUR")) == ["wrong_currency"]
    assert both.push(both.seat, bonus(both.seat, 5, NEXT.name)) == ["not_in_review"]


@rule("R28")
@rule("R38")
def test_a_slot_that_turns_out_to_be_anothers_is_credited_and_never_billed_twice(both: Parties) -> None:
    """Both contracts bring late time of one slot; what was received first, and accepted last, owns it."""
    rival = joined_contract(both)
    both.at(LOCK + 1)
    both.work(FIRST, 1)
    both.at(LOCK + 2)  # of one instant the smaller id would own it
    late = both.author.capture(FIRST, contract=rival.contract)
    assert both.push(both.author, late) == ["received"]
    assert both.push(rival, acceptance(rival, FIRST)) == ["received"]
    both.at(NEXT.locked_at_ms)
    assert [line.amount_minor for one in both.whole() for line in one.lines] == [500]
    assert both.push(both.seat, acceptance(both.seat, FIRST)) == ["received"]
    both.at(NEXT.next().locked_at_ms)
    found = {line.contract: line.amount_minor for one in both.whole()[1:] for line in one.lines}
    assert found == {both.author.contract: 1000, rival.contract: -500}


def joined_contract(both: Parties) -> Seat:
    """Return a client's seat in a second contract of the freelancer's, at 30 dollars an hour."""
    contract = type(both.author.contract)("3" * 32)
    terms = both.author.terms(
        contract=contract, manual_allowed=True, limit_minutes=None, rate_minor=3000, currency="USD"
    )
    assert both.push(both.author, terms) == ["received"]
    own, both.author.contract = both.author.contract, contract
    seat = joined(both.here.client, both.author, bytes([7]) * 32)
    both.author.contract = own
    return seat


@rule("R62")
def test_how_long_the_steps_take_is_the_operators_to_set() -> None:
    short = Settings(folder=Path(), review_hours=1, security_hours=2)
    assert short.life.dates(WEEK) == (LOCK + 3_600_000, LOCK + 3 * 3_600_000)
    assert Settings(folder=Path()).life == LIFE
