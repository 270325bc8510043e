"""`export`: a week's or a span's tables and pictures for a dispute (R58)."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, say, tell, zone_of
from diary.command.progress import shown
from diary.errors import UsageError
from diary.exporting import PAGE, PICTURES, SEGMENTS, TOTALS, Chosen, Exported, free_folder, is_ours
from diary.exporting import export as write_export
from diary.rules.counted import counted
from diary.rules.ids import ContractId, Slot
from diary.rules.json_form import at, iso
from diary.rules.week import Week, starts_at_ms
from diary.when import BadTimeError, spans_of, week_of

app = typer.Typer(rich_markup_mode=None)

WITHOUT_SHOWN = 20


class InTheWayError(UsageError):
    """There is something else where the export would be written."""

    says = "{folder} holds something that is no export."
    mend = "Name another folder with --out, or move it away; {free} is free."


@app.command()
def export(
    ctx: typer.Context,
    what: Annotated[
        list[str], typer.Argument(metavar="WEEK|SPAN", help="2026-W47, this, last; or monday 9-17, yesterday")
    ],
    contract: Annotated[str | None, typer.Option(metavar="C", help="Only this contract.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the week's folder is made; else right here.")
    ] = None,
    *,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Write the snapshots beside the table.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Write a week or a span as CSV, a line a segment, and its sums; a spreadsheet opens both safely."""
    desk = desk_of(ctx)
    # Thinned pictures are fetched from the server, which is not looking alone.
    with desk.open_diary() if pictures else desk.open_look() as diary:
        zone = zone_of(diary, utc=utc)
        only = None if contract is None else diary.contract(contract).id
        chosen = _chosen(what, now_ms=diary.now_ms(), zone=zone, contract=only)
        folder = (out or Path.cwd()) / chosen.name
        if folder.exists():
            if not is_ours(folder):
                raise InTheWayError(folder=folder, free=free_folder(folder))
            agree(f"{folder} holds an earlier export. Replace it?", yes=yes)
        with shown("Exporting", desk.clock) as progress:
            done = write_export(diary, chosen, folder, zone=zone, pictures=pictures, progress=progress)
    _tell(done, zone, as_json=as_json)


def _chosen(words: list[str], *, now_ms: int, zone: ZoneInfo, contract: ContractId | None) -> Chosen:
    """Return what the words choose: a week by its name, else the slots of a span.

    Raises:
        BadTimeError: They are neither.
    """
    try:
        week = week_of(" ".join(words), now_ms=now_ms)
    except BadTimeError:
        spans = spans_of(words, now_ms=now_ms, zone=zone)
    else:
        return Chosen(week.name, f"Week {week.name}", (week,), contract=contract)
    slots = frozenset(slot for span in spans for slot in span.slots)
    first, last = (at(starts_at_ms(Slot(end(slots)))).astimezone(zone) for end in (min, max))
    name = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d}-to-{last:%Y-%m-%d}"
    weeks = tuple(sorted({Week.of(slot) for slot in slots}))
    return Chosen(name, f"Work of {name.replace('-to-', ' to ')}", weeks, slots, contract)


def _tell(done: Exported, zone: ZoneInfo, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "folder": str(done.folder),
                "segments": done.segments,
                "pictures": done.pictures,
                "missing": done.missing,
                "without": [iso(starts_at_ms(slot)) for slot in done.without],
                "because": done.because,
            }
        )
        return
    tell(f"{done.folder / SEGMENTS}: {counted(done.segments, 'segment')}")
    tell(f"{done.folder / TOTALS}")
    if done.pictures:
        pictures = counted(done.pictures, "picture")
        tell(f"{done.folder / PICTURES}: {pictures}; read them in {done.folder / PAGE}")
    if done.missing:
        if done.because:
            say(done.because)
        say(f"{done.missing} pictures are not to be had: they are not on this device, and did not come.")
        for slot in done.without[:WITHOUT_SHOWN]:
            say(f"  {at(starts_at_ms(slot)).astimezone(zone):%Y-%m-%d %H:%M}")
        if len(done.without) > WITHOUT_SHOWN:
            say(f"  and {len(done.without) - WITHOUT_SHOWN} more: --json lists all. Sync, then export again.")
    say("These files are not sealed: who can read them can read your diary of that week.")
