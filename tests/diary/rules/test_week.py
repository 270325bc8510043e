"""Slots, weeks, the lock and local days (R1, R2, R3, R5)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diary.rules.ids import Slot
from diary.rules.week import (
    Week,
    ends_at_ms,
    local_date,
    local_day,
    locks_at_ms,
    slot_at,
    starts_at_ms,
)
from tests.diary.rules.made import ms
from tests.rule import rule

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
instants = st.integers(ms("1970-01-05T00:00Z"), ms("2100-01-01T00:00Z"))
weeks = st.builds(Week.at, instants)


@rule("R1")
@given(instants)
def test_an_instant_lies_in_the_slot_of_its_ten_minutes(at_ms: int) -> None:
    slot = slot_at(at_ms)
    assert slot == at_ms // 1000 // 600
    assert starts_at_ms(slot) <= at_ms < ends_at_ms(slot) == starts_at_ms(Slot(slot + 1))


@rule("R2")
@given(instants)
def test_a_week_bears_the_name_that_the_calendar_gives_it(at_ms: int) -> None:
    calendar = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    week = Week.at(at_ms)
    assert week.name == calendar.strftime("%G-W%V")
    assert Week.of(slot_at(at_ms)) == week == Week.parse(week.name)


@rule("R2")
@given(weeks)
def test_a_week_has_1008_slots_from_monday_to_monday(week: Week) -> None:
    assert len(week.slots) == 1008
    assert week.first_slot == week.slots[0] == slot_at(week.starts_at_ms)
    assert {Week.of(Slot(slot)) for slot in (week.slots[0], week.slots[-1])} == {week}
    assert Week.at(week.starts_at_ms - 1) == week.previous() < week < week.next() == Week.at(week.ends_at_ms)
    assert datetime.fromtimestamp(week.starts_at_ms / 1000, UTC).strftime("%A %H:%M") == "Monday 00:00"


@rule("R2")
def test_the_last_week_of_a_year_may_hold_days_of_the_next() -> None:
    assert Week.at(ms("2027-01-03T23:59Z")).name == "2026-W53"
    assert Week(2026, 53).next().name == "2027-W01"


@rule("R2")
@pytest.mark.parametrize(
    "name", ["", "2026-47", "2026-W00", "2025-W53", "2026-w47", "2026-W7", "٢٠٢٦-W47", "9999-W01", "1969-W01"]
)
def test_what_names_no_week_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match=r"[.]$"):
        Week.parse(name)


@rule("R2")
@pytest.mark.parametrize("at_ms", [-(10**15), 10**18])
def test_an_instant_that_no_calendar_knows_is_refused_with_a_sentence(at_ms: int) -> None:
    with pytest.raises(ValueError, match=r"[.]$"):
        Week.at(at_ms)


@rule("R3")
def test_a_week_freezes_on_the_monday_after_it_at_noon_to_the_millisecond() -> None:
    week = Week.parse("2026-W47")
    assert week.locked_at_ms == ms("2026-11-23T12:00:00.000Z")
    assert not week.is_frozen(ms("2026-11-23T11:59:59.999Z"))
    assert week.is_frozen(ms("2026-11-23T12:00:00.000Z"))


@rule("R3")
@given(weeks)
def test_the_lock_is_twelve_hours_after_the_week_wherever_it_lies(week: Week) -> None:
    assert datetime.fromtimestamp(week.locked_at_ms / 1000, UTC).strftime("%A %H:%M:%S") == "Monday 12:00:00"
    assert week.locked_at_ms - week.ends_at_ms == 12 * 3600 * 1000
    assert {locks_at_ms(Slot(slot)) for slot in (week.slots[0], week.slots[-1])} == {week.locked_at_ms}


def local_of(slot: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(slot * 600, zone)


def check_day(day: date, zone: ZoneInfo) -> None:
    """Hold the day against every slot of three days, one by one."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) // 600
    expected = [slot for slot in range(noon - 216, noon + 216) if local_of(slot, zone).date() == day]
    rows = local_day(day, zone)
    assert [slot for row in rows for slot in row.slots] == expected
    for row in rows:
        locals_ = [local_of(slot, zone) for slot in row.slots]
        assert {moment.strftime("%H:00") for moment in locals_} == {row.label}
        assert {moment.utcoffset() for moment in locals_} == {locals_[0].utcoffset()}
        assert row.starts_at_ms == row.slots[0] * 600_000
        assert row.repeated == ([other.label for other in rows].count(row.label) > 1)


