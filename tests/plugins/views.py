"""Segments and weeks as values, for tests of pages that need no diary."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from datasette_work_diary.reading import Reading
from diary.rules.contract import TermsHistory, TermsVersion
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.segment import TermsInClear
from diary.rules.timesheet import SegmentView, SnapshotView, WeekView, totals
from diary.rules.week import Week
from tests import practice

ORCHARD = ContractId("a" * 32)
SHELTER = ContractId("b" * 32)
TITLES = {ORCHARD: "Orchard", SHELTER: "Night shelter"}
REPLICA = ReplicaId("c" * 32)
ACTIVE = MinuteCounts(40, 3, 1, True)
IDLE = MinuteCounts(0, 0, 0, False)
TERMS = TermsInClear(
    state="active",
    kind="hourly",
    limit_minutes=1200,
    manual_allowed=True,
    masking_allowed=True,
    label_required=False,
    rate_minor=6000,
    currency="USD",
)
HISTORIES = {contract: TermsHistory((TermsVersion(TERMS, Millis(0), (REPLICA, 1)),)) for contract in TITLES}


def slot(text: str) -> Slot:
    """Return the slot of "2026-11-18T09:00" in UTC."""
    return practice.slot(f"{text}Z")


def reading(now: str = "2026-11-20T11:24", zone: str = "UTC", *, clock_24h: bool = True) -> Reading:
    """Return how a page is read at an instant of UTC."""
    return Reading(ZoneInfo(zone), clock_24h, practice.instant(f"{now}Z"))


SYNCED = SegmentView(
    contract=ORCHARD,
    contract_title="Orchard",
    client="Orchard Ltd",
    slot=slot("2026-11-18T09:00"),
    kind="automatic",
    state="synced",
    memo="Rework the calendar",
    label="Development",
    activity=9,
    minutes=(*(ACTIVE,) * 9, IDLE),
    applications=("Code",),
    titles=("calendar.ts",),
    snapshots=(SnapshotView(practice.instant("2026-11-18T09:04Z"), "1" * 64, "2" * 64, "", "laptop"),),
    masked=False,
    no_picture=(),
    devices=("laptop",),
    received_at_ms=practice.instant("2026-11-18T09:11Z"),
    leaf_index=7,
    bills=True,
    why_not=None,
    life=0,
    versions=((REPLICA, 2),),
    defective=False,
    hourly=True,
)


def segment(at: str, **fields: object) -> SegmentView:
    """Return a synced segment at an instant of UTC, with other fields where given."""
    return replace(SYNCED, slot=slot(at), **fields)  # type: ignore[arg-type]  # a test says what it varies


def manual(at: str, **fields: object) -> SegmentView:
    """Return a segment of manual time."""
    none: dict[str, object] = {"minutes": (None,) * 10, "activity": 0, "applications": (), "titles": ()}
    return segment(at, kind="manual", snapshots=(), **(none | fields))


def week_view(*segments: SegmentView, now: str = "2026-11-20T11:24", week: str = "2026-W47") -> WeekView:
    """Return the week that holds these segments."""
    which = Week.parse(week)
    in_order = tuple(sorted(segments, key=lambda one: (one.slot, one.contract)))
    return WeekView(
        week=which,
        locked_at_ms=which.locked_at_ms,
        frozen=which.is_frozen(practice.instant(f"{now}Z")),
        segments=in_order,
        totals=totals(in_order, HISTORIES, TITLES),
    )
