"""Which pictures give way on a device when they take more room than they may (R31).

This file decides; it never asks the time, the disk or the server. A picture that gives way leaves its
thumbnail and lies at the server still, from where it comes again. What the server lacks never gives way.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from diary.rules.ids import Millis, Slot
from diary.rules.week import DAY_MILLIS, Week, ends_at_ms

WANTED_FOR_MS = 7 * DAY_MILLIS  # what was asked for again stays so long


@dataclass(frozen=True, slots=True)
class Budget:
    """What pictures may take: all together so many bytes, and each at least so many days."""

    bytes: int
    days: int


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A picture that lies here; `wanted_at_ms` is when it was asked for again, None for never."""

    name: str
    slot: Slot
    size: int
    at_server: bool
    wanted_at_ms: Millis | None = None


def may_give_way(
    picture: HeldPicture, now_ms: Millis, budget: Budget, disputed: Container[Week] = frozenset()
) -> bool:
    """Return whether a picture may be thinned: locked, old, at the server, undisputed, not just asked for."""
    week = Week.of(picture.slot)
    return (
        picture.at_server
        and week.is_frozen(now_ms)
        and now_ms - ends_at_ms(picture.slot) >= budget.days * DAY_MILLIS
        and week not in disputed
        and (picture.wanted_at_ms is None or now_ms - picture.wanted_at_ms >= WANTED_FOR_MS)
    )


def giving_way(
    held: Iterable[HeldPicture],
    total_bytes: int,
    now_ms: Millis,
    budget: Budget,
    disputed: Container[Week] = frozenset(),
) -> Iterator[HeldPicture]:
    """Yield the pictures that give way, until what is left fits the budget.

    `held` are those that can be missed here, a thumbnail staying for each, the oldest first; `total_bytes` is
    what all pictures take.
    """
    left = total_bytes
    for picture in held:
        if left <= budget.bytes:
            return
        if may_give_way(picture, now_ms, budget, disputed):
            left -= picture.size
            yield picture
