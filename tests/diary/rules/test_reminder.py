"""When a freelancer is reminded, and of which week, wherever they live (R23, R31)."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Millis
from diary.rules.reminder import (
    WeekReminder,
    Wishes,
    memo_is_old,
    occasions,
    week_in_question,
    window_began,
    work_has_begun,
)
from diary.rules.week import Week
from tests.practice import instant
from tests.rule import rule

ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Pacific/Honolulu",
    "America/New_York",
    "Pacific/Kiritimati",
)
MOMENTS = st.integers(instant("2026-01-01T00:00Z"), instant("2027-12-31T00:00Z")).map(Millis)


def in_question(text: str, zone: str) -> str | None:
    now_ms = instant(text)
    found = week_in_question(now_ms, datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(zone)))
    return found.name if found else None


@rule("R31")
def test_sunday_evening_and_monday_morning_remind_of_the_week_that_locks_next() -> None:
    assert in_question("2026-11-22T18:00Z", "UTC") == "2026-W47"
    assert in_question("2026-11-22T17:59Z", "UTC") is None
    assert in_question("2026-11-23T06:00Z", "UTC") == "2026-W47"
    assert in_question("2026-11-23T11:59Z", "UTC") == "2026-W47"
    assert in_question("2026-11-23T12:00Z", "UTC") is None
    assert in_question("2026-11-25T20:00Z", "UTC") is None


@rule("R5")
@rule("R31")
def test_the_evening_and_the_morning_are_the_freelancers_own() -> None:
    assert in_question("2026-11-22T12:30Z", "Asia/Kathmandu") == "2026-W47"
    assert in_question("2026-11-23T00:30Z", "Asia/Kathmandu") == "2026-W47"
    # Monday's morning on Chatham is Sunday's evening at Greenwich, Sunday's evening in Honolulu its Monday.
    assert in_question("2026-11-22T17:00Z", "Pacific/Chatham") == "2026-W47"
    assert in_question("2026-11-23T05:00Z", "Pacific/Honolulu") == "2026-W47"
    assert in_question("2026-11-23T17:00Z", "Pacific/Honolulu") is None


@rule("R3")
@rule("R31")
@given(now_ms=MOMENTS, zone=st.sampled_from(ZONES))
def test_a_reminder_is_of_an_open_week_that_locks_within_two_days(now_ms: Millis, zone: str) -> None:
    found = week_in_question(now_ms, datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(zone)))
    if found is not None:
        assert not found.is_frozen(now_ms)
        assert found.locked_at_ms - now_ms < 48 * 3600_000


@rule("R31")
@given(zone=st.sampled_from(ZONES), weeks=st.integers(0, 100))
def test_each_week_is_reminded_of_at_least_once_and_at_most_twice(zone: str, weeks: int) -> None:
    week = Week.at(instant("2026-01-05T00:00Z"))
    starts_ms = week.starts_at_ms + weeks * 7 * 86_400_000
    told: dict[str, Millis] = {}
    times = 0
    for minutes in range(0, 8 * 1440, 20):
        now_ms = Millis(starts_ms + minutes * 60_000)
        local = datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(zone))
        due = occasions(Wishes(), now_ms, local, told, memo_since_ms=None)  # type: ignore[arg-type]
        if due and week_in_question(now_ms, local) == Week.at(Millis(starts_ms)):
            times += 1
        if due:
            told["week"] = now_ms
    assert 1 <= times <= 2


@rule("R31")
def test_it_says_what_is_lacking_and_how_long_is_left() -> None:
    week = Week.at(instant("2026-11-20T12:00Z"))
    found = WeekReminder(week, unsynced=3, without_memo=1, failing=0)
    assert found.says(instant("2026-11-22T22:40Z")) == (
        "2026-W47 locks in 13 h 20 min: 3 segments have not reached the server, 1 segment has no memo."
    )
    assert WeekReminder(week, 0, 0, 0).is_empty


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/Berlin"))


@rule("R23")
def test_nothing_is_reminded_of_that_was_not_asked_for() -> None:
    now = local("2026-11-25T09:00+01:00")
    now_ms = Millis(int(now.timestamp() * 1000))
    assert occasions(Wishes(), now_ms, now, {}, memo_since_ms=Millis(0)) == ()
    assert (
        occasions(
            Wishes(week=False),
            instant("2026-11-22T19:00Z"),
            local("2026-11-22T20:00+01:00"),
            {},
            memo_since_ms=None,
        )
        == ()
    )


@rule("R23")
def test_work_hours_are_reminded_of_once_on_a_weekday_while_nothing_is_tracked() -> None:
    wishes = Wishes(work_at=time(9))
    wednesday = local("2026-11-25T09:30+01:00")
    assert work_has_begun(wishes, wednesday, None, tracking=False)
    assert not work_has_begun(wishes, wednesday, None, tracking=True)
    assert not work_has_begun(wishes, wednesday - timedelta(hours=1), None, tracking=False)
    assert not work_has_begun(wishes, wednesday + timedelta(hours=2), None, tracking=False)
    assert not work_has_begun(wishes, local("2026-11-28T09:30+01:00"), None, tracking=False)
    told = Millis(int(wednesday.timestamp() * 1000))
    assert not work_has_begun(wishes, wednesday, told, tracking=False)
    assert work_has_begun(wishes, wednesday + timedelta(days=1), told, tracking=False)


@rule("R23")
def test_a_memo_is_asked_about_when_it_has_stood_for_long_and_again_after_as_long() -> None:
    wishes, since = Wishes(memo_minutes=60), Millis(0)
    hour = 3_600_000
    assert not memo_is_old(wishes, Millis(hour - 1), since, None)
    assert memo_is_old(wishes, Millis(hour), since, None)
    assert not memo_is_old(wishes, Millis(hour + 1), since, Millis(hour))
    assert memo_is_old(wishes, Millis(2 * hour), since, Millis(hour))
    assert not memo_is_old(wishes, Millis(2 * hour), None, None)


@rule("R31")
def test_a_window_begins_on_the_hour_of_its_own_day() -> None:
    assert window_began(local("2026-11-22T20:00+01:00")) == local("2026-11-22T18:00+01:00")
    assert window_began(local("2026-11-23T07:00+01:00")) == local("2026-11-23T06:00+01:00")
    assert window_began(local("2026-11-24T07:00+01:00")) is None
