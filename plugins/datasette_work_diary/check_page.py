"""The check's page as values: what qualifies, what fails, how each point is mended and until when (R4, R30).

Pure: a `WeekCheck` and a `Reading` come in; the template only loops.
"""

from dataclasses import dataclass

from datasette_work_diary.reading import Reading, counted, time_left
from datasette_work_diary.week_page import (
    Deadline,
    Link,
    Reason,
    deadlines,
    heading_of,
    not_billing,
    place_link,
)
from diary.checking import WeekCheck
from diary.rules.delay import delays_say
from diary.rules.qualifies import ContractCheck, Finding, Outcome, Point
from diary.rules.timesheet import SegmentView

PLACES_SHOWN = 12
PROMISE = "To qualify is no promise of payment, and nothing on this page changes what bills."

POINT_WORDS: dict[Point, str] = {
    "hourly": "Hourly contract",
    "billing_verified": "Billing method verified",
    "good_standing": "Account in good standing",
    "tracked": "Recorded by the tracker",
    "sound": "Sound content",
    "picture": "Picture",
    "memo": "Memo",
    "label": "Label",
    "activity": "Activity",
    "within_limit": "Within the weekly limit",
    "before_lock": "Received before the lock",
    "within_a_day": "Received within 24 hours",
}
OUTCOME_WORDS: dict[Outcome, tuple[str, str]] = {
    "holds": ("✓", "yes"),
    "fails": ("✕", "no"),
    "open": ("…", "not yet"),
    "unknown": ("?", "not known"),
}
# What the edit form mends, for all of a point's segments at once.
_EDITED: dict[Point, str] = {"memo": "Write a memo", "label": "Choose a label"}


@dataclass(frozen=True, slots=True)
class PointShown:
    """One point of a segment's checklist; `left` is how long it can be mended, "" where it cannot."""

    sign: str
    outcome: str
    word: str
    title: str
    says: str
    mend: str
    left: str


@dataclass(frozen=True, slots=True)
class Failing:
    """One point that some segments of a contract fail.

    `act` names the button that opens the edit form on all of them, "" where no form mends it.
    """

    title: str
    length: str
    says: str
    mend: str
    left: str
    act: str
    form_places: tuple[str, ...]
    places: tuple[Link, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ContractShown:
    """One contract's week."""

    id: str
    title: str
    sum: str
    qualifying: int
    counted: int
    activity: str
    activity_holds: bool
    failing: tuple[Failing, ...]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """All that the check's template shows."""

    name: str
    heading: str
    state_says: str
    previous: str
    next: str
    back: str
    contracts: tuple[ContractShown, ...]
    waiting: str
    delays: str
    deadlines: tuple[Deadline, ...]
    not_billing: tuple[Reason, ...]
    promise: str


def check_page(found: WeekCheck, reading: Reading) -> CheckPage:
    """Return the check's page as it reads at the reading's instant (R30)."""
    week = found.view.week
    live = [segment for segment in found.view.segments if segment.state != "deleted"]
    return CheckPage(
        name=week.name,
        heading=heading_of(week),
        state_says="frozen: nothing can be mended any more" if found.view.frozen else "open",
        previous=week.previous().name,
        next=week.next().name,
        back=f"/-/diary/check/{week.name}",
        contracts=tuple(_contract(found, one, reading) for one in found.contracts),
        waiting=_waiting(found),
        delays=delays_say(live),
        deadlines=deadlines(week, reading),
        not_billing=not_billing(live, reading, frozen=found.view.frozen),
        promise=PROMISE,
    )


def points_shown(findings: tuple[Finding, ...], reading: Reading) -> tuple[PointShown, ...]:
    """Return a segment's checklist, what fails first (R30)."""
    order: dict[Outcome, int] = {"fails": 0, "open": 1, "unknown": 2, "holds": 3}
    return tuple(_point(each, reading) for each in sorted(findings, key=lambda each: order[each.outcome]))


def _point(finding: Finding, reading: Reading) -> PointShown:
    sign, word = OUTCOME_WORDS[finding.outcome]
    title = POINT_WORDS[finding.point]
    return PointShown(sign, finding.outcome, word, title, finding.says, finding.mend, _left(finding, reading))


def _left(finding: Finding, reading: Reading) -> str:
    return "" if finding.until_ms is None else time_left(finding.until_ms - reading.now_ms)


def _contract(found: WeekCheck, one: ContractCheck, reading: Reading) -> ContractShown:
    least = found.thresholds.week
    activity = "None was tracked."
    if one.activity is not None:
        enough = "more than" if one.activity_holds else "not more than"
        activity = (
            f"{float(one.activity):.1f} of 10 minutes active on average, {enough} the {least} asked for."
        )
    return ContractShown(
        id=one.contract,
        title=one.contract_title,
        sum=f"{one.qualifying:,} of {counted(one.counted, 'segment')} qualify.",
        qualifying=one.qualifying,
        counted=one.counted,
        activity=activity,
        activity_holds=one.activity_holds,
        failing=tuple(_failing(finding, segments, reading) for finding, segments in one.failing.items()),
    )


def _failing(finding: Finding, segments: tuple[SegmentView, ...], reading: Reading) -> Failing:
    return Failing(
        title=POINT_WORDS[finding.point],
        length=counted(len(segments), "segment"),
        says=finding.says,
        mend=finding.mend or "It cannot be mended.",
        left=_left(finding, reading),
        act=_EDITED.get(finding.point, "") if finding.mend else "",
        form_places=tuple(f"{segment.contract}/{segment.slot}" for segment in segments),
        places=tuple(place_link(segment, reading) for segment in segments[:PLACES_SHOWN]),
        more=max(0, len(segments) - PLACES_SHOWN),
    )


def _waiting(found: WeekCheck) -> str:
    """Return how many segments the server has still to receive in time, or an empty string."""
    waiting = sum(
        any(finding.outcome == "open" for finding in findings) for findings in found.findings.values()
    )
    return f"{counted(waiting, 'segment')} still to be received by the server." if waiting else ""
