"""`diary tracker install` and `uninstall`: asked for, said what it does, and undone as easily (R23)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from capture import autostart
from capture.autostart import KINDS, Entry, Kind, entry_of, kind_of
from diary.command.desk import Yes, agree, desk_of, say
from diary.errors import UsageError

Way = Annotated[
    str | None, typer.Option("--as", help="systemd, xdg, launchd or windows; else what fits here.")
]


class UnknownWayError(UsageError):
    """There is no such way of starting."""

    says = "“{way}” is no way of starting with the desktop."
    mend = "The ways are: systemd, xdg, launchd, windows."


def add_autostart(tracker: typer.Typer) -> None:
    """Add the two commands to `diary tracker`."""

    @tracker.command()
    def install(ctx: typer.Context, way: Way = None, *, yes: Yes = False) -> None:
        """Let the tracker start whenever you log in; it records only while tracking is on."""
        entry = _entry(ctx, way)
        say(f"This writes {entry.path}:\n\n{entry.text}")
        agree("Write it?", yes=yes)
        autostart.write(entry)
        _call(entry.enable)
        say("The tracker starts with the desktop from now on. To undo it: diary tracker uninstall.")

    @tracker.command()
    def uninstall(ctx: typer.Context, way: Way = None) -> None:
        """Let the tracker start by itself no more; one that runs goes on."""
        entry = _entry(ctx, way)
        if entry.path.exists():
            _call(entry.disable)
        autostart.take_away(entry)
        say(f"{entry.path} is gone.")


def _entry(ctx: typer.Context, way: str | None) -> Entry:
    kind: Kind = kind_of(sys.platform, has_systemd=_runs_systemd())
    if way is not None:
        kind = _known(way)
    command = [sys.executable, "-m", "diary.cli", "--home", str(desk_of(ctx).home.absolute())]
    return entry_of(kind, [*command, "tracker", "run", "--quiet"], Path.home(), os.environ)


def _known(way: str) -> Kind:
    for kind in KINDS:
        if kind == way:
            return kind
    raise UnknownWayError(way=way)


def _runs_systemd() -> bool:
    """Return whether systemd runs this user's session: its runtime folder is there."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return runtime is not None and Path(runtime, "systemd").is_dir() and shutil.which("systemctl") is not None


def _call(commands: tuple[tuple[str, ...], ...]) -> None:
    """Have the system take note; what it refuses is said, the file stays."""
    for command in commands:
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            say(f"{command[0]} is not here; the file counts from the next login on.")
            return
        if done.returncode:
            say(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
