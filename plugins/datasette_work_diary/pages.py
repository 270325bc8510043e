"""The diary's pages to look at: week, day, segment, pictures (R4, R5, R24, R52).

Each handler asks the diary once, in one of the viewer's threads, and hands values to a template.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from datasette.utils.asgi import NotFound, Response

from datasette_work_diary.day_page import DayPage, day_page
from datasette_work_diary.edit_fields import EditFields, ManualFields, Typed, edit_fields, manual_fields
from datasette_work_diary.frame import Handler, RefusalSaid, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import UTC, Reading, short_day
from datasette_work_diary.segment_page import SegmentPage, segment_page
from datasette_work_diary.week_page import WeekPage, week_page
from diary.checking import findings_json
from diary.diary import Diary
from diary.rules.ids import ContractId, Slot
from diary.rules.json_form import segment_json, week_json
from diary.rules.qualifies import Finding
from diary.rules.timesheet import Place, SegmentView, WeekView
from diary.rules.week import Week, local_date, local_day

AVIF_BRANDS = frozenset({b"avif", b"avis", b"mif1"})


async def newest(datasette: Any) -> Any:
    """Lead to the week that one opens the diary to see."""
    opened = await viewer_here(datasette).room.ask(week_to_open)
    return Response.redirect(f"/-/diary/week/{opened.name}")


def week_to_open(diary: Diary) -> Week:
    """Return the week of now, or the newest that holds anything."""
    now = Week.at(diary.now_ms())
    holding = diary.weeks()
    return now if now in holding or not holding else holding[0]


async def today(datasette: Any) -> Any:
    """Lead to the viewer's day of now (R5)."""

    def day_of_now(diary: Diary) -> date:
        reading = reading_of(diary)
        return reading.local(reading.now_ms).date()

    day = await viewer_here(datasette).room.ask(day_of_now)
    return Response.redirect(f"/-/diary/day/{day.isoformat()}")


async def go(request: Any) -> Any:
    """Lead to a day, or to the billing week that its noon in UTC belongs to (R2)."""
    day = day_named(request.args.get("day", ""))
    if request.args.get("room") != "week":
        return Response.redirect(f"/-/diary/day/{day.isoformat()}")
    found = day.isocalendar()
    return Response.redirect(f"/-/diary/week/{Week(found.year, found.week).name}")


async def week(datasette: Any, request: Any) -> Any:
    """Show a week (R4, R24); as JSON in the fields of CLI.md."""
    asked = week_named(request.url_vars["week"])

    def look(diary: Diary) -> tuple[Reading, WeekView, WeekPage]:
        reading, view = reading_of(diary), diary.week(asked)
        histories = {contract.id: contract.history for contract in diary.contracts()}
        return reading, view, week_page(view, histories, reading)

    reading, view, page = await viewer_here(datasette).room.ask(look)
    if request.url_vars["format"]:
        return Response.json(week_json(view))
    context = {"week": page, "room": "week"}
    way = crumbs((f"/-/diary/week/{page.name}", page.name))
    return await show(datasette, request, "week", reading, {**context, "crumbs_here": way})


def week_named(name: str) -> Week:
    """Return the week of an address; one that does not exist is a page not found."""
    try:
        return Week.parse(name)
    except ValueError as error:
        raise NotFound(str(error)) from error


def day_named(name: str) -> date:
    """Return the day of an address."""
    try:
        day = date.fromisoformat(name)
    except ValueError as error:
        raise NotFound(f"{name!r} is no day; a day is written like 2026-11-18.") from error
    try:
        local_day(day, UTC)
    except ValueError as error:  # Outside the years that a diary knows
        raise NotFound(str(error)) from error
    return day


def weeks_of_day(day: date, reading: Reading) -> list[Week]:
    """Return the one or two billing weeks that a local day touches (R5)."""
    slots = [slot for hour in local_day(day, reading.zone) for slot in hour.slots]
    return list(dict.fromkeys(Week.of(slot) for slot in (slots[:1] + slots[-1:])))


def segments_of_day(diary: Diary, day: date, reading: Reading) -> list[SegmentView]:
    """Return the segments of a local day, deleted ones included (R5)."""
    return [
        segment
        for found in weeks_of_day(day, reading)
        for segment in diary.week(found).segments
        if local_date(segment.slot, reading.zone) == day
    ]


@dataclass(frozen=True, slots=True)
class DaySeen:
    """What a look at a day found."""

    reading: Reading
    segments: list[SegmentView]
    page: DayPage
    manual: ManualFields


def look_at_day(diary: Diary, day: date, *, all_hours: bool, typed: Typed | None = None) -> DaySeen:
    """Return a local day as its page shows it."""
    reading = reading_of(diary)
    segments = segments_of_day(diary, day, reading)
    taken = [segment.slot for segment in segments if segment.state != "deleted"]
    return DaySeen(
        reading,
        segments,
        day_page(day, segments, reading, all_hours=all_hours),
        manual_fields(day, diary.contracts(), taken, reading, typed),
    )


