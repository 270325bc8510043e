"""The timesheet as data: segments, days and weeks as they are shown, no HTML (R5, R24, R31).

The field names of `SegmentView` and `Totals` are those of CLI.md; others build on them.
"""

from dataclasses import dataclass
from typing import Literal

from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.segment import MinuteCounts
from diary.rules.week import Week

Kind = Literal["automatic", "manual"]
State = Literal["draft", "held", "unsynced", "synced", "late", "refused", "deleted"]
WhyNot = Literal["deleted", "late", "overlapping", "over_limit", "manual_not_allowed", "fixed_price"]

Place = tuple[ContractId, Slot]
"""Where a segment stands."""


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """One snapshot: names of its pictures (SHA-256 of ciphertext), "" where there is none."""

    taken_at_ms: Millis
    screen: str
    thumbnail: str
    camera: str
    device: str


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One segment as its owner sees it.

    `minutes` has ten items: the merged counts, None where nothing tracked. `activity` is the number of
    active minutes, 0 to 10. `life` and `versions` (names of the standing versions) let a page say what an
    act will cover. A deleted segment has empty texts and no pictures.
    """

    contract: ContractId
    contract_title: str
    client: str
    slot: Slot
    kind: Kind
    state: State
    memo: str
    label: str
    activity: int
    minutes: tuple[MinuteCounts | None, ...]
    applications: tuple[str, ...]
    titles: tuple[str, ...]
    snapshots: tuple[SnapshotView, ...]
    masked: bool
    no_picture: tuple[str, ...]
    devices: tuple[str, ...]
    received_at_ms: Millis | None
    leaf_index: int | None
    bills: bool
    why_not: WhyNot | None
    life: int
    versions: tuple[tuple[ReplicaId, int], ...]
    defective: bool
    hourly: bool

    @property
    def synced(self) -> bool:
        """Return whether the server has every version of it."""
        return self.state in {"synced", "late"}

    @property
    def tracked_minutes(self) -> int:
        """Return how many of the ten minutes were tracked (R12)."""
        return sum(minute is not None for minute in self.minutes)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one contract in one week, in segments; `amount_minor` in the currency's minor unit (R61).

    `segments` counts live ones; `manual`, `automatic`, `over_limit`, `late` and `overlapping` are parts of
    it that overlap; `billable` is what bills.
    """

    contract: ContractId
    contract_title: str
    segments: int
    automatic: int
    manual: int
    over_limit: int
    late: int
    overlapping: int
    billable: int
    limit_minutes: int | None
    rate_minor: int
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class WeekView:
    """A week as it stands on this device: segments by slot, then contract; deleted ones included."""

    week: Week
    locked_at_ms: Millis
    frozen: bool
    segments: tuple[SegmentView, ...]
    totals: tuple[Totals, ...]
