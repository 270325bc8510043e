"""How many devices come in the same second when a slot ends: their schedules, without a server.

python -m bench crowd
"""

import random
from collections import Counter

from bench.figure import print_figure
from sync.schedule import Schedule, after_change, after_success, spread_ms

DEVICES = 1_000_000
SLOT_MS = 600_000
HOLD_MS = 60_000  # the notice period as it is set at first
RUNS = 3


def measure() -> None:
    """Print the fullest second after a slot's end, with the spread and without."""
    for spread in (False, True):
        fullest = [_fullest_second(random.Random(run), spread=spread) for run in range(RUNS)]
        print_figure("crowd_fullest_second", fullest, "devices", of=DEVICES, spread=spread)


def _fullest_second(chances: random.Random, *, spread: bool) -> float:
    comes: Counter[int] = Counter()
    for _ in range(DEVICES):
        comes[_comes_at_ms(chances, spread=spread) // 1000] += 1
    return max(comes.values())


def _comes_at_ms(chances: random.Random, *, spread: bool) -> int:
    """Return when one device's rows leave, counted from the end of the slot, all of them tracking."""
    pause_ms = after_success(0, chances.random(), next_release_ms=None).due_at_ms
    resting = Schedule(due_at_ms=chances.randrange(pause_ms))  # anywhere between two polls
    release_ms = chances.randrange(SLOT_MS) - SLOT_MS + HOLD_MS
    later_ms = spread_ms(chances.random(), by_hand=False, lock_in_ms=None, shared=True) if spread else 0
    is_held = release_ms > 0
    seen = after_change(
        resting,
        0,
        sendable=not is_held,
        next_release_ms=release_ms if is_held else None,
        later_ms=later_ms,
    )
    # A poll before the end of the hold carries nothing of this slot.
    return release_ms if is_held else seen.wait_ms(0)
