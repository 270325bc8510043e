"""What has not reached the server before a lock, and how long is left."""

import pytest

from diary.rules.deadline import (
    LOCK_SOON_MS,
    UnsentSegment,
    UnsentWeek,
    left,
    missed_weeks,
    unsent_weeks,
    weeks_about_to_lock,
)
from diary.rules.week import Week
from tests.practice import instant, slot
from tests.rule import rule

WEEK = Week(2026, 47)


def waiting(at: str, *, known: bool = False, held: bool = False, asked: bool = False) -> UnsentSegment:
    return UnsentSegment(slot(at), known, held, asked)


@rule("R3")
@pytest.mark.parametrize(
    ("now", "week"),
    [
        ("2026-11-22T11:59Z", None),
        ("2026-11-22T12:00Z", WEEK),
        ("2026-11-23T11:59Z", WEEK),
        ("2026-11-23T12:00Z", None),
        ("2026-11-25T12:00Z", None),
    ],
)
def test_a_week_is_about_to_lock_from_a_day_before(now: str, week: Week | None) -> None:
    assert weeks_about_to_lock(instant(now)) == (week.slots if week else range(0))
    assert LOCK_SOON_MS == 24 * 3600_000


@rule("R31")
def test_it_says_how_many_and_how_long_is_left() -> None:
    found = unsent_weeks(
        [waiting("2026-11-18T10:00Z"), waiting("2026-11-18T10:10Z"), waiting("2026-11-19T10:00Z")]
    )
    assert [week.says(instant("2026-11-23T09:50Z")) for week in found] == [
        "3 segments of 2026-W47 have not reached the server; it locks in 2 h 10 min (Monday 12:00 UTC)."
    ]


@rule("R31")
def test_a_change_of_what_the_server_has_is_not_called_a_segment() -> None:
    found = unsent_weeks([waiting("2026-11-18T10:00Z", known=True)])
    assert found == (UnsentWeek(WEEK, segments=0, changes=1, held=0, asked=0),)
    assert found[0].says(instant("2026-11-23T11:55Z")) == (
        "1 change of 2026-W47 has not reached the server; it locks in 5 min (Monday 12:00 UTC)."
    )
    both = unsent_weeks([waiting("2026-11-18T10:00Z", known=True), waiting("2026-11-18T10:10Z", asked=True)])
    assert (
        both[0].says(instant("2026-11-23T11:55Z")).startswith("1 segment and 1 change of 2026-W47 have not")
    )
    assert "1 of them waits" in both[0].says(instant("2026-11-23T11:55Z"))


@rule("R37")
def test_what_was_typed_too_late_is_said_by_week_and_late_time_may_still_be_changed() -> None:
    before, after = instant("2026-11-20T10:00Z"), instant("2026-11-23T12:00Z")
    found = missed_weeks(
        [
            (slot("2026-11-11T10:00Z"), None),
            (slot("2026-11-18T10:00Z"), None),
            (slot("2026-11-18T10:10Z"), before),
            (slot("2026-11-18T10:20Z"), after),
        ]
    )
    assert [(week.week, week.segments, week.changes) for week in found] == [
        (WEEK.previous(), 1, 0),
        (WEEK, 1, 1),
    ]
    assert found[0].says.startswith("1 manual segment of 2026-W46 had not reached the server when it locked")
    assert found[1].says.startswith("1 manual segment and 1 change of 2026-W47 had not reached the server")


def test_time_left_is_said_in_its_two_greatest_units() -> None:
    assert left(3 * 86_400_000 + 5 * 3_600_000, 0) == "3 days 5 h"
    assert left(130 * 60_000, 0) == "2 h 10 min"
    assert left(59_000, 0) == "0 min"
    assert left(0, 1) == "0 min"
