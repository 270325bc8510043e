"""The `diary` commands of this room (CLI.md): `register`, `login`, `sync`, `devices`, `server`, `join`."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Desk, ask_passphrase, desk_of, print_json, say, tell
from diary.command.keys import KeyFile, Passphrase, PhraseFile, asked_phrase, place_again
from diary.errors import PeerError, RefusedError
from diary.rules.counted import counted
from diary.services import Service
from sync import (
    agency_commands,
    billing_command,
    devices_command,
    party_commands,
    refund_command,
    server_command,
)

if TYPE_CHECKING:
    from diary.diary import Diary
    from sync.report import RefusedRow, SyncReport

DEVICE_NAME_CHARACTERS_MAX = 100

ServerUrl = Annotated[
    str, typer.Argument(metavar="URL", help="The server's address; with “#KEY” only that server will do.")
]
ServerKey = Annotated[
    str | None, typer.Option("--key", help="The key that the server must answer with, 64 digits.")
]
DeviceName = Annotated[
    str | None, typer.Option("--name", help="What this device is called; else the computer's own name.")
]


def commands(app: typer.Typer, open_diary: "Callable[[], Diary]") -> None:
    """Add this room's commands to the `diary` command."""
    app.command("register")(_register(open_diary))
    app.command("login")(login)
    app.command("sync")(_sync(open_diary))
    app.add_typer(devices_command.commands(open_diary), name="devices")
    app.add_typer(agency_commands.commands(open_diary), name="agency")
    app.add_typer(server_command.app, name="server")
    app.command("refund")(refund_command.refund_command(open_diary))
    app.command("billing")(billing_command.billing_command(open_diary))
    party_commands.commands(app, open_diary)


def sync_service() -> Service:
    """Return what `diary up` runs to keep the diary in sync."""
    return Service(name="sync", arguments=("sync", "--watch"))


def server_service() -> Service:
    """Return what `diary up` runs as the embedded server."""
    return Service(name="server", arguments=("server", "run"))


