"""Until when a picture may be on its way to the server, and when it is missing (R41)."""

from diary.rules.ids import Millis, Slot
from diary.rules.week import DAY_MILLIS, Week, ends_at_ms

ON_ITS_WAY_DAYS = 7


def due_at_ms(slot: Slot) -> Millis:
    """Return the instant from which a picture that is not at the server is missing (R41).

    Seven days after its slot, or its week's lock if that is later. It ends nothing: the row has named the
    picture by its hash since before, so that one that comes later proves as much, and is missing no more.
    """
    return Millis(max(ends_at_ms(slot) + ON_ITS_WAY_DAYS * DAY_MILLIS, Week.of(slot).locked_at_ms))


def is_missing(slot: Slot, at_ms: int, *, at_server: bool) -> bool:
    """Return whether a picture of this slot is missing at the instant (R41)."""
    return not at_server and at_ms >= due_at_ms(slot)
