"""Slots, billing weeks, the edit lock and local days (R1, R2, R3, R5).

This file reads no clock: every instant is an argument. Weeks, locks and limits are UTC and never depend on
a zone; only `local_day` and `local_date` know zones, for showing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from diary.rules.ids import SLOT_MILLIS, Millis, Slot

NAMES_OF_UTC = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"})
SLOTS_PER_DAY = 144
SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY
DAY_MILLIS = SLOTS_PER_DAY * SLOT_MILLIS
LOCK_MILLIS_AFTER_WEEK = 12 * 60 * 60 * 1000  # R3: Monday 12:00:00 UTC after the week
_SLOTS_BEFORE_EPOCH = 3 * SLOTS_PER_DAY  # slot 0 was a Thursday's first: its week began three days before
_OFFSET_SLOTS_MAX = 96  # no zone was ever 16 hours from UTC
_YEARS = range(1970, 9999)  # a slot counts from 1970, and a week after the last must still have a name
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})")


def slot_at(at_ms: int) -> Slot:
    """Return the slot in which the instant lies; a slot's first millisecond is its own (R1)."""
    return Slot(at_ms // SLOT_MILLIS)


def starts_at_ms(slot: Slot) -> Millis:
    """Return the slot's first instant (R1)."""
    return Millis(slot * SLOT_MILLIS)


def ends_at_ms(slot: Slot) -> Millis:
    """Return the first instant after the slot (R1)."""
    return Millis((slot + 1) * SLOT_MILLIS)


def locks_at_ms(slot: Slot) -> Millis:
    """Return the instant from which the slot's week is frozen, as `Week.locked_at_ms` says it (R3).

    Counted, not looked up in a calendar: each version of a push is held to its week's lock.
    """
    next_week = (slot + _SLOTS_BEFORE_EPOCH) // SLOTS_PER_WEEK + 1
    next_monday = next_week * SLOTS_PER_WEEK - _SLOTS_BEFORE_EPOCH
    return Millis(next_monday * SLOT_MILLIS + LOCK_MILLIS_AFTER_WEEK)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A billing week: Monday 00:00 UTC to the next, named by its ISO week (R2).

    Raises:
        ValueError: There is no such ISO week from 1970 to 9998; the text is a sentence for the user.
    """

    year: int
    number: int

    def __post_init__(self) -> None:
        """Refuse a week that does not exist, such as week 53 of a year that has 52."""
        if self.year not in _YEARS:
            raise ValueError(f"A diary knows the years {_YEARS[0]} to {_YEARS[-1]}, not {self.year}.")
        try:
            date.fromisocalendar(self.year, self.number, 1)
        except ValueError:
            raise ValueError(f"The year {self.year} has no week {self.number}.") from None

    @classmethod
    def of(cls, slot: Slot) -> "Week":
        """Return the week in which the slot lies (R2)."""
        return cls.at(starts_at_ms(slot))

    @classmethod
    def at(cls, at_ms: int) -> "Week":
        """Return the week in which the instant lies (R2)."""
        return _week_of_day(at_ms // DAY_MILLIS)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the week of a name such as "2026-W47" (R2).

        Raises:
            ValueError: It is no such name; the text is a sentence for the user.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} names no week; a week is written like 2026-W47.")
        return cls(int(match[1]), int(match[2]))

    @property
    def name(self) -> str:
        """Return the week's name, such as "2026-W47" (R2)."""
        return f"{self.year:04}-W{self.number:02}"

    @property
    def starts_at_ms(self) -> Millis:
        """Return Monday 00:00 UTC, its first instant (R2)."""
        return Millis(_monday_of(self.year, self.number) * DAY_MILLIS)

    @property
    def ends_at_ms(self) -> Millis:
        """Return the next Monday 00:00 UTC, the first instant after it (R2)."""
        return Millis(self.starts_at_ms + 7 * DAY_MILLIS)

    @property
    def locked_at_ms(self) -> Millis:
        """Return the Monday 12:00:00 UTC from which the week is frozen (R3)."""
        return Millis(self.ends_at_ms + LOCK_MILLIS_AFTER_WEEK)

    @property
    def first_slot(self) -> Slot:
        """Return the week's first slot (R1, R2)."""
        return slot_at(self.starts_at_ms)

    @property
    def slots(self) -> range:
        """Return the week's 1,008 slots in order (R1, R2)."""
        return range(self.first_slot, self.first_slot + SLOTS_PER_WEEK)

    def next(self) -> "Week":
        """Return the week after this one."""
        return type(self).at(self.ends_at_ms)

    def previous(self) -> "Week":
        """Return the week before this one."""
        return type(self).at(self.starts_at_ms - 1)

    def is_frozen(self, at_ms: int) -> bool:
        """Return whether the week is frozen at the instant: from the lock on, the lock included (R3)."""
        return at_ms >= self.locked_at_ms


@lru_cache(maxsize=4096)  # eleven years of days; a push asks for the same few weeks over and over
def _week_of_day(day: int) -> Week:
    """Return the week of a day counted from 1970-01-01 (R2)."""
    try:
        year, number, _ = (_EPOCH + timedelta(days=day)).isocalendar()
    except OverflowError:
        raise ValueError(f"A diary knows the years {_YEARS[0]} to {_YEARS[-1]}.") from None
    return Week(year, number)


@lru_cache(maxsize=4096)  # each version of a push is held to its week's lock
def _monday_of(year: int, number: int) -> int:
    """Return the first day of an ISO week that exists, counted from 1970-01-01 (R2)."""
    return (date.fromisocalendar(year, number, 1) - _EPOCH.date()).days


@dataclass(frozen=True, slots=True)
class LocalHour:
    """One row of a local day: the slots that start in one hour of the wall clock (R5).

    `label` is the hour as "09:00", `offset` the zone's distance from UTC as "+05:45"; `repeated` says that
    the day has this hour twice, so that the offset must be shown. `slots` are in order, never empty, and
    six but in an hour that the zone cut. `starts_at_ms` is where the first of them starts.
    """

    starts_at_ms: Millis
    label: str
    offset: str
    repeated: bool
    slots: tuple[Slot, ...]


@lru_cache(maxsize=128)  # a page asks twice for each day of its week: 336 instants in a zone each time
def local_day(day: date, zone: ZoneInfo) -> tuple[LocalHour, ...]:
    """Return the hours of a local day in order of time, 23 to 25 of them (R5).

    Every slot belongs to the one local day and hour in which it starts. Where a clock goes back in the midst
    of an hour (Chatham, 03:45) the same 25 hours take 26 rows, two of them cut. A day on which a zone moved
    by more than an hour has fewer or more; one that a zone left out (Apia, 30 December 2011) has none.

    Raises:
        ValueError: The day lies outside the years a diary knows; the text is a sentence for the user.
    """
    if day.year not in _YEARS:
        raise ValueError(f"A diary knows the years {_YEARS[0]} to {_YEARS[-1]}, not {day.year}.")
    utc_midnight = slot_at((day - _EPOCH.date()).days * DAY_MILLIS)
    # Grouped by hour and offset, not by hour: so a repeated hour is two rows, even where the clock was
    # moved by half an hour (Lord Howe) or across midnight (St. John's, 00:01).
    rows: dict[tuple[int, timedelta], list[Slot]] = {}
    first, last = utc_midnight - _OFFSET_SLOTS_MAX, utc_midnight + SLOTS_PER_DAY + _OFFSET_SLOTS_MAX
    for slot in map(Slot, range(first, last)):
        local = _local(slot, zone)
        if local.date() == day:
            rows.setdefault((local.hour, local.utcoffset() or timedelta()), []).append(slot)
    hours = [hour for hour, _ in rows]
    return tuple(
        LocalHour(
            starts_at_ms=starts_at_ms(slots[0]),
            label=f"{hour:02}:00",
            offset=_offset_name(offset),
            repeated=hours.count(hour) > 1,
            slots=tuple(slots),
        )
        for (hour, offset), slots in rows.items()
    )


def local_date(slot: Slot, zone: ZoneInfo) -> date:
    """Return the local day in which the slot starts (R5)."""
    return _local(slot, zone).date()


def _local(slot: Slot, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(seconds=slot * SLOT_MILLIS // 1000)).astimezone(zone)


def _offset_name(offset: timedelta) -> str:
    """Return "+05:45"; with seconds where a zone still kept its mean solar time (Monrovia until 1972)."""
    seconds = int(offset.total_seconds())
    minutes, rest = divmod(abs(seconds), 60)
    name = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{name}:{rest:02}" if rest else name
