"""What an invoice's amount goes through, step by step (R62, R63)."""

import pytest

from diary.rules.ids import Millis
from diary.rules.ledger import Facts, GatewayEvent, GatewayWord, entries, next_step_ms
from diary.rules.ledger_entry import LedgerEntry, Posting, UnbalancedError, balances, to_post
from diary.rules.merge import Held
from diary.rules.segment import Header
from tests.diary.rules.billed import AVAILABLE, CLOSED, FOREVER, REVIEW_ENDS, position, standing_at
from tests.diary.rules.made import ACCOUNT, CONTRACT, LAPTOP, WEEK, received
from tests.diary.rules.said import dispute, payment
from tests.rule import rule

FIRST = WEEK.slots[0]
TUESDAY = Millis(CLOSED + 24 * 3600 * 1000)
NOTHING = Facts()


def said(*headers: Header, at_ms: int = TUESDAY) -> Facts:
    """Return the rows as they were received, a millisecond apart."""
    return Facts(acts=[received(header, at_ms + place) for place, header in enumerate(headers)])


def event(
    id_: str, what: GatewayWord, minor: int = 6000, *, at_ms: int = TUESDAY, invoice: int = 1
) -> GatewayEvent:
    return GatewayEvent(id_, Millis(at_ms), what, ACCOUNT, CONTRACT, invoice, "USD", minor)


@rule("R62")
def test_an_entry_that_does_not_balance_cannot_be_built() -> None:
    def build(*postings: Posting) -> LedgerEntry:
        return LedgerEntry("1/closed", CONTRACT, 1, "USD", CLOSED, "closed", postings)

    build(Posting("client_owes", 5), Posting("in_review", -5))
    with pytest.raises(UnbalancedError):
        build(Posting("client_owes", 5), Posting("in_review", -4))
    with pytest.raises(UnbalancedError):
        build(Posting("client_owes", 5))
    with pytest.raises(ValueError, match="moves something"):
        build()
    with pytest.raises(ValueError, match="stands once"):
        build(Posting("client_owes", 5), Posting("client_owes", -5))
    with pytest.raises(ValueError, match="moves something"):
        Posting("client_owes", 0)


@rule("R62")
def test_an_amount_goes_from_review_to_available_at_its_instants() -> None:
    stages = {
        CLOSED: "in_review",
        REVIEW_ENDS - 1: "in_review",
        REVIEW_ENDS: "security_period",
        AVAILABLE - 1: "security_period",
        AVAILABLE: "available",
        FOREVER: "available",
    }
    for at_ms, stage in stages.items():
        assert standing_at(position(), NOTHING, at_ms) == {"client_owes": 6000, stage: -6000}
    assert entries(position(), NOTHING, CLOSED - 1) == ()
    steps = [next_step_ms(position(), at_ms) for at_ms in (CLOSED, REVIEW_ENDS, AVAILABLE)]
    assert steps == [REVIEW_ENDS, AVAILABLE, None]


@rule("R62")
def test_a_week_that_was_closed_late_takes_the_steps_it_missed_at_once() -> None:
    late = position(closed_at_ms=Millis(AVAILABLE + 5))
    assert [entry.what for entry in entries(late, NOTHING, AVAILABLE + 5)] == [
        "closed", "review_ended", "available",
    ]  # fmt: skip


@rule("R62")
def test_what_is_disputed_stands_apart_and_joins_the_stage_that_is_due_when_it_is_taken_back() -> None:
    raised, back = dispute(1, "raised", FIRST, FIRST + 1), dispute(2, "withdrawn", FIRST)
    facts = Facts(acts=[received(raised, TUESDAY), received(back, REVIEW_ENDS + 5)])
    owes = {"client_owes": 6000}
    assert standing_at(position(), facts, TUESDAY) == owes | {"in_review": -4000, "disputed": -2000}
    assert standing_at(position(), facts, REVIEW_ENDS) == owes | {"security_period": -4000, "disputed": -2000}
    assert standing_at(position(), facts, FOREVER) == owes | {"available": -5000, "disputed": -1000}


@rule("R62")
def test_what_is_conceded_is_credited_and_no_word_takes_it_back() -> None:
    rows = [
        dispute(1, "raised", FIRST, FIRST + 1),
        dispute(1, "conceded", FIRST, by=LAPTOP),
        dispute(2, "withdrawn", FIRST, FIRST + 1),
        dispute(3, "raised", FIRST),
    ]
    assert standing_at(position(), said(*rows), FOREVER) == {"client_owes": 5000, "available": -5000}


@rule("R61")
@rule("R62")
def test_the_whole_line_conceded_leaves_nothing_though_shares_were_rounded() -> None:
    odd = position(18, segments=11, rate_minor=10)  # 18.33: a segment alone would be 1.67
    rows = [dispute(1, "raised", *WEEK.slots[:11])]
    rows += [dispute(n, "conceded", slot, by=LAPTOP) for n, slot in enumerate(WEEK.slots[:11], 1)]
    assert standing_at(odd, said(*rows), FOREVER) == {}


@rule("R62")
def test_a_slot_that_does_not_bill_disputes_no_amount() -> None:
    outside = dispute(1, "raised", WEEK.slots[20])
    assert standing_at(position(), said(outside), TUESDAY) == {"client_owes": 6000, "in_review": -6000}
    correction = position(-500, billing=frozenset())
    raised = said(dispute(1, "raised", FIRST))
    assert standing_at(correction, raised, TUESDAY) == {"client_owes": -500, "in_review": 500}


