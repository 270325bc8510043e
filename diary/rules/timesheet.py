"""The timesheet as data: segments, days, weeks and sums as they are shown, no HTML (R5, R24, R31, R61).

The field names of `SegmentView` and `Totals` are those of CLI.md; others build on them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from diary.rules import ids
from diary.rules.contract import TermsHistory
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import LocalHour, Week, ends_at_ms, local_day, starts_at_ms

Kind = Literal["automatic", "manual"]
State = Literal["draft", "held", "unsynced", "synced", "late", "refused", "deleted"]
WhyNot = Literal["deleted", "late", "overlapping", "over_limit", "manual_not_allowed", "fixed_price"]
Bar = Literal["automatic", "manual", "over_limit"]
Mark = Literal[
    "draft",
    "held",
    "not synced",
    "late",
    "overlapping",
    "masked",
    "no picture",
    "missing",
    "refused",
    "deleted",
    "defective",
    "accepted",
    "disputed",
    "redacted",
]

BAR_WORDS: Mapping[Bar, str] = {
    "automatic": "automatic",
    "manual": "manual",
    "over_limit": "over the limit",
}
"""Each bar's word: colour is never the only sign (R24)."""

NOT_COUNTED: frozenset[State] = frozenset({"draft", "refused", "deleted"})
"""Not yet time, not taken, or no longer there: no sum counts these (R12, R25, R31)."""

Place = ids.Place
"""Where a segment stands."""


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """One snapshot: names of its pictures (SHA-256 of ciphertext), "" where there is none.

    `missing`: one of them was due at the server and is not there (R41). `is_here`: all lie on this device.
    `thinned`: some gave way to the thumbnail here, and lie at the server (R31).
    """

    taken_at_ms: Millis
    screen: str
    thumbnail: str
    camera: str
    device: str
    missing: bool = False
    is_here: bool = True
    thinned: bool = False

    @property
    def small(self) -> str:
        """Return the name of the picture that a small view shows, "" where none lies here."""
        if self.is_here:
            return self.thumbnail or self.screen
        return self.thumbnail if self.thinned else ""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One segment as its owner sees it.

    `minutes` has ten items: the merged counts, None where nothing tracked. `activity` is the number of
    active minutes, 0 to 10. `life` and `versions` (names of the standing versions) let a page say what an
    act will cover. A deleted segment has empty texts and no pictures. `accepted`: the client accepted it
    though it is late (R38); `disputed`: they dispute it (R62); `redacted`: both parties had its content
    destroyed, and nothing but its time and its bill is left (R54).
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
    accepted: bool = False
    disputed: bool = False
    redacted: bool = False

    @property
    def is_bonus(self) -> bool:
        """Return whether it bills apart from its week: late time that the client accepted (R38)."""
        return self.bills and self.accepted and self.state == "late"

    @property
    def synced(self) -> bool:
        """Return whether the server has every version of it."""
        return self.state in {"synced", "late"}

    @property
    def misses_picture(self) -> bool:
        """Return whether a picture of it was due at the server and is not there (R41)."""
        return any(snapshot.missing for snapshot in self.snapshots)

    @property
    def tracked_minutes(self) -> int:
        """Return how many of the ten minutes were tracked (R12)."""
        return sum(minute is not None for minute in self.minutes)

    @property
    def is_uncounted(self) -> bool:
        """Return whether it was tracked where no program may count input: nothing is known of it (R14)."""
        return self.tracked_minutes > 0 and not any(minute and minute.is_counted for minute in self.minutes)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one contract in one week, in segments; `amount_minor` in the currency's minor unit (R61).

    `segments` counts live ones; `manual`, `automatic`, `over_limit`, `late` and `overlapping` are parts of
    it that overlap; `billable` is what bills, `bonus` the part of it that the client accepted though it is
    late, beside the limit (R38).
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
    bonus: int = 0


