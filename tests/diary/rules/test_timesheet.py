"""The day as it is laid out, its bars and marks, and the sums of a week (R5, R12, R24, R31, R61)."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.ids import MINUTES_PER_SLOT, SLOT_MILLIS, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import SegmentView, SnapshotView, amount_minor, bar_of, day_grid, marks, totals
from diary.rules.week import local_date
from tests.diary.rules.made import CONTRACT, OTHER_CONTRACT, SLOT, TUESDAY, WEEK, history, segment
from tests.rule import rule

UTC = ZoneInfo("UTC")
DAY = date(2026, 11, 17)
TITLES = {CONTRACT: "Shop", OTHER_CONTRACT: "Atlas"}
PLAIN = {CONTRACT: history(), OTHER_CONTRACT: history()}


def at(number: int, **fields: Any) -> SegmentView:
    return segment(slot=Slot(SLOT + number), **fields)


# The day.


@rule("R24")
def test_a_day_is_hours_by_six_segments() -> None:
    grid = day_grid([at(0), at(7)], DAY, UTC)
    assert [len(hour.cells) for hour in grid.hours] == [6] * 24
    nine, ten = grid.hours[9], grid.hours[10]
    assert (nine.label, nine.cells[0].segments, nine.cells[0].starts_at_ms) == ("09:00", (at(0),), TUESDAY)
    assert ten.cells[1].segments == (at(7),)
    assert sum(len(cell.segments) for hour in grid.hours for cell in hour.cells) == 2


@rule("R24")
def test_a_cell_shows_every_contract_in_it_and_deleted_ones_last() -> None:
    deleted, live = at(0, state="deleted"), at(0, contract=OTHER_CONTRACT)
    assert day_grid([deleted, live], DAY, UTC).hours[9].cells[0].segments == (live, deleted)


@rule("R24")
def test_neighbours_with_one_memo_share_a_bar_and_a_gap_another_memo_or_colour_ends_it() -> None:
    segments = [
        at(0),
        at(1),
        at(3),
        at(4, memo="docs"),
        at(5, memo="docs", kind="manual"),
        at(6, memo="docs", why_not="over_limit", bills=False),
        at(7, memo="docs", state="deleted"),
    ]
    bars = day_grid(list(reversed(segments)), DAY, UTC).bars
    assert [(bar.memo, bar.bar, len(bar.slots)) for bar in bars] == [
        ("tests", "automatic", 2),
        ("tests", "automatic", 1),
        ("docs", "automatic", 1),
        ("docs", "manual", 1),
        ("docs", "over_limit", 1),
    ]
    assert (bars[0].starts_at_ms, bars[0].ends_at_ms) == (TUESDAY, TUESDAY + 2 * SLOT_MILLIS)
    assert (bars[0].contract, bars[0].contract_title) == (CONTRACT, "Shop")


@rule("R24")
def test_two_contracts_in_the_same_slots_have_a_bar_each() -> None:
    segments = [at(number, contract=contract) for number in range(3) for contract in TITLES]
    bars = day_grid(segments, DAY, UTC).bars
    assert [(bar.contract, len(bar.slots)) for bar in bars] == [(CONTRACT, 3), (OTHER_CONTRACT, 3)]


@rule("R5")
@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(-160, 160), max_size=30),
    st.sampled_from(["UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/Los_Angeles"]),
)
def test_bars_cover_each_segment_of_the_local_day_once(numbers: set[int], name: str) -> None:
    zone = ZoneInfo(name)
    segments = [at(number) for number in numbers]
    grid = day_grid(segments, DAY, zone)
    expected = sorted(one.slot for one in segments if local_date(one.slot, zone) == DAY)
    assert sorted(slot for bar in grid.bars for slot in bar.slots) == expected
    for bar in grid.bars:
        assert (bar.ends_at_ms - bar.starts_at_ms) // SLOT_MILLIS == len(bar.slots)
        assert not {bar.slots[0] - 1, bar.slots[-1] + 1} & set(expected), "a bar is as long as it can be"


# Bars and marks.


@rule("R24")
def test_a_bar_is_automatic_manual_or_over_the_limit() -> None:
    assert bar_of(segment()) == "automatic"
    assert bar_of(segment(kind="manual")) == "manual"
    assert bar_of(segment(kind="manual", why_not="over_limit")) == "over_limit"
    assert bar_of(segment(why_not="overlapping")) == "automatic", "a mark, never a colour of its own"


SHOT = SnapshotView(taken_at_ms=TUESDAY, screen="11" * 32, thumbnail="", camera="", device="laptop")


@rule("R24")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ()),
        ({"state": "draft"}, ("draft",)),
        ({"state": "held"}, ("held",)),
        ({"state": "unsynced"}, ("not synced",)),
        ({"state": "late", "why_not": "late"}, ("late",)),
        ({"state": "unsynced", "why_not": "late"}, ("not synced", "late")),
        ({"state": "refused"}, ("refused",)),
        ({"state": "deleted", "why_not": "deleted", "masked": True}, ("deleted",)),
        ({"why_not": "overlapping"}, ("overlapping",)),
        ({"why_not": "over_limit"}, ()),
        ({"masked": True}, ("masked",)),
        ({"no_picture": ("locked",)}, ("no picture",)),
        ({"no_picture": ("locked",), "snapshots": (SHOT,)}, ()),
        ({"snapshots": (SHOT, replace(SHOT, missing=True))}, ("missing",)),
        ({"defective": True}, ("defective",)),
        ({"state": "held", "masked": True, "why_not": "overlapping"}, ("held", "overlapping", "masked")),
    ],
)
def test_every_mark_is_a_word(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert marks(segment(**fields)) == expected


@rule("R12")
def test_the_tracked_minutes_are_counted_apart_from_the_active_ones() -> None:
    minute = MinuteCounts(0, 0, 0, False)
    assert segment(minutes=(minute, None, minute) + (None,) * 7).tracked_minutes == 2
    assert segment().tracked_minutes == MINUTES_PER_SLOT
    assert segment(state="late").synced
    assert not segment(state="held").synced


# Sums.


@rule("R31")
def test_what_does_not_bill_is_counted_apart_and_is_in_no_amount() -> None:
    found = totals(
        [
            at(0),
            at(1, kind="manual"),
            at(2, bills=False, why_not="over_limit"),
            at(3, bills=False, why_not="late", state="late"),
            at(4, bills=False, why_not="overlapping"),
            at(5, state="draft"),
            at(6, state="refused", bills=False),
            at(7, state="deleted", bills=False, why_not="deleted"),
            at(8, state="held"),
            at(9, state="unsynced"),
        ],
        {CONTRACT: history(("2026-11-01T00:00Z", {"limit_minutes": 600, "rate_minor": 6000}))},
        TITLES,
    )
    (total,) = found
    assert (total.segments, total.automatic, total.manual, total.billable) == (7, 6, 1, 4)
    assert (total.over_limit, total.late, total.overlapping) == (1, 1, 1)
    assert (total.limit_minutes, total.rate_minor, total.currency, total.amount_minor) == (
        600,
        6000,
        "USD",
        4000,
    )


@rule("R31")
def test_each_contract_has_its_own_line_by_title() -> None:
    found = totals([at(0), at(0, contract=OTHER_CONTRACT), at(1)], PLAIN, TITLES)
    assert [(total.contract_title, total.segments) for total in found] == [("Atlas", 1), ("Shop", 2)]
    assert totals([], PLAIN, TITLES) == ()
    assert totals([at(0, state="draft")], PLAIN, TITLES) == ()


@rule("R31")
def test_sums_of_two_weeks_are_not_one_sum() -> None:
    with pytest.raises(ValueError, match="one week"):
        totals([at(0), segment(slot=Slot(WEEK.slots[-1] + 1))], PLAIN, TITLES)


@rule("R61")
@given(st.integers(0, 1008), st.integers(0, 10**9))
def test_an_amount_is_segments_times_rate_by_six_rounded_half_up_once(billable: int, rate: int) -> None:
    exact = Fraction(billable * rate, 6)
    assert abs(amount_minor(billable, rate) - exact) <= Fraction(1, 2)
    if exact.denominator == 2:
        assert amount_minor(billable, rate) == exact + Fraction(1, 2)


@rule("R61")
def test_half_a_cent_is_a_cent() -> None:
    assert (amount_minor(1, 3), amount_minor(1, 2), amount_minor(1, 8), amount_minor(6, 4999)) == (
        1,
        0,
        1,
        4999,
    )


@rule("R38")
@rule("R54")
@rule("R62")
def test_what_the_parties_said_is_a_mark_of_its_own() -> None:
    late = segment(state="late", accepted=True, disputed=True, redacted=True)
    assert marks(late) == ("late", "accepted", "disputed", "redacted")
    assert late.is_bonus
    assert not segment(accepted=True).is_bonus, "what came in time is no bonus"
    assert marks(segment(state="deleted", disputed=True)) == ("deleted",)


@rule("R38")
def test_a_bonus_is_counted_in_what_bills_and_apart() -> None:
    views = [segment(), segment(slot=SLOT + 1, state="late", accepted=True)]
    (sums,) = totals(views, {CONTRACT: history()}, {CONTRACT: "Shop"})
    assert (sums.billable, sums.bonus, sums.late, sums.amount_minor) == (2, 1, 0, 2000)
