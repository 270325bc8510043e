"""The week's page as values: totals, deadlines, days and what does not bill (R4, R5, R24, R27, R28, R31).

Pure: a `WeekView`, the contracts' terms and a `Reading` come in; the template only loops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from datasette_work_diary.reading import (
    Reading,
    counted,
    hours,
    hours_and_minutes,
    long_day,
    money,
    short_day,
    time_left,
)
from datasette_work_diary.wording import WHY_NOT, mend_of
from diary.rules.contract import TermsHistory
from diary.rules.delay import delays_say
from diary.rules.ids import SLOT_MILLIS, ContractId, Slot
from diary.rules.json_form import iso
from diary.rules.timesheet import NOT_COUNTED, SegmentView, Totals, WeekView, day_grid
from diary.rules.week import Week, local_date, local_day, starts_at_ms

BARS_SHOWN = 6  # a day's bars on the week's page; the day's own page has them all
PLACES_SHOWN = 12
TICK_SLOTS = 36  # a line every six hours


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the top; `tone` is "plain" or "problem"."""

    says: str
    tone: str = "plain"
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class TotalsLine:
    """One contract's sums as figures; lengths as "2:20"."""

    title: str
    automatic: str
    manual: str
    not_billed: str
    billable: str
    billable_segments: int
    limit: str
    limit_segments: int
    amount: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when something can be done, with the time left (R4)."""

    what: str
    left: str
    utc: str
    here: str
    iso: str
    over: bool


@dataclass(frozen=True, slots=True)
class StripBar:
    """A memo bar in a day's strip: `x` and `width` in slots, and its line of text."""

    bar: str
    x: int
    width: int
    y: float
    height: float
    when: str
    contract: str
    memo: str


@dataclass(frozen=True, slots=True)
class WeekDay:
    """One local day that shares time with the week."""

    iso: str
    title: str
    today: bool
    part: str
    recorded: str
    not_billed: str
    bars: tuple[StripBar, ...]
    strip_width: int
    ticks: tuple[int, ...]
    bars_shown: int
    bars_more: int


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go."""

    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for which time does not bill, and where."""

    title: str
    length: str
    why: str
    mend: str
    places: tuple[Link, ...]
    more: int


@dataclass(frozen=True, slots=True)
class WeekPage:
    """All that the week's template shows."""

    name: str
    heading: str
    first_day: str
    state: str
    state_says: str
    previous: str
    next: str
    notices: tuple[Notice, ...]
    totals: tuple[TotalsLine, ...]
    sum: TotalsLine | None
    deadlines: tuple[Deadline, ...]
    days: tuple[WeekDay, ...]
    not_billing: tuple[Reason, ...]


def week_page(view: WeekView, histories: Mapping[ContractId, TermsHistory], reading: Reading) -> WeekPage:
    """Return the week's page as it reads at the reading's instant (R24)."""
    week = view.week
    live = [segment for segment in view.segments if segment.state != "deleted"]
    lines = tuple(_line(totals, histories, week) for totals in view.totals)
    return WeekPage(
        name=week.name,
        heading=heading_of(week),
        first_day=date.fromisocalendar(week.year, week.number, 1).isoformat(),
        state="frozen" if view.frozen else "open",
        state_says=_state_says(view, reading),
        previous=week.previous().name,
        next=week.next().name,
        notices=_notices(live, frozen=view.frozen),
        totals=lines,
        sum=_sum(view.totals) if len(lines) > 1 else None,
        deadlines=deadlines(week, reading),
        days=tuple(_day(live, day, week, reading) for day in local_days(week, reading)),
        not_billing=not_billing(live, reading, frozen=view.frozen),
    )


def heading_of(week: Week) -> str:
    """Return "Week 47, 16–22 November 2026", the days being UTC's (R2)."""
    first = date.fromisocalendar(week.year, week.number, 1)
    last = first + timedelta(days=6)
    start = str(first.day)
    if first.month != last.month:
        start = " ".join(long_day(first).split()[1 : 3 if first.year == last.year else 4])
    end = " ".join(long_day(last).split()[1:])
    return f"Week {week.number}, {start}–{end}"


