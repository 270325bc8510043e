"""`diary agency`: the side of a member, who grants and leaves, and the agency's own (R51, R61)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, WeekName, Yes, agree, ask_passphrase, desk_of, print_json, say, tell
from diary.command.keys import KeyFile, Passphrase, place_for
from diary.json_lists import member_json
from sync.party_commands import Expires, send_at_once

if TYPE_CHECKING:
    from diary.agency import MemberView
    from diary.agency_copies import CopyView
    from diary.diary import Diary
    from diary.inviting import InvitationView
    from diary.rules.ids import ContractId

Open = Callable[[], "Diary"]
Named = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")]


def commands(open_diary: Open) -> typer.Typer:
    """Return the `agency` commands."""
    app = typer.Typer(help="Agencies: who reads along for one.", no_args_is_help=True)
    app.command("show")(_show(open_diary))
    app.command("grant")(_grant(open_diary))
    app.command("leave")(_leave(open_diary))
    app.command("add")(_add(open_diary))
    app.command("remove")(_remove(open_diary))
    app.command("members")(_members(open_diary))
    app.command("sync")(_sync(open_diary))
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
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Print a link by which an agency's manager reads a contract, and may change nothing in it."""
        from diary.command.look import sheet_of
        from diary.command.on_screen import agree_to_show, show_reach
        from diary.inviting import agency_of, days_of
        from diary.rules.json_form import iso

        with open_diary() as diary:
            found = diary.contract(contract)
            agree_to_show(diary, "the link stands", yes=yes)
            sheet = sheet_of(diary, utc=False)
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
        until = sheet.moment(made.expires_at_ms)
        say(f"It works once, until {until}. Send it in a way that nobody else reads.")
        say(f"Take it back, or end what it opened: diary agency leave {found.id[:8]}")
        if not is_sent:
            say("It works as soon as this diary has synced: diary sync")
        show_reach(made.link)

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


def _add(open_diary: Open) -> Callable[..., None]:
    def add(
        link: Annotated[str, typer.Argument(metavar="LINK", help="As your member sent it to you.")],
        *,
        member: Annotated[str, typer.Option("--member", metavar="NAME", help="Your member's name.")] = "",
        client: Annotated[
            str,
            typer.Option("--client", metavar="NAME", help="Contracts of one client go on one bill."),
        ] = "",
        passphrase: Passphrase = False,
        key_file: KeyFile = False,
    ) -> None:
        """Read a member's contract from here on, and put it on this agency's bill."""
        from diary.agency_copies import folder_of
        from diary.sealing.invitation import parse_link
        from sync.agency import take_in

        read = parse_link(link)
        with open_diary() as diary:
            place = place_for(folder_of(diary.home, read), passphrase=passphrase, key_file=key_file)
            found = take_in(diary, read, place, name=member, client=client, ask_passphrase=ask_passphrase)
        tell(f"“{found.title}” is read here, and stands on this agency's bill.")
        say("Bring it up to date: diary agency sync. See what your members recorded: diary agency members")

    return add


def _remove(open_diary: Open) -> Callable[..., None]:
    def remove(contract: Named, *, yes: Yes = False) -> None:
        """Take a member's contract off this agency's bill: the week under way is the last one on it."""
        with open_diary() as diary:
            view = _member_named(diary, contract)
            agree(f"Shall this agency bill the contract {view.contract[:8]} no more from Monday on?", yes=yes)
            diary.take_off_bill(view.contract)
            is_sent = send_at_once(diary)
        tell(f"The contract {view.contract[:8]} bills by itself from next Monday on.")
        if not is_sent:
            say("The server learns of it when this diary has synced: diary sync")

    return remove


def _members(open_diary: Open) -> Callable[..., None]:
    def members(ctx: typer.Context, week: WeekName = "this", *, as_json: AsJson = False) -> None:
        """List the members' contracts on this agency's bill, and what each recorded in a week."""
        from diary.agency_copies import views
        from diary.when import week_of

        clock = desk_of(ctx).clock
        with open_diary() as diary:
            of = week_of(week, now_ms=diary.now_ms())
            listed = diary.members()
            shown = views(diary.home, of, clock=clock, ask_passphrase=ask_passphrase)
        if as_json:
            print_json({"week": of.name, "members": [member_json(one, shown) for one in listed]})
            return
        if not listed:
            say("No contract stands on your bill. Your member grants one: diary agency grant CONTRACT AGENCY")
            return
        from diary.command.tables import plain, plain_console, plain_table

        table = plain_table("Member", "Contract", "Client", of.name, "Bills")
        for one in listed:
            table.add_row(*map(plain, _member_row(one, shown)))
        plain_console().print(table)

    return members


def _sync(open_diary: Open) -> Callable[..., None]:
    def sync(ctx: typer.Context) -> None:
        """Bring this agency's own diary and every contract that is read here up to date."""
        from sync.agency import sync_copies

        with open_diary() as diary:
            home, is_sent = diary.home, send_at_once(diary)
        if not is_sent:
            say("The agency's own diary was not synced: diary sync says why.")
        for done in sync_copies(home, clock=desk_of(ctx).clock, ask_passphrase=ask_passphrase):
            if done.fault is None:
                tell(f"{done.title}: {done.pulled} new")
            else:
                tell(f"{done.title}: {done.fault.what_happened}")

    return sync


def _member_named(diary: "Diary", contract: str) -> "MemberView":
    """Return the contract on the bill whose id begins so.

    Raises:
        NotOnTheBillError: None does, or several do.
    """
    from diary.agency import NotOnTheBillError

    wanted = contract.strip().lower()
    found = [view for view in diary.members() if wanted and view.contract.startswith(wanted)]
    if len(found) != 1:
        raise NotOnTheBillError(name=contract)
    return found[0]


def _member_row(one: "MemberView", shown: "dict[ContractId, CopyView]") -> tuple[str, ...]:
    from diary.command.tables import hours as hours_of
    from diary.rules.money import money

    copy = shown.get(one.contract)
    totals = copy.totals if copy is not None else None
    title = copy.contract.title if copy is not None else "not read on this computer"
    bills = f"{money(totals.amount_minor, totals.currency)} {totals.currency}" if totals is not None else "–"
    hours = hours_of(totals.segments) if totals is not None else "–"
    return one.name or one.member[:8], f"{title} ({one.contract[:8]})", one.client or "–", hours, bills


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