@dataclass(frozen=True, slots=True)
class SealView:
    """What the server signed of a contract's frozen week, and this device makes of it too (R57).

    `number` counts the contract's seals; `replaces` is that of the earlier one whose place it takes (R43).
    """

    contract: ContractId
    number: int
    sealed_at_ms: Millis
    billable: int
    amount_minor: int
    currency: str
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class WeekView:
    """A week as it stands on this device: segments by slot, then contract; deleted ones included.

    `seals` are those of its contracts that this device bears out; none before the lock.
    """

    week: Week
    locked_at_ms: Millis
    frozen: bool
    segments: tuple[SegmentView, ...]
    totals: tuple[Totals, ...]
    seals: tuple[SealView, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """Ten minutes of a day: the segments that stand there, by contract, deleted ones last (R24)."""

    slot: Slot
    starts_at_ms: Millis
    segments: tuple[SegmentView, ...]


@dataclass(frozen=True, slots=True)
class HourRow:
    """One local hour: six cells but where the zone cut it; the offset is to be shown if repeated (R5)."""

    label: str
    offset: str
    repeated: bool
    starts_at_ms: Millis
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class MemoBar:
    """A run of neighbouring slots of one contract with one memo and one bar, within a local day (R24)."""

    contract: ContractId
    contract_title: str
    memo: str
    bar: Bar
    starts_at_ms: Millis
    ends_at_ms: Millis
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class DayGrid:
    """A local day as hours by six segments; `bars` are in order of time, then of contract (R24)."""

    hours: tuple[HourRow, ...]
    bars: tuple[MemoBar, ...]


def day_grid(week_segments: Sequence[SegmentView], day: date, zone: ZoneInfo) -> DayGrid:
    """Return a local day as it is shown (R5, R24).

    `week_segments` are those of every week that the day touches, in any order; those of other days are left
    out. Deleted and refused segments stand in their cells and in no bar.
    """
    at: dict[Slot, list[SegmentView]] = defaultdict(list)
    for segment in sorted(week_segments, key=lambda one: (one.state == "deleted", one.contract)):
        at[segment.slot].append(segment)
    hours = tuple(_row(hour, at) for hour in local_day(day, zone))
    shown = [segment for hour in hours for cell in hour.cells for segment in cell.segments]
    return DayGrid(hours=hours, bars=_bars(shown))


def bar_of(segment: SegmentView) -> Bar:
    """Return which bar a segment belongs to: a kind, or over the weekly limit (R24)."""
    return "over_limit" if segment.why_not == "over_limit" else segment.kind


def marks(segment: SegmentView) -> tuple[Mark, ...]:
    """Return the marks of a segment, each a word of its own beside the bar's colour (R24, R47)."""
    state: dict[State, Mark] = {
        "draft": "draft",
        "held": "held",
        "unsynced": "not synced",
        "refused": "refused",
        "deleted": "deleted",
    }
    if segment.state == "deleted":
        return ("deleted",)
    found: list[Mark] = [state[segment.state]] if segment.state in state else []
    if segment.state == "late" or segment.why_not == "late":
        found.append("late")
    if segment.why_not == "overlapping":
        found.append("overlapping")
    if segment.masked:
        found.append("masked")
    if segment.no_picture and not segment.snapshots:
        found.append("no picture")
    if segment.misses_picture:
        found.append("missing")
    if segment.defective:
        found.append("defective")
    if segment.accepted:
        found.append("accepted")
    if segment.disputed:
        found.append("disputed")
    if segment.redacted:
        found.append("redacted")
    return tuple(found)


def amount_minor(billable: int, rate_minor: int) -> int:
    """Return segments x rate / 6 in the currency's minor unit, exact, rounded half up once (R61)."""
    return (billable * rate_minor + 3) // 6


def totals(
    segments: Iterable[SegmentView],
    histories: Mapping[ContractId, TermsHistory],
    titles: Mapping[ContractId, str],
) -> tuple[Totals, ...]:
    """Return the sums of one week, a contract each, by title (R31, R61).

    What does not bill is counted apart and is in no amount; what is not yet or no longer time is left out.

    Raises:
        ValueError: The segments are of more than one week.
    """
    by_contract: dict[ContractId, list[SegmentView]] = defaultdict(list)
    weeks: set[Week] = set()
    for segment in segments:
        weeks.add(Week.of(segment.slot))
        if segment.state not in NOT_COUNTED:
            by_contract[segment.contract].append(segment)
    if len(weeks) > 1:
        raise ValueError(f"sums are of one week, not of {len(weeks)}")
    return tuple(
        _total(week, contract, titles[contract], by_contract[contract], histories[contract])
        for week in weeks
        for contract in sorted(by_contract, key=lambda contract: (titles[contract], contract))
    )


def _row(hour: LocalHour, at: Mapping[Slot, Sequence[SegmentView]]) -> HourRow:
    return HourRow(
        label=hour.label,
        offset=hour.offset,
        repeated=hour.repeated,
        starts_at_ms=hour.starts_at_ms,
        cells=tuple(Cell(slot, starts_at_ms(slot), tuple(at.get(slot, ()))) for slot in hour.slots),
    )


def _bars(segments: Iterable[SegmentView]) -> tuple[MemoBar, ...]:
    """Return the runs of the segments, which may be of several contracts in one slot."""
    live = [segment for segment in segments if segment.state not in {"deleted", "refused"}]
    runs: list[list[SegmentView]] = []
    for segment in sorted(live, key=lambda one: (one.contract, one.slot)):
        if runs and _continues(runs[-1][-1], segment):
            runs[-1].append(segment)
        else:
            runs.append([segment])
    bars = (
        MemoBar(
            contract=run[0].contract,
            contract_title=run[0].contract_title,
            memo=run[0].memo,
            bar=bar_of(run[0]),
            starts_at_ms=starts_at_ms(run[0].slot),
            ends_at_ms=ends_at_ms(run[-1].slot),
            slots=tuple(segment.slot for segment in run),
        )
        for run in runs
    )
    return tuple(sorted(bars, key=lambda bar: (bar.starts_at_ms, bar.contract)))


def _continues(one: SegmentView, following: SegmentView) -> bool:
    return (one.contract, one.slot + 1, one.memo, bar_of(one)) == (
        following.contract,
        following.slot,
        following.memo,
        bar_of(following),
    )


def _total(
    week: Week, contract: ContractId, title: str, segments: Sequence[SegmentView], history: TermsHistory
) -> Totals:
    rate_minor, currency = history.rate_of(week)
    billable = sum(segment.bills for segment in segments)
    return Totals(
        contract=contract,
        contract_title=title,
        segments=len(segments),
        automatic=sum(segment.kind == "automatic" for segment in segments),
        manual=sum(segment.kind == "manual" for segment in segments),
        over_limit=sum(segment.why_not == "over_limit" for segment in segments),
        late=sum(segment.why_not == "late" for segment in segments),
        overlapping=sum(segment.why_not == "overlapping" for segment in segments),
        billable=billable,
        limit_minutes=history.limit_minutes(week),
        rate_minor=rate_minor,
        currency=currency,
        amount_minor=amount_minor(billable, rate_minor),
        bonus=sum(segment.is_bonus for segment in segments),
    )
