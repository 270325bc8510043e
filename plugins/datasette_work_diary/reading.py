"""How times, spans and reasons read on a page: the viewer's zone and clock, plain words (R5, R24).

This module is pure: the instant, the zone and the clock's face come in, text goes out.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from diary.rules.ids import MINUTES_PER_SLOT, Millis, Slot
from diary.rules.money import minor_digits
from diary.rules.week import NAMES_OF_UTC, ends_at_ms, starts_at_ms

UTC = ZoneInfo("UTC")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The viewer's zone, the clock's face and the instant at which a page is read.

    `for_client`: it is the client of a contract who reads, and changes nothing (R67); `theirs` is then the
    freelancer's zone, None where they told none.
    """

    zone: ZoneInfo
    clock_24h: bool
    now_ms: Millis
    for_client: bool = False
    theirs: str | None = None

    @property
    def is_utc(self) -> bool:
        """Return whether the viewer's zone is UTC itself, not one that agrees with it in winter."""
        return self.zone.key in NAMES_OF_UTC

    def local(self, at_ms: int) -> datetime:
        """Return the instant in the viewer's zone."""
        return _in(self.zone, at_ms)

    def time(self, at_ms: int) -> str:
        """Return the time of day, "09:10" or "9:10 am"."""
        return self._face(self.local(at_ms))

    def span(self, from_ms: int, to_ms: int) -> str:
        """Return two times of day, "09:10–10:30"."""
        return f"{self.time(from_ms)}–{self.time(to_ms)}"

    def instant(self, at_ms: int) -> str:
        """Return the day and time with the offset, "Mon 23 Nov 2026, 17:45 (+05:45)"; in UTC as `utc`."""
        if self.is_utc:
            return self.utc(at_ms)
        local = self.local(at_ms)
        return f"{short_day(local.date())}, {self._face(local)} ({offset_of(local)})"

    def slots(self, first: Slot | None, last: Slot | None) -> str:
        """Return when a slot begins, or from where to where slots that follow each other go; "" for none."""
        if first is None or last is None:
            return ""
        if first == last:
            return self.instant(starts_at_ms(first))
        begins, ends = self.instant(starts_at_ms(first)), self.instant(ends_at_ms(last))
        return f"{begins} to {ends}, {last + 1 - first} segments"

    def utc(self, at_ms: int) -> str:
        """Return the same instant in UTC, "Mon 23 Nov 2026, 12:00 UTC"."""
        at = _in(UTC, at_ms)
        return f"{short_day(at.date())}, {self._face(at)} UTC"

    def both(self, at_ms: int) -> str:
        """Return the instant in UTC and, where it differs, in the viewer's zone."""
        here = self.here(at_ms)
        return f"{self.utc(at_ms)} · {here} here" if here else self.utc(at_ms)

    def here(self, at_ms: int) -> str:
        """Return the instant in the viewer's zone; "" where that is UTC's time."""
        return "" if self.local(at_ms).utcoffset() == timedelta() else self.instant(at_ms)

    def hour(self, label: str) -> str:
        """Return an hour's label, "09:00", as the clock's face shows it."""
        if self.clock_24h:
            return label
        hour, _, minute = label.partition(":")
        return _twelve(int(hour), int(minute))

    def _face(self, at: datetime) -> str:
        if self.clock_24h:
            return f"{at.hour:02}:{at.minute:02}"
        return _twelve(at.hour, at.minute)


def _in(zone: ZoneInfo, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=zone)


def _twelve(hour: int, minute: int) -> str:
    return f"{hour % 12 or 12}:{minute:02} {'am' if hour < 12 else 'pm'}"


def offset_of(at: datetime) -> str:
    """Return the offset from UTC, "+05:45"."""
    text = at.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def long_day(day: date) -> str:
    """Return "Wednesday 18 November 2026"."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """Return "Wed 18 Nov 2026"."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def hours(segments: int) -> str:
    """Return the length of so many segments, "2 h 20 min"."""
    whole, rest = divmod(segments * MINUTES_PER_SLOT, 60)
    if not whole:
        return f"{rest} min"
    return f"{whole} h {rest:02} min" if rest else f"{whole} h"


def hours_and_minutes(segments: int) -> str:
    """Return the length of so many segments as a figure for a column, "2:20"."""
    whole, rest = divmod(segments * MINUTES_PER_SLOT, 60)
    return f"{whole}:{rest:02}"


def sentence(text: str) -> str:
    """Return a clause as a sentence: begun large, ended with a full stop."""
    return text if not text else text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def counted(number: int, one: str, many: str = "") -> str:
    """Return the number with its noun, "1 segment", "3 segments"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def megabytes(size: int) -> str:
    """Return a size in bytes as it reads, "640 KB" or "1.2 MB", in powers of ten."""
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB" if size >= 1000 else f"{size} bytes"
    return f"{size / 1_000_000:,.1f} MB"


def length(millis: int) -> str:
    """Return a length of time in its two greatest units, "2 days 4 hours"."""
    minutes = max(0, millis) // 60_000
    parts = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    shown = [counted(number, word) for number, word in parts if number][:2]
    return " ".join(shown) or "less than a minute"


def time_left(left_ms: int) -> str:
    """Return the time left, "2 days 4 hours left"; "over" when none is."""
    return "over" if left_ms <= 0 else f"{length(left_ms)} left"


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units with its currency, thousands set apart: "1,250.00 USD" (R61)."""
    digits = minor_digits(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "−" if minor < 0 else ""
    return f"{sign}{whole:,}{f'.{rest:0{digits}}' if digits else ''} {currency}"


def slots_label(slots: tuple[Slot, ...], reading: Reading) -> str:
    """Return where a selection lies: one span, or the first and the last with their number."""
    first, last = starts_at_ms(slots[0]), ends_at_ms(slots[-1])
    together = len(set(slots)) == slots[-1] - slots[0] + 1
    span = f"{short_day(reading.local(first).date())}, {reading.span(first, last)}"
    return span if together else f"{counted(len(slots), 'segment')} within {span}"
