"""`today`, `week`, `show`, `search`: what the diary holds (R5, R24, R31)."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from diary.command.chosen import places_of
from diary.command.desk import AsJson, Slots, Utc, WeekName, desk_of, print_json, say, tell, zone_of
from diary.command.progress import shown
from diary.command.tables import Sheet, hours
from diary.errors import NothingError
from diary.rules.deadline import left
from diary.rules.delay import delays_say
from diary.rules.json_form import at, iso, seal_json, segment_json, week_json
from diary.rules.money import money
from diary.rules.timesheet import MemoBar, SegmentView, WeekView, day_grid
from diary.rules.week import Week, local_date, local_day
from diary.when import week_of

if TYPE_CHECKING:
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)

FOUND_MAX = 200  # a longer list is not read; a longer word finds less


class NotFoundError(NothingError):
    """Nothing that was looked for is here."""

    says = "Nothing holds “{text}”."
    mend = "Memos, labels, applications and titles are searched, large and small letters alike."


@app.command()
def today(ctx: typer.Context, *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Show today's segments, each with its line's number for @3."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        sheet = sheet_of(diary, utc=utc)
        day = at(diary.now_ms()).astimezone(sheet.zone).date()
        shown = [one for one in of_day(diary, day, sheet.zone) if one.state != "deleted"]
        running = diary.tracking()
    desk.list_places([((one.contract, one.slot),) for one in shown])
    if as_json:
        print_json({"day": day.isoformat(), "segments": [segment_json(one) for one in shown]})
        return
    if shown:
        sheet.segments(shown, with_day=False)
    billable = sum(one.bills for one in shown)
    say_sum = f"{hours(len(shown))} recorded, {hours(billable)} bills" if shown else "Nothing recorded today"
    tell(f"{say_sum}; tracking is {'on' if running.on else 'off'}.")


@app.command()
def week(ctx: typer.Context, name: WeekName = "this", *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Show a week: memo bars by day, sums by contract, and how long it can be changed."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        now_ms = diary.now_ms()
        view = diary.week(week_of(name, now_ms=now_ms))
        sheet = sheet_of(diary, utc=utc)
    bars = week_bars(view, sheet.zone)
    desk.list_places([[(each.contract, slot) for slot in each.slots] for each in bars])
    if as_json:
        print_json(week_json(view) | {"seals": [seal_json(seal) for seal in view.seals]})
        return
    if bars:
        sheet.bars(bars)
        sheet.console.print()
        sheet.totals(view.totals)
    else:
        tell(f"Nothing stands in {view.week.name}.")
    tell(deadline(view, sheet, now_ms))
    titles = {total.contract: total.contract_title for total in view.totals}
    for seal in view.seals:
        anew = "" if seal.replaces is None else f", in place of seal {seal.replaces}"
        tell(
            f"Sealed {sheet.moment(seal.sealed_at_ms)}: {titles.get(seal.contract, seal.contract[:8])},"
            f" seal {seal.number}{anew}, {seal.billable} segments,"
            f" {money(seal.amount_minor, seal.currency)} {seal.currency}."
        )
    if delays := delays_say(view.segments):
        tell(delays)


@app.command()
def show(ctx: typer.Context, slots: Slots, *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Show all that is known of segments, minute by minute, with the memos they had before."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        sheet = sheet_of(diary, utc=utc)
        places = places_of(diary, desk, slots, sheet.zone)
        views = [view for place in places if (view := diary.segment(place)) is not None]
        old = {(view.contract, view.slot): diary.memo_history((view.contract, view.slot)) for view in views}
    if as_json:
        print_json([segment_json(view) for view in views])
        return
    for number, view in enumerate(views):
        if number:
            sheet.console.print()
        sheet.segment(view)
        for text in old[view.contract, view.slot]:
            if text.text != view.memo:
                tell(f"until then: {text.text!r}, typed {sheet.moment(text.stamp[0])}")


@app.command()
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    *,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Find segments by memo, label, application or title, the newest first."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        sheet = sheet_of(diary, utc=utc)
        with shown("Reading the diary", desk.clock) as progress:
            result = diary.search(text, limit=None if as_json else FOUND_MAX, progress=progress)
            # Each is shown as its week has it: of hits in sixty weeks that takes as long again.
            views = [diary.segment((hit.contract, hit.slot)) for hit in result.hits]
        found = [view for view in views if view is not None]
    desk.list_places([((one.contract, one.slot),) for one in found])
    if as_json:
        print_json([segment_json(one) for one in found])
        return
    if not found:
        raise NotFoundError(text=text)
    sheet.segments(found, with_day=True)
    if result.more:
        say(f"Older ones are left out: these are the newest {len(found)}.")


def sheet_of(diary: "Diary", *, utc: bool) -> Sheet:
    """Return the sheet that prints as this diary's settings say (R5)."""
    return Sheet(zone_of(diary, utc=utc), clock_24h=bool(diary.setting("clock_24h")))


def of_day(diary: "Diary", day: date, zone: ZoneInfo) -> Sequence[SegmentView]:
    """Return the segments that start in a local day, in order of time, deleted ones included (R5)."""
    slots = [slot for hour in local_day(day, zone) for slot in hour.slots]
    weeks = dict.fromkeys(Week.of(slot) for slot in (slots[0], slots[-1])) if slots else {}
    inside = set(slots)
    return [one for week in weeks for one in diary.week(week).segments if one.slot in inside]


def week_bars(view: WeekView, zone: ZoneInfo) -> list[MemoBar]:
    """Return a billing week's memo bars by local day; days at its edges hold what is of this week."""
    days = sorted({local_date(one.slot, zone) for one in view.segments})
    return [each for day in days for each in day_grid(view.segments, day, zone).bars]


def deadline(view: WeekView, sheet: Sheet, now_ms: int) -> str:
    """Return how long the week can still be changed, in words and as an instant (R3, R4)."""
    lock = f"{sheet.moment(view.locked_at_ms)} ({iso(view.locked_at_ms)})"
    if view.frozen:
        return f"{view.week.name} is frozen since {lock}."
    open_until = f"can be changed until {lock}: {left(view.locked_at_ms, now_ms)} left."
    if now_ms < view.week.ends_at_ms:
        return f"{view.week.name} ends {sheet.moment(view.week.ends_at_ms)}; it {open_until}"
    return f"{view.week.name} {open_until}"
