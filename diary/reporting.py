"""Reports over any stretch of days or weeks, asked of an open diary (R31)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from diary.errors import UsageError
from diary.rules.ids import ContractId
from diary.rules.progress import Progress, told_of
from diary.rules.report import KEYS, Key
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week, local_date, local_day

if TYPE_CHECKING:
    from diary.look_door import LookDoor

DAYS_MAX = 3_700  # ten years: every segment of them is opened, which takes seconds


class BadKeyError(UsageError):
    """Sums go by what a segment has."""

    says = "There are no sums by “{key}”."
    mend = "Sums go by label, day, app or contract, or several: --by day,label."


class BadDaysError(UsageError):
    """A report's days are a first and a last one, in order, and not too far apart."""

    says = "There is no report from {first} to {last}: {because}."
    mend = "Name a first and a last day, such as 2026-11-01 and 2026-11-30, at most ten years apart."


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of local days, the first and the last included."""

    first: date
    last: date


def keys_of(text: str) -> tuple[Key, ...]:
    """Return what sums go by, such as "day,label".

    Raises:
        BadKeyError: There is none, or one is unknown.
    """
    known: dict[str, Key] = {key: key for key in KEYS}
    words = text.replace(",", " ").split()
    for word in words or [text]:
        if word not in known:
            raise BadKeyError(key=word)
    return tuple(dict.fromkeys(known[word] for word in words))


def days_of(first: str, last: str) -> Days:
    """Return the days that two words name, such as "2026-11-01" and "2026-11-30".

    Raises:
        BadDaysError: One is no day, they are in no order, or too many lie between them.
    """
    try:
        days = Days(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise BadDaysError(first=first, last=last, because="a day is written like 2026-11-18") from error
    apart = (days.last - days.first).days
    if not 0 <= apart < DAYS_MAX:
        because = "the last day is before the first" if apart < 0 else "so many are not summed up at once"
        raise BadDaysError(first=first, last=last, because=because)
    return days


def segments_of_days(
    diary: "LookDoor",
    days: Days,
    zone: ZoneInfo,
    *,
    contract: ContractId | None = None,
    progress: Progress | None = None,
) -> list[SegmentView]:
    """Return the segments that start in these days of a zone, perhaps of one contract (R5)."""
    first, last = (_a_week_of(day, zone) for day in (days.first, days.last))
    # A local day may reach into the week before or after the one in which its noon lies.
    weeks = [week for week in diary.weeks() if first.previous() <= week <= last.next()]
    found = segments_of_weeks(diary, weeks, contract=contract, progress=progress)
    return [one for one in found if days.first <= local_date(one.slot, zone) <= days.last]


def segments_of_weeks(
    diary: "LookDoor",
    weeks: Collection[Week],
    *,
    contract: ContractId | None = None,
    progress: Progress | None = None,
) -> list[SegmentView]:
    """Return the segments of weeks, perhaps of one contract; `progress` is told how many weeks are read."""
    return [
        one
        for week in told_of(weeks, progress)
        for one in diary.week(week).segments
        if contract in {None, one.contract}
    ]


def _a_week_of(day: date, zone: ZoneInfo) -> Week:
    """Return the week in which most of a local day lies.

    Raises:
        BadDaysError: The day lies outside the years a diary knows.
    """
    try:
        hours = local_day(day, zone)
    except ValueError as error:
        raise BadDaysError(first=day, last=day, because=str(error).removesuffix(".")) from error
    slots = [slot for hour in hours for slot in hour.slots]
    return Week.of(slots[len(slots) // 2]) if slots else Week.parse(f"{day:%G-W%V}")
