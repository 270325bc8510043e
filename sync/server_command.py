"""The `diary server` commands: run, confirm its clock, say that it was restored (R6, R43, R69)."""

import os
from pathlib import Path
from typing import Annotated

import typer

from diary.command.desk import Yes, agree, desk_of, say
from diary.errors import UsageError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8440
SERVER_FOLDER = "server"
DATABASE_VARIABLE = "DIARY_DATABASE"  # a password in a command's arguments is there for all to read
PICTURES_VARIABLE = "DIARY_PICTURES"
BYTES_A_GIGABYTE = 1_000_000_000

app = typer.Typer(help="The sync server.", no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where the server keeps its files; else “server” in the diary's folder."
    ),
]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A PostgreSQL database (postgresql://…); else the server's own file."),
]


class NoServerFolderError(UsageError):
    """There is no server in that folder."""

    says = "No server keeps its files in {folder}."
    mend = "Name the folder that it was started with: --folder DIR."


@app.command("run")
def server_run(
    ctx: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = DEFAULT_PORT,
    folder: Folder = None,
    database: Database = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A bucket for the pictures (s3://bucket/folder); else the server's own folder.",
        ),
    ] = None,
    picture_quota: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="GB", help="Room for one account's pictures; without it there is no limit."
        ),
    ] = None,
) -> None:
    """Run the sync server until Ctrl-C."""
    from sync.server.app import serve
    from sync.server.settings import Settings

    quota_bytes = picture_quota * BYTES_A_GIGABYTE if picture_quota is not None else None
    serve(
        Settings(
            folder=_folder(ctx, folder),
            host=host,
            port=port,
            picture_quota_bytes=quota_bytes,
            database_url=_database_url(database),
            pictures_url=pictures or os.environ.get(PICTURES_VARIABLE) or None,
        )
    )


@app.command("confirm-clock")
def server_confirm_clock(
    ctx: typer.Context,
    *,
    folder: Folder = None,
) -> None:
    """Confirm that this computer's clock is right: a server that doubts it goes on at once."""
    from diary.rules.json_form import iso
    from sync.server.clock_watch import confirm
    from sync.server.settings import Settings

    settings = Settings(folder=_existing(_folder(ctx, folder)))
    now_ms = desk_of(ctx).clock.now_ms()
    confirm(settings.clock_confirmation, now_ms)
    say(f"Confirmed: it is {iso(now_ms)}.")


@app.command("restored")
def server_restored(
    ctx: typer.Context, *, folder: Folder = None, database: Database = None, yes: Yes = False
) -> None:
    """Say that this server was restored from a backup: its clients then bring back what it lost."""
    from diary.rules.json_form import iso
    from sync.server.clock_watch import confirm
    from sync.server.server import Server
    from sync.server.settings import Settings

    clock = desk_of(ctx).clock
    settings = Settings(folder=_existing(_folder(ctx, folder)), database_url=_database_url(database))
    # It has received nothing since the backup and would doubt its clock: so that is looked at now (R6).
    agree(f"By this computer it is {iso(clock.now_ms())}. Is that right?", yes=yes)
    confirm(settings.clock_confirmation, clock.now_ms())
    server = Server.at(settings, clock)
    try:
        opened = server.say_restored()
    finally:
        server.close()
    say(f"The logs of {opened} accounts go on in a new epoch; their devices bring back what is missing.")


def _folder(ctx: typer.Context, folder: Path | None) -> Path:
    return folder if folder is not None else desk_of(ctx).home / SERVER_FOLDER


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise NoServerFolderError(folder=folder)
    return folder


def _database_url(database: str | None) -> str | None:
    return database or os.environ.get(DATABASE_VARIABLE) or None
