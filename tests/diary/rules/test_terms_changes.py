"""What a version of the terms changed, and from when (R8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.terms_changes import changes
from tests.diary.rules.made import WEEK, history, ms
from tests.rule import rule

AT = ms("2026-11-18T09:00Z")
MONDAY = WEEK.ends_at_ms


@rule("R8")
@pytest.mark.parametrize(
    ("before", "after", "says", "from_ms"),
    [
        ({"limit_minutes": 600}, {"limit_minutes": 1200}, "20:00 h a week", AT),
        ({"limit_minutes": 600}, {"limit_minutes": None}, "no weekly limit", AT),
        ({"limit_minutes": None}, {"limit_minutes": 600}, "10:00 h a week", MONDAY),
        ({"limit_minutes": 600}, {"limit_minutes": 65}, "1:05 h a week", MONDAY),
        ({"limit_minutes": 0}, {"limit_minutes": 10}, "0:10 h a week", AT),
        ({"rate_minor": 6000}, {"rate_minor": 7050}, "70.50 USD an hour", MONDAY),
        ({"manual_allowed": False}, {"manual_allowed": True}, "manual time allowed", AT),
        ({"manual_allowed": True}, {"manual_allowed": False}, "manual time not allowed", MONDAY),
        ({"masking_allowed": True}, {"masking_allowed": False}, "masking not allowed", MONDAY),
        ({}, {"manual_weeks": ("2026-W47",)}, "manual time allowed for 2026-W47", AT),
        ({}, {"label_required": True}, "a label is required", AT),
        ({}, {"state": "paused"}, "paused", AT),
        ({"state": "closed"}, {"state": "active"}, "active again", AT),
        ({}, {"kind": "fixed_price"}, "fixed price", MONDAY),
    ],
)
def test_a_change_says_what_holds_now_and_from_when(
    before: dict[str, object], after: dict[str, object], says: str, from_ms: int
) -> None:
    terms = history(("2026-11-10T09:00Z", before), (AT, before | after))
    (newest, told), (_, first) = changes(terms)
    assert newest.received_at_ms == AT
    assert [(one.says, one.from_ms) for one in told] == [(says, from_ms)]
    assert first == ()


limits = st.none() | st.integers(0, 2400)


@rule("R8")
@given(limits, limits)
def test_a_limit_is_said_to_hold_when_the_history_holds_it(before: int | None, after: int | None) -> None:
    terms = history(("2026-11-10T09:00Z", {"limit_minutes": before}), (AT, {"limit_minutes": after}))
    (_, told), _ = changes(terms)
    for change in told:
        assert (change.from_ms == AT) == (terms.limit_minutes(WEEK) == after)
    assert bool(told) == (before != after)
