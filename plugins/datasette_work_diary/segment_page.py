"""One segment's page as values: picture, minutes, texts, what bills and until when it can go (R4, R14).

Pure: a `SegmentView`, its history and a `Reading` come in; the template only loops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from datasette_work_diary.check_page import PointShown, points_shown
from datasette_work_diary.day_page import place_name, why_no_picture
from datasette_work_diary.reading import Reading, counted, length, short_day, time_left
from datasette_work_diary.week_page import segment_href
from datasette_work_diary.wording import (
    BILLS,
    WHY_NOT,
    Mark,
    can_change,
    can_go,
    marks_of,
    mend_of,
    removal_word,
)
from diary.rules.delay import DELAY_WORDS, delay_of
from diary.rules.ids import MINUTES_PER_SLOT
from diary.rules.qualifies import Finding
from diary.rules.sealed_content import MinuteCounts, StampedText
from diary.rules.timesheet import SegmentView, bar_of
from diary.rules.week import Week, ends_at_ms, local_date, starts_at_ms

CHART_HEIGHT = 80
CHART_STEP = 40  # a minute's width in the chart's units, its bar 30 wide
EVENTS_AT_FULL_HEIGHT = 60  # one event a second draws a full bar; more draws no higher
BAR_HEIGHT_MIN = 3
UNCOUNTED = "not counted"
MINUTE_MILLIS = 60_000
NOT_HERE = "It is not on this device."
GAVE_WAY = "It gave way on this device and is at the server."


@dataclass(frozen=True, slots=True)
class PictureShown:
    """A picture with its words; `href` is empty where it is not here.

    `thinned`: it is the thumbnail, and the picture is fetched when it is asked for (R31).
    """

    href: str
    alt: str
    caption: str
    missing: str
    thinned: bool = False


@dataclass(frozen=True, slots=True)
class MinuteLine:
    """One minute's counts as text (R14)."""

    time: str
    keystrokes: str
    clicks: str
    scrolls: str
    active: str


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One minute as a bar: its height is keystrokes, clicks and scrolls together."""

    x: int
    y: int
    height: int
    middle: int
    minute: int
    active: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class OldText:
    """A memo as it was before (R26)."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """All that the segment's template shows."""

    title: str
    contract: str
    client: str
    utc: str
    place: str
    bar: str
    marks: tuple[Mark, ...]
    disputed: bool
    memo: str
    label: str
    pictures: tuple[PictureShown, ...]
    no_picture: str
    activity_says: str
    chart: tuple[ChartBar, ...]
    chart_says: str
    minutes: tuple[MinuteLine, ...]
    bills_title: str
    bills_why: str
    facts: tuple[Fact, ...]
    history: tuple[OldText, ...]
    points: tuple[PointShown, ...]
    points_say: str
    changeable: bool
    removable: bool
    why_not_changeable: str
    remove_word: str
    remove_deadline: str
    day_href: str
    json_href: str
    previous: str
    next: str


def segment_page(
    segment: SegmentView,
    history: Sequence[StampedText],
    neighbours: Sequence[SegmentView],
    findings: tuple[Finding, ...],
    reading: Reading,
) -> SegmentPage:
    """Return one segment's page (R24, R30).

    `neighbours` are the live segments of its week, in order of time; `findings` is its checklist.
    """
    week = Week.of(segment.slot)
    at_ms, end_ms = starts_at_ms(segment.slot), ends_at_ms(segment.slot)
    day = local_date(segment.slot, reading.zone)
    ended = reading.now_ms >= week.ends_at_ms
    frozen = week.is_frozen(reading.now_ms)
    before, after = _beside(segment, neighbours)
    title, why = _bills(segment, frozen=frozen)
    return SegmentPage(
        title=f"{reading.span(at_ms, end_ms)}, {short_day(day)}",
        contract=segment.contract_title,
        client=segment.client,
        utc=reading.utc(at_ms),
        place=place_name(segment),
        bar=bar_of(segment),
        marks=marks_of(segment),
        disputed=segment.disputed,
        memo=segment.memo,
        label=segment.label,
        pictures=_pictures(segment, reading),
        no_picture=why_no_picture(segment),
        activity_says=_activity_says(segment),
        chart=_chart(segment.minutes) if segment.tracked_minutes else (),
        chart_says=f"Input by minute: {_activity_says(segment)}",
        minutes=tuple(
            _minute(at_ms, number, minute, reading) for number, minute in enumerate(segment.minutes)
        ),
        bills_title=title,
        bills_why=why,
        facts=_facts(segment, reading),
        history=tuple(OldText(old.text, reading.instant(old.stamp[0])) for old in history),
        points=points_shown(findings, reading),
        points_say=_points_say(findings),
        changeable=can_change(segment, frozen=frozen or reading.for_client),
        removable=can_go(segment, frozen=frozen) and not reading.for_client,
        why_not_changeable=_why_not_changeable(segment, week, reading),
        remove_word=removal_word(week_has_ended=ended, many=False),
        remove_deadline=_until(week, reading),
        day_href=f"/-/diary/day/{day.isoformat()}",
        json_href=f"{segment_href(segment)}.json",
        previous=segment_href(before) if before else "",
        next=segment_href(after) if after else "",
    )


def _points_say(findings: tuple[Finding, ...]) -> str:
    failing = sum(finding.outcome == "fails" for finding in findings)
    if failing:
        return (
            f"It does not qualify: {counted(failing, 'point')} of {len(findings)} fail{'s' * (failing == 1)}."
        )
    outcomes = {finding.outcome for finding in findings}
    if "open" in outcomes:
        return "It qualifies once the server has it in time."
    return "It qualifies, as far as is known." if "unknown" in outcomes else "It qualifies."


