"""Reports over days of a real diary: each segment in one day, whatever the zone (R5, R31)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from diary.diary import Diary
from diary.reporting import (
    BadDaysError,
    BadKeyError,
    Days,
    days_of,
    keys_of,
    segments_of_days,
    segments_of_weeks,
)
from tests.practice import practice_diary, record_slot, slot
from tests.rule import rule

# About midnight of the week's ends in UTC, Kathmandu (+05:45) and Honolulu (-10:00).
TIMES = (
    "2026-11-15T23:50Z", "2026-11-16T00:00Z", "2026-11-18T10:00Z", "2026-11-18T18:10Z", "2026-11-18T18:20Z",
    "2026-11-22T23:50Z", "2026-11-23T00:00Z", "2026-11-23T09:50Z", "2026-11-23T10:00Z",
)  # fmt: skip


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    made, _, contract = practice_diary(tmp_path, "2026-11-15T23:40Z")
    with made:
        for time in TIMES:
            record_slot(made, contract, slot(time))
        yield made


@rule("R31")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Honolulu", "Pacific/Chatham"])
def test_the_days_of_a_fortnight_hold_each_segment_once(diary: Diary, zone: str) -> None:
    days = [date(2026, 11, 13) + timedelta(days=number) for number in range(14)]
    by_day = [segments_of_days(diary, Days(day, day), ZoneInfo(zone)) for day in days]
    whole = segments_of_days(diary, Days(days[0], days[-1]), ZoneInfo(zone))
    assert sorted(one.slot for found in by_day for one in found) == sorted(map(slot, TIMES))
    assert {one.slot for one in whole} == {slot(time) for time in TIMES}
    assert len(segments_of_weeks(diary, diary.weeks())) == len(TIMES)


def test_a_long_report_says_of_how_many_weeks_it_has_read_how_many(diary: Diary) -> None:
    told: list[tuple[int, int]] = []
    weeks = diary.weeks()
    segments_of_weeks(diary, weeks, progress=lambda *far: told.append(far))
    assert len(weeks) > 1
    assert told == [(done, len(weeks)) for done in range(len(weeks))]


@rule("R5")
def test_a_day_ends_where_its_zone_says(diary: Diary) -> None:
    day = Days(date(2026, 11, 18), date(2026, 11, 18))
    found = segments_of_days(diary, day, ZoneInfo("Asia/Kathmandu"))
    assert [one.slot for one in found] == [slot("2026-11-18T10:00Z"), slot("2026-11-18T18:10Z")]


def test_only_one_contracts_segments_are_summed_up_when_asked(diary: Diary) -> None:
    other = diary.new_contract(title="Another")
    days = Days(date(2026, 11, 1), date(2026, 11, 30))
    assert segments_of_days(diary, days, ZoneInfo("UTC"), contract=other.id) == []


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-11-02", "2026-11-01"), ("soon", "2026-11-01"), ("", ""), ("1999-01-01", "2026-01-01")],
)
def test_days_that_make_no_stretch_are_refused_with_a_sentence(first: str, last: str) -> None:
    with pytest.raises(BadDaysError):
        days_of(first, last)


def test_sums_go_by_what_a_segment_has_and_each_once() -> None:
    assert keys_of("day, label,day") == ("day", "label")
    for text in ("colour", "", "day,colour"):
        with pytest.raises(BadKeyError):
            keys_of(text)


def test_a_day_that_no_diary_knows_is_refused(diary: Diary) -> None:
    with pytest.raises(BadDaysError):
        segments_of_days(diary, days_of("0001-01-01", "0001-01-02"), ZoneInfo("UTC"))
