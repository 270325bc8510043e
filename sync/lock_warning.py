"""When to say that a lock comes near and something is not at the server yet (R3, R31). Pure."""

from dataclasses import dataclass

from diary.rules.deadline import AFTER_THE_LOCK, UnsentWeek
from diary.rules.ids import Millis
from diary.rules.week import Week

HOUR_MS = 3600_000
WARN_BEFORE_MS = (24 * HOUR_MS, 6 * HOUR_MS, 1 * HOUR_MS)


@dataclass(frozen=True, slots=True)
class LockWarnings:
    """What was said so far: each week once at each distance from its lock."""

    said: frozenset[tuple[Week, int]] = frozenset()

    def after(
        self, unsent: tuple[UnsentWeek, ...], now_ms: Millis, *, is_away: bool
    ) -> "tuple[LockWarnings, tuple[str, ...]]":
        """Return what was said once `now_ms` is over, and what is to be said now.

        `is_away`: the server cannot be reached. Where it can, what is in its notice period arrives by
        itself and is no matter for a warning (R17).
        """
        said, sentences = set(self.said), []
        for week in unsent:
            left_ms = week.week.locked_at_ms - now_ms
            passed = [(week.week, before) for before in WARN_BEFORE_MS if left_ms <= before]
            waits = week.all if is_away else week.all - week.held
            if waits > 0 and not said.issuperset(passed):
                said.update(passed)
                sentences.append(f"{week.says(now_ms)} {AFTER_THE_LOCK}")
        return LockWarnings(frozenset(said)), tuple(sentences)


def next_in_ms(now_ms: Millis) -> int:
    """Return how long until the next instant at which there may be something to say."""
    week = Week.at(now_ms).previous()
    locks = (each.locked_at_ms for each in (week, week.next(), week.next().next()))
    instants = (lock - before for lock in locks for before in WARN_BEFORE_MS)
    return min(instant - now_ms for instant in instants if instant > now_ms)
