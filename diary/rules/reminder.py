"""What a freelancer is reminded of, and when (R23, R31).

This file decides; it never asks the time, the disk or the desktop. A week's reminder comes on Sunday evening
and on Monday morning, in the freelancer's zone, as long as the week is open. The two others come only to who
asked for them: when work hours begin and nothing is tracked, and when a memo has stood for long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from diary.rules.deadline import left
from diary.rules.ids import Millis
from diary.rules.week import Week

Occasion = Literal["week", "work", "memo", "disk"]
"""The words by which what was told is kept."""

SUNDAY_EVENING = (6, time(18), time.max)  # weekday from 0 for Monday, from, until
MONDAY_MORNING = (0, time(6), time(12))
SATURDAY = 5
WORK_BEGINS_FOR = timedelta(hours=2)  # who is not there by then does not work today, or knows
MINUTE_MS = 60_000
DISK_AGAIN_MS = 24 * 60 * MINUTE_MS
HALF_A_WEEK_MS = 84 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a freelancer wants to be reminded of.

    `work_at` is when their work hours begin on weekdays, None for no reminder; `memo_minutes` after how long
    a memo is asked about, 0 for never.
    """

    week: bool = True
    work_at: time | None = None
    memo_minutes: int = 0


@dataclass(frozen=True, slots=True)
class WeekReminder:
    """What of a week wants to be seen to while it can be changed: counts of segments (R31).

    `unsynced` have not reached the server, `without_memo` have none, `failing` fail another point of R30
    that can still be mended.
    """

    week: Week
    unsynced: int
    without_memo: int
    failing: int

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to remind of."""
        return not (self.unsynced or self.without_memo or self.failing)

    def says(self, now_ms: int) -> str:
        """Return it as a sentence; the command that mends it is said by whoever shows it."""
        parts = [
            f"{count} {'segment' if count == 1 else 'segments'} {one if count == 1 else many}"
            for count, one, many in (
                (self.unsynced, "has not reached the server", "have not reached the server"),
                (self.without_memo, "has no memo", "have no memo"),
                (self.failing, "fails another point", "fail another point"),
            )
            if count
        ]
        return f"{self.week.name} locks in {left(self.week.locked_at_ms, now_ms)}: {', '.join(parts)}."


def week_in_question(now_ms: Millis, local: datetime) -> Week | None:
    """Return the week to remind of at a local moment, None outside Sunday evening and Monday morning (R31).

    It is the one that locks next. Where Monday's lock comes before the morning there is none to remind of
    then: the week that follows has only begun.
    """
    if not any(_within(local, *window) for window in (SUNDAY_EVENING, MONDAY_MORNING)):
        return None
    this = Week.at(now_ms)
    before = this.previous()
    if not before.is_frozen(now_ms):
        return before
    has_only_begun = now_ms - this.starts_at_ms < HALF_A_WEEK_MS
    return None if has_only_begun else this


def window_began(local: datetime) -> datetime | None:
    """Return when the evening or morning began in which a week is reminded of, None outside of both."""
    for weekday, begins, ends in (SUNDAY_EVENING, MONDAY_MORNING):
        if _within(local, weekday, begins, ends):
            return datetime.combine(local.date(), begins, local.tzinfo)
    return None


def _within(local: datetime, weekday: int, begins: time, ends: time) -> bool:
    return local.weekday() == weekday and begins <= local.time() < ends


def work_has_begun(wishes: Wishes, local: datetime, told_ms: Millis | None, *, tracking: bool) -> bool:
    """Return whether to remind that work hours have begun and nothing is tracked (R23)."""
    if wishes.work_at is None or tracking or local.weekday() >= SATURDAY:
        return False
    begins = datetime.combine(local.date(), wishes.work_at, local.tzinfo)
    if not begins <= local < begins + WORK_BEGINS_FOR:
        return False
    return told_ms is None or told_ms < begins.timestamp() * 1000


def memo_is_old(wishes: Wishes, now_ms: Millis, memo_since_ms: Millis | None, told_ms: Millis | None) -> bool:
    """Return whether to ask about the memo of what is tracked; `memo_since_ms` of None: nothing is (R23)."""
    if not wishes.memo_minutes or memo_since_ms is None:
        return False
    asked_ms = max(memo_since_ms, told_ms or memo_since_ms)
    return now_ms - asked_ms >= wishes.memo_minutes * MINUTE_MS


def occasions(
    wishes: Wishes,
    now_ms: Millis,
    local: datetime,
    told: Mapping[Occasion, Millis],
    *,
    memo_since_ms: Millis | None,
    disk_is_low: bool = False,
) -> tuple[Occasion, ...]:
    """Return what is due to be told now, each once for its occasion; `told` is when each was told last.

    `memo_since_ms` is since when the memo of what is tracked stands, None while nothing is tracked.
    """
    found: list[Occasion] = []
    began = window_began(local)
    if wishes.week and began is not None and week_in_question(now_ms, local) is not None:
        told_ms = told.get("week")
        if told_ms is None or told_ms < began.timestamp() * 1000:
            found.append("week")
    if work_has_begun(wishes, local, told.get("work"), tracking=memo_since_ms is not None):
        found.append("work")
    if memo_is_old(wishes, now_ms, memo_since_ms, told.get("memo")):
        found.append("memo")
    disk_ms = told.get("disk")
    if disk_is_low and (disk_ms is None or now_ms - disk_ms >= DISK_AGAIN_MS):
        found.append("disk")
    return tuple(found)
