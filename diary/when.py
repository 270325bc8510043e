"""How a person writes times: `9:00`, `9-10:30`, `yesterday 14:00`, `@3`, `2h`, `last` (R1, R2, R5).

This file reads no clock: the present instant and the zone are arguments. Times are in the given zone unless
they end in Z. What is not understood is an error that shows what would be.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from diary.errors import UsageError
from diary.rules.ids import SLOT_MILLIS, Millis, Slot
from diary.rules.timesheet import Place
from diary.rules.week import SLOTS_PER_WEEK, Week, slot_at, starts_at_ms

MINUTE_MILLIS = 60_000
DURATION_MINUTES_MAX = 7 * 24 * 60  # a week: nothing is paused or added for longer
WORDS_MAX = 200  # a selection is typed by hand; a longer one comes from a mistake in the shell
TIMES = "9:00, 9-10:30, yesterday 14:00, 2026-11-23T09:10Z, @3"
_YEARS = range(1970, 9999)
_OUTSIDE = "it lies outside the years a diary knows"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2})?(?:[Zz]|[+-]\d{2}:\d{2})?")
_DURATION = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,5})m(?:in)?)?")
_LISTED = re.compile(r"@(\d{1,5})(?:-@?(\d{1,5}))?")


class BadTimeError(UsageError):
    """What was written is no time."""

    says = "“{text}” is no time: {because}."
    mend = "Understood are for example: {examples}."


class NotListedError(UsageError):
    """`@3` names a line of the last list, and there is no such line."""

    says = "“{text}” names no line of the last list, which had {count}."
    mend = "List them first, for example: diary today."


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of time, never empty: from `starts_at_ms` to before `ends_at_ms`."""

    starts_at_ms: Millis
    ends_at_ms: Millis

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return the slots that the span touches, in order (R1)."""
        return tuple(map(Slot, range(slot_at(self.starts_at_ms), slot_at(self.ends_at_ms - 1) + 1)))

    @property
    def is_whole(self) -> bool:
        """Return whether it begins and ends with slots, as manual time must (R21)."""
        return self.starts_at_ms % SLOT_MILLIS == 0 and self.ends_at_ms % SLOT_MILLIS == 0


def span_of(text: str, *, now_ms: int, zone: ZoneInfo) -> Span:
    """Return the one stretch of time that `text` names, such as "9-10:30" (R5).

    A single moment stands for the slot in which it lies, a duration such as "30m" for that long until now.

    Raises:
        BadTimeError: It names none, or several.
    """
    spans = spans_of(text.split(), now_ms=now_ms, zone=zone)
    if len(spans) != 1:
        raise _bad(text, "one stretch of time is asked for")
    if _day_of(text.rsplit(maxsplit=1)[-1], _local(now_ms, zone).date()) is not None:
        raise _bad(text, "that is a whole day; write from when to when")
    return spans[0]


def spans_of(words: Iterable[str], *, now_ms: int, zone: ZoneInfo) -> tuple[Span, ...]:
    """Return the stretches that the words name, in the order written (R5).

    A day ("yesterday", "monday", "2026-11-20") holds for the times after it until the next day is named;
    one without a time stands for the whole day. At first the day is today.

    Raises:
        BadTimeError: A word is no time, or there is none.
    """
    spans: list[Span] = []
    today = _local(now_ms, zone).date()
    day, day_word = today, ""
    for word in _split(words):
        named = _day_of(word, today)
        if named is not None:
            spans += [_whole_day(day, zone)] if day_word else []
            day, day_word = named, word
        else:
            spans.append(_span_of_word(word, day, now_ms, zone))
            day_word = ""
    spans += [_whole_day(day, zone)] if day_word else []
    if not spans:
        raise _bad("", "nothing is written")
    return tuple(spans)


def selection_of(
    words: Iterable[str], *, now_ms: int, zone: ZoneInfo, listed: Sequence[Sequence[Place]] = ()
) -> tuple[Slot | Place, ...]:
    """Return what SLOTS on the command line select, each once, in the order written (R1).

    `@3` and `@3-5` are lines of the last list, counted from 1, each with the places that it stood for;
    everything else is slots.

    Raises:
        BadTimeError: A word is no time, or more is selected than a week holds.
        NotListedError: The last list has no such line.
    """
    times: list[str] = []
    chosen: list[Slot | Place] = []
    for word in _split(words):
        if word.startswith("@"):
            chosen += _listed(word, listed)
        else:
            times.append(word)
    if times or not chosen:
        chosen += [slot for span in spans_of(times, now_ms=now_ms, zone=zone) for slot in span.slots]
    once = tuple(dict.fromkeys(chosen))
    if len(once) > SLOTS_PER_WEEK:
        raise _bad(" ".join(times), "that is more than a week")
    return once


def week_of(text: str, *, now_ms: int) -> Week:
    """Return the week that "2026-W47", "this" or "last" names; weeks are UTC wherever one is (R2).

    Raises:
        BadTimeError: It names none.
    """
    this = Week.at(now_ms)
    match text.strip().lower():
        case "this":
            return this
        case "last":
            return this.previous()
        case name:
            try:
                return Week.parse(name.upper())
            except ValueError as error:
                because = str(error).rstrip(".")
                raise BadTimeError(text=text, because=because, examples="2026-W47, this, last") from error


def duration_of(text: str) -> int:
    """Return the minutes of a duration such as "30m", "2h" or "1h30m", at least one.

    Raises:
        BadTimeError: It is none, or longer than a week.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not (match[1] or match[2]):
        raise BadTimeError(text=text, because="a duration is asked for", examples="30m, 2h, 1h30m")
    minutes = int(match[1] or 0) * 60 + int(match[2] or 0)
    if not 0 < minutes <= DURATION_MINUTES_MAX:
        because = "it must be between a minute and a week"
        raise BadTimeError(text=text, because=because, examples="30m, 2h, 1h30m")
    return minutes


