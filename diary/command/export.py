"""`export`: a week's tables and pictures for a dispute (R58)."""

from pathlib import Path
from typing import Annotated

import typer

from diary.command.desk import AsJson, Utc, WeekName, Yes, agree, desk_of, print_json, say, zone_of
from diary.errors import UsageError
from diary.exporting import SEGMENTS, TOTALS, Exported, export_week, free_folder, is_ours
from diary.when import week_of

app = typer.Typer(rich_markup_mode=None)


class InTheWayError(UsageError):
    """There is something else where the export would be written."""

    says = "{folder} holds something that is no export."
    mend = "Name another folder with --out, or move it away; {free} is free."


@app.command()
def export(
    ctx: typer.Context,
    name: WeekName,
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
    """Write a week as CSV, a line a segment, sums in a second file; a spreadsheet opens both safely."""
    with desk_of(ctx).open_diary() as diary:
        view = diary.week(week_of(name, now_ms=diary.now_ms()))
        folder = (out or Path.cwd()) / view.week.name
        if folder.exists():
            if not is_ours(folder):
                raise InTheWayError(folder=folder, free=free_folder(folder))
            agree(f"{folder} holds an earlier export. Replace it?", yes=yes)
        done = export_week(
            diary,
            view,
            folder,
            zone=zone_of(diary, utc=utc),
            contract=None if contract is None else diary.contract(contract).id,
            pictures=pictures,
        )
    _tell(done, as_json=as_json)


def _tell(done: Exported, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "folder": str(done.folder),
                "segments": done.segments,
                "pictures": done.pictures,
                "missing": done.missing,
            }
        )
        return
    typer.echo(f"{done.folder / SEGMENTS}: {done.segments} segments")
    typer.echo(f"{done.folder / TOTALS}")
    if done.pictures:
        typer.echo(f"{done.folder / 'pictures'}: {done.pictures} pictures")
    if done.missing:
        say(f"{done.missing} pictures are not on this device yet: diary sync, then export again.")
    say("These files are not sealed: who can read them can read your diary of that week.")
