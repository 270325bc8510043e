"""Which segments bill (R16, R21, R27, R28, R29, R38)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.contract import TermsHistory
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.merge import standing
from diary.rules.verdict import Fact, Verdict, fact_of, verdicts, within_limit
from tests.diary.rules.made import (
    CONTRACT,
    DESKTOP,
    IN_TIME,
    LAPTOP,
    LOCK,
    OTHER_CONTRACT,
    SLOT,
    WEEK,
    capture,
    entry,
    history,
    ms,
    received,
)
from tests.rule import rule

BILLS = Verdict(bills=True, why_not=None)
BONUS = Verdict(bills=True, why_not=None, bonus=True)
MANUAL_FORBIDDEN = history(("2026-11-01T00:00Z", {"manual_allowed": False}))


def fact(slot: int = SLOT, contract: ContractId = CONTRACT, **fields: Any) -> Fact:
    made: dict[str, Any] = {
        "kind": "automatic",
        "deleted": False,
        "has_picture": True,
        "received_at_ms": IN_TIME,
    } | fields
    return Fact(contract=contract, slot=Slot(slot), **made)


def why_not(
    facts: Sequence[Fact],
    of: Fact,
    terms: TermsHistory | None = None,
    other_terms: TermsHistory | None = None,
    at_ms: int | None = None,
) -> str | None:
    """Return the word for `of` among `facts`; None when it bills."""
    histories = {CONTRACT: terms or history(), OTHER_CONTRACT: other_terms or history()}
    verdict = verdicts(WEEK, facts, histories, at_ms=at_ms)[of.contract, of.slot]
    assert verdict.bills == (verdict.why_not is None)
    return verdict.why_not


slots = st.sets(st.integers(0, 40), max_size=12)


@rule("R27")
@given(slots, st.none() | st.integers(0, 130))
def test_a_slot_is_within_the_limit_when_the_time_up_to_its_end_is(
    given_: set[int], limit_minutes: int | None
) -> None:
    expected = {
        slot
        for slot in given_
        if limit_minutes is None or 10 * sum(other <= slot for other in given_) <= limit_minutes
    }
    assert within_limit(map(Slot, given_), limit_minutes) == expected


@rule("R27")
def test_deleting_an_earlier_segment_lets_a_later_one_in() -> None:
    nine, ten_past, twenty_past = (Slot(SLOT + number) for number in range(3))
    assert within_limit([nine, ten_past, twenty_past], 20) == {nine, ten_past}
    assert within_limit([ten_past, twenty_past], 20) == {ten_past, twenty_past}


@rule("R27")
@pytest.mark.parametrize(("given_", "limit"), [((1, 1), None), ((1,), -10)])
def test_a_slot_given_twice_or_a_negative_limit_is_a_mistake_of_ours(
    given_: tuple[int, ...], limit: int | None
) -> None:
    with pytest.raises(ValueError, match=r"slot|limit"):
        within_limit(map(Slot, given_), limit)


@rule("R27")
def test_what_does_not_bill_uses_nothing_of_the_limit() -> None:
    deleted, late = fact(SLOT, deleted=True, kind=None), fact(SLOT + 1, received_at_ms=LOCK)
    unpermitted = fact(SLOT + 2, kind="manual", has_picture=False)
    live, over = fact(SLOT + 3), fact(SLOT + 4)
    facts = [over, live, unpermitted, late, deleted]
    terms = history(("2026-11-01T00:00Z", {"manual_allowed": False, "limit_minutes": 10}))
    words = [why_not(facts, one, terms) for one in (deleted, late, unpermitted, live, over)]
    assert words == ["deleted", "late", "manual_not_allowed", None, "over_limit"]


@rule("R38")
def test_late_time_bills_as_a_bonus_once_the_client_accepted_it() -> None:
    late = fact(received_at_ms=LOCK)
    accepted = fact(received_at_ms=LOCK, accepted=True)
    assert why_not([late], late) == "late"
    assert verdicts(WEEK, [accepted], {CONTRACT: history()})[CONTRACT, SLOT] == BONUS
    assert why_not([fact(accepted=True)], fact()) is None, "what came in time needs nobody's word"


@rule("R27")
@rule("R38")
def test_accepted_late_time_stands_beside_the_limit() -> None:
    terms = history(("2026-11-01T00:00Z", {"limit_minutes": 10}))
    accepted, in_time, over = fact(received_at_ms=LOCK, accepted=True), fact(SLOT + 1), fact(SLOT + 2)
    facts = [accepted, in_time, over]
    assert [why_not(facts, one, terms) for one in facts] == [None, None, "over_limit"]


@rule("R28")
@rule("R38")
def test_accepted_late_time_gives_way_to_what_bills_in_its_slot() -> None:
    accepted = fact(received_at_ms=LOCK, accepted=True)
    in_time = fact(contract=OTHER_CONTRACT)
    later = fact(contract=OTHER_CONTRACT, received_at_ms=LOCK + 1, accepted=True)
    unaccepted = fact(contract=OTHER_CONTRACT, received_at_ms=LOCK - 1, deleted=True, kind=None)
    assert why_not([accepted, in_time], accepted) == "overlapping"
    assert why_not([accepted, later], accepted) is None
    assert why_not([accepted, later], later) == "overlapping"
    assert why_not([accepted, unaccepted], accepted) is None


@rule("R16")
@rule("R38")
def test_who_accepts_late_time_without_a_picture_has_seen_that_it_has_none() -> None:
    accepted = fact(kind="manual", has_picture=False, received_at_ms=LOCK, accepted=True)
    fixed = history(("2026-11-01T00:00Z", {"kind": "fixed_price"}))
    assert why_not([accepted], accepted, MANUAL_FORBIDDEN) is None
    assert why_not([accepted], accepted, fixed) == "fixed_price"


@rule("R28")
def test_a_slot_bills_once_for_the_contract_that_was_received_first() -> None:
    first, second = fact(contract=OTHER_CONTRACT), fact(received_at_ms=IN_TIME + 1)
    assert why_not([second, first], first) is None
    assert why_not([second, first], second) == "overlapping"


@rule("R28")
def test_received_together_the_smaller_contract_id_holds_the_slot() -> None:
    one, other = fact(), fact(contract=OTHER_CONTRACT)
    assert CONTRACT < OTHER_CONTRACT
    assert why_not([other, one], one) is None
    assert why_not([other, one], other) == "overlapping"


@rule("R28")
def test_a_slot_stays_held_by_a_segment_over_its_limit_until_that_is_deleted() -> None:
    held, waiting = fact(), fact(contract=OTHER_CONTRACT, received_at_ms=IN_TIME + 1)
    nothing = history(("2026-11-01T00:00Z", {"limit_minutes": 0}))
    assert why_not([held, waiting], held, nothing) == "over_limit"
    assert why_not([held, waiting], waiting, nothing) == "overlapping"
    deleted = fact(deleted=True, kind=None, received_at_ms=None)
    assert why_not([deleted, waiting], waiting, nothing) is None


@rule("R28")
@pytest.mark.parametrize(
    ("fields", "terms"),
    [
        ({"received_at_ms": LOCK}, history()),
        ({"kind": "manual", "has_picture": False}, MANUAL_FORBIDDEN),
        ({}, history(("2026-11-01T00:00Z", {"kind": "fixed_price"}))),
        ({"kind": None, "has_picture": False}, history()),
    ],
)
def test_what_may_not_bill_holds_no_slot(fields: dict[str, Any], terms: TermsHistory) -> None:
    idle = fact(**fields)
    working = fact(contract=OTHER_CONTRACT, received_at_ms=IN_TIME + 9)
    assert why_not([idle, working], working, terms) is None
    assert not verdicts(WEEK, [idle], {CONTRACT: terms})[CONTRACT, SLOT].bills


@rule("R7")
def test_fixed_price_time_never_bills_by_the_hour() -> None:
    assert why_not([fact()], fact(), history(("2026-11-01T00:00Z", {"kind": "fixed_price"}))) == "fixed_price"


@rule("R16")
def test_a_capture_without_a_picture_bills_only_where_manual_time_is_allowed() -> None:
    blind = fact(kind="manual", has_picture=False)
    assert why_not([blind], blind) is None
    assert why_not([blind], blind, MANUAL_FORBIDDEN) == "manual_not_allowed"


@rule("R21")
def test_a_permission_given_later_bills_what_is_claimed_after_it() -> None:
    later = history(
        ("2026-11-01T00:00Z", {"manual_allowed": False}), ("2026-11-18T00:00Z", {"manual_allowed": True})
    )
    blind = fact(kind="manual", has_picture=False)
    claimed = fact(kind="manual", has_picture=False, claimed_at_ms=ms("2026-11-18T09:00Z"))
    assert why_not([blind], blind, later) == "manual_not_allowed"
    assert why_not([claimed], claimed, later) is None


@rule("R38")
def test_late_time_does_not_bill_and_the_instant_of_the_lock_is_late() -> None:
    in_time, late = fact(received_at_ms=LOCK - 1), fact(received_at_ms=LOCK)
    assert why_not([in_time], in_time) is None
    assert why_not([late], late) == "late"


@rule("R38")
def test_time_not_yet_sent_bills_while_its_week_is_open_and_is_late_once_it_is_frozen() -> None:
    unsent = fact(received_at_ms=None)
    assert why_not([unsent], unsent) is None
    assert why_not([unsent], unsent, at_ms=LOCK - 1) is None
    assert why_not([unsent], unsent, at_ms=LOCK) == "late"


@rule("R28")
def test_time_not_yet_sent_holds_no_slot_against_time_that_was_received() -> None:
    unsent, sent = fact(received_at_ms=None), fact(contract=OTHER_CONTRACT, received_at_ms=LOCK - 1)
    assert why_not([unsent, sent], unsent, at_ms=IN_TIME) == "overlapping"
    assert why_not([unsent, sent], sent, at_ms=IN_TIME) is None


@rule("R29")
def test_a_fact_is_made_of_headers_and_receipts_alone() -> None:
    held = [received(capture(pictures=0), 5), received(entry(DESKTOP, 1, manual=True), 9)]
    assert fact_of(CONTRACT, SLOT, standing(held)) == Fact(
        contract=CONTRACT,
        slot=SLOT,
        kind="manual",
        deleted=False,
        has_picture=False,
        received_at_ms=Millis(5),
        claimed_at_ms=Millis(9),
    )
    assert fact_of(CONTRACT, SLOT, standing([received(entry(LAPTOP, 2, life=1))])).deleted


CONTRACTS = [ContractId(f"{number:032x}") for number in range(3)]
facts_of_a_week = st.lists(
    st.builds(
        fact,
        st.integers(SLOT, SLOT + 5),
        st.sampled_from(CONTRACTS),
        kind=st.sampled_from(["automatic", "manual"]),
        deleted=st.booleans(),
        has_picture=st.booleans(),
        received_at_ms=st.sampled_from([None, IN_TIME, IN_TIME + 1, IN_TIME + 2, LOCK - 1, LOCK]),
    ),
    unique_by=lambda one: (one.contract, one.slot),
    max_size=18,
)
three_terms = st.tuples(
    *[
        st.builds(
            lambda limit, manual, kind: history(
                (
                    "2026-11-01T00:00Z",
                    {"limit_minutes": limit, "manual_allowed": manual, "kind": kind},
                )
            ),
            st.none() | st.integers(0, 60),
            st.booleans(),
            st.sampled_from(["hourly", "hourly", "hourly", "fixed_price"]),
        )
    ]
    * 3
)


@rule("R28")
@settings(max_examples=300, deadline=None)
@given(facts_of_a_week, three_terms, st.randoms(use_true_random=False))
def test_every_segment_bills_or_says_why_not_and_no_slot_bills_twice(
    facts: list[Fact], terms: tuple[TermsHistory, ...], chance: Any
) -> None:
    histories = dict(zip(CONTRACTS, terms, strict=True))
    found = verdicts(WEEK, facts, histories)
    shuffled = list(facts)
    chance.shuffle(shuffled)
    assert verdicts(WEEK, shuffled, histories) == found
    assert set(found) == {(one.contract, one.slot) for one in facts}
    for one in facts:
        word = found[one.contract, one.slot].why_not
        in_force = histories[one.contract].newest
        may_bill = in_force.kind == "hourly" and (one.has_picture or in_force.manual_allowed)
        in_time = one.received_at_ms is None or one.received_at_ms < LOCK
        rivals = [
            found[other.contract, other.slot].why_not
            for other in facts
            if other.slot == one.slot and other.contract != one.contract
        ]
        assert (word == "deleted") == one.deleted
        assert (word == "late") == (not one.deleted and not in_time)
        if word in {None, "over_limit"}:
            assert may_bill
            assert not {None, "over_limit"} & set(rivals), "one holds the slot"
        if word == "overlapping":
            assert may_bill
            assert {None, "over_limit"} & set(rivals), "another holds the slot"
    for contract, history_ in histories.items():
        standing_ = sorted(
            place[1] for place, verdict in found.items()
            if place[0] == contract and verdict.why_not in {None, "over_limit"}
        )  # fmt: skip
        limit = history_.limit_segments(WEEK)
        billing = [slot for slot in standing_ if found[contract, slot] == BILLS]
        assert billing == (standing_ if limit is None else standing_[:limit])


@rule("R28")
def test_facts_of_another_week_or_twice_the_same_place_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="outside 2026-W47"):
        verdicts(WEEK, [fact(WEEK.slots[-1] + 1)], {CONTRACT: history()})
    with pytest.raises(ValueError, match="twice"):
        verdicts(WEEK, [fact(), fact(deleted=True)], {CONTRACT: history()})
