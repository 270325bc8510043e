"""The day's page as values: hours by six segments, memo bars in lanes, gaps, manual time (R5, R21, R24).

Pure: segments, terms and a `Reading` come in; the template only loops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from datasette_work_diary.reading import Reading, hours, long_day, short_day
from datasette_work_diary.week_page import Notice, segment_href
from datasette_work_diary.wording import Mark, can_go, marks_of, removal_word
from diary.rules.delay import delays_say
from diary.rules.ids import MINUTES_PER_SLOT, SLOT_MILLIS
from diary.rules.timesheet import (
    BAR_WORDS,
    NOT_COUNTED,
    Cell,
    DayGrid,
    HourRow,
    MemoBar,
    SegmentView,
    bar_of,
    day_grid,
)
from diary.rules.week import Week, ends_at_ms, starts_at_ms

COLUMNS = 6
EMPTY_DAY_HOURS = range(8, 18)  # what an empty day shows before one asks for all of it
MINUTE_WIDTH = 5  # in the units of the activity drawing


@dataclass(frozen=True, slots=True)
class ActiveMinute:
    """One of ten small bars; `active` is "yes", "no" or "untracked"."""

    x: int
    active: str


@dataclass(frozen=True, slots=True)
class SegmentCell:
    """One segment in the sheet."""

    id: str
    place: str
    href: str
    named: str
    time: str
    state: str
    bar: str
    thumbnail: str
    no_picture: str
    activity: int
    activity_minutes: tuple[ActiveMinute, ...]
    marks: tuple[Mark, ...]
    selectable: bool


@dataclass(frozen=True, slots=True)
class SheetCell:
    """Ten minutes of the sheet; `outside` where the hour has no such minutes (a zone cut it)."""

    time: str
    segments: tuple[SegmentCell, ...]
    outside: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a memo bar within one hour, or room between two (`bar` empty)."""

    span: int
    bar: str = ""
    contract: str = ""
    memo: str = ""
    edge: str = "whole"


@dataclass(frozen=True, slots=True)
class SheetHour:
    """One row of the sheet: its bars in lanes and its six cells."""

    label: str
    offset: str
    lanes: tuple[tuple[Piece, ...], ...]
    cells: tuple[SheetCell, ...]

    @property
    def rows(self) -> int:
        """Return how many table rows the hour takes."""
        return len(self.lanes) + 1

    @property
    def filled(self) -> bool:
        """Return whether anything stands in the hour."""
        return any(cell.segments for cell in self.cells)


@dataclass(frozen=True, slots=True)
class DayPage:
    """All that the day's template shows."""

    iso: str
    title: str
    short: str
    is_today: bool
    week: str
    says: str
    previous: str
    next: str
    notices: tuple[Notice, ...]
    columns: tuple[str, ...]
    hours: tuple[SheetHour, ...]
    hour_count: int
    hidden_hours: int
    all_hours: bool
    changeable: bool
    remove_word: str