def _beside(
    segment: SegmentView, neighbours: Sequence[SegmentView]
) -> tuple[SegmentView | None, SegmentView | None]:
    here = (segment.slot, segment.contract)
    before = [other for other in neighbours if (other.slot, other.contract) < here]
    after = [other for other in neighbours if (other.slot, other.contract) > here]
    return before[-1] if before else None, after[0] if after else None


def _until(week: Week, reading: Reading) -> str:
    """Return until when it can go, by the deadline that is next (R4)."""
    if week.is_frozen(reading.now_ms):
        return "The week is frozen; this can still go, as it did not reach the server before the lock."
    ended = reading.now_ms >= week.ends_at_ms
    at_ms = week.locked_at_ms if ended else week.ends_at_ms
    what = "Time can be deleted until" if ended else "Snapshots can be removed until"
    return f"{what} {reading.both(at_ms)}: {time_left(at_ms - reading.now_ms)}."


def _why_not_changeable(segment: SegmentView, week: Week, reading: Reading) -> str:
    if reading.for_client:
        return "The freelancer writes it; this is a copy to read."
    if segment.state == "deleted":
        return "This segment was deleted."
    if segment.state == "refused":
        return "This time was refused; it stands in the list of refused changes only."
    if segment.accepted:
        return "Your client accepted this late time; it stands as it is."
    return f"The week is frozen since {reading.both(week.locked_at_ms)}: week_locked."


def _pictures(segment: SegmentView, reading: Reading) -> tuple[PictureShown, ...]:
    shown = []
    for snapshot in segment.snapshots:
        taken = reading.time(snapshot.taken_at_ms)
        by = f" on {snapshot.device}" if snapshot.device else ""
        for name, what in ((snapshot.screen, "Screen"), (snapshot.camera, "Camera")):
            if name:
                late = ". Missing: it was due at the server and is not there." if snapshot.missing else ""
                caption = f"{what} at {taken}{by}{late}"
                thinned = snapshot.thinned and what == "Screen"
                seen = name if snapshot.is_here else snapshot.thumbnail if thinned else ""
                href = f"/-/diary/picture/{seen}" if seen else ""
                missing = "" if href else GAVE_WAY if snapshot.thinned else NOT_HERE
                shown.append(PictureShown(href, caption, caption, missing, thinned))
    return tuple(shown)


def _activity_says(segment: SegmentView) -> str:
    if not segment.tracked_minutes:
        return "Nothing was tracked: manual time has no counts."
    active = f"{segment.activity} of 10 minutes active"
    if segment.is_uncounted:
        active += " as far as the desktop saw (it let no program count input)"
    if segment.tracked_minutes < MINUTES_PER_SLOT:
        return f"{active}, {segment.tracked_minutes} of 10 tracked."
    return f"{active}."


def _chart(minutes: Sequence[MinuteCounts | None]) -> tuple[ChartBar, ...]:
    bars = []
    for number, minute in enumerate(minutes):
        events = (
            0 if minute is None else sum(filter(None, (minute.keystrokes, minute.clicks, minute.scrolls)))
        )
        full = min(events, EVENTS_AT_FULL_HEIGHT) * CHART_HEIGHT // EVENTS_AT_FULL_HEIGHT
        height = max(full, BAR_HEIGHT_MIN)
        active = "untracked" if minute is None else "yes" if minute.is_active else "no"
        x = number * CHART_STEP + 5
        bars.append(ChartBar(x, CHART_HEIGHT - height, height, x + 15, number + 1, active))
    return tuple(bars)


def _minute(at_ms: int, number: int, minute: MinuteCounts | None, reading: Reading) -> MinuteLine:
    time = reading.time(at_ms + number * MINUTE_MILLIS)
    if minute is None:
        return MinuteLine(time, "", "", "", "not tracked")
    counts = (minute.keystrokes, minute.clicks, minute.scrolls)
    texts = [UNCOUNTED if count is None else f"{count:,}" for count in counts]
    return MinuteLine(time, texts[0], texts[1], texts[2], "active" if minute.is_active else "idle")


def _bills(segment: SegmentView, *, frozen: bool) -> tuple[str, str]:
    if segment.state == "draft":
        return "Under way", "It is recorded when its ten minutes are over."
    if segment.why_not:
        words = WHY_NOT[segment.why_not]
        return (
            f"Does not bill: {words.title.lower()}",
            f"{words.why} {mend_of(segment.why_not, frozen=frozen)}",
        )
    if segment.is_bonus:
        return "Bills as a bonus", "It is late, and your client accepted it: it stands as it is."
    if segment.bills:
        return (
            "Bills",
            BILLS if segment.received_at_ms else "It bills once the server has it before the lock.",
        )
    return "Does not bill", ""


def _facts(segment: SegmentView, reading: Reading) -> tuple[Fact, ...]:
    received, delay = "not yet", ""
    if segment.received_at_ms is not None:
        received = reading.both(segment.received_at_ms)
        after = length(segment.received_at_ms - ends_at_ms(segment.slot))
        delay = f"{after} after its end: {DELAY_WORDS[delay_of(segment.slot, segment.received_at_ms)]}"
    facts = [
        Fact("State", segment.state),
        Fact("Received", received),
        Fact("Delay", delay),
        Fact("Application", ", ".join(segment.applications)),
        Fact("Window title", " · ".join(segment.titles)),
        Fact("Recorded on", ", ".join(segment.devices)),
        Fact("Leaf in the log", "" if segment.leaf_index is None else f"{segment.leaf_index:,}"),
    ]
    return tuple(fact for fact in facts if fact.value)
