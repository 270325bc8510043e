"""The sample diary's story: who did what when, three weeks long, as a list of acts in order of time.

Pure: the last week and chance are arguments. Mara works for Orchard on her laptop and keeps the mill's books
on the tower in the attic, which has no network on some days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random  # noqa: TID251  # it comes as an argument, seeded by who asks: the same story again
from typing import Literal

from diary.rules.ids import SLOT_MILLIS, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import SLOTS_PER_DAY, Week, ends_at_ms, starts_at_ms

Device = Literal["laptop", "tower"]
Job = Literal["orchard", "mill"]
Look = Literal["picture", "masked", "locked"]

HOUR = 6  # slots
MINUTE_MS = 60_000

_ORCHARD = (
    ("Invoice page: first layout", "Design", "browser"),
    ("Invoice page: rounding of lines", "Code", "editor"),
    ("Tests for the totals", "Code", "editor"),
    ("Deployment to staging", "Code", "terminal"),
    ("Review of the checkout with Ana", "Review", "browser"),
    ("Help page: how to read an invoice", "Design", "editor"),
)
_MILL = ("November ledger", "Wages, second half", "Reconciling the bank statement")


@dataclass(frozen=True, slots=True)
class Worked:
    """The tracker recorded a slot; `number` tells the scene's pictures apart."""

    at_ms: int
    device: Device
    job: Job
    slot: Slot
    memo: str
    label: str | None
    scene: str
    number: int
    minutes: tuple[MinuteCounts | None, ...]
    taken_ms: int
    look: Look = "picture"


@dataclass(frozen=True, slots=True)
class Synced:
    """A device synced; with `sends_late` its owner said before that late time may be sent (R38)."""

    at_ms: int
    device: Device
    sends_late: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Memo or label of slots was changed on a device."""

    at_ms: int
    device: Device
    job: Job
    slots: tuple[Slot, ...]
    memo: str


@dataclass(frozen=True, slots=True)
class Added:
    """Manual time was added."""

    at_ms: int
    device: Device
    job: Job
    slots: tuple[Slot, ...]
    memo: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """Snapshots and their time were removed."""

    at_ms: int
    device: Device
    job: Job
    slots: tuple[Slot, ...]


Act = Worked | Synced | Edited | Added | Removed


def story(last: Week, chance: Random) -> list[Act]:
    """Return what happens in the three weeks that end with `last`, in order of time."""
    middle = last.previous()
    first = middle.previous()
    acts = [*_first_week(first, chance), *_middle_week(middle, chance), *_last_week(last, chance)]
    # A device that syncs does so after what happened in the same instant.
    return sorted(acts, key=lambda act: (act.at_ms, isinstance(act, Synced)))


def _first_week(week: Week, chance: Random) -> Iterator[Act]:
    """The tower stays offline from Thursday until the week is frozen: late time, a refused edit."""
    for day in range(5):
        yield from _orchard_day(week, day, "8:00", 2 * HOUR, chance)
        yield Synced(_at(week, day, "12:00"), "laptop")
    for day in (0, 2):
        yield from _mill(week, day, "14:00", 8, chance)
        yield Synced(_at(week, day, "18:00"), "tower")
    # Both change one segment before they hear of each other; another is removed here and edited there.
    both = _slots(week, 1, "8:20", 1)
    gone = _slots(week, 1, "9:00", 2)
    yield Synced(_at(week, 2, "18:10"), "laptop")
    yield Edited(
        _at(week, 3, "18:00"), "laptop", "orchard", both, "Invoice page: first layout, with the logo"
    )
    yield Edited(_at(week, 3, "18:05"), "tower", "orchard", both, "Invoice page: layout agreed with Ana")
    yield Edited(_at(week, 3, "18:06"), "laptop", "orchard", gone, "Layout, a private window was open")
    yield Removed(_at(week, 3, "18:07"), "tower", "orchard", gone)
    yield Synced(_at(week, 3, "18:10"), "laptop")
    yield Synced(_at(week, 3, "18:12"), "tower")
    yield Synced(_at(week, 3, "18:14"), "laptop")
    meeting = _slots(week, 4, "13:00", 3)
    yield Added(
        _at(week, 4, "14:00"), "laptop", "orchard", meeting, "Call with Ana about the totals", "Meeting"
    )
    yield Synced(_at(week, 4, "14:01"), "laptop")
    # The attic has no network: recorded in time, received after the lock.
    yield from _mill(week, 4, "15:00", 6, chance)
    lock_day = week.next()
    kept = _slots(week, 3, "9:00", 2)
    yield Edited(_at(lock_day, 0, "11:50"), "laptop", "orchard", kept, "Help page, with Ana's remarks")
    yield Edited(
        _at(lock_day, 0, "9:00"), "tower", "mill", _slots(week, 0, "14:00", 2), "October ledger, the rest"
    )
    yield Synced(_at(lock_day, 0, "15:00"), "tower", sends_late=True)


def _middle_week(week: Week, chance: Random) -> Iterator[Act]:
    """Too much for Orchard's limit; masked and missing pictures; two contracts in the same slots."""
    for day in range(5):
        yield from _orchard_day(week, day, "8:00", 16 if day < 4 else 20, chance)
        yield Synced(_at(week, day, "12:30"), "laptop")
    yield from _mill(week, 1, "14:00", 8, chance, looks=("masked", "picture"))
    yield from _mill(week, 3, "14:00", 5, chance, looks=("picture", "locked"))
    # The tower was left running while the laptop tracked too: one slot bills once.
    yield from _mill(week, 2, "9:30", 3, chance)
    for day in (1, 2, 3):
        yield Synced(_at(week, day, "18:00"), "tower")
    yield Removed(_at(week, 4, "16:00"), "laptop", "orchard", _slots(week, 0, "8:30", 2))
    yield Added(
        _at(week, 4, "16:05"),
        "laptop",
        "orchard",
        _slots(week, 3, "17:00", 4),
        "Workshop at the orchard",
        "Meeting",
    )
    yield Synced(_at(week, 4, "16:10"), "laptop")
    # On the train home there is no network: by Monday noon it is late, and waits for an answer.
    for slot in _slots(week, 4, "18:10", 5):
        yield _worked(
            "laptop", "orchard", slot, "Notes from the workshop", "Meeting", "editor", chance, look="picture"
        )


