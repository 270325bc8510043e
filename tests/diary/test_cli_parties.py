"""Asking, disputing, redacting, and what `contract show` says of two parties, on the freelancer's side."""

from pathlib import Path

import pytest

from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


@rule("R10")
def test_manual_time_is_asked_for_shown_and_taken_back(typist: Typist) -> None:
    typist.types("contract", "terms", "Orchard", "--no-manual")
    said = typist.types("contract", "request", "Orchard", "A workshop without a screen", "--week", "this")
    assert said.out == "Asked for manual time on Orchard website in 2026-W47; the client decides.\n"
    shown = typist.types("contract", "show", "Orchard").out
    assert "manual time in 2026-W47: open. Why: A workshop without a screen" in shown
    (asked,) = typist.json("contract", "show", "Orchard")["requests"]
    assert (asked["state"], asked["synced"], asked["answered_at"]) == ("open", False, None)
    assert typist.types("contract", "request", "Orchard", "--withdraw").out == "The request is taken back.\n"
    assert typist.json("contract", "show", "Orchard")["requests"][0]["state"] == "withdrawn"
    assert "no open requests" in typist.types("contract", "request", "Orchard", "--withdraw", says=2).err


@rule("R10")
def test_a_request_wants_a_reason_and_a_week_that_is_open(typist: Typist) -> None:
    assert "reason" in typist.types("contract", "request", "Orchard", says=2).err
    typist.clock.put(instant("2026-11-24T09:00Z"))
    late = typist.types("contract", "request", "Orchard", "Please", "--week", "2026-W47", says=3)
    assert late.err.startswith("week_locked: ")


@rule("R10")
def test_of_several_open_requests_one_is_named_by_its_week(typist: Typist) -> None:
    typist.types("contract", "request", "Orchard", "One", "--week", "this")
    typist.types("contract", "request", "Orchard", "Two")
    assert "2 open requests" in typist.types("contract", "request", "Orchard", "--withdraw", says=2).err
    typist.types("contract", "request", "Orchard", "--withdraw", "--week", "this")
    asked = typist.json("contract", "show", "Orchard")["requests"]
    assert [(one["reason"], one["state"]) for one in asked] == [("Two", "open"), ("One", "withdrawn")]


@rule("R8")
def test_a_contract_shows_who_set_which_terms_and_from_when_they_hold(typist: Typist) -> None:
    typist.clock.put(instant("2026-11-18T09:00Z"))
    typist.types("contract", "terms", "Orchard", "--limit", "10h", "--rate", "70")
    typist.types("contract", "pause", "Orchard")
    shown = typist.types("contract", "show", "Orchard").out
    assert "by the freelancer: 10:00 h a week from 2026-11-23; 70.00 USD an hour from 2026-11-23" in shown
    assert "by the freelancer: paused\n" in shown
    terms = typist.json("contract", "show", "Orchard")["terms"]
    assert [[one["says"] for one in version["changes"]] for version in terms] == [
        [], ["10:00 h a week", "70.00 USD an hour"], ["paused"],
    ]  # fmt: skip
    assert terms[1]["changes"][0]["from"] == "2026-11-23T00:00:00Z"


@rule("R48")
@pytest.mark.parametrize(
    "words",
    [
        ("dispute", "9:00", "--reason", "No"),
        ("dispute", "9:00", "--withdraw"),
        ("late", "accept", "9:00"),
    ],
)
def test_what_is_the_clients_is_refused_to_the_freelancer(typist: Typist, words: tuple[str, ...]) -> None:
    refused = typist.types(*words, says=1 if words[0] == "late" else 3)
    assert refused.err.startswith("not_yours: ") or "Nothing that waits" in refused.err


@rule("R62")
def test_a_dispute_is_not_taken_back_and_replied_to_at_once(typist: Typist) -> None:
    assert typist.types("dispute", "9:00", "--withdraw", "--reply", says=2).err
    assert (
        typist.types("dispute", "9:00", "--reply", "--reason", "So it was").out
        == "1 segment replied about.\n"
    )


@rule("R54")
def test_a_redaction_is_agreed_to_first_and_waits_for_the_other_party(typist: Typist) -> None:
    open_week = typist.types("redact", "9:00", "--yes", says=3)
    assert open_week.err.startswith("week_open: ")
    typist.clock.put(instant("2026-11-24T09:00Z"))
    typist.types("redact", "2026-11-16 9:00", given="n\n", says=1)
    signed = typist.types("redact", "2026-11-16 9:00", "--reason", "A bystander", "--yes").out
    assert "1 segment wait" in signed or "1 segment waits" in signed
    assert typist.json("show", "2026-11-16 9:00")[0]["redacted"] is False
