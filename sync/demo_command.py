"""The `demo` command: a sample diary in a folder of its own (CLI.md)."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import desk_of, say, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from diary.diary import Diary

FOLDER = "demo"


def commands(app: typer.Typer, open_diary: "Callable[[], Diary]") -> None:  # noqa: ARG001  # it makes its own
    """Add `demo` to the command."""
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to make it; else “demo” beside the diary's own files."),
    ] = None,
) -> None:
    """Make a sample diary: three weeks on two devices, through the real pipeline; yours is not touched."""
    import structlog

    from sync.demo import make_demo

    desk = desk_of(ctx)
    folder = (out or free_folder(desk.home)).absolute()
    # The demo's server runs in this process; what it logs of each push is no news here.
    logging_before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        made = make_demo(folder, until_ms=desk.clock.now_ms(), progress=say)
    finally:
        structlog.configure(**logging_before)
    tell(f"Three weeks, {made.segments} recorded slots on two devices, are in {folder}.")
    tell("Their keys lie in plain files beside them: it is a sample.")
    tell(f"Open it:  diary --home {made.laptop} open")
    tell(f"Look:     diary --home {made.laptop} week last")
    tell(f"Refused:  diary --home {made.tower} refused")


def free_folder(home: Path) -> Path:
    """Return a folder for a demo that is not there yet: demo, demo-2 and so on."""
    folder, number = home / FOLDER, 1
    while folder.exists():
        number += 1
        folder = home / f"{FOLDER}-{number}"
    return folder
