"""When to sync: after a change, at the end of a hold, now and then, sooner when a lock is near (R17, R41).

Pure: instants are milliseconds of any clock that the caller keeps to, chance is a number in [0, 1) that the
caller draws. A `Schedule` is replaced by each thing that happens and says when the next run is due.
"""

from dataclasses import dataclass, replace

SETTLE_MS = 300  # several writes of one act end in one run
SPREAD_MS = 55_000  # slots end at one instant for everybody: what a tracker wrote then goes within a minute
POLL_MS = 60_000  # what other devices wrote is learnt within a minute or so
BACKOFF_FIRST_MS = 2_000
BACKOFF_MAX_MS = 15 * 60_000  # a server that is away for a day is asked a hundred times, not a million
LOCK_NEAR_MS = 2 * 3600_000  # so long before a lock every minute counts (R3)
BACKOFF_NEAR_LOCK_MAX_MS = 30_000
BACKOFF_GATED_MAX_MS = 60_000  # somebody is about to log in to the network, and nothing tells when they have
_DOUBLINGS_MAX = 20  # beyond it the pause is at its greatest anyway, and the power stays small


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the next run is due, and why it may have to wait.

    `failures` counts runs that failed one after the other; `retry_at_ms` is the instant before which no
    change on this side wakes a run (None after a success).
    """

    due_at_ms: int = 0
    failures: int = 0
    retry_at_ms: int | None = None

    def wait_ms(self, now_ms: int) -> int:
        """Return how long to sleep from `now_ms`; 0 when a run is due."""
        return max(0, self.due_at_ms - now_ms)


def after_success(now_ms: int, chance: float, *, next_release_ms: int | None) -> Schedule:
    """Return the schedule after a run that went through (R17).

    `next_release_ms` is when the next held row may be sent, None when nothing is held. The pause between
    runs differs by a fifth up or down, so that many devices do not ask in step.
    """
    due = now_ms + round(POLL_MS * (0.8 + 0.4 * chance))
    if next_release_ms is not None:
        due = min(due, max(now_ms, next_release_ms))
    return Schedule(due_at_ms=due)


def after_failure(
    schedule: Schedule,
    now_ms: int,
    chance: float,
    *,
    lock_in_ms: int | None,
    retry_after_ms: int | None = None,
    gated: bool = False,
) -> Schedule:
    """Return the schedule after a run that failed: twice the pause each time, with jitter (R41).

    `gated`: it never came to the server, since a log-in page answered in its place.

    `lock_in_ms` is how long until the nearest lock that unsent rows must reach, None when there is none.
    `retry_after_ms` is how long the server wants to be left alone, None where it did not say: it is kept to,
    and a little more, so that not all devices come back at one instant; but never longer than a pause may
    be, since a server that says more must not keep time from reaching it before a lock.
    """
    ceiling = BACKOFF_GATED_MAX_MS if gated else BACKOFF_MAX_MS
    if _is_near(lock_in_ms):
        ceiling = BACKOFF_NEAR_LOCK_MAX_MS
    pause = min(ceiling, BACKOFF_FIRST_MS * 2 ** min(schedule.failures, _DOUBLINGS_MAX))
    wait = round(pause * (0.5 + 0.5 * chance))
    if retry_after_ms is not None:
        wait = min(ceiling, max(wait, round(retry_after_ms * (1 + 0.2 * chance))))
    at = now_ms + wait
    return Schedule(due_at_ms=at, failures=schedule.failures + 1, retry_at_ms=at)


def spread_ms(chance: float, *, by_hand: bool, lock_in_ms: int | None, shared: bool) -> int:
    """Return how long what became ready waits, so that not all devices come at one instant.

    Such instants are the end of a slot, and the return of a network that was away for many. `chance` is the
    device's own and stays the same. What a person did (`by_hand`) goes at once, so does everything while a
    lock is near (R3), and where no crowd can be: at a server on this machine (`shared` is False).
    `lock_in_ms` is how long until the nearest lock that unsent rows must reach, None for none.
    """
    if by_hand or not shared or _is_near(lock_in_ms):
        return 0
    return round(SPREAD_MS * chance)


def after_change(
    schedule: Schedule,
    now_ms: int,
    *,
    sendable: bool,
    next_release_ms: int | None,
    later_ms: int = 0,
) -> Schedule:
    """Return the schedule after the diary's file changed.

    `sendable`: something lies ready that was not there at the last run; `later_ms` is how long it waits (see
    `spread_ms`), counted from the first time that it was seen. A file that changed without that (the run's
    own writing, a draft) wakes nothing; a server that is away is not asked sooner for it.
    """
    due = schedule.due_at_ms
    if sendable:
        due = min(due, now_ms + SETTLE_MS + later_ms)
    if next_release_ms is not None:
        due = min(due, max(now_ms, next_release_ms))
    if schedule.retry_at_ms is not None:
        due = max(due, schedule.retry_at_ms)
    return replace(schedule, due_at_ms=due)


def after_network_return(schedule: Schedule, now_ms: int, *, later_ms: int) -> Schedule:
    """Return the schedule when this machine has a network again: the pause of a failure is over.

    `later_ms` is how long the run waits all the same (see `spread_ms`): where a network was away for many,
    it comes back for all of them at one instant.
    """
    due = min(schedule.due_at_ms, now_ms + SETTLE_MS + later_ms)
    return replace(schedule, due_at_ms=due, retry_at_ms=None)


def _is_near(lock_in_ms: int | None) -> bool:
    return lock_in_ms is not None and 0 <= lock_in_ms <= LOCK_NEAR_MS
