"""A day as hours by six segments (R5, R24)."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_work_diary.day_page import DayPage, day_page
from datasette_work_diary.edit_fields import manual_fields
from diary.rules.timesheet import SegmentView
from diary.rules.week import local_day, starts_at_ms
from tests.plugins.views import SHELTER, manual, reading, segment
from tests.practice import instant
from tests.rule import rule

WEDNESDAY = date(2026, 11, 18)


def day_of(*segments: SegmentView, zone: str = "UTC", day: date = WEDNESDAY) -> DayPage:
    return day_page(day, segments, reading(zone=zone), all_hours=True)


def bars_of(page: DayPage) -> list[list[list[tuple[int, str, str]]]]:
    """Return each hour's lanes as (span, bar, memo), hours without bars left out."""
    return [
        [[(piece.span, piece.bar, piece.memo) for piece in lane] for lane in hour.lanes]
        for hour in page.hours
        if hour.lanes
    ]


@rule("R24")
def test_a_memo_bar_spans_its_neighbouring_segments_within_each_hour() -> None:
    page = day_of(*(segment(f"2026-11-18T{at}", memo="m") for at in ("09:40", "09:50", "10:00", "10:10")))
    assert bars_of(page) == [
        [[(4, "", ""), (2, "automatic", "m")]],
        [[(2, "automatic", "m"), (4, "", "")]],
    ]
    edges = [piece.edge for hour in page.hours for lane in hour.lanes for piece in lane if piece.bar]
    assert edges == ["cut-end", "cut-start"]


@rule("R60")
def test_how_long_after_its_slot_the_days_time_was_received_is_said() -> None:
    page = day_of(
        segment("2026-11-18T09:00", received_at_ms=instant("2026-11-18T09:12Z")),
        segment("2026-11-18T09:10", received_at_ms=instant("2026-11-18T20:00Z")),
    )
    (notice,) = page.notices
    assert notice.says == "Received after the slot: 1 within 15 minutes, 1 the same day."
    assert day_of(segment("2026-11-18T09:00", state="unsynced", received_at_ms=None)).notices == ()


@rule("R24")
def test_automatic_manual_and_over_the_limit_are_three_bars() -> None:
    page = day_of(
        segment("2026-11-18T09:00", memo="a"),
        manual("2026-11-18T09:10", memo="b"),
        segment("2026-11-18T09:20", memo="c", bills=False, why_not="over_limit"),
    )
    assert bars_of(page) == [
        [[(1, "automatic", "a"), (1, "manual", "b"), (1, "over_limit", "c"), (3, "", "")]]
    ]


@rule("R24")
def test_two_contracts_in_one_slot_stand_in_two_lanes_and_one_cell() -> None:
    page = day_of(
        segment("2026-11-18T09:00", memo="a"),
        segment("2026-11-18T09:00", memo="b", contract=SHELTER, bills=False, why_not="overlapping"),
    )
    hour = page.hours[9]
    assert [lane[0].memo for lane in hour.lanes] == ["a", "b"]
    assert len(hour.cells[0].segments) == 2
    assert [mark.word for mark in hour.cells[0].segments[1].marks] == ["overlapping"]


@rule("R24")
def test_every_mark_is_a_sign_and_a_word_and_time_that_does_not_bill_says_so() -> None:
    page = day_of(
        segment("2026-11-18T09:00", state="held"),
        segment("2026-11-18T09:10", state="unsynced", masked=True),
        manual("2026-11-18T09:20", bills=False, why_not="manual_not_allowed"),
    )
    marks = [[mark.word for mark in cell.segments[0].marks] for cell in page.hours[9].cells[:3]]
    assert marks == [["held"], ["not synced", "masked"], ["does not bill"]]
    assert all(mark.sign for cell in page.hours[9].cells[:3] for mark in cell.segments[0].marks)


@rule("R5")
@pytest.mark.parametrize(
    ("zone", "day", "rows", "repeated"),
    [
        ("Europe/Berlin", date(2026, 10, 25), 25, ["02:00", "02:00"]),
        ("Europe/Berlin", date(2026, 3, 29), 23, []),
        ("Asia/Kathmandu", WEDNESDAY, 24, []),
        # The clock goes from 03:45 back to 02:45: two hours are cut, and each is there twice.
        ("Pacific/Chatham", date(2026, 4, 5), 26, ["02:00", "03:00", "02:00", "03:00"]),
        ("Pacific/Honolulu", WEDNESDAY, 24, []),
    ],
)
def test_a_day_has_a_row_for_each_hour_of_the_wall_clock(
    zone: str, day: date, rows: int, repeated: list[str]
) -> None:
    page = day_of(zone=zone, day=day)
    assert len(page.hours) == rows
    assert [hour.label for hour in page.hours if hour.offset] == repeated
    assert sum(not cell.outside for hour in page.hours for cell in hour.cells) in {138, 144, 150}


