"""The slot to which a capture belongs once the clock's error is known (R20)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.change import move_needs_a_yes, true_slot
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week
from tests.rule import rule

SLOT_MS = 600_000
TEN = Slot(2_991_660)
moments = st.integers(min_value=0, max_value=SLOT_MS - 1)
errors = st.integers(min_value=-(10**10), max_value=10**10)


@rule("R20")
@given(moments, st.integers(min_value=-119_999, max_value=119_999))
def test_a_difference_under_two_minutes_moves_nothing(into_ms: int, difference_ms: int) -> None:
    assert true_slot(TEN, Millis(TEN * SLOT_MS + into_ms), difference_ms) == TEN


@rule("R20")
@given(moments, errors.filter(lambda error: abs(error) >= 120_000))
def test_a_greater_one_moves_the_capture_to_the_slot_of_its_moment(into_ms: int, difference_ms: int) -> None:
    wall_ms = TEN * SLOT_MS + into_ms
    # The oracle counts slots by the calendar's own seconds.
    assert true_slot(TEN, Millis(wall_ms), difference_ms) == (wall_ms + difference_ms) // 1000 // 600


@rule("R20")
@given(moments, errors)
def test_what_was_recorded_by_a_corrected_clock_stays(into_ms: int, difference_ms: int) -> None:
    wall_ms = TEN * SLOT_MS + into_ms - difference_ms
    assert true_slot(TEN, Millis(wall_ms), difference_ms) == TEN


@rule("R20")
@pytest.mark.parametrize(("ahead", "asks"), [(1, False), (-1, False), (2, True), (-2, True)])
def test_a_move_of_more_than_one_slot_needs_a_yes(ahead: int, *, asks: bool) -> None:
    assert move_needs_a_yes(TEN, Slot(TEN + ahead)) is asks


@rule("R20")
def test_a_move_into_another_week_needs_a_yes() -> None:
    first = Week.of(TEN).first_slot
    assert move_needs_a_yes(first, Slot(first - 1))