def _register(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    def register(
        ctx: typer.Context, url: ServerUrl, *, key: ServerKey = None, as_json: AsJson = False
    ) -> None:
        """Bring this diary to a server: account, contracts and everything recorded so far."""
        from sync.enrolment import register as enrol_here
        from sync.server_address import in_groups, read_address
        from sync.telling import SyncTeller
        from sync.transport import Transport

        at = read_address(url, key)
        with Transport(at.url) as line, open_diary() as diary, SyncTeller(desk_of(ctx).clock) as teller:
            report = enrol_here(diary, line, server_key=at.key, progress=teller)
            link = diary.server()
        say(f"Registered with {line.url}.")
        if link is not None:
            say(f"Its key, which alone is trusted from now on: {in_groups(link.key)}")
        show_report(report, as_json=as_json)

    return register


def login(
    ctx: typer.Context,
    url: ServerUrl,
    *,
    key: ServerKey = None,
    phrase_file: PhraseFile = None,
    name: DeviceName = None,
    passphrase: Passphrase = False,
    key_file: KeyFile = False,
    as_json: AsJson = False,
) -> None:
    """Make this an additional device of your account, by its recovery phrase."""
    from sync.enrolment import login as log_in
    from sync.server_address import read_address
    from sync.telling import SyncTeller
    from sync.transport import Transport

    desk, at = desk_of(ctx), read_address(url, key)
    place = place_again(desk.home, passphrase=passphrase, key_file=key_file)
    phrase = asked_phrase(phrase_file)
    with Transport(at.url) as line, SyncTeller(desk.clock) as teller:
        diary, report = log_in(
            desk.home,
            line,
            phrase,
            clock=desk.clock,
            place=place,
            device_name=name or computer_name(),
            server_key=at.key,
            progress=teller,
            ask_passphrase=teller.silent(ask_passphrase),
        )
    with diary:
        say(f"This device is “{diary.device_name}”, of the account on {line.url}.")
        say(diary.key_place_says())
    show_report(report, as_json=as_json)


def _sync(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    def sync(
        ctx: typer.Context,
        *,
        watch: Annotated[
            bool,
            typer.Option("--watch", help="Keep in sync until Ctrl-C: after each change, and now and then."),
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Send what is new here, fetch what is new elsewhere."""
        desk = desk_of(ctx)
        if watch:
            _watch(desk, open_diary, as_json=as_json)
            return
        from sync.engine import Engine, NotRegisteredError
        from sync.telling import SyncTeller
        from sync.transport import Transport

        with open_diary() as diary:
            link = diary.server()
            if link is None:
                raise NotRegisteredError
            with Transport(link.url) as line, SyncTeller(desk.clock) as teller:
                report = Engine(diary, line, progress=teller).run()
            diary.thin_pictures()
            unread = sum(diary.unread().values())
        show_report(report, as_json=as_json)
        if unread:
            say(f"{counted(unread, 'unread message')}: diary messages.")
        refused = _say_loudly(report)
        if report.alarms:
            raise typer.Exit(PeerError.exit_code)
        if refused:
            raise typer.Exit(RefusedError.exit_code)

    return sync


def _watch(desk: Desk, open_diary: "Callable[[], Diary]", *, as_json: bool) -> None:
    from sync.watch import watch

    def report(done: "SyncReport") -> None:
        if done.pushed or done.pulled or done.refused or done.pictures_sent or done.pictures_fetched:
            show_report(done, as_json=as_json)
            sys.stdout.flush()
            _say_loudly(done)

    # The passphrase, where there is one, is asked for once and at the start, not by the loop.
    watch(desk.home, open_diary, clock=desk.clock, say=say, report=report)


def computer_name() -> str:
    """Return this computer's own name, as a device is called where its owner says none."""
    import platform

    return platform.node()[:DEVICE_NAME_CHARACTERS_MAX] or "this computer"


def show_report(report: "SyncReport", *, as_json: bool) -> None:
    """Print what a sync did (CLI.md)."""
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(report))
        return
    pictures = [
        f"{count} pictures {word}"
        for count, word in (
            (report.pictures_sent, "sent"),
            (report.pictures_fetched, "received"),
            (report.pictures_left, "still to be sent"),
        )
        if count
    ]
    tell(", ".join([f"{report.pushed} sent", f"{report.pulled} received", *pictures]))
    for refused in _runs(report.refused):
        tell(f"refused  {_line(refused)}")
    for postponed in _runs(report.postponed):
        tell(f"later    {_line(postponed)}")


def _say_loudly(report: "SyncReport") -> bool:
    """Say on stderr which deletions were refused; return whether any were (R37d).

    What was to be destroyed stands after all, and others see it: nobody may miss that.
    """
    from diary.rules.refusals import words_of

    refused = [row for row in report.refused if row.what == "deletion"]
    for run in _runs(refused):
        reason, words = run[0].reason, words_of(run[0].reason)
        where = f" of {_slots(run)}" if _slots(run) else ""
        say(f"{reason}: the deletion{where} was REFUSED. {words.happened} {words.mends('deletion')}")
    if report.alarms:
        say("ALARM: the server or another party showed what cannot be right. See: diary audit.")
    return bool(refused)


def _runs(rows: "Sequence[RefusedRow]") -> "list[tuple[RefusedRow, ...]]":
    from diary.rules.refused_runs import runs_of

    return runs_of(
        rows,
        slot_of=lambda row: row.slot,
        alike=lambda row: (row.contract, row.reason, row.because, row.what),
    )


def _slots(run: "Sequence[RefusedRow]") -> str:
    """Return which slots a run is of, "" for what has none."""
    from diary.rules.json_form import iso
    from diary.rules.week import ends_at_ms, starts_at_ms

    first, last = run[0].slot, run[-1].slot
    if first is None or last is None:
        return ""
    if first == last:
        return iso(starts_at_ms(first))
    return f"{iso(starts_at_ms(first))} to {iso(ends_at_ms(last))}"


def _line(run: "Sequence[RefusedRow]") -> str:
    count = f"{len(run)} segments" if len(run) > 1 else ""
    return "  ".join(filter(None, (_slots(run) or "terms or keys", count, run[0].reason, run[0].because)))
