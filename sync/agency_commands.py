"""`diary agency`: who reads along for an agency, granted and taken back (SPEC, section 1; R51)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Yes, agree, print_json, say, tell
from sync.party_commands import Expires, send_at_once

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.inviting import InvitationView

Open = Callable[[], "Diary"]
Named = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")]


def commands(open_diary: Open) -> typer.Typer:
    """Return the `agency` commands."""
    app = typer.Typer(help="Agencies: who reads along for one.", no_args_is_help=True)
    app.command("show")(_show(open_diary))
    app.command("grant")(_grant(open_diary))
    app.command("leave")(_leave(open_diary))
    return app


def _show(open_diary: Open) -> Callable[..., None]:
    def show(*, as_json: AsJson = False) -> None:
        """Show this account's id, and which of your contracts an agency's manager may read."""
        with open_diary() as diary:
            account, granted = diary.account, _granted(diary)
        if as_json:
            print_json({"account": account, "granted": [_json(view) for view in granted]})
            return
        tell(f"{'account:':<14}{account}")
        for view in granted:
            tell(f"{'granted:':<14}{_line(view)}")
        if not granted:
            say("No agency reads any of your contracts. Let one: diary agency grant CONTRACT AGENCY")

    return show


def _grant(open_diary: Open) -> Callable[..., None]:
    def grant(
        contract: Named,
        agency: Annotated[
            str, typer.Argument(metavar="AGENCY", help="The agency's account: 32 hexadecimal digits.")
        ],
        expires: Expires = "14d",
        *,
        as_json: AsJson = False,
    ) -> None:
        """Print a link by which an agency's manager reads a contract, and may change nothing in it."""
        from diary.inviting import agency_of, days_of
        from diary.rules.json_form import iso

        with open_diary() as diary:
            found = diary.contract(contract)
            made = diary.invite_manager(found.id, agency_of(agency), days=days_of(expires))
            is_sent = send_at_once(diary)
        if as_json:
            print_json(
                {
                    "link": made.link.text,
                    "contract": found.id,
                    "agency": agency_of(agency),
                    "expires_at": iso(made.expires_at_ms),
                    "sent": is_sent,
                }
            )
            return
        tell(made.link.text)
        say(f"It opens “{found.title}” for the agency's manager: snapshots, memos and hours, old and new.")
        say("They change nothing: the diary stays yours to correct, and the terms the client's to set.")
        say(f"It works once, until {iso(made.expires_at_ms)}. Send it in a way that nobody else reads.")
        say(f"Take it back, or end what it opened: diary agency leave {found.id[:8]}")
        if not is_sent:
            say("It works as soon as this diary has synced: diary sync")

    return grant


def _leave(open_diary: Open) -> Callable[..., None]:
    def leave(contract: Named, *, yes: Yes = False) -> None:
        """End an agency's reading of a contract: what was read before stays readable to it, no more."""
        with open_diary() as diary:
            found = diary.contract(contract)
            agree(f"Shall no agency read “{found.title}” from here on?", yes=yes)
            ended = diary.end_managers(found.id)
            is_sent = send_at_once(diary)
        if not ended:
            say(f"No agency reads “{found.title}”.")
            raise typer.Exit(1)
        tell(f"From here on no agency reads “{found.title}”; what was read before stays readable to it.")
        if not is_sent:
            say("The server learns of it when this diary has synced: diary sync")

    return leave


def _granted(diary: "Diary") -> "list[InvitationView]":
    views = diary.invitations()
    return [view for view in views if view.agency is not None and view.state in {"open", "used"}]


def _json(view: "InvitationView") -> dict[str, object]:
    from diary.rules.json_form import iso

    joined_at = None if view.joined_at_ms is None else iso(view.joined_at_ms)
    return {"contract": view.contract, "title": view.title, "agency": view.agency, "joined_at": joined_at}


def _line(view: "InvitationView") -> str:
    from diary.rules.json_form import iso

    since = f"reads since {iso(view.joined_at_ms)}" if view.joined_at_ms is not None else "has not joined yet"
    return f"{view.title} ({view.contract[:8]}), agency {str(view.agency)[:8]}, {since}"
