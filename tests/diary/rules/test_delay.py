"""How long after a slot its time was received (R60)."""

import pytest

from diary.rules.delay import Delay, delay_of, delays_say
from diary.rules.ids import Millis, Slot
from diary.rules.week import ends_at_ms
from tests.diary.rules.made import SLOT, ms, segment
from tests.rule import rule


@rule("R60")
@pytest.mark.parametrize(
    ("received", "delay"),
    [
        ("2026-11-17T09:10Z", "within_15_minutes"),
        ("2026-11-17T09:25Z", "within_15_minutes"),
        ("2026-11-17T09:26Z", "same_day"),
        ("2026-11-17T23:59Z", "same_day"),
        ("2026-11-18T00:00Z", "later"),
    ],
)
def test_a_delay_has_one_of_three_classes(received: str, delay: Delay) -> None:
    assert delay_of(SLOT, ms(received)) == delay


@rule("R60")
def test_a_slot_at_midnight_that_was_received_at_once_is_not_called_later() -> None:
    last = Slot(ms("2026-11-17T23:50Z") // 600_000)
    assert delay_of(last, Millis(ends_at_ms(last) + 60_000)) == "within_15_minutes"


@rule("R60")
def test_a_weeks_delays_are_counted_without_what_is_deleted_or_not_received() -> None:
    week = [
        segment(received_at_ms=ms("2026-11-17T09:11Z")),
        segment(received_at_ms=ms("2026-11-19T09:11Z")),
        segment(received_at_ms=None, state="unsynced"),
        segment(state="deleted"),
    ]
    assert delays_say(week) == "Received after the slot: 1 within 15 minutes, 1 later."
    assert delays_say(week[2:]) == ""