def local_days(week: Week, reading: Reading) -> list[date]:
    """Return the viewer's days that share time with the week: seven, or eight away from UTC (R5)."""
    first = local_date(week.first_slot, reading.zone)
    last = reading.local(week.ends_at_ms - 1).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def deadlines(week: Week, reading: Reading) -> tuple[Deadline, ...]:
    """Return both deadlines with the time left (R4)."""
    both = (
        ("Remove a snapshot (and its time), until Sunday 24:00 UTC", week.ends_at_ms),
        ("Any change, and deleting a time (and its snapshot), until Monday 12:00 UTC", week.locked_at_ms),
    )
    return tuple(
        Deadline(
            what=what,
            left=time_left(at_ms - reading.now_ms),
            utc=reading.utc(at_ms),
            here=reading.here(at_ms),
            iso=iso(at_ms),
            over=at_ms <= reading.now_ms,
        )
        for what, at_ms in both
    )


def _state_says(view: WeekView, reading: Reading) -> str:
    if view.frozen:
        sealed = f", sealed {reading.utc(view.seals[0].sealed_at_ms)}" if view.seals else ""
        return f"frozen since {reading.utc(view.locked_at_ms)}{sealed}: nothing can be changed"
    if reading.now_ms < view.week.ends_at_ms:
        return "open"
    return "over, and open to changes until Monday 12:00 UTC"


def _notices(live: list[SegmentView], *, frozen: bool) -> tuple[Notice, ...]:
    unsynced = sum(segment.state == "unsynced" for segment in live)
    held = sum(segment.state == "held" for segment in live)
    refused = sum(segment.state == "refused" for segment in live)
    named = (segment for segment in live if segment.state not in NOT_COUNTED and not segment.redacted)
    nameless = sum(not segment.memo for segment in named)
    notices = []
    if unsynced:
        late = (
            "They arrive as late time." if frozen else "They count once the server has them, before the lock."
        )
        notices.append(Notice(f"{counted(unsynced, 'segment')} not synced. {late}", "problem"))
    if held and not frozen:  # past the lock it waits for an answer, as every page says (R38)
        notices.append(Notice(f"{counted(held, 'segment')} held back for the notice period."))
    if refused:
        says = f"{counted(refused, 'segment')} with a refused change."
        notices.append(Notice(says, "problem", "/-/diary/refused", "See why"))
    if disputed := sum(segment.disputed for segment in live):
        says = f"{counted(disputed, 'segment')} disputed by the client."
        notices.append(Notice(says, "problem", "/-/diary/contracts", "Read why"))
    if bonus := sum(segment.is_bonus for segment in live):
        notices.append(Notice(f"{counted(bonus, 'segment')} of late time accepted: they bill as a bonus."))
    if nameless:
        notices.append(Notice(f"{counted(nameless, 'segment')} without a memo."))
    if delays := delays_say(live):
        notices.append(Notice(delays))
    return tuple(notices)


def _line(totals: Totals, histories: Mapping[ContractId, TermsHistory], week: Week) -> TotalsLine:
    history = histories.get(totals.contract)
    limit = history.limit_segments(week) if history else None
    return TotalsLine(
        title=totals.contract_title,
        automatic=hours_and_minutes(totals.automatic),
        manual=hours_and_minutes(totals.manual),
        not_billed=hours_and_minutes(totals.segments - totals.billable),
        billable=hours_and_minutes(totals.billable),
        billable_segments=totals.billable,
        limit="" if limit is None else hours(limit),
        limit_segments=limit or 0,
        amount=money(totals.amount_minor, totals.currency),
    )


def _sum(totals: tuple[Totals, ...]) -> TotalsLine:
    billable = sum(line.billable for line in totals)
    return TotalsLine(
        title="Together",
        automatic=hours_and_minutes(sum(line.automatic for line in totals)),
        manual=hours_and_minutes(sum(line.manual for line in totals)),
        not_billed=hours_and_minutes(sum(line.segments for line in totals) - billable),
        billable=hours_and_minutes(billable),
        billable_segments=billable,
        limit="",
        limit_segments=0,
        amount="",
    )