@rule("R5")
def test_the_columns_carry_their_start_minute() -> None:
    assert day_of(zone="UTC").columns == ("00", "10", "20", "30", "40", "50")
    assert day_of(zone="Asia/Kathmandu").columns == ("05", "15", "25", "35", "45", "55")


@rule("R5")
@given(
    zone=st.sampled_from(
        ["Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Europe/Berlin", "UTC"]
    ),
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_every_slot_of_a_day_stands_once_and_in_the_order_of_time(zone: str, day: date) -> None:
    # The oracle: the day's slots as the week's rules list them.
    slots = [slot for hour in local_day(day, ZoneInfo(zone)) for slot in hour.slots]
    base = segment("2026-11-18T09:00")
    each = [
        SegmentView(**{name: getattr(base, name) for name in SegmentView.__slots__} | {"slot": slot})
        for slot in slots
    ]
    page = day_page(day, each, reading(zone=zone), all_hours=True)
    shown = [one.place for hour in page.hours for cell in hour.cells for one in cell.segments]
    assert shown == [f"{base.contract}/{slot}" for slot in slots]


@rule("R24")
def test_hours_without_work_are_hidden_until_asked_for() -> None:
    page = day_page(WEDNESDAY, [segment("2026-11-18T09:00")], reading())
    assert [hour.label for hour in page.hours] == ["08:00", "09:00", "10:00"]
    assert page.hidden_hours == 21
    assert day_page(WEDNESDAY, [], reading()).hours[0].label == "08:00"


@rule("R25")
def test_a_deleted_segment_leaves_its_place_and_nothing_else() -> None:
    page = day_of(segment("2026-11-18T09:00", state="deleted", memo="", snapshots=()))
    assert page.hours[9].cells[0].segments == ()
    assert page.hours[9].cells[0].deleted
    assert page.says == "nothing recorded"


@rule("R4")
def test_the_removal_is_named_by_the_snapshot_until_the_week_ends_then_by_the_time() -> None:
    def word(now: str) -> str:
        return day_page(WEDNESDAY, [], reading(now)).remove_word

    assert word("2026-11-22T23:59") == "Remove the snapshots (and their time)"
    assert word("2026-11-23T00:00") == "Delete the times (and their snapshots)"
    assert day_page(WEDNESDAY, [], reading("2026-11-23T11:59")).changeable
    assert not day_page(WEDNESDAY, [], reading("2026-11-23T12:00")).changeable


@rule("R12")
def test_the_segment_under_way_is_shown_with_its_snapshot_and_counts_for_nothing() -> None:
    page = day_of(segment("2026-11-18T09:00"), segment("2026-11-18T09:10", state="draft", bills=False))
    draft = page.hours[9].cells[1].segments[0]
    assert (draft.state, draft.thumbnail) == ("draft", f"/-/diary/picture/{'2' * 64}")
    assert page.says == "10 min, one under way"


@rule("R5")
def test_times_read_in_12_hours_when_asked() -> None:
    page = day_page(WEDNESDAY, [segment("2026-11-18T13:10")], reading(clock_24h=False))
    assert page.hours[1].label == "1:00 pm"
    assert page.hours[1].cells[1].time == "1:10 pm"


def test_a_day_leads_to_its_neighbours() -> None:
    page = day_of()
    assert date.fromisoformat(page.previous) == WEDNESDAY - timedelta(days=1)
    assert date.fromisoformat(page.next) == WEDNESDAY + timedelta(days=1)
    assert starts_at_ms(segment("2026-11-18T09:00").slot) < reading().now_ms


@rule("R21")
@pytest.mark.parametrize(
    ("taken", "now", "span"),
    [
        ([], "2026-11-18T12:00", ("09:00", "10:00")),
        (["09:00", "09:10"], "2026-11-18T12:00", ("09:20", "10:20")),
        (["09:00", "09:10"], "2026-11-18T09:35", ("09:20", "09:40")),
        (["09:00", "09:30"], "2026-11-18T09:35", ("09:10", "09:30")),
    ],
)
def test_the_form_of_manual_time_offers_free_time_that_has_begun(
    taken: list[str], now: str, span: tuple[str, str]
) -> None:
    slots = [segment(f"2026-11-18T{at}").slot for at in taken]
    fields = manual_fields(WEDNESDAY, [], slots, reading(now))
    chosen = tuple(choice.label for choice in (*fields.starts, *fields.ends) if choice.chosen)
    assert chosen == span


@rule("R41")
def test_a_missing_picture_is_marked_and_said_to_be_missing() -> None:
    whole = segment("2026-11-18T09:00")
    gone = replace(whole, snapshots=(replace(whole.snapshots[0], missing=True, is_here=False),))
    page = day_of(gone)
    (box,) = [box for hour in page.hours for cell in hour.cells for box in cell.segments]
    assert [mark.word for mark in box.marks] == ["missing"]
    assert (box.thumbnail, box.no_picture) == ("", "missing: not at the server, nor here")
