"""When a server's clock may be trusted (R6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Millis
from sync.server.clock_sure import (
    JUMP_MILLIS,
    QUIET_MILLIS,
    SILENCE_MILLIS,
    ClockSure,
    Look,
    at_start,
    confirmed,
    looked,
)
from tests.rule import rule

NOON = Millis(1_800_000_000_000)


def at(seconds: int, *, jumped_ms: int = 0) -> Look:
    """Return the look that long after the start, by a wall clock that is off by `jumped_ms`."""
    return Look(Millis(NOON + seconds * 1000 + jumped_ms), 7_000 + seconds * 1000)


def after(*looks: Look) -> ClockSure:
    known = at_start(looks[0], Millis(looks[0].wall_ms - 1000))
    for look in looks[1:]:
        known = looked(known, look)
    return known


@rule("R6")
class TestAStart:
    def test_is_trusted_when_nothing_was_ever_received(self) -> None:
        assert at_start(at(0), None).is_sure

    @pytest.mark.parametrize(
        ("silence_ms", "sure"),
        [
            (0, True),
            (SILENCE_MILLIS, True),
            (SILENCE_MILLIS + 1, False),
            (-JUMP_MILLIS, True),
            (-JUMP_MILLIS - 1, False),
        ],
    )
    def test_is_trusted_when_little_time_passed_since_the_last_receipt(
        self, silence_ms: int, *, sure: bool
    ) -> None:
        assert at_start(at(0), Millis(NOON - silence_ms)).is_sure is sure

    def test_after_long_silence_is_trusted_after_quiet_minutes(self) -> None:
        known = at_start(at(0), Millis(NOON - SILENCE_MILLIS - 1))
        assert not looked(known, at(299)).is_sure
        assert looked(known, at(300)).is_sure


@rule("R6")
class TestAJump:
    @pytest.mark.parametrize("jumped_ms", [JUMP_MILLIS + 1, -JUMP_MILLIS - 1])
    def test_of_more_than_two_minutes_either_way_is_doubted(self, jumped_ms: int) -> None:
        assert not after(at(0), at(30, jumped_ms=jumped_ms)).is_sure

    @pytest.mark.parametrize("jumped_ms", [JUMP_MILLIS, -JUMP_MILLIS])
    def test_of_two_minutes_is_not(self, jumped_ms: int) -> None:
        assert after(at(0), at(30, jumped_ms=jumped_ms)).is_sure

    def test_is_forgotten_after_quiet_minutes_from_the_last_one(self) -> None:
        hour = 3_600_000
        jumps = (at(0), at(30, jumped_ms=hour), at(200, jumped_ms=3 * hour))
        assert not after(*jumps, at(331, jumped_ms=3 * hour)).is_sure
        assert not after(*jumps, at(499, jumped_ms=3 * hour)).is_sure
        assert after(*jumps, at(500, jumped_ms=3 * hour)).is_sure

    def test_there_is_none_when_the_machine_slept_for_days(self) -> None:
        assert after(at(0), at(9 * 24 * 3600)).is_sure

    @given(st.lists(st.tuples(st.integers(1, 400), st.integers(-300_000, 300_000)), max_size=20))
    def test_decides_as_a_reading_of_the_whole_history_does(self, steps: list[tuple[int, int]]) -> None:
        """The oracle looks for the last jump in the list of looks, and asks how long ago it was."""
        looks, seconds, off_ms = [at(0)], 0, 0
        jumps = []
        for wait, jump_ms in steps:
            seconds, off_ms = seconds + wait, off_ms + jump_ms
            looks.append(at(seconds, jumped_ms=off_ms))
            if not -JUMP_MILLIS <= jump_ms <= JUMP_MILLIS:
                jumps.append(seconds)
        assert after(*looks).is_sure == (not jumps or (seconds - jumps[-1]) * 1000 >= QUIET_MILLIS)


@rule("R6")
class TestTheOperatorsWord:
    @pytest.mark.parametrize(
        ("given_at_ms", "sure"),
        [(-1, False), (0, True), (60_000, True), (60_000 + JUMP_MILLIS, True), (60_001 + JUMP_MILLIS, False)],
    )
    def test_ends_the_doubt_that_was_there_when_it_was_given(self, given_at_ms: int, *, sure: bool) -> None:
        hour = 3_600_000
        known = after(at(0), at(30, jumped_ms=hour), at(90, jumped_ms=hour))
        word_ms = Millis(at(30, jumped_ms=hour).wall_ms + given_at_ms)
        assert confirmed(known, word_ms).is_sure is sure

    def test_from_before_a_clock_was_set_back_does_not_count_later(self) -> None:
        hour = 3_600_000
        known = after(at(0), at(30, jumped_ms=-hour), at(90, jumped_ms=-hour))
        assert not confirmed(known, NOON).is_sure

    def test_changes_nothing_where_there_is_no_doubt(self) -> None:
        known = after(at(0), at(30))
        assert confirmed(known, NOON) == known
