"""What requests, answers, disputes and redactions amount to (R10, R38, R54, R62)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.acts import (
    Redaction,
    Request,
    accepted_slots,
    disputed_slots,
    disputes,
    redactions,
    requests,
)
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.segment import Header
from tests.diary.rules.made import DESKTOP, IN_TIME, LAPTOP, SLOT, received
from tests.diary.rules.said import BROWSER, acceptance, answer, dispute, redaction, request, withdrawal
from tests.rule import rule

JOINED = {BROWSER}


def log(*headers: Header) -> list[Held]:
    """Return the rows as they were received, a millisecond apart."""
    return [received(header, IN_TIME + at) for at, header in enumerate(headers)]


def states(*headers: Header) -> list[str]:
    return [one.state for one in requests(log(*headers))]


ASKED = request(1, week="2026-W47")
NAME = ASKED.name


@rule("R10")
def test_a_request_is_open_until_the_client_answers_it() -> None:
    assert requests(log(ASKED)) == (Request(NAME, "2026-W47", IN_TIME, "open", None, None),)
    allowed = answer(NAME, 2, allows=True)
    assert requests(log(ASKED, allowed)) == (
        Request(NAME, "2026-W47", IN_TIME, "allowed", (BROWSER, 2), Millis(IN_TIME + 1)),
    )
    assert states(ASKED, request(2), answer(NAME, 2, allows=False)) == ["declined", "open"]


@rule("R10")
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([answer(NAME, 2, allows=False), answer(NAME, 3, allows=True)], "allowed"),
        ([answer(NAME, 2, allows=True), answer(NAME, 3, allows=False)], "declined"),
        ([withdrawal(NAME, 2)], "withdrawn"),
        ([withdrawal(NAME, 2, by=DESKTOP), answer(NAME, 2, allows=True)], "withdrawn"),
        ([answer(NAME, 2, allows=True), withdrawal(NAME, 2)], "allowed"),
        ([answer((DESKTOP, 9), 2, allows=True), withdrawal((DESKTOP, 9), 3)], "open"),
    ],
)
def test_the_last_answer_counts_and_one_taken_back_unanswered_stays_so(
    after: list[Header], expected: str
) -> None:
    assert states(ASKED, *after) == [expected]


@rule("R10")
def test_a_request_that_was_not_sent_yet_is_open_too() -> None:
    assert [one.asked_at_ms for one in requests([received(ASKED, None)])] == [None]


@rule("R38")
def test_the_first_acceptance_of_a_slot_counts() -> None:
    rows = log(acceptance(1, SLOT, SLOT + 1), acceptance(2, SLOT + 1, SLOT + 2), answer(NAME, 3, allows=True))
    assert accepted_slots(rows) == {SLOT: (BROWSER, 1), SLOT + 1: (BROWSER, 1), SLOT + 2: (BROWSER, 2)}


slots = st.sets(st.integers(SLOT, SLOT + 4), min_size=1).map(sorted)
saying = st.tuples(st.sampled_from(["raised", "withdrawn", "replied"]), slots)


@rule("R62")
@settings(max_examples=200)
@given(st.lists(saying, max_size=8))
def test_a_slot_is_disputed_when_the_last_word_about_it_raises_it(said: list[tuple[str, list[int]]]) -> None:
    headers = [dispute(n, act, *named) for n, (act, named) in enumerate(said, 1)]
    last_words = {slot: act for act, named in said if act != "replied" for slot in named}
    expected = {slot for slot, act in last_words.items() if act == "raised"}
    assert disputed_slots(log(*headers)) == expected
    assert [one.slots for one in disputes(log(*headers))] == [
        tuple(named) for act, named in said if act == "raised"
    ]


@rule("R62")
def test_a_dispute_knows_what_was_said_about_it() -> None:
    said = log(
        dispute(1, "replied", SLOT, by=LAPTOP),
        dispute(1, "raised", SLOT, SLOT + 1),
        dispute(2, "replied", SLOT + 1, by=LAPTOP),
        dispute(2, "withdrawn", SLOT + 1),
        dispute(3, "replied", SLOT + 9, by=LAPTOP),
    )
    (found,) = disputes(said)
    assert (found.name, found.raised_at_ms) == ((BROWSER, 1), IN_TIME + 1)
    assert found.open_slots == (SLOT,)
    assert (found.replies, found.withdrawn) == (((LAPTOP, 2),), ((BROWSER, 2),))


signings = st.lists(st.tuples(st.sampled_from([LAPTOP, DESKTOP, BROWSER]), slots), max_size=8)


@rule("R54")
@settings(max_examples=200)
@given(signings)
def test_a_slot_is_redacted_once_both_parties_have_signed(rows: list[tuple[ReplicaId, list[int]]]) -> None:
    headers = [redaction(who, n, *named) for n, (who, named) in enumerate(rows, 1)]
    found = redactions(log(*headers), JOINED)
    by_client = {slot for who, named in rows if who == BROWSER for slot in named}
    by_freelancer = {slot for who, named in rows if who != BROWSER for slot in named}
    assert {slot for slot, one in found.items() if one.is_agreed} == by_client & by_freelancer
    assert set(found) == by_client | by_freelancer


@rule("R54")
def test_a_redaction_is_complete_from_the_second_signature_on() -> None:
    rows = log(redaction(LAPTOP, 1, SLOT), redaction(DESKTOP, 1, SLOT), redaction(BROWSER, 1, SLOT))
    assert redactions(rows[:2], JOINED) == {Slot(SLOT): Redaction((LAPTOP, 1), None, None)}
    agreed = Redaction((LAPTOP, 1), (BROWSER, 1), rows[2].received_at_ms)
    assert redactions(rows, JOINED) == {Slot(SLOT): agreed}
    alone = redactions(rows, set()).values()
    assert not any(one.is_agreed for one in alone), "nobody joined: there is no second party"


@rule("R62")
def test_what_is_conceded_is_disputed_no_more_and_is_a_reply() -> None:
    said = log(
        dispute(1, "raised", SLOT, SLOT + 1),
        dispute(1, "conceded", SLOT, by=LAPTOP),
        dispute(2, "conceded", SLOT + 5, by=LAPTOP),
    )
    (found,) = disputes(said)
    assert (found.conceded_slots, found.open_slots) == ((SLOT,), (Slot(SLOT + 1),))
    assert found.replies == ((LAPTOP, 1),)
    assert disputed_slots(said) == {SLOT + 1}
