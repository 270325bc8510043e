"""Two parties at the server: terms, requests, late time, disputes, redaction (R8-R10, R38, R54, R62)."""

import msgspec
import pytest

from diary.rules.ids import Millis
from diary.rules.week import Week, slot_at
from diary.sealing.row import picture_name
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import acceptance, answer, dispute, redaction, request, state
from tests.sync.server.seat import Seat, joined

SLOT = slot_at(WEDNESDAY) - 3
WEEK = Week.at(WEDNESDAY)
LOCK = WEEK.locked_at_ms


@pytest.fixture
def author(here: Here) -> Author:
    author = Author()
    here.client.enrol(author, author.enrol(author.terms(manual_allowed=False)))
    return author


@pytest.fixture
def seat(here: Here, author: Author) -> Seat:
    return joined(here.client, author)


@rule("R8")
@rule("R48")
def test_the_terms_are_the_clients_from_their_joining_on(here: Here, author: Author) -> None:
    assert reasons(here.client.push(author, author.terms(limit_minutes=600))) == ["received"]
    seat = joined(here.client, author)
    assert reasons(here.client.push(author, author.terms(limit_minutes=6000))) == ["not_yours"]
    assert reasons(here.client.push(seat, seat.terms(limit_minutes=60))) == ["received"]


@rule("R8")
@rule("R9")
def test_a_freelancer_still_pauses_and_closes_and_resumes_their_own_pause(
    here: Here, author: Author, seat: Seat
) -> None:
    words = [state(author, "paused"), state(author, "active"), state(author, "paused")]
    assert reasons(here.client.push(author, *words, author.entry(SLOT, manual=True))) == [
        *["received"] * 3, "contract_paused",
    ]  # fmt: skip
    assert reasons(here.client.push(seat, state(seat, "paused"))) == ["received"]
    assert reasons(here.client.push(author, state(author, "active"))) == ["contract_paused"]
    assert reasons(here.client.push(seat, state(seat, "active"))) == ["received"]
    assert reasons(here.client.push(author, state(author, "closed"), state(author, "active"))) == [
        "received", "contract_closed",
    ]  # fmt: skip


@rule("R8")
def test_a_change_of_state_keeps_what_the_client_had_set_meanwhile(
    here: Here, author: Author, seat: Seat
) -> None:
    paused = state(author, "paused")
    here.client.push(seat, seat.terms(manual_allowed=True))
    assert reasons(here.client.push(author, paused, state(author, "active"))) == ["received"] * 2
    assert reasons(here.client.push(author, author.entry(SLOT, manual=True))) == ["received"]


@rule("R9")
def test_captures_of_slots_that_ended_before_a_client_closed_are_taken_until_the_lock(
    here: Here, author: Author, seat: Seat
) -> None:
    """The laptop is offline while the client closes; so is the entry first written with a capture."""
    before, under_way = author.capture(SLOT), author.capture(SLOT + 3)
    word = author.entry(SLOT, stamp_ms=Millis(WEDNESDAY - 1))
    here.clock.put(WEDNESDAY + 60_000)
    here.client.push(seat, state(seat, "closed"))
    here.clock.put(WEDNESDAY + 3_600_000)
    manual = author.entry(SLOT - 1, manual=True)
    assert reasons(here.client.push(author, before, word, under_way, manual)) == [
        "received", "received", "contract_closed", "contract_closed",
    ]  # fmt: skip
    deletion = author.entry(SLOT, life=1, knows={author.replica: n_of(word)})
    assert reasons(here.client.push(author, deletion)) == ["received"]


@rule("R10")
def test_manual_time_is_asked_for_allowed_for_one_week_and_taken(
    here: Here, author: Author, seat: Seat
) -> None:
    asked = request(author, WEEK.name)
    refused = author.entry(SLOT, manual=True)
    assert reasons(here.client.push(author, asked, refused)) == ["received", "manual_not_allowed"]
    allowed = seat.terms(manual_allowed=False, manual_weeks=(WEEK.name,))
    assert reasons(here.client.push(seat, allowed, answer(seat, asked, allows=True))) == ["received"] * 2
    week_before = author.entry(WEEK.first_slot - 1, manual=True)
    again = author.entry(SLOT, manual=True, knows={})
    assert reasons(here.client.push(author, again, week_before)) == ["received", "week_locked"]
    here.clock.put(WEEK.ends_at_ms + 3_600_000)
    next_week = author.entry(WEEK.next().first_slot, manual=True)
    late_but_open = author.entry(SLOT + 1, manual=True)
    assert reasons(here.client.push(author, late_but_open, next_week)) == ["received", "manual_not_allowed"]


@rule("R10")
def test_who_asks_does_not_answer_and_what_was_not_asked_is_not_answered(
    here: Here, author: Author, seat: Seat
) -> None:
    asked = request(author)
    assert reasons(here.client.push(seat, request(seat), answer(seat, asked, allows=True))) == [
        "not_yours", "unknown_request",
    ]  # fmt: skip
    assert reasons(here.client.push(author, asked, answer(author, asked, allows=True))) == [
        "received", "not_yours",
    ]  # fmt: skip


