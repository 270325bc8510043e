"""`message`, `messages` and `call`: what the parties of a contract write to each other (R68)."""

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Utc, desk_of, print_json, say, tell, zone_of
from diary.errors import NothingError, UsageError
from diary.json_lists import conversation_json, conversations_json
from diary.messaging import NewFile
from diary.rules.counted import counted
from diary.rules.file_name import free_name
from diary.rules.json_form import at, iso
from diary.rules.message import FILE_BYTES_MAX

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diary.conversations import ConversationView, MessageView
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)

SHOWN_MAX = 30  # what a person reads at once; --all and --json have the rest
Named = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")]
STATES = {"waiting": "waiting to be sent", "sent": "sent", "delivered": "delivered", "read": "read"}


class NoSuchFileError(UsageError):
    """A file that was to go with a message cannot be read."""

    says = "{path} cannot be read: {because}."
    mend = "Name files that are here: --file plan.pdf."


class NoMessagesError(NothingError):
    """There is no message to show."""

    says = "There are no messages yet."
    mend = "Write one: diary message CONTRACT “text”."


@app.command()
def message(
    ctx: typer.Context,
    name: Named,
    text: Annotated[str, typer.Argument(metavar='"TEXT"', help="What it says; - reads standard input.")] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", metavar="FILE", help="A file to go with it; may be given several times."),
    ] = None,
) -> None:
    """Write a message to the other party of a contract; it cannot be taken back."""
    words = typer.get_text_stream("stdin").read() if text == "-" else text
    files = [read_file(path) for path in file or ()]
    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(name)
        diary.send_message(found.id, words, files)
        is_linked = diary.server() is not None
    with_files = f", with {counted(len(files), 'file')}" if files else ""
    after = (
        "goes with the next sync" if is_linked else "waits until the diary is registered: diary register URL"
    )
    tell(f"Written to the other party of {found.title}{with_files}; it {after}.")


@app.command()
def messages(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[CONTRACT]", help="Whose; without it, which contracts have some.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them, not the last 30.")] = False,
    keep_unread: Annotated[
        bool, typer.Option("--keep-unread", help="Show them and leave them unread.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="DIR", help="Write their files into this folder.")
    ] = None,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Read what was written on a contract; what is shown is read from then on."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        if name is None:
            _show_contracts(diary, as_json=as_json)
            return
        found = diary.conversation(diary.contract(name).id)
        if save is not None:
            _save_files(diary, found, save)
        if as_json:
            print_json(conversation_json(found))
        else:
            _show(found, zone_of(diary, utc=utc), everything=everything)
        if found.unread and not keep_unread:
            diary.mark_read(found.contract, found.newest)


@app.command()
def call(
    ctx: typer.Context,
    name: Named,
    *,
    link: Annotated[
        str | None, typer.Option("--set", metavar="URL", help="The address at which you meet: https://…")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Have none any more.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print it; open nothing.")] = False,
) -> None:
    """Open a contract's video call in the browser, or set its address for both parties."""
    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(name)
        if link is not None or clear:
            diary.set_call(found.id, link or "")
            tell(f"{found.title} has {'this address' if link else 'no address'} for video calls from now on.")
            return
        where = diary.call(found.id)
    tell(where)
    if not show:
        import webbrowser

        if not webbrowser.open(where):
            say("No browser could be opened here; open the address yourself.")


def read_file(path: Path) -> NewFile:
    """Return a file as it is sent; one that is too large is read no further than to know so.

    Raises:
        NoSuchFileError: It cannot be read.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise NoSuchFileError(path=path, because=error.strerror or error) from error
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return NewFile(path.name, kind, content)


def _show_contracts(diary: "Diary", *, as_json: bool) -> None:
    if as_json:
        print_json(conversations_json(diary))
        return
    unread = diary.unread()
    views = [(one, diary.conversation(one.id)) for one in diary.contracts()]
    having = [(one, view) for one, view in views if view.messages]
    if not having:
        raise NoMessagesError
    for one, view in having:
        last = view.messages[-1]
        new = f"{unread[one.id]} unread" if one.id in unread else "all read"
        tell(f"{one.title}: {len(view.messages)}, {new}; last {iso(last.at_ms)} by {last.writer}")


def _show(found: "ConversationView", zone: "ZoneInfo", *, everything: bool) -> None:
    if not found.messages:
        raise NoMessagesError
    shown = found.messages if everything else found.messages[-SHOWN_MAX:]
    earlier = len(found.messages) - len(shown)
    if earlier:
        tell(f"({earlier} earlier: --all)")
    for one in shown:
        when = at(one.at_ms).astimezone(zone)
        state = STATES.get(one.state, "new" if one.state == "unread" else "")
        known = f" ({state})" if state and (one.ours or one.state == "unread") else ""
        tell(f"{when:%Y-%m-%d %H:%M}  {one.writer}{known}:")
        for line in _says(one).splitlines() or [""]:
            tell(f"    {line}")
        for file in one.files:
            where = "" if file.is_here else ", not here yet"
            tell(f"    [file] {file.name} ({file.size:,} bytes{where})")
    if found.call:
        tell(f"Video call: {found.call}")


def _says(one: "MessageView") -> str:
    if one.fault:
        return one.fault
    if one.kind == "call":
        return f"The video call is at {one.text}" if one.text else "There is no video call any more."
    return one.text


def _save_files(diary: "Diary", found: "ConversationView", folder: Path) -> None:
    """Write every file that is here, under names that stay in the folder; what is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = {path.name.casefold() for path in folder.iterdir()}
    saved = absent = 0
    for one in found.messages:
        for file in one.files:
            if not file.is_here:
                absent += 1
                continue
            _, content = diary.message_file(found.contract, file.sealed_name)
            with (folder / free_name(file.name, taken)).open("xb") as written:
                written.write(content)
            saved += 1
    say(f"{saved} files saved in {folder}{f'; {absent} are not here yet: diary sync' if absent else ''}.")