def _day(live: list[SegmentView], day: date, week: Week, reading: Reading) -> WeekDay:
    slots = [slot for hour in local_day(day, reading.zone) for slot in hour.slots]
    of_week = week.slots
    inside = [slot for slot in slots if slot in of_week]
    of_day = frozenset(inside)
    mine = [segment for segment in live if segment.slot in of_day and segment.state not in NOT_COUNTED]
    bars = _strip(mine, day, slots[0] if slots else 0, reading)
    not_billed = sum(not segment.bills for segment in mine)
    return WeekDay(
        iso=day.isoformat(),
        title=" ".join(short_day(day).split()[:3]),
        today=reading.local(reading.now_ms).date() == day,
        part=_part(slots, inside, reading),
        recorded=hours(len(mine)) if mine else "",
        not_billed=hours(not_billed) if not_billed else "",
        bars=bars,
        strip_width=len(slots),
        ticks=tuple(range(TICK_SLOTS, len(slots), TICK_SLOTS)),
        bars_shown=BARS_SHOWN,
        bars_more=max(0, len(bars) - BARS_SHOWN),
    )


def _part(slots: list[Slot], inside: list[Slot], reading: Reading) -> str:
    """Return which part of a local day belongs to the week, where it is not all of it (R5)."""
    if len(slots) == len(inside) or not inside:
        return ""
    if inside[0] != slots[0]:
        return f"from {reading.time(inside[0] * SLOT_MILLIS)}"
    return f"until {reading.time((inside[-1] + 1) * SLOT_MILLIS)}"


def _strip(mine: list[SegmentView], day: date, first_slot: int, reading: Reading) -> tuple[StripBar, ...]:
    bars = day_grid(mine, day, reading.zone).bars
    lanes: list[int] = []  # where each lane is free again
    placed = []
    for bar in bars:
        lane = next((number for number, free in enumerate(lanes) if free <= bar.starts_at_ms), len(lanes))
        lanes[lane : lane + 1] = [bar.ends_at_ms]
        placed.append((bar, lane))
    height = 12 / (len(lanes) or 1)
    return tuple(
        StripBar(
            bar=bar.bar,
            x=bar.starts_at_ms // SLOT_MILLIS - first_slot,
            width=(bar.ends_at_ms - bar.starts_at_ms) // SLOT_MILLIS,
            y=lane * height,
            height=height,
            when=reading.span(bar.starts_at_ms, bar.ends_at_ms),
            contract=bar.contract_title,
            memo=bar.memo,
        )
        for bar, lane in placed
    )


def not_billing(live: Sequence[SegmentView], reading: Reading, *, frozen: bool) -> tuple[Reason, ...]:
    """Return each reason for which live time does not bill, with where (R27, R28)."""
    reasons = []
    for word, words in WHY_NOT.items():
        found = [segment for segment in live if segment.why_not == word and segment.state not in NOT_COUNTED]
        if found and word != "deleted":
            shown = found[:PLACES_SHOWN]
            reasons.append(
                Reason(
                    title=words.title,
                    length=hours(len(found)),
                    why=words.why,
                    mend=mend_of(word, frozen=frozen),
                    places=tuple(place_link(one, reading) for one in shown),
                    more=len(found) - len(shown),
                )
            )
    return tuple(reasons)


def segment_href(segment: SegmentView) -> str:
    """Return the address of a segment's page."""
    return f"/-/diary/segment/{segment.contract}/{segment.slot}"


def place_link(segment: SegmentView, reading: Reading) -> Link:
    """Return a link to a segment's page, named by weekday and time."""
    at_ms = starts_at_ms(segment.slot)
    label = f"{long_day(reading.local(at_ms).date())[:3]} {reading.time(at_ms)}"
    return Link(segment_href(segment), label)
