"""`report`: sums by label, day, application or contract (R31)."""

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from diary.command.desk import AsJson, Utc, desk_of, print_json, tell, zone_of
from diary.command.progress import shown
from diary.reporting import days_of, keys_of, segments_of_days, segments_of_weeks
from diary.rules.progress import Progress
from diary.rules.report import Key, Sum, columns, row, rows_json, sums_by, together
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week, local_date, slot_at
from diary.when import BadTimeError, spans_of, week_of

if TYPE_CHECKING:
    from diary.look_door import LookDoor

app = typer.Typer(rich_markup_mode=None)


@app.command()
def report(
    ctx: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WEEK|SPAN]...", help="2026-W47, this, last; or yesterday; else this week."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="KEYS", help="label, day, app, contract, or several.")] = "day",
    contract: Annotated[str | None, typer.Option(metavar="C", help="Only this contract.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this day on, by itself to today.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="To this day, by itself this day alone.")
    ] = None,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Sum up time by label, day, application or contract; what does not bill stands apart."""
    keys = keys_of(by)
    if what and (first or last):
        raise typer.BadParameter("weeks and spans, or --from and --to, not both")
    desk = desk_of(ctx)
    with desk.open_look() as diary:
        zone = zone_of(diary, utc=utc)
        only = None if contract is None else diary.contract(contract).id
        with shown("Reading the diary", desk.clock) as progress:
            if first or last:
                today = local_date(slot_at(diary.now_ms()), zone).isoformat()
                days = days_of(first or last or today, last or today)
                segments = segments_of_days(diary, days, zone, contract=only, progress=progress)
            else:
                found = _segments(diary, what or ["this"], zone, progress)
                segments = [one for one in found if only in {None, one.contract}]
    sums = sums_by(keys, segments, zone)
    if as_json:
        print_json(rows_json(keys, sums))
    elif csv:
        from diary.evidence.table_text import table

        typer.echo(table(columns(keys), map(row, sums)), nl=False)
    else:
        _print(keys, sums)


def _segments(diary: "LookDoor", words: list[str], zone: ZoneInfo, progress: Progress) -> list[SegmentView]:
    """Return the segments of weeks, each named by a word, or else of the spans that the words name.

    Raises:
        BadTimeError: They are neither.
    """
    now_ms = diary.now_ms()
    try:
        weeks = [week_of(word, now_ms=now_ms) for word in words]
    except BadTimeError:
        slots = {slot for span in spans_of(words, now_ms=now_ms, zone=zone) for slot in span.slots}
        of_slots = sorted({Week.of(slot) for slot in slots})
        return [one for one in segments_of_weeks(diary, of_slots, progress=progress) if one.slot in slots]
    return segments_of_weeks(diary, dict.fromkeys(weeks), progress=progress)


def _print(keys: tuple[Key, ...], sums: list[Sum]) -> None:
    from diary.command.tables import hours, plain, plain_console, plain_table

    if not sums:
        tell("Nothing was recorded.")
        return
    printed = plain_table(*(key.capitalize() for key in keys), "Bills")
    for one in sums:
        printed.add_row(*(plain(part or "–") for part in one.key), hours(one.billable))
    console = plain_console()
    console.print(printed)
    # What does not bill is no part of any sum, and is never left unsaid (R31).
    whole = together(sums)
    tell(f"Together {hours(whole.billable)}. Does not bill: {hours(whole.not_billable)}.")
