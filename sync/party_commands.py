"""`invite`, `invitations` and `join`: how a client comes to a contract on the command line (R51, R67)."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Yes, ask_passphrase, desk_of, print_json, say, tell
from diary.command.keys import KeyFile, Passphrase, place_for
from diary.errors import PeerError

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.inviting import InvitationView

Open = "Callable[[], Diary]"
Expires = Annotated[
    str, typer.Option("--expires", metavar="DAYS", help="How many days the link is open: 14d, or 14.")
]
Instead = Annotated[
    bool,
    typer.Option("--instead", help="The client lost their access: who has joined ends with this link."),
]
ClientName = Annotated[str | None, typer.Option("--name", help="What this copy is called.")]


def commands(app: typer.Typer, open_diary: "Callable[[], Diary]") -> None:
    """Add the commands of two parties to the `diary` command."""
    app.command("invite")(_invite(open_diary))
    invitations = typer.Typer(help="The invitations to your contracts.", invoke_without_command=True)
    invitations.callback()(_invitations(open_diary))
    invitations.command("withdraw")(_withdraw(open_diary))
    app.add_typer(invitations, name="invitations")
    app.command("join")(join)


def _invite(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    def invite(
        contract: Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start.")],
        expires: Expires = "14d",
        *,
        instead: Instead = False,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Print a link by which the client of a contract reads it, in a browser or with `diary join`."""
        from diary.command.look import sheet_of
        from diary.command.on_screen import agree_to_show, show_reach
        from diary.inviting import days_of
        from diary.rules.json_form import iso

        with open_diary() as diary:
            found = diary.contract(contract)
            agree_to_show(diary, "the link stands", yes=yes)
            sheet = sheet_of(diary, utc=False)
            made = diary.invite(found.id, days=days_of(expires), instead=instead)
            is_sent = send_at_once(diary)
        if as_json:
            print_json(
                {
                    "link": made.link.text,
                    "contract": found.id,
                    "expires_at": iso(made.expires_at_ms),
                    "sent": is_sent,
                }
            )
            return
        tell(made.link.text)
        say(f"It opens “{found.title}” for whoever has it: snapshots, memos and hours, old and new, no more.")
        say(f"It works once, until {sheet.moment(made.expires_at_ms)}, and is dead when somebody has joined.")
        say("Send it in a way that nobody else reads; it is kept nowhere here. Take it back:")
        say(f"diary invitations withdraw {made.link.keys.auth[:8]}")
        if made.ends:
            say(f"Who has joined until now ({made.ends}) is shut out when it is used.")
        if not is_sent:
            say("It works as soon as this diary has synced: diary sync")
        show_reach(made.link)

    return invite


def _invitations(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    def invitations(ctx: typer.Context, *, as_json: AsJson = False) -> None:
        """List the invitations: which are open, and who joined by the others."""
        if ctx.invoked_subcommand is not None:
            return
        with open_diary() as diary:
            found = diary.invitations()
        if as_json:
            import msgspec

            print_json(msgspec.to_builtins(found))
            return
        for view in found:
            tell(_line(view))
        if not found:
            say("Nobody is invited. Invite a client: diary invite CONTRACT")

    return invitations


def _withdraw(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    def withdraw(
        invitation: Annotated[str, typer.Argument(metavar="ID", help="The start of its id in the list.")],
    ) -> None:
        """Take an open invitation back: its link is dead from then on."""
        with open_diary() as diary:
            view = diary.withdraw_invitation(invitation.lower())
            is_sent = send_at_once(diary)
        tell(f"The invitation {view.auth[:8]} to “{view.title}” is withdrawn.")
        if not is_sent:
            say("The server learns of it when this diary has synced: diary sync")

    return withdraw


def join(
    ctx: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="As it was sent to you.")],
    *,
    name: ClientName = None,
    passphrase: Passphrase = False,
    key_file: KeyFile = False,
    as_json: AsJson = False,
) -> None:
    """Make a read-only copy of a contract here, by the link that its freelancer sent you."""
    from diary.sealing.invitation import parse_link
    from sync.cli import computer_name, show_report
    from sync.join import join as join_by
    from sync.telling import SyncTeller
    from sync.transport import Transport

    desk = desk_of(ctx)
    read = parse_link(link)
    place = place_for(desk.home, passphrase=passphrase, key_file=key_file)
    with Transport(read.server_url) as line, SyncTeller(desk.clock) as teller:
        diary, report = join_by(
            desk.home,
            read,
            line,
            clock=desk.clock,
            place=place,
            name=name or computer_name(),
            progress=teller,
            ask_passphrase=teller.silent(ask_passphrase),
        )
    with diary:
        titles = ", ".join(f"“{one.title}”" for one in diary.contracts()) or read.contract[:8]
        say(
            f"This is a copy of {titles}, for you to read: diary week, diary open. "
            "Bring it up to date: diary sync"
        )
        say(diary.key_place_says())
    show_report(report, as_json=as_json)


def send_at_once(diary: "Diary") -> bool:
    """Send what was written to the server at once; False where that is not to be had now."""
    from sync.engine import Engine
    from sync.transport import Transport

    link = diary.server()
    if link is None:
        return False
    with contextlib.suppress(PeerError), Transport(link.url, attempts=1) as line:
        Engine(diary, line).run()
        return all(view.sent for view in diary.invitations() if view.state == "open")
    return False


def _line(view: "InvitationView") -> str:
    from diary.rules.json_form import iso

    words = [view.auth[:8], view.title, view.state]
    words += [f"for agency {view.agency[:8]}"] if view.agency is not None else []
    match view.state:
        case "open":
            words.append(f"until {iso(view.expires_at_ms)}" + ("" if view.sent else ", not sent yet"))
        case "used" if view.joined_at_ms is not None:
            words.append(f"joined {iso(view.joined_at_ms)}")
    return "  ".join(words)
