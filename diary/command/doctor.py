"""`doctor`: everything the diary needs, looked at in turn, and how to mend it (R70)."""

import typer

from diary.command.desk import AsJson, desk_of, print_json, tell

app = typer.Typer(rich_markup_mode=None)

_SIGNS = {"fine": "ok      ", "warning": "warning ", "fault": "FAULT   "}


@app.command()
def doctor(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Check file, keys, disk, clock, screen, input, titles and server; say how to mend each.

    It ends with status 1 when something is faulty.
    """
    from diary.doctor import examine

    found = []
    with desk_of(ctx).open_diary() as diary:
        for check in examine(diary):
            found.append(check)
            if not as_json:
                tell(f"{_SIGNS[check.outcome]}{check.name:<13}{check.says}")
                if check.mend:
                    tell(f"{'':<21}→ {check.mend}")
    if as_json:
        print_json(
            [
                {"name": each.name, "outcome": each.outcome, "says": each.says, "mend": each.mend}
                for each in found
            ]
        )
    if any(each.outcome == "fault" for each in found):
        raise typer.Exit(1)
