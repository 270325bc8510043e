"""The segment under way, and what is asked of the tracker: values only (R12-R14, R19)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Millis, Slot
from diary.rules.sealed_content import MinuteCounts, Moment, StampedText

BEGINNING = Millis(0)
NO_MINUTES: tuple[MinuteCounts | None, ...] = (None,) * MINUTES_PER_SLOT


@dataclass(frozen=True, slots=True)
class Wish:
    """What the freelancer asked for: a contract of None means off (R11).

    `since_ms` is when tracking of it began; `paused_until_ms` ends a pause by itself (R23).
    """

    contract: ContractId | None
    since_ms: Millis = BEGINNING
    memo: StampedText | None = None
    label: StampedText | None = None
    paused_until_ms: Millis | None = None

    def is_on(self, at_ms: Millis) -> bool:
        """Return whether time is to be tracked at this instant."""
        return self.contract is not None and (self.paused_until_ms is None or at_ms >= self.paused_until_ms)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one tick saw (R14).

    The counts are since the last tick, None where the desktop lets no program count. `idle_ms` is how long
    the operating system saw no input, None where it does not say.
    """

    keystrokes: int | None = None
    clicks: int | None = None
    scrolls: int | None = None
    idle_ms: int | None = None

    @property
    def has_input(self) -> bool:
        """Return whether anything was counted."""
        return bool(self.keystrokes or self.clicks or self.scrolls)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the snapshot's moment showed (R13, R16). `pictures` are (role, bytes), none where `no_picture`.

    `masked`: a private window was blacked out, or the title is hidden (R22). `camera_fault` says why a camera
    that is turned on gave no frame.
    """

    moment: Moment
    application: str = ""
    title: str = ""
    no_picture: str | None = None
    pictures: tuple[tuple[str, bytes], ...] = ()
    masked: bool = False
    camera_fault: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The segment under way. `missed`: tracking was off at its moment, so nothing will be recorded (R12)."""

    contract: ContractId
    slot: Slot
    drawn_ms: Millis
    minutes: tuple[MinuteCounts | None, ...] = NO_MINUTES
    memo: StampedText | None = None
    label: StampedText | None = None
    snapshot: Snapshot | None = None
    missed: bool = False
    removed: bool = False

    @property
    def tracked_minutes(self) -> int:
        """Return in how many of the ten minutes tracking was on."""
        return sum(minute is not None for minute in self.minutes)

    def with_minutes(
        self, indexes: Iterable[int], sample: Sample | None, active_minute: int | None
    ) -> "Draft":
        """Return the draft with these minutes tracked, the sample's counts added to the last of them.

        `active_minute` is the minute in which the operating system saw the user, None where it saw nobody.
        """
        minutes = list(self.minutes)
        last = -1
        for last in indexes:
            minutes[last] = minutes[last] or MinuteCounts(None, None, None, os_active=False)
        if sample is not None and (counted := minutes[last]) is not None:
            minutes[last] = MinuteCounts(
                _sum(counted.keystrokes, sample.keystrokes),
                _sum(counted.clicks, sample.clicks),
                _sum(counted.scrolls, sample.scrolls),
                os_active=counted.os_active,
            )
        if active_minute is not None and active_minute >= 0 and (seen := minutes[active_minute]) is not None:
            minutes[active_minute] = MinuteCounts(seen.keystrokes, seen.clicks, seen.scrolls, os_active=True)
        return replace(self, minutes=tuple(minutes))


def _sum(before: int | None, more: int | None) -> int | None:
    """Return the sum; None, "not counted", only while nothing was ever counted (R14)."""
    return more if before is None else before + (more or 0)
