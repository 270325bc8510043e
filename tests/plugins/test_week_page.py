"""A week: totals, deadlines, days, and what does not bill (R4, R5, R24, R27, R28, R31)."""

import pytest
from datasette.views.base import DatasetteError

from datasette_work_diary.day_page import segment_cell
from datasette_work_diary.frame import fault_said
from datasette_work_diary.reading import money, time_left
from datasette_work_diary.segment_page import segment_page
from datasette_work_diary.week_page import WeekPage, week_page
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import SegmentView
from tests.plugins.views import (
    HISTORIES,
    SHELTER,
    SYNCED,
    TITLES,
    manual,
    reading,
    segment,
    week_view,
)
from tests.rule import rule

NOW = "2026-11-20T11:24"


def page_of(*segments: SegmentView, now: str = NOW, zone: str = "UTC") -> WeekPage:
    return week_page(week_view(*segments, now=now), HISTORIES, reading(now, zone))


@rule("R4")
def test_both_deadlines_are_shown_with_the_exact_instant_and_the_time_left() -> None:
    removing, changing = page_of(now="2026-11-20T21:20", zone="Asia/Kathmandu").deadlines
    assert removing.iso == "2026-11-23T00:00:00Z"
    assert removing.left == "2 days 2 hours left"
    assert removing.here == "Mon 23 Nov 2026, 05:45 (+05:45)"
    assert changing.iso == "2026-11-23T12:00:00Z"
    assert changing.utc == "Mon 23 Nov 2026, 12:00 UTC"
    assert not changing.over


@rule("R4")
@pytest.mark.parametrize(
    ("left_ms", "says"),
    [
        (0, "over"),
        (59_999, "less than a minute left"),
        (60_000, "1 minute left"),
        (3_600_000, "1 hour left"),
        (90_061_000, "1 day 1 hour left"),
    ],
)
def test_the_time_left_reads_in_its_two_greatest_units(left_ms: int, says: str) -> None:
    assert time_left(left_ms) == says


@rule("R5")
def test_away_from_utc_a_week_touches_eight_days_and_its_totals_stay() -> None:
    segments = [segment("2026-11-16T00:00"), segment("2026-11-22T23:50")]
    here, there = page_of(*segments), page_of(*segments, zone="Asia/Kathmandu")
    assert len(here.days) == 7
    assert [day.part for day in there.days] == ["from 05:45", *[""] * 6, "until 05:45"]
    assert here.totals == there.totals
    assert [day.recorded for day in there.days] == ["10 min", *[""] * 6, "10 min"]


@rule("R31")
def test_totals_leave_out_what_does_not_bill_and_show_it_apart() -> None:
    page = page_of(
        segment("2026-11-18T09:00"),
        manual("2026-11-18T09:10"),
        segment("2026-11-18T09:20", bills=False, why_not="over_limit"),
        segment("2026-11-18T09:20", contract=SHELTER, contract_title="Night shelter"),
    )
    shelter, orchard = page.totals
    assert (orchard.automatic, orchard.manual, orchard.not_billed) == ("0:20", "0:10", "0:10")
    assert (orchard.billable, orchard.limit, orchard.amount) == ("0:20", "20 h", "20.00 USD")
    assert shelter.title == TITLES[SHELTER]
    assert page.sum is not None
    assert page.sum.billable == "0:30"


@rule("R27")
@rule("R28")
def test_each_reason_for_not_billing_is_said_once_with_what_can_be_done_and_where() -> None:
    page = page_of(
        segment("2026-11-18T09:00", bills=False, why_not="overlapping"),
        segment("2026-11-19T10:20", bills=False, why_not="over_limit"),
        segment("2026-11-19T10:30", bills=False, why_not="over_limit"),
    )
    overlapping, over = page.not_billing
    assert overlapping.title == "Overlapping"
    assert over.length == "20 min"
    assert "raise the limit" in over.mend
    frozen = page_of(
        segment("2026-11-19T10:20", bills=False, why_not="over_limit"),
        segment("2026-11-19T10:30", state="late", bills=False, why_not="late"),
        now="2026-11-24T09:00",
    )
    assert {reason.title: bool(reason.mend) for reason in frozen.not_billing} == {
        "Late": True,
        "Over the weekly limit": False,
    }
    assert [place.label for place in over.places] == ["Thu 10:20", "Thu 10:30"]