async def show_day(
    datasette: Any, request: Any, seen: DaySeen, said: Sequence[RefusalSaid] = (), status: int = 200
) -> Any:
    """Return a day's page; `said` are refusals of the form on it."""
    context = {
        "day": seen.page,
        "manual": seen.manual,
        "room": "day" if seen.page.is_today else "",
        "here": f"/-/diary/day/{seen.page.iso}",
        "refusals_said": said,
        "crumbs_here": crumbs(
            (f"/-/diary/week/{seen.page.week}", seen.page.week),
            (f"/-/diary/day/{seen.page.iso}", seen.page.short),
        ),
    }
    return await show(datasette, request, "day", seen.reading, context, status)


async def day(datasette: Any, request: Any) -> Any:
    """Show a local day (R5, R24); as JSON its segments in the fields of CLI.md."""
    asked = day_named(request.url_vars["day"])
    all_hours = request.args.get("hours") == "all"

    def look(diary: Diary) -> DaySeen:
        return look_at_day(diary, asked, all_hours=all_hours)

    seen = await viewer_here(datasette).room.ask(look)
    if request.url_vars["format"]:
        segments = [segment_json(segment) for segment in seen.segments]
        return Response.json(
            {
                "day": seen.page.iso,
                "zone": seen.reading.zone.key,
                "week": seen.page.week,
                "segments": segments,
            }
        )
    return await show_day(datasette, request, seen)


@dataclass(frozen=True, slots=True)
class SegmentSeen:
    """What a look at a segment found."""

    reading: Reading
    segment: SegmentView
    findings: tuple[Finding, ...]
    page: SegmentPage
    edit: EditFields


async def segment(datasette: Any, request: Any) -> Any:
    """Show one segment with its picture and its checklist (R24, R30); as JSON in the fields of CLI.md."""
    place = (ContractId(request.url_vars["contract"]), Slot(int(request.url_vars["slot"])))

    def look(diary: Diary) -> SegmentSeen | None:
        return look_at_segment(diary, place)

    seen = await viewer_here(datasette).room.ask(look)
    if seen is None:
        raise NotFound("Nothing was recorded at this place.")
    if request.url_vars["format"]:
        return Response.json({**segment_json(seen.segment), "points": findings_json(seen.findings)})
    day_label = short_day(date.fromisoformat(seen.page.day_href.rpartition("/")[2]))
    context = {
        "segment": seen.page,
        "edit": seen.edit,
        "crumbs_here": crumbs(
            (seen.page.day_href, day_label), (request.path, seen.page.title.partition(",")[0])
        ),
    }
    return await show(datasette, request, "segment", seen.reading, context)


def look_at_segment(diary: Diary, place: Place) -> SegmentSeen | None:
    """Return a segment as its page shows it; None where nothing stands."""
    checked = diary.check_place(place)
    if checked is None:
        return None
    found, findings = checked.segment, checked.findings
    reading = reading_of(diary)
    others = [one for one in checked.week.segments if one.state != "deleted"]
    page = segment_page(found, diary.memo_history(place), others, findings, reading)
    back = f"/-/diary/segment/{found.contract}/{found.slot}"
    edit = edit_fields([found], diary.contracts(), back, reading)
    return SegmentSeen(reading, found, findings, page, edit)


async def picture(datasette: Any, request: Any) -> Any:
    """Send one opened picture, never to be kept by the browser (R52)."""
    name = request.url_vars["name"]
    opened = await viewer_here(datasette).room.ask(lambda diary: diary.picture(name))
    kind = picture_type(opened)
    if kind is None:
        raise NotFound("This is no picture of a kind that the diary writes.")
    return Response(opened, content_type=kind, headers={"content-length": str(len(opened))})


def picture_type(opened: bytes) -> str | None:
    """Return the media type of an opened picture by its first bytes; None for what no picture of ours is."""
    if opened[4:8] == b"ftyp" and opened[8:12] in AVIF_BRANDS:
        return "image/avif"
    if opened[:4] == b"RIFF" and opened[8:12] == b"WEBP":
        return "image/webp"
    return None


async def version(datasette: Any) -> Any:
    """Say by which text an open page can tell that something was written."""
    return Response.json({"version": viewer_here(datasette).version()})


async def home() -> Any:
    """Lead from Datasette's front page to the diary."""
    return Response.redirect("/-/diary")


ROUTES: list[tuple[str, Handler]] = [
    (r"^/$", home),
    (r"^/-/diary$", newest),
    (r"^/-/diary/go$", go),
    (r"^/-/diary/week/(?P<week>[0-9]{4}-W[0-9]{2})(?P<format>\.json)?$", week),
    (r"^/-/diary/day/today$", today),
    (r"^/-/diary/day/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?P<format>\.json)?$", day),
    (r"^/-/diary/segment/(?P<contract>[0-9a-f]{32})/(?P<slot>[0-9]{1,10})(?P<format>\.json)?$", segment),
    (r"^/-/diary/picture/(?P<name>[0-9a-z-]{1,128})$", picture),
    (r"^/-/diary/version\.json$", version),
]
