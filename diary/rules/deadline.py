"""What has not reached the server before a lock, and how long is left (R3, R31, R38). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from diary.rules.counted import counted
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week

LOCK_SOON_MS = 24 * 3600_000  # Sunday noon: late enough to be about this lock, early enough to find a network
AFTER_THE_LOCK = "What arrives later is late and bills only if your client accepts it; changes are refused."


@dataclass(frozen=True, slots=True)
class UnsentSegment:
    """One segment of which something waits to be sent.

    `known`: the server has something of it already, so that a change waits and not the time itself. `held`:
    it is in its notice period (R17). `asked`: it waits for its freelancer's answer (R20).
    """

    slot: Slot
    known: bool
    held: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class UnsentWeek:
    """What of one week has not reached the server, and that week locks soon.

    `segments` the server does not know at all; `changes` are of segments that it has. Among both are `held`
    in their notice period and `asked`, which wait for an answer.
    """

    week: Week
    segments: int
    changes: int
    held: int
    asked: int

    @property
    def all(self) -> int:
        """Return of how many segments something waits."""
        return self.segments + self.changes

    def says(self, now_ms: int) -> str:
        """Return it as a sentence, such as "3 segments of 2026-W47 have not reached the server; …"."""
        parts = [
            counted(count, word)
            for count, word in ((self.segments, "segment"), (self.changes, "change"))
            if count
        ]
        has = "has" if self.all == 1 else "have"
        waits = "waits" if self.asked == 1 else "wait"
        asked = f" {self.asked} of them {waits} for your answer (diary late)." if self.asked else ""
        return (
            f"{' and '.join(parts)} of {self.week.name} {has} not reached the server; "
            f"it locks in {left(self.week.locked_at_ms, now_ms)} (Monday 12:00 UTC).{asked}"
        )


@dataclass(frozen=True, slots=True)
class MissedWeek:
    """One frozen week of which something that its freelancer typed has not been at the server yet (R37).

    `segments` are manual time that the server does not know, `changes` are of segments that it has. What was
    recorded is none of either: it is late, and asked about.
    """

    week: Week
    segments: int
    changes: int

    @property
    def says(self) -> str:
        """Return it as two sentences: what missed the lock, and what becomes of it."""
        parts = [
            counted(count, word)
            for count, word in ((self.segments, "manual segment"), (self.changes, "change"))
            if count
        ]
        is_one = self.segments + self.changes == 1
        return (
            f"{' and '.join(parts)} of {self.week.name} had not reached the server when it locked (Monday "
            f"12:00 UTC). The next sync hears what becomes of {'it' if is_one else 'them'}: by the rule "
            f"{'it is' if is_one else 'they are'} refused, and kept in the list of refusals."
        )


def missed_weeks(waiting: Iterable[tuple[Slot, Millis | None]]) -> tuple[MissedWeek, ...]:
    """Return what was typed too late, by week, from slots and when the server first had something of each.

    None where it never had. What the server first had after the lock is late time, and may still be changed.
    """
    by_week: dict[Week, list[bool]] = {}
    for slot, received_at_ms in waiting:
        week = Week.of(slot)
        if received_at_ms is None or received_at_ms < week.locked_at_ms:
            by_week.setdefault(week, []).append(received_at_ms is not None)
    return tuple(
        MissedWeek(week, segments=known.count(False), changes=known.count(True))
        for week, known in sorted(by_week.items())
    )


def weeks_about_to_lock(now_ms: Millis) -> range:
    """Return the slots of the weeks that are open and lock within a day, in order; empty for none (R3)."""
    week = Week.at(now_ms)
    open_week = week if week.previous().is_frozen(now_ms) else week.previous()
    if open_week.locked_at_ms - now_ms > LOCK_SOON_MS:
        return range(0)
    return open_week.slots


def unsent_weeks(waiting: Iterable[UnsentSegment]) -> tuple[UnsentWeek, ...]:
    """Return what waits, by week, the nearest lock first."""
    by_week: dict[Week, list[UnsentSegment]] = {}
    for segment in waiting:
        by_week.setdefault(Week.of(segment.slot), []).append(segment)
    return tuple(
        UnsentWeek(
            week=week,
            segments=sum(not one.known for one in found),
            changes=sum(one.known for one in found),
            held=sum(one.held for one in found),
            asked=sum(one.asked for one in found),
        )
        for week, found in sorted(by_week.items())
    )


def left(until_ms: int, now_ms: int) -> str:
    """Return how long is left until an instant, such as "2 days 3 h" (R4)."""
    minutes = max(0, until_ms - now_ms) // 60_000
    days, hours_left = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours_left} h"
    return f"{hours_left} h {minutes % 60} min" if hours_left else f"{minutes} min"