def _split(words: Iterable[str]) -> list[str]:
    """Return the words one by one: commas and spaces separate them, quoted for the shell or not."""
    split = [part for word in words for part in word.replace(",", " ").split()]
    if len(split) > WORDS_MAX:
        raise _bad(" ".join(split[:3]) + " …", f"that is more than {WORDS_MAX} words")
    return split


def _listed(word: str, listed: Sequence[Sequence[Place]]) -> tuple[Place, ...]:
    match = _LISTED.fullmatch(word)
    if match is None:
        raise _bad(word, "a line of the last list is written @3 or @3-5, the newest snapshot @last")
    first = int(match[1])
    last = int(match[2] or first)
    if not 1 <= first <= last <= len(listed):
        raise NotListedError(text=word, count=len(listed))
    return tuple(place for line in listed[first - 1 : last] for place in line)


def _day_of(word: str, today: date) -> date | None:
    """Return the day that a word names: a weekday is the last one of that name, today included."""
    lower = word.lower()
    if lower in {"today", "yesterday"}:
        return today - timedelta(days=lower == "yesterday")
    if lower in _DAYS:
        return today - timedelta(days=(today.weekday() - _DAYS.index(lower)) % 7)
    match = _DATE.fullmatch(word)
    if match is None:
        return None
    try:
        named = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise _bad(word, "there is no such day") from error
    if named.year not in _YEARS:
        raise _bad(word, _OUTSIDE)
    return named


def _span_of_word(word: str, day: date, now_ms: int, zone: ZoneInfo) -> Span:
    if _DURATION.fullmatch(word.lower()):
        return Span(Millis(now_ms - duration_of(word) * MINUTE_MILLIS), Millis(now_ms))
    if word.lower() == "now":
        return _slot_of(now_ms)
    if "/" in word:
        return _between(word, *(_iso(part, word, zone) for part in word.split("/", 1)))
    if _ISO.fullmatch(word):
        return _slot_of(_iso(word, word, zone))
    read = word[:-1] if word[-1] in "Zz" else word
    where = zone if read == word else ZoneInfo("UTC")
    first, dash, last = read.partition("-")
    if not dash and ":" not in first:
        raise _bad(word, "write the minutes too" if first.isdecimal() else "it is not understood")
    begins = _clock(first, word, day, where)
    return _between(word, begins, _clock(last, word, day, where)) if dash else _slot_of(begins)


def _clock(text: str, word: str, day: date, zone: ZoneInfo) -> Millis:
    """Return the instant of a wall clock's time on a local day; of a repeated hour, the first (R5)."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise _bad(word, "it is not understood")
    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 24 or minute > 59 or (hour, minute) > (24, 0):
        raise _bad(word, "a day ends at 24:00")
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        return _instant(midnight + timedelta(hours=hour, minutes=minute), word)
    except OverflowError as error:
        raise _bad(word, _OUTSIDE) from error


def _iso(text: str, word: str, zone: ZoneInfo) -> Millis:
    if not _ISO.fullmatch(text):
        raise _bad(word, "it is not understood")
    try:
        read = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise _bad(word, "there is no such time") from error
    return _instant(read if read.tzinfo else read.replace(tzinfo=zone), word)


def _instant(local: datetime, word: str) -> Millis:
    """Return the instant of a wall clock's reading; one that the zone left out is an error (R5)."""
    try:
        utc = local.astimezone(UTC)
        if utc.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise _bad(word, "the clocks went forward over it")
        since = utc - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError as error:
        raise _bad(word, _OUTSIDE) from error
    if since < timedelta() or utc.year not in _YEARS:
        raise _bad(word, _OUTSIDE)
    return Millis(since // timedelta(milliseconds=1))


def _whole_day(day: date, zone: ZoneInfo) -> Span:
    """Return a local day, 23 to 25 hours as the zone has it (R5)."""
    word = day.isoformat()
    midnights = [_midnight(date_, word, zone) for date_ in (day, day + timedelta(days=1))]
    return _between(word, *midnights)


def _midnight(day: date, word: str, zone: ZoneInfo) -> Millis:
    """Return a local day's first instant, also where the zone moves its clocks at midnight."""
    utc = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return _instant(utc, word)


def _between(word: str, begins_ms: Millis, ends_ms: Millis) -> Span:
    if ends_ms <= begins_ms:
        raise _bad(word, "it ends before it begins; a stretch over midnight is two")
    if ends_ms - begins_ms > SLOTS_PER_WEEK * SLOT_MILLIS:
        raise _bad(word, "that is more than a week")
    return Span(begins_ms, ends_ms)


def _slot_of(at_ms: int) -> Span:
    slot = slot_at(at_ms)
    return Span(starts_at_ms(slot), starts_at_ms(Slot(slot + 1)))


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)


def _bad(text: str, because: str) -> BadTimeError:
    return BadTimeError(text=text, because=because, examples=TIMES)
