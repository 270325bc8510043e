"""When a picture is missing (R41)."""

import pytest

from diary.rules.picture import due_at_ms, is_missing
from diary.rules.week import slot_at
from tests.diary.rules.made import ms
from tests.rule import rule


@rule("R41")
@pytest.mark.parametrize(
    ("slot", "due"),
    [
        ("2026-11-16T00:00Z", "2026-11-23T12:00Z"),  # the week's first: its lock comes later
        ("2026-11-16T11:50Z", "2026-11-23T12:00Z"),  # both at once
        ("2026-11-16T12:00Z", "2026-11-23T12:10Z"),
        ("2026-11-22T23:50Z", "2026-11-30T00:00Z"),  # the week's last
    ],
)
def test_a_picture_is_due_seven_days_after_its_slot_or_at_the_lock(slot: str, due: str) -> None:
    assert due_at_ms(slot_at(ms(slot))) == ms(due)


@rule("R41")
def test_a_picture_is_missing_from_the_instant_it_was_due_until_it_comes() -> None:
    slot = slot_at(ms("2026-11-18T09:00Z"))
    due_ms = due_at_ms(slot)
    assert not is_missing(slot, due_ms - 1, at_server=False)
    assert is_missing(slot, due_ms, at_server=False)
    assert not is_missing(slot, due_ms + 1, at_server=True)
