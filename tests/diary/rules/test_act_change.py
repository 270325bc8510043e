"""Until when the parties may ask, answer, accept, dispute and redact (R10, R38, R54, R62)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.act_change import Said, refused_act, review_of, reviews_of
from diary.rules.contract import TermsHistory
from diary.rules.ids import Millis, Slot
from diary.rules.merge import Held
from diary.rules.segment import Header
from diary.rules.week import DAY_MILLIS, Week
from tests.diary.rules.billed import invoice
from tests.diary.rules.made import (
    ACCOUNT,
    IN_TIME,
    LAPTOP,
    LOCK,
    SLOT,
    WEEK,
    capture,
    entry,
    history,
    ms,
    received,
)
from tests.diary.rules.said import (
    AGENCY,
    acceptance,
    answer,
    bonus,
    dispute,
    payment,
    received_by_agency,
    redaction,
    request,
    withdrawal,
)
from tests.rule import rule

PLAIN = history()
LATE = (received(capture(), LOCK + 5),)
FRIDAY_END = ms("2026-11-28T00:00Z")


def reason(
    header: Header,
    at_ms: int = IN_TIME,
    *,
    acts: Sequence[Header] = (),
    held: Sequence[Held] = (),
    terms: TermsHistory = PLAIN,
    slack_ms: int = 0,
    **known: Any,
) -> str | None:
    said = Said(
        acts=[received(act) for act in acts],
        held_at=lambda slot: held if slot == SLOT else (),
        history=terms,
        at_ms=Millis(at_ms),
        slack_ms=slack_ms,
        **known,
    )
    refused = refused_act(header, said)
    assert refused is None or refused.because
    return None if refused is None else refused.reason


ASKED = request(1, week=WEEK.name)


@rule("R10")
def test_manual_time_is_asked_for_until_its_week_locks() -> None:
    assert reason(ASKED, LOCK - 1) is None
    assert reason(ASKED, LOCK) == "week_locked"
    assert reason(ASKED, LOCK + 5, slack_ms=6) is None, "the device refuses what the server surely would"
    assert reason(request(1), LOCK + 5) is None, "the contract has no lock"
    assert reason(request(1, week=WEEK.next().name), LOCK) is None


@rule("R9")
@rule("R10")
def test_a_closed_contract_is_asked_for_nothing() -> None:
    closed = history(("2026-11-01T00:00Z", {"state": "closed"}))
    paused = history(("2026-11-01T00:00Z", {"state": "paused"}))
    assert reason(ASKED, terms=closed) == "contract_closed"
    assert reason(ASKED, terms=paused) is None
    assert reason(withdrawal(ASKED.name, 2), acts=[ASKED], terms=closed) is None


@rule("R10")
def test_only_a_request_that_stands_is_answered_or_taken_back() -> None:
    yes, back = answer(ASKED.name, 2, allows=True), withdrawal(ASKED.name, 2)
    assert reason(yes, acts=[ASKED]) is None
    assert reason(yes, acts=[]) == "unknown_request"
    assert reason(yes, acts=[ASKED, back]) == "unknown_request"
    assert reason(answer((LAPTOP, 9), 2, allows=False), acts=[ASKED]) == "unknown_request"
    assert reason(back, acts=[ASKED]) is None
    assert reason(back, acts=[]) == "unknown_request"


@rule("R38")
def test_only_late_time_that_stands_is_accepted() -> None:
    accepted = acceptance(1, SLOT)
    deleted = (*LATE, received(entry(LAPTOP, 2, covers={LAPTOP: 1}, life=1), LOCK + 9))
    assert reason(accepted, LOCK + 9, held=LATE) is None
    assert reason(accepted, LOCK + 9, held=()) == "not_late"
    assert reason(accepted, LOCK + 9, held=[received(capture())]) == "not_late"
    assert reason(accepted, LOCK + 9, held=[received(entry(), LOCK + 5)]) == "not_late", "a memo is no time"
    assert reason(accepted, LOCK + 9, held=deleted) == "slot_deleted"
    assert reason(acceptance(1, SLOT, SLOT + 1), LOCK + 9, held=LATE) == "not_late", "all of it or nothing"


@rule("R62")
def test_a_week_is_disputed_from_its_lock_to_the_end_of_friday() -> None:
    raised = dispute(1, "raised", SLOT)
    assert review_of(WEEK) == (LOCK, FRIDAY_END)
    assert [reason(raised, at) for at in (LOCK - 1, LOCK, FRIDAY_END - 1, FRIDAY_END)] == [
        "not_in_review", None, None, "not_in_review",
    ]  # fmt: skip
    assert reason(raised, LOCK - 5, slack_ms=5) is None
    assert reason(raised, FRIDAY_END + 4, slack_ms=5) is None
    next_monday = dispute(1, "raised", WEEK.slots[-1], WEEK.slots[-1] + 1)
    assert reason(next_monday, LOCK + 1) == "not_in_review", "of two weeks one is open"


@rule("R62")
@pytest.mark.parametrize("act", ["withdrawn", "replied"])
def test_a_dispute_is_taken_back_and_replied_to_at_any_time(act: str) -> None:
    assert reason(dispute(1, act, SLOT), FRIDAY_END + 10**9) is None


@rule("R62")
def test_how_long_a_week_is_in_review_is_the_servers_to_set() -> None:
    raised = dispute(1, "raised", SLOT)
    assert [reason(raised, LOCK + at, review_ms=10) for at in (0, 9, 10)] == [None, None, "not_in_review"]


@rule("R62")
def test_only_what_is_disputed_now_is_conceded() -> None:
    raised, back = dispute(1, "raised", SLOT, SLOT + 1), dispute(2, "withdrawn", SLOT)
    conceded = dispute(1, "conceded", SLOT, by=LAPTOP)
    assert reason(conceded, FRIDAY_END + 10**9, acts=[raised]) is None, "a concession has no end"
    assert reason(conceded, acts=[]) == "not_disputed"
    assert reason(conceded, acts=[raised, back]) == "not_disputed"
    assert reason(dispute(2, "conceded", SLOT, by=LAPTOP), acts=[raised, conceded]) == "not_disputed"
    assert reason(dispute(2, "conceded", SLOT + 1, by=LAPTOP), acts=[raised, conceded]) is None
    assert reason(dispute(2, "conceded", SLOT + 1, SLOT + 2, by=LAPTOP), acts=[raised]) == "not_disputed"


@rule("R62")
def test_a_bonus_is_given_while_its_week_is_in_review_in_its_contracts_currency() -> None:
    given = bonus(1, 5000)
    assert [reason(given, at) for at in (LOCK - 1, LOCK, FRIDAY_END - 1, FRIDAY_END)] == [
        "not_in_review", None, None, "not_in_review",
    ]  # fmt: skip
    assert reason(bonus(1, 5000, currency="EUR"), LOCK) == "wrong_currency"
    later = history(("2026-11-01T00:00Z", {}), ("2026-11-18T00:00Z", {"currency": "EUR"}))
    assert reason(given, LOCK, terms=later) is None, "the currency is that of the week's start"


@rule("R63")
def test_a_payment_counts_once() -> None:
    claim, received = payment(1, "paid"), payment(1, "received")
    back, again = payment(2, "withdrawn_claim"), payment(2, "received")
    refund = payment(3, "refunded", id_="8" * 32)
    assert reason(claim) is None
    assert reason(payment(2, "paid"), acts=[claim]) == "payment_known"
    assert reason(received) is None, "the freelancer records alone what was never claimed"
    assert reason(received, acts=[claim]) is None
    assert reason(again, acts=[claim, received]) == "payment_known"
    assert reason(claim, acts=[received]) is None, "a claim may come after what it claims"
    assert reason(back, acts=[claim]) is None
    assert reason(back, acts=[]) == "unknown_payment"
    assert reason(back, acts=[claim, received]) == "unknown_payment"
    assert reason(again, acts=[claim, back]) == "unknown_payment"
    assert reason(refund, acts=[claim]) is None
    assert reason(payment(4, "refunded"), acts=[claim]) == "payment_known", "a refund has an id of its own"
    assert reason(payment(4, "paid", id_="8" * 32), acts=[refund]) == "payment_known"


@rule("R63")
def test_an_id_is_one_payment_with_each_issuer() -> None:
    claim, theirs = payment(1, "paid"), payment(2, "paid", issuer=AGENCY)
    assert reason(theirs, acts=[claim]) is None, "the agency's payments are counted by themselves"
    assert reason(payment(3, "paid", issuer=AGENCY), acts=[claim, theirs]) == "payment_known"
    heard = received_by_agency(1)
    back = payment(4, "withdrawn_claim", issuer=AGENCY)
    assert reason(back, acts=[claim, theirs]) is None
    assert reason(back, acts=[claim, theirs, heard]) == "unknown_payment", "the agency has confirmed it"
    assert reason(payment(4, "received"), acts=[claim, theirs, heard]) is None


@rule("R62")
def test_how_long_a_week_is_in_review_its_own_invoice_says() -> None:
    long = invoice(review_ends_at_ms=FRIDAY_END + DAY_MILLIS)
    later = invoice(number=2, review_ends_at_ms=FRIDAY_END - DAY_MILLIS)
    reviews = reviews_of([later, long])
    assert reviews == {WEEK.name: 9 * DAY_MILLIS // 2 + DAY_MILLIS}, "a setting changes later weeks"
    raised = dispute(1, "raised", SLOT)
    assert reason(raised, FRIDAY_END) == "not_in_review"
    assert reason(raised, FRIDAY_END, reviews=reviews) is None
    assert reason(raised, FRIDAY_END + DAY_MILLIS, reviews=reviews) == "not_in_review"
    assert reason(bonus(1, 500), FRIDAY_END, reviews=reviews) is None
    assert reason(raised, FRIDAY_END, review_ms=5 * DAY_MILLIS, reviews={"2026-W40": 0}) is None


@rule("R63")
def test_only_an_invoice_with_a_line_of_the_contract_is_paid_in_its_currency() -> None:
    there = {(ACCOUNT, 1): "USD", (ACCOUNT, 4): "EUR", (AGENCY, 2): "USD"}
    assert reason(payment(1, "paid"), invoices=there) is None
    assert reason(payment(1, "paid", invoice=2), invoices=there) == "unknown_invoice", "it is the agency's"
    assert reason(payment(1, "paid", invoice=2, issuer=AGENCY), invoices=there) is None
    assert reason(payment(1, "paid", issuer=AGENCY), invoices=there) == "unknown_invoice"
    assert reason(payment(1, "received", invoice=4), invoices=there) == "wrong_currency"
    assert reason(payment(1, "paid", invoice=2)) is None, "a device that knows no invoices asks the server"


@rule("R54")
@given(st.integers(0, 10**6), st.integers(-(10**9), 10**9))
def test_only_frozen_weeks_are_redacted(slot: int, distance_ms: int) -> None:
    at_ms = Week.of(Slot(slot)).locked_at_ms + distance_ms
    expected = None if distance_ms >= 0 else "week_open"
    assert reason(redaction(LAPTOP, 1, slot), at_ms) == expected


@rule("R54")
def test_a_row_with_one_open_slot_is_refused_whole() -> None:
    assert reason(redaction(LAPTOP, 1, SLOT, WEEK.slots[-1] + 1), LOCK) == "week_open"


@rule("R44")
def test_what_is_none_of_these_acts_is_not_judged_here() -> None:
    assert reason(capture()) is None
