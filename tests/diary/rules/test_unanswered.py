"""For how long a server may leave unanswered what it is asked about its log (R6, R43, R56)."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Millis
from diary.rules.unanswered import (
    GAP_MAX_MS,
    PATIENCE_MS,
    PATIENCE_WITH_ITS_CLOCK_MS,
    Unanswered,
    unanswered_again,
)
from tests.practice import instant
from tests.rule import rule
from tests.vector_file import vectors

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BEGAN = instant("2026-11-18T12:00Z")
SYNCS_LEAST = 5
WHAT = "its log has 4 rows of 9"
# Since the last sync, and whether the server doubts its clock.
SILENCES = st.lists(st.tuples(st.integers(-3 * DAY_MS, 400 * DAY_MS), st.booleans()), min_size=1, max_size=60)


def after(silences: Sequence[tuple[int, bool]]) -> list[Unanswered]:
    """Return what is known after each of these syncs."""
    known: list[Unanswered] = []
    at_ms = int(BEGAN)
    for gap_ms, is_clock_unsure in silences:
        at_ms += gap_ms if known else 0
        before = known[-1] if known else None
        known.append(unanswered_again(before, Millis(at_ms), WHAT, is_clock_unsure=is_clock_unsure))
    return known


def every(gap_ms: int, times: int, *, is_clock_unsure: bool = False) -> list[Unanswered]:
    return after([(gap_ms, is_clock_unsure)] * times)


@rule("R56")
def test_a_week_of_syncs_without_an_answer_is_an_alarm_and_less_is_none() -> None:
    hourly = every(HOUR_MS, 7 * 24 + 1)
    assert [one.is_alarm for one in hourly] == [False] * 7 * 24 + [True]
    assert [one.is_alarm for one in every(DAY_MS, 8)] == [False] * 7 + [True]


@rule("R56")
def test_weeks_in_which_the_device_was_off_are_no_silence_of_the_servers() -> None:
    assert [one.is_alarm for one in every(30 * DAY_MS, 5)] == [False, False, False, False, True]


@rule("R6")
@rule("R43")
def test_a_server_that_waits_for_its_operator_is_waited_for_longer() -> None:
    daily = every(DAY_MS, 29, is_clock_unsure=True)
    assert [one.is_alarm for one in daily] == [False] * 28 + [True]
    then_silent = unanswered_again(daily[9], Millis(daily[9].last_ms), WHAT, is_clock_unsure=False)
    assert then_silent.is_alarm


@rule("R56")
@given(SILENCES)
def test_no_server_is_blamed_before_its_time_and_none_that_stays_silent_is_spared(
    silences: list[tuple[int, bool]],
) -> None:
    known = after(silences)
    for count, one in enumerate(known, start=1):
        heard_ms = sum(min(max(gap_ms, 0), GAP_MAX_MS) for gap_ms, _ in silences[1:count])
        is_unsure = silences[count - 1][1]
        assert one.is_alarm == (heard_ms >= (PATIENCE_WITH_ITS_CLOCK_MS if is_unsure else PATIENCE_MS))
        if one.is_alarm:
            assert count >= SYNCS_LEAST, "no jump of a clock makes a week of it"
        assert one.since_ms == BEGAN
        assert one.what == WHAT
    waited = [one.waited_ms for one in known]
    assert waited == sorted(waited), "a clock that is set back takes nothing away"


class Silence(msgspec.Struct):
    """Syncs without an answer: when, and whether the server doubted its clock; and what is known then."""

    name: str
    syncs: list[tuple[Millis, bool]]
    expect: list[tuple[int, int, bool]]


@rule("R56")
@pytest.mark.parametrize("case", vectors("unanswered", list[Silence]), ids=lambda case: case.name)
def test_diary_and_page_count_alike(case: Silence) -> None:
    known: Unanswered | None = None
    for (at_ms, is_clock_unsure), expected in zip(case.syncs, case.expect, strict=True):
        known = unanswered_again(known, at_ms, WHAT, is_clock_unsure=is_clock_unsure)
        assert (known.since_ms, known.waited_ms, known.is_alarm) == expected


@rule("R43")
def test_from_the_first_day_on_it_is_said_since_when_and_who_can_mend_it() -> None:
    (silent,) = every(0, 1)
    assert silent.says == (
        "Since 2026-11-18 12:00 UTC the server does not answer for its log: its log has 4 rows of 9. Nothing "
        "is sent to it or taken from it meanwhile; what is here stays here. Ask whoever runs it."
    )
    (unsure,) = every(0, 1, is_clock_unsure=True)
    assert "until its operator confirms it (diary server confirm-clock)" in unsure.says
