"""`status`: the state as a command of the whole program; `diary.cli` answers it without Typer first."""

import typer

from diary.command.desk import AsJson, Utc, desk_of
from diary.command.state import show_state

app = typer.Typer(rich_markup_mode=None)


@app.command()
def status(ctx: typer.Context, *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Say what is tracked, how much today and this week, and what waits to be sent."""
    show_state(desk_of(ctx), as_json=as_json, utc=utc, brief=False)