@rule("R38")
def test_late_time_stands_once_the_client_accepted_it(here: Here, author: Author, seat: Seat) -> None:
    in_time, late, removed = author.capture(SLOT), author.capture(SLOT + 1), author.capture(SLOT + 2)
    here.client.push(author, in_time)
    here.clock.put(LOCK + 1)
    assert reasons(here.client.push(author, late, removed)) == ["received"] * 2
    assert reasons(here.client.push(author, author.entry(SLOT + 2, life=1))) == ["received"]
    wanted = [acceptance(seat, slot) for slot in (SLOT, SLOT + 1, SLOT + 2, SLOT + 9)]
    assert reasons(here.client.push(seat, *wanted)) == ["not_late", "received", "slot_deleted", "not_late"]
    deletion = author.entry(SLOT + 1, life=1)
    assert reasons(here.client.push(author, deletion, author.entry(SLOT + 1))) == ["week_locked"] * 2
    assert reasons(here.client.push(author, acceptance(author, SLOT + 1))) == ["not_yours"]


@rule("R40")
def test_an_act_sent_twice_is_answered_alike_after_all_has_changed(
    here: Here, author: Author, seat: Seat
) -> None:
    here.client.push(author, author.capture(SLOT))
    here.clock.put(LOCK)
    raised = dispute(seat, "raised", SLOT)
    first = here.client.push(seat, raised)
    here.clock.put(LOCK + 30 * 86_400_000)
    assert reasons(first) == ["received"]
    assert here.client.push(seat, raised) == first


@rule("R62")
def test_a_week_is_disputed_while_it_is_in_review(here: Here, author: Author, seat: Seat) -> None:
    assert reasons(here.client.push(seat, dispute(seat, "raised", SLOT))) == ["not_in_review"]
    here.clock.put(LOCK)
    said = [dispute(seat, "raised", SLOT), dispute(seat, "replied", SLOT), dispute(seat, "withdrawn", SLOT)]
    assert reasons(here.client.push(seat, *said)) == ["received", "not_yours", "received"]
    theirs = [dispute(author, "replied", SLOT), dispute(author, "raised", SLOT)]
    assert reasons(here.client.push(author, *theirs)) == ["received", "not_yours"]
    here.clock.put(LOCK + 5 * 86_400_000)
    assert reasons(here.client.push(seat, dispute(seat, "raised", SLOT))) == ["not_in_review"]


@rule("R54")
def test_what_both_parties_redact_is_destroyed_and_its_leaf_stays(
    here: Here, author: Author, seat: Seat
) -> None:
    picture = author.picture()
    captured, kept = author.capture(SLOT, pictures=[picture]), author.capture(SLOT + 1)
    here.client.push(author, captured, author.entry(SLOT, memo="Said"), kept)
    here.client.upload(author, picture_name(picture), picture)
    assert reasons(here.client.push(author, redaction(author, SLOT))) == ["week_open"]
    here.clock.put(LOCK)
    assert reasons(here.client.push(author, redaction(author, SLOT))) == ["received"]
    assert captured.body is not None
    assert captured.body in here.stored()
    assert reasons(here.client.push(seat, redaction(seat, SLOT, SLOT + 1))) == ["received"]
    rows = [row for page in here.client.pull(author).pages for row in page.rows]
    bodies = {row.header: row.body for row in rows}
    assert bodies[captured.header] is None
    assert bodies[kept.header] == kept.body
    assert picture not in here.stored()
    assert captured.body not in here.stored()
    assert (
        here.client.http.get(f"/v1/pictures/{picture_name(picture)}", headers=seat.authorization).status_code
        == 404
    )


@rule("R44")
def test_a_push_whose_acts_name_too_many_slots_is_refused_whole(
    here: Here, author: Author, seat: Seat
) -> None:
    acts = [redaction(seat, *range(first, first + 1008)) for first in range(0, 22 * 1008, 1008)]
    answered = here.client.post("/v1/push", seat.push(*acts), seat)
    assert (answered.status_code, answered.json()["reason"]) == (413, "too_large")


@rule("R47")
def test_an_act_whose_sealed_part_is_missing_or_too_much_is_none(here: Here, author: Author) -> None:
    asked = request(author)
    naked = msgspec.structs.replace(asked, body=None, wrap=None)
    full = msgspec.structs.replace(state(author, "paused"), body=b"x", wrap=b"y")
    assert reasons(here.client.push(author, naked, full)) == ["bad_header", "bad_header"]
    nowhere = state(author, "paused")
    elsewhere = msgspec.structs.replace(nowhere, header=nowhere.header.replace(author.contract, "9" * 32))
    assert reasons(here.client.push(author, elsewhere)) == ["unknown_contract"]