@rule("R63")
def test_what_the_freelancer_confirms_settles_and_what_the_client_claims_does_not() -> None:
    claim = payment(1, "paid", 6000)
    owes = {"client_owes": 6000, "available": -6000}
    assert standing_at(position(), said(claim), FOREVER) == owes
    received_less = payment(1, "received", 5900)
    assert standing_at(position(), said(claim, received_less), FOREVER) == {
        "client_owes": 100, "paid_by_hand": 5900, "available": -100, "withdrawn": -5900,
    }  # fmt: skip
    elsewhere = payment(1, "received", 6000, invoice=2)
    assert standing_at(position(), said(elsewhere), FOREVER) == owes


@rule("R62")
@rule("R63")
def test_what_was_paid_early_is_withdrawn_once_it_is_available() -> None:
    facts = said(payment(1, "received", 6000))
    paid = {"paid_by_hand": 6000}
    assert standing_at(position(), facts, TUESDAY) == paid | {"in_review": -6000}
    assert standing_at(position(), facts, REVIEW_ENDS) == paid | {"security_period": -6000}
    assert standing_at(position(), facts, AVAILABLE) == paid | {"withdrawn": -6000}


@rule("R63")
def test_what_is_given_back_settles_what_was_paid_too_much_and_else_stands_as_refunded() -> None:
    paid = payment(1, "received", 6000)
    goodwill = payment(2, "refunded", 1500, id_="8" * 32)
    assert standing_at(position(), said(paid, goodwill), FOREVER) == {
        "paid_by_hand": 4500, "refunded": 1500, "withdrawn": -6000,
    }  # fmt: skip
    conceded = [dispute(1, "raised", FIRST), dispute(3, "conceded", FIRST, by=LAPTOP)]
    for order in ([paid, *conceded, goodwill], [paid, goodwill, *conceded], [*conceded, goodwill, paid]):
        assert standing_at(position(), said(*order), FOREVER) == {
            "paid_by_hand": 4500, "refunded": 500, "withdrawn": -5000,
        }  # fmt: skip


@rule("R63")
def test_money_goes_through_the_gateway_and_out_of_it() -> None:
    events = [event("a", "paid"), event("b", "fee", 200), event("paid_out/c", "paid_out", 5800)]
    steps = [standing_at(position(), Facts(gateway=events[:count]), FOREVER) for count in (1, 2, 3)]
    assert steps == [
        {"gateway": 6000, "available": -6000},
        {"gateway": 5800, "fees": 200, "available": -5800, "withdrawn": -200},
        {"paid_out": 5800, "fees": 200, "withdrawn": -6000},
    ]
    returned = [*events, event("paid_out_returned/c", "paid_out_returned", 5800)]
    assert standing_at(position(), Facts(gateway=returned), FOREVER) == steps[1]
    refunded = [*events[:1], event("refunded/e", "refunded", 6000)]
    assert standing_at(position(), Facts(gateway=refunded), FOREVER) == {"refunded": 6000, "withdrawn": -6000}


@rule("R63")
def test_what_takes_back_another_event_counts_where_that_one_is_known_whichever_came_first() -> None:
    paid = event("paid/1", "paid")
    plain = standing_at(position(), Facts(gateway=[paid]), FOREVER)
    pairs: list[tuple[GatewayWord, GatewayWord]] = [
        ("refunded", "refund_failed"),
        ("charged_back", "charge_back_returned"),
    ]
    for word, back in pairs:
        done, undone = event(f"{word}/7", word, 500), event(f"{back}/7", back, 500, at_ms=TUESDAY - 9)
        assert standing_at(position(), Facts(gateway=[paid, undone]), FOREVER) == plain
        assert standing_at(position(), Facts(gateway=[undone, done, paid]), FOREVER) == plain
        assert standing_at(position(), Facts(gateway=[done, paid]), FOREVER) != plain
    charged = Facts(gateway=[paid, event("charged_back/7", "charged_back")])
    assert standing_at(position(), charged, FOREVER) == {"client_owes": 6000, "available": -6000}


@rule("R62")
@rule("R63")
def test_events_doubled_and_reordered_change_nothing() -> None:
    events = [event("a", "paid", 4000), event("b", "paid", 2000), event("c", "paid_out", 1000)]
    rows = [dispute(1, "raised", FIRST), payment(1, "received", 100), payment(2, "received", 100)]
    plain = entries(position(), Facts(said(*rows).acts, events), FOREVER)
    again = entries(position(), Facts(said(*rows, *rows).acts, [*events[::-1], *events]), FOREVER)
    assert again == plain
    assert len({entry.key for entry in plain}) == len(plain)


@rule("R62")
def test_what_is_not_received_by_the_server_stands_in_no_ledger() -> None:
    unsent = Facts(acts=[Held(dispute(1, "raised", FIRST), None), Held(payment(1, "received"), None)])
    assert entries(position(), unsent, FOREVER) == entries(position(), NOTHING, FOREVER)


@rule("R43")
@rule("R62")
def test_what_was_posted_is_never_changed_and_comes_to_what_is_derived_now() -> None:
    posted = entries(position(), said(payment(1, "received", 100)), FOREVER)
    assert to_post(posted, posted, Millis(FOREVER)) == ()
    assert to_post((), posted, Millis(FOREVER)) == posted
    healed = entries(position(), said(dispute(1, "raised", FIRST), payment(1, "received", 90)), FOREVER)
    more = to_post(posted, healed, Millis(FOREVER))
    assert {entry.key for entry in more if entry.what == "corrected"} >= {"1/review_ended#1"}
    assert balances([*posted, *more]) == balances(healed)
    assert to_post([*posted, *more], healed, Millis(FOREVER)) == ()
    back = to_post([*posted, *more], posted, Millis(FOREVER + 1))
    assert balances([*posted, *more, *back]) == balances(posted)
    assert len({entry.key for entry in [*posted, *more, *back]}) == len([*posted, *more, *back])
