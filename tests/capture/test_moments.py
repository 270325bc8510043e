"""The snapshots' moments: chance over the slot, and nothing to go by (R12)."""

import inspect
import random
import secrets
from collections.abc import Callable, Sequence

import pytest

from capture.session import Session
from capture.steps import Begun, Tick
from capture.tracker import Tracker
from diary.rules.ids import Millis
from tests.capture.chance import doubts
from tests.capture.sessions import AT_LEAST, NINE, on
from tests.rule import rule

SLOTS = 1_000
SLOT_MS = 600_000


def moments(below: Callable[[int], int], slots: int = SLOTS) -> list[float]:
    """Return the part of its slot at which each moment was drawn, over slots tracked one after the other."""
    session = Session(below)
    found = []
    session.step(Begun(Millis(NINE), on()))
    for number in range(slots):
        start = NINE + number * SLOT_MS
        draft = session.draft
        assert draft
        found.append((draft.drawn_ms - start) / SLOT_MS)
        for minute in range(1, 11):  # a tick a minute: nobody sleeps
            session.step(Tick(Millis(start + minute * 60_000), AT_LEAST))
    return found


@rule("R12")
def test_a_thousand_moments_are_chance_and_tell_nothing_of_the_next() -> None:
    assert doubts(moments(secrets.randbelow)) == []


@rule("R12")
def test_the_tracker_draws_from_the_operating_systems_randomness() -> None:
    assert inspect.signature(Tracker).parameters["below"].default is secrets.randbelow


def _repeating(values: Sequence[float]) -> Callable[[int], int]:
    at = iter(range(10**9))
    return lambda bound: int(values[next(at) % len(values)] * bound)


CHANCE = random.Random(20261125)
GOLDEN = [number * 0.6180339887 % 1 for number in range(SLOTS)]  # even, and each follows from the last


@rule("R12")
@pytest.mark.parametrize(
    "below",
    [
        lambda bound: bound // 2,
        lambda bound: CHANCE.randrange(bound // 2 + bound // 3),
        lambda bound: min(CHANCE.randrange(bound), CHANCE.randrange(bound)),
        _repeating([CHANCE.random() for _ in range(100)]),
        _repeating(GOLDEN),
        _repeating([(number % 2 + CHANCE.random()) / 2 for number in range(SLOTS)]),
    ],
    ids=[
        "always the middle",
        "never late",
        "rather early",
        "a hundred over and over",
        "golden",
        "to and fro",
    ],
)
def test_what_is_no_chance_is_found_out(below: Callable[[int], int]) -> None:
    assert doubts(moments(below)) != []


@rule("R12")
def test_what_remains_of_a_slot_is_drawn_from_evenly_too() -> None:
    parts = []
    for number in range(SLOTS):
        start = Millis(NINE + number * SLOT_MS + secrets.randbelow(SLOT_MS - 1_000))
        session = Session(secrets.randbelow)
        session.step(Begun(start, on()))
        assert session.draft
        end = (start // SLOT_MS + 1) * SLOT_MS
        parts.append((session.draft.drawn_ms - start) / (end - start))
    assert doubts(parts) == []