def day_page(
    day: date, segments: Sequence[SegmentView], reading: Reading, *, all_hours: bool = False
) -> DayPage:
    """Return a local day as hours by six (R5, R24).

    `segments` are those of every week the day touches, in any order; others are left out. Hours before the
    first and after the last with anything in them are hidden unless `all_hours`.
    """
    grid = day_grid(segments, day, reading.zone)
    slots = [cell.slot for hour in grid.hours for cell in hour.cells]
    mine = [segment for hour in grid.hours for cell in hour.cells for segment in cell.segments]
    live = [segment for segment in mine if segment.state != "deleted"]
    sheet = _sheet(grid, reading)
    shown = sheet if all_hours else _worked(sheet)
    weeks = [Week.of(slots[0]), Week.of(slots[-1])] if slots else [Week.at(reading.now_ms)] * 2
    noon_week = Week.of(slots[len(slots) // 2]) if slots else weeks[0]
    return DayPage(
        iso=day.isoformat(),
        title=long_day(day),
        short=short_day(day),
        is_today=reading.local(reading.now_ms).date() == day,
        week=noon_week.name,
        says=_says(live),
        previous=(day - timedelta(days=1)).isoformat(),
        next=(day + timedelta(days=1)).isoformat(),
        notices=_notices(weeks, live, reading),
        columns=_columns(grid, reading),
        hours=tuple(shown),
        hour_count=len(sheet),
        hidden_hours=len(sheet) - len(shown),
        all_hours=all_hours,
        changeable=(not weeks[-1].is_frozen(reading.now_ms) and not reading.for_client)
        or any(segment.selectable for hour in sheet for cell in hour.cells for segment in cell.segments),
        remove_word=removal_word(week_has_ended=reading.now_ms >= weeks[-1].ends_at_ms, many=True),
    )


def _says(live: list[SegmentView]) -> str:
    recorded = [segment for segment in live if segment.state not in NOT_COUNTED]
    if not live:
        return "nothing recorded"
    bills = sum(segment.bills for segment in recorded)
    parts = [hours(len(recorded)) if recorded else "the first segment is under way"]
    if bills != len(recorded):
        parts.append(f"{hours(bills)} bill" if bills else "nothing bills")
    if recorded and any(segment.state == "draft" for segment in live):
        parts.append("one under way")
    return ", ".join(parts)


def _notices(weeks: list[Week], live: list[SegmentView], reading: Reading) -> tuple[Notice, ...]:
    frozen = [week for week in dict.fromkeys(weeks) if week.is_frozen(reading.now_ms)]
    notices = [
        Notice(
            f"{week.name} is frozen since {reading.both(week.locked_at_ms)}: nothing of it can be changed."
        )
        for week in frozen
    ]
    if delays := delays_say(live):
        notices.append(Notice(delays))
    return tuple(notices)


def _columns(grid: DayGrid, reading: Reading) -> tuple[str, ...]:
    """Return the start minutes of the six columns: Kathmandu's start at :05 (R5)."""
    if not grid.hours:
        return ()
    first = reading.local(grid.hours[0].starts_at_ms).minute % MINUTES_PER_SLOT
    return tuple(f"{first + column * MINUTES_PER_SLOT:02}" for column in range(COLUMNS))


def _sheet(grid: DayGrid, reading: Reading) -> list[SheetHour]:
    sheet = []
    for hour in grid.hours:
        places = _by_column(hour, reading)
        sheet.append(
            SheetHour(
                label=reading.hour(hour.label),
                offset=hour.offset if hour.repeated else "",
                lanes=_lanes(grid.bars, places),
                cells=tuple(_cell(place, reading) for place in places),
            )
        )
    return sheet


def _by_column(hour: HourRow, reading: Reading) -> list[Cell | None]:
    """Return the hour's six places, None where the zone cut the hour (R5)."""
    places: list[Cell | None] = [None] * COLUMNS
    for cell in hour.cells:
        places[reading.local(cell.starts_at_ms).minute // MINUTES_PER_SLOT] = cell
    return places


def _worked(sheet: list[SheetHour]) -> list[SheetHour]:
    filled = [number for number, hour in enumerate(sheet) if hour.filled]
    if filled:
        return sheet[max(0, filled[0] - 1) : filled[-1] + 2]
    return sheet[EMPTY_DAY_HOURS.start : EMPTY_DAY_HOURS.stop]


def _lanes(bars: Sequence[MemoBar], places: list[Cell | None]) -> tuple[tuple[Piece, ...], ...]:
    """Return the bars' pieces within one hour, each lane filling all six columns."""
    lanes: list[list[tuple[int, int, MemoBar]]] = []
    for bar in bars:
        columns = [
            column for column, cell in enumerate(places) if cell is not None and cell.slot in bar.slots
        ]
        if columns:
            start, stop = columns[0], columns[-1] + 1
            lane = next((lane for lane in lanes if lane[-1][1] <= start), None)
            if lane is None:
                lanes.append(lane := [])
            lane.append((start, stop, bar))
    return tuple(_filled_lane(lane, places) for lane in lanes)


def _filled_lane(lane: list[tuple[int, int, MemoBar]], places: list[Cell | None]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    free = 0
    for start, stop, bar in lane:
        if start > free:
            pieces.append(Piece(start - free))
        pieces.append(
            Piece(stop - start, bar.bar, bar.contract_title, bar.memo, _edge(bar, places[start:stop]))
        )
        free = stop
    if free < COLUMNS:
        pieces.append(Piece(COLUMNS - free))
    return tuple(pieces)


def _edge(bar: MemoBar, within: list[Cell | None]) -> str:
    """Return which ends of the bar this hour cuts off."""
    first, last = within[0], within[-1]
    cut_start = first is not None and first.starts_at_ms > bar.starts_at_ms
    cut_end = last is not None and ends_at_ms(last.slot) < bar.ends_at_ms
    if cut_start and cut_end:
        return "cut-both"
    return "cut-start" if cut_start else "cut-end" if cut_end else "whole"


def _cell(cell: Cell | None, reading: Reading) -> SheetCell:
    if cell is None:
        return SheetCell(time="", segments=(), outside=True, deleted=False)
    live = [segment for segment in cell.segments if segment.state != "deleted"]
    return SheetCell(
        time=reading.time(cell.starts_at_ms),
        segments=tuple(segment_cell(segment, reading) for segment in live),
        outside=False,
        deleted=len(live) < len(cell.segments),
    )


def segment_cell(segment: SegmentView, reading: Reading) -> SegmentCell:
    """Return one segment as a cell of the sheet (R24)."""
    at_ms = starts_at_ms(segment.slot)
    bar = bar_of(segment)
    signs = marks_of(segment)
    spoken = [
        reading.span(at_ms, at_ms + SLOT_MILLIS),
        segment.contract_title,
        BAR_WORDS[bar],
        f"{segment.activity} of 10 minutes active" if segment.kind == "automatic" else "",
        "input not counted" if segment.is_uncounted else "",
        *(sign.word for sign in signs),
        segment.memo or "no memo",
    ]
    thumbnail = next(filter(None, (shot.small for shot in segment.snapshots)), "")
    return SegmentCell(
        id=f"{segment.contract[:8]}-{segment.slot}",
        place=place_name(segment),
        href=segment_href(segment),
        named=", ".join(word for word in spoken if word),
        time=reading.time(at_ms),
        state=segment.state,
        bar=bar,
        thumbnail=f"/-/diary/picture/{thumbnail}" if thumbnail else "",
        no_picture=why_no_picture(segment),
        activity=segment.activity,
        activity_minutes=active_minutes(segment),
        marks=signs,
        selectable=not reading.for_client
        and can_go(segment, frozen=Week.of(segment.slot).is_frozen(reading.now_ms)),
    )


def why_no_picture(segment: SegmentView) -> str:
    """Return why a segment shows no picture (R16, R21)."""
    if segment.no_picture:
        return "; ".join(segment.no_picture)
    if segment.redacted:
        return "redacted by both parties"
    if segment.state == "draft":
        return "under way, no snapshot yet"
    if segment.kind == "manual" and segment.tracked_minutes == 0:
        return "manual time"
    if segment.misses_picture:
        return "missing: not at the server, nor here"
    return "no picture here yet"


def active_minutes(segment: SegmentView) -> tuple[ActiveMinute, ...]:
    """Return ten small bars, one a minute (R14)."""
    return tuple(
        ActiveMinute(
            number * MINUTE_WIDTH, "untracked" if minute is None else "yes" if minute.is_active else "no"
        )
        for number, minute in enumerate(segment.minutes)
    )


def place_name(segment: SegmentView) -> str:
    """Return a place as a form sends it."""
    return f"{segment.contract}/{segment.slot}"