@rule("R5")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(1970, 1, 3), date(2060, 1, 1)))
@example("Asia/Kathmandu", date(1986, 1, 1))
@example("Africa/Monrovia", date(1972, 1, 7))
@example("Antarctica/Casey", date(2010, 3, 5))
@example("America/St_Johns", date(2006, 10, 28))
@example("America/St_Johns", date(2006, 10, 29))
@example("America/Sao_Paulo", date(2018, 11, 4))
@example("Pacific/Apia", date(2011, 12, 30))
def test_every_slot_stands_in_one_local_hour_of_one_local_day(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    check_day(day, zone)
    assert all(local_date(slot, zone) == day for row in local_day(day, zone) for slot in row.slots)


CHANGING = [
    "Africa/Cairo",
    "America/Havana",
    "America/Los_Angeles",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Gaza",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Chatham",
]


def days_of_change(zone: ZoneInfo, year: int) -> list[date]:
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]

    def offset(day: date) -> timedelta | None:
        return datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset()

    return [day for day in days if offset(day) != offset(day - timedelta(days=1))]


@rule("R5")
@pytest.mark.parametrize("name", CHANGING)
def test_the_days_on_which_clocks_change_hold_23_to_25_hours(name: str) -> None:
    zone = ZoneInfo(name)
    changes = days_of_change(zone, 2026)
    assert changes, "the zone changes its clocks in 2026"
    for day in changes:
        for near in (day - timedelta(days=1), day, day + timedelta(days=1)):
            check_day(near, zone)
            assert 23 * 6 <= sum(len(row.slots) for row in local_day(near, zone)) <= 25 * 6


@rule("R5")
def test_kathmandus_columns_start_at_five_past() -> None:
    rows = local_day(date(2026, 11, 23), ZoneInfo("Asia/Kathmandu"))
    starts = {local_of(row.slots[0], ZoneInfo("Asia/Kathmandu")).strftime("%M") for row in rows}
    assert starts == {"05"}
    assert (len(rows), rows[9].label, rows[9].offset) == (24, "09:00", "+05:45")


@rule("R5")
def test_lord_howe_moves_by_half_an_hour_and_shows_the_half() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    spring = local_day(date(2026, 10, 4), zone)
    autumn = local_day(date(2026, 4, 5), zone)
    assert [(row.label, len(row.slots)) for row in spring[1:4]] == [("01:00", 6), ("02:00", 3), ("03:00", 6)]
    assert [(row.label, row.offset, len(row.slots)) for row in autumn if row.repeated] == [
        ("01:00", "+11:00", 6),
        ("01:00", "+10:30", 3),
    ]


@rule("R5")
def test_a_repeated_hour_shows_its_offset_and_a_skipped_one_is_missing() -> None:
    zone = ZoneInfo("Europe/Berlin")
    spring, autumn = local_day(date(2026, 3, 29), zone), local_day(date(2026, 10, 25), zone)
    assert "02:00" not in [row.label for row in spring]
    assert (len(spring), len(autumn)) == (23, 25)
    assert [(row.label, row.offset) for row in autumn if row.repeated] == [
        ("02:00", "+02:00"),
        ("02:00", "+01:00"),
    ]


@rule("R5")
def test_chatham_goes_back_within_an_hour_so_that_two_hours_are_cut() -> None:
    rows = local_day(date(2026, 4, 5), ZoneInfo("Pacific/Chatham"))
    assert [(row.label, row.offset, len(row.slots)) for row in rows if row.repeated] == [
        ("02:00", "+13:45", 6),
        ("03:00", "+13:45", 4),
        ("02:00", "+12:45", 2),
        ("03:00", "+12:45", 6),
    ]
    assert sum(len(row.slots) for row in rows) == 25 * 6


@rule("R5")
def test_a_day_outside_the_calendar_of_a_diary_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"[.]$"):
        local_day(date(1969, 12, 31), ZoneInfo("UTC"))
