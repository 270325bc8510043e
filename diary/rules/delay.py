"""How long after a slot its time was received: what both parties are shown (R60).

The earlier it came, the less it can have been made up afterwards. Pure.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from diary.rules.ids import Millis, Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import DAY_MILLIS, ends_at_ms, starts_at_ms

Delay = Literal["within_15_minutes", "same_day", "later"]
PROMPT_MILLIS = 15 * 60_000
DELAY_WORDS: dict[Delay, str] = {
    "within_15_minutes": "within 15 minutes",
    "same_day": "the same day",
    "later": "later",
}


def delay_of(slot: Slot, received_at_ms: Millis) -> Delay:
    """Return the class of a delay: up to 15 minutes after the slot, on its day in UTC, or later (R60)."""
    if received_at_ms - ends_at_ms(slot) <= PROMPT_MILLIS:
        return "within_15_minutes"
    return "same_day" if received_at_ms // DAY_MILLIS == starts_at_ms(slot) // DAY_MILLIS else "later"


def lag_says(slot: Slot, received_at_ms: Millis) -> str:
    """Return how long after its end a slot's time was received, such as "2 d 4 h after it ended" (R60)."""
    minutes = (received_at_ms - ends_at_ms(slot)) // 60_000
    if minutes < 0:
        return "before it ended"
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return f"{days} d {hours % 24} h after it ended"
    return f"{hours} h {minutes % 60} min after it ended" if hours else f"{minutes} min after it ended"


def delays_say(segments: Iterable[SegmentView]) -> str:
    """Return how many live segments were received how long after, "" for none (R60)."""
    counts = Counter(
        delay_of(one.slot, one.received_at_ms)
        for one in segments
        if one.received_at_ms is not None and one.state != "deleted"
    )
    said = [f"{counts[delay]:,} {words}" for delay, words in DELAY_WORDS.items() if counts[delay]]
    return f"Received after the slot: {', '.join(said)}." if said else ""