def _last_week(week: Week, chance: Random) -> Iterator[Act]:
    """The week under way: synced at noon, the rest of the day not yet."""
    for day in range(7):
        is_weekend = day > 4
        yield from _orchard_day(week, day, "8:00", 4 if is_weekend else 12, chance)
        yield Synced(_at(week, day, "12:00"), "laptop")
        yield from _orchard_day(week, day, "13:00", 2 if is_weekend else 4, chance)
        if day in {0, 2}:
            yield from _mill(week, day, "15:00", 6, chance)
            yield Synced(_at(week, day, "18:00"), "tower")
    yield Added(
        _at(week, 1, "12:30"), "laptop", "orchard", _slots(week, 1, "12:00", 2), "Stand-up", "Meeting"
    )


def _orchard_day(week: Week, day: int, start: str, slots: int, chance: Random) -> Iterator[Worked]:
    """A stretch for Orchard on the laptop: a memo for about an hour, sometimes a slot left out."""
    topic = chance.randrange(len(_ORCHARD))
    for number, slot in enumerate(_slots(week, day, start, slots)):
        if number % 5 == 0:
            topic = (topic + 1) % len(_ORCHARD)
        memo, label, scene = _ORCHARD[topic]
        if chance.random() < 0.06:
            continue  # a cup of tea: nothing was tracked
        look: Look = "masked" if chance.random() < 0.03 else "picture"
        yield _worked("laptop", "orchard", slot, memo, label, scene, chance, look=look)


def _mill(
    week: Week, day: int, start: str, slots: int, chance: Random, looks: tuple[Look, ...] = ("picture",)
) -> Iterator[Worked]:
    memo = chance.choice(_MILL)
    for number, slot in enumerate(_slots(week, day, start, slots)):
        look = looks[number % len(looks)]
        yield _worked("tower", "mill", slot, memo, None, "ledger", chance, look=look)


def _worked(
    device: Device,
    job: Job,
    slot: Slot,
    memo: str,
    label: str | None,
    scene: str,
    chance: Random,
    *,
    look: Look,
) -> Worked:
    taken_ms = starts_at_ms(slot) + chance.randrange(20_000, SLOT_MILLIS - 20_000)
    return Worked(
        # The tracker seals a few seconds after the slot's end.
        at_ms=ends_at_ms(slot) + 4_000,
        device=device,
        job=job,
        slot=slot,
        memo=memo,
        label=label,
        scene=scene,
        number=slot // 3 % 12,
        minutes=tuple(_minute(scene, chance) for _ in range(10)),
        taken_ms=taken_ms,
        look=look,
    )


def _minute(scene: str, chance: Random) -> MinuteCounts:
    """Return a believable minute: much typing in an editor, scrolling in a browser, now and then nothing."""
    if chance.random() < 0.18:
        return MinuteCounts(keystrokes=0, clicks=0, scrolls=0, os_active=False)
    typing = {"editor": 160, "terminal": 90, "ledger": 70}.get(scene, 20)
    return MinuteCounts(
        keystrokes=chance.randrange(typing),
        clicks=chance.randrange(9),
        scrolls=chance.randrange(30 if scene == "browser" else 8),
        os_active=True,
    )


def _at(week: Week, day: int, clock: str) -> int:
    hour, minute = clock.split(":")
    return week.starts_at_ms + (day * 24 * 60 + int(hour) * 60 + int(minute)) * MINUTE_MS


def _slots(week: Week, day: int, clock: str, count: int) -> tuple[Slot, ...]:
    hour, minute = clock.split(":")
    first = week.first_slot + day * SLOTS_PER_DAY + int(hour) * HOUR + int(minute) // 10
    return tuple(Slot(slot) for slot in range(first, first + count))