@rule("R24")
def test_what_is_not_synced_held_refused_or_without_memo_is_said_at_the_top() -> None:
    page = page_of(
        segment("2026-11-18T09:00", state="unsynced"),
        segment("2026-11-18T09:10", state="held"),
        segment("2026-11-18T09:20", state="refused", bills=False),
        segment("2026-11-18T09:30", memo=""),
    )
    assert [notice.says.partition(".")[0] for notice in page.notices] == [
        "1 segment not synced",
        "1 segment held back for the notice period",
        "1 segment with a refused change",
        "1 segment without a memo",
        "Received after the slot: 4 within 15 minutes",
    ]


@rule("R38")
def test_what_is_held_past_the_lock_is_not_said_to_be_in_its_notice_period_nor_at_the_server() -> None:
    view = week_view(
        segment("2026-11-18T09:00", state="held", bills=False, why_not="late", received_at_ms=None),
        now="2026-11-24T09:00",
    )
    page = week_page(view, HISTORIES, reading("2026-11-24T09:00"))
    assert page.notices == ()  # every page says what waits for an answer
    assert [reason.why for reason in page.not_billing] == ["It was not at the server when its week froze."]


@rule("R24")
def test_a_days_strip_has_a_bar_for_each_run_and_overlaps_beside_each_other() -> None:
    page = page_of(
        segment("2026-11-18T09:00"),
        segment("2026-11-18T09:10"),
        segment("2026-11-18T09:10", contract=SHELTER, bills=False, why_not="overlapping"),
    )
    wednesday = page.days[2]
    assert wednesday.strip_width == 144
    assert [(bar.x, bar.width, bar.y, bar.height) for bar in wednesday.bars] == [(54, 2, 0, 6), (55, 1, 6, 6)]


@rule("R4")
def test_a_frozen_week_says_since_when() -> None:
    page = page_of(now="2026-11-23T12:00")
    assert page.state == "frozen"
    assert page.state_says == "frozen since Mon 23 Nov 2026, 12:00 UTC: nothing can be changed"
    assert all(deadline.over for deadline in page.deadlines)


@rule("R14")
def test_a_segments_page_shows_each_minute_and_says_what_was_not_counted() -> None:
    page = segment_page(SYNCED, (), [SYNCED], (), reading())
    assert page.activity_says == "9 of 10 minutes active."
    assert [bar.active for bar in page.chart] == ["yes"] * 9 + ["no"]
    assert [(line.keystrokes, line.active) for line in page.minutes[-2:]] == [("40", "active"), ("0", "idle")]
    seen = MinuteCounts(None, None, None, os_active=True)
    wayland = segment("2026-11-18T09:00", minutes=(seen,) * 10, activity=10)
    page = segment_page(wayland, (), [wayland], (), reading())
    assert page.activity_says == (
        "10 of 10 minutes active as far as the desktop saw (it let no program count input)."
    )
    assert (page.minutes[0].keystrokes, page.minutes[0].active) == ("not counted", "active")
    assert "input not counted" in segment_cell(wayland, reading()).named
    assert "input not counted" not in segment_cell(SYNCED, reading()).named


@rule("R21")
def test_manual_time_has_no_counts_and_no_chart() -> None:
    one = manual("2026-11-18T09:00")
    page = segment_page(one, (), [one], (), reading())
    assert page.chart == ()
    assert page.no_picture == "manual time"
    assert page.bar == "manual"


@rule("R16")
def test_a_segment_without_a_picture_says_why() -> None:
    one = segment("2026-11-18T09:00", snapshots=(), no_picture=("the screen was locked",))
    assert segment_page(one, (), [one], (), reading()).no_picture == "the screen was locked"


@pytest.mark.parametrize(
    ("minor", "currency", "says"),
    [
        (125_000, "USD", "1,250.00 USD"),
        (1250, "JPY", "1,250 JPY"),
        (1250, "KWD", "1.250 KWD"),
        (1_234_567, "JOD", "1,234.567 JOD"),
        (1_234_567, "UYW", "123.4567 UYW"),
        (-7, "EUR", "−0.07 EUR"),
        (5, "EUR", "0.05 EUR"),
        (1_234_567, "OMR", "1,234.567 OMR"),
        (1_234_567, "UGX", "1,234,567 UGX"),
        (1_234_567, "CLF", "123.4567 CLF"),
    ],
)
def test_money_reads_with_its_currencys_decimals(minor: int, currency: str, says: str) -> None:
    assert money(minor, currency) == says


def test_a_query_that_took_too_long_is_said_in_words_and_not_in_markup() -> None:
    fault = DatasetteError("<p>Too long</p>", title="SQL Interrupted", status=400, message_is_html=True)
    assert fault_said(fault, 400).says == "SQL Interrupted: ask for less at once."
