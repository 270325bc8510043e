"""The `diary server` commands: run it, see its settings, confirm its clock, say it was restored (R6, R43)."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from diary.command.desk import AsJson, Yes, agree, desk_of, print_json, say, tell
from sync.server_acts import (
    Database,
    Folder,
    SettingsPath,
    account_app,
    acts,
    books_at,
    folder_of,
    settings_there,
)
from sync.server_settings import Said, chosen, shown_settings

app = typer.Typer(help="The sync server.", no_args_is_help=True)
app.add_typer(account_app, name="account")
app.command("acts")(acts)

Host = Annotated[str | None, typer.Option(help="The address to listen on; else 127.0.0.1.")]
PortNumber = Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on; else 8440.")]
Pictures = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="A bucket for the pictures (s3://bucket/folder); else the server's own folder."
    ),
]
Quota = Annotated[
    int | None,
    typer.Option(min=0, metavar="GB", help="Room for one account's pictures; without it there is no limit."),
]


@app.command("run")
def server_run(
    ctx: typer.Context,
    *,
    host: Host = None,
    port: PortNumber = None,
    folder: Folder = None,
    database: Database = None,
    pictures: Pictures = None,
    picture_quota: Quota = None,
    settings_file: SettingsPath = None,
) -> None:
    """Run the sync server until Ctrl-C."""
    from sync.server.app import serve

    said = Said(host, port, database, pictures, picture_quota)
    serve(chosen(folder_of(ctx, folder), settings_file, said))


@app.command("settings")
def server_settings(
    ctx: typer.Context, *, folder: Folder = None, settings_file: SettingsPath = None, as_json: AsJson = False
) -> None:
    """Show with which settings the server would run; a password is not shown."""
    shown = shown_settings(chosen(folder_of(ctx, folder), settings_file, Said()))
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        tell(f"{name:16}  {'-' if value is None else value}")


@app.command("unit")
def server_unit(ctx: typer.Context, *, folder: Folder = None, settings_file: SettingsPath = None) -> None:
    """Print a systemd unit that runs the server with as few rights as it needs (docs/operate.md)."""
    from sync.server.unit import unit_of

    place = folder_of(ctx, folder)
    chosen(place, settings_file, Said())  # what could not be started is said here, not by systemd tonight
    tell(unit_of(command_of(sys.argv[0]), place.absolute(), settings_file and settings_file.absolute()))


@app.command("confirm-clock")
def server_confirm_clock(
    ctx: typer.Context,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
) -> None:
    """Confirm that this computer's clock is right: a server that doubts it goes on at once."""
    from diary.rules.json_form import iso
    from sync.server.clock_watch import confirm

    settings = settings_there(ctx, folder, database, settings_file)
    now_ms = desk_of(ctx).clock.now_ms()
    confirm(settings.clock_confirmation, now_ms)
    with books_at(desk_of(ctx), settings) as books:
        books.act("confirm_clock", detail=iso(now_ms))
    say(f"Confirmed: it is {iso(now_ms)}.")


@app.command("restored")
def server_restored(
    ctx: typer.Context,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
    yes: Yes = False,
) -> None:
    """Say that this server was restored from a backup: its clients then bring back what it lost."""
    from diary.rules.json_form import iso
    from sync.server.clock_watch import confirm
    from sync.server.server import Server

    clock = desk_of(ctx).clock
    settings = settings_there(ctx, folder, database, settings_file)
    # It has received nothing since the backup and would doubt its clock: so that is looked at now (R6).
    agree(f"By this computer it is {iso(clock.now_ms())}. Is that right?", yes=yes)
    confirm(settings.clock_confirmation, clock.now_ms())
    server = Server.at(settings, clock)
    try:
        opened = server.say_restored()
    finally:
        server.close()
    with books_at(desk_of(ctx), settings) as books:
        books.act("restored", detail=f"{opened} accounts")
    say(f"The logs of {opened} accounts go on in a new epoch; their devices bring back what is missing.")


def command_of(started_as: str) -> Path:
    """Return where the `diary` command lies, for whoever starts it without a PATH of ours."""
    return Path(shutil.which(started_as) or started_as).absolute()
