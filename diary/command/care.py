"""`backup` and `restore`: a copy of a diary in use, and a diary made from one (R42, R70)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import Yes, agree, ask_passphrase, desk_of, say, tell
from diary.command.keys import KeyFile, Passphrase, PhraseFile, asked_phrase, new_passphrase, place_for
from diary.command.progress import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from diary.command.desk import Desk
    from diary.sealing.key_tree import DeviceKeys
    from diary.sealing.keyring import KeyPlace

app = typer.Typer(rich_markup_mode=None)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


@app.command()
def backup(ctx: typer.Context, file: File) -> None:
    """Copy the whole diary into one file, while it is in use; it is sealed, and its keys with it."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary, shown("Copying the diary", desk.clock) as progress:
        size = diary.backup(file, progress)
        phrase_waits = diary.seat_in is None and diary.phrase() is not None
    tell(f"{file}: {size / 1_000_000:,.1f} MB, sealed. Restore it: diary restore {file}.")
    if phrase_waits:
        say("On another computer only the recovery phrase opens it. Write that down: diary key phrase.")
    say("What you remove from now on stays in this copy, sealed, until you delete the file.")


@app.command()
def restore(
    ctx: typer.Context,
    file: File,
    phrase_file: PhraseFile = None,
    *,
    passphrase: Passphrase = False,
    key_file: KeyFile = False,
    yes: Yes = False,
) -> None:
    """Make the diary of a backup this folder's diary; one that lies here is put aside, never destroyed.

    Where this folder's keys do not open it, the recovery phrase does.
    """
    from diary.backup import account_of
    from diary.backup import restore as put_back
    from diary.diary import Diary
    from diary.store.connection import FILE_NAME

    desk = desk_of(ctx)
    account_of(file)
    if (desk.home / FILE_NAME).exists():
        agree(f"The diary that lies in {desk.home} is put aside. Go on?", yes=yes)
    heard: list[str] = []  # a new passphrase is typed once, and then opens the diary here too

    def ask_new() -> str:
        heard.append(new_passphrase())
        return heard[-1]

    keys = _keys(
        desk,
        file,
        phrase_file,
        lambda: place_for(desk.home, passphrase=passphrase, key_file=key_file, ask=ask_new),
    )
    aside = put_back(desk.home, file, now_ms=desk.clock.now_ms(), keys=keys)
    with Diary.open(
        desk.home, clock=desk.clock, ask_passphrase=lambda: heard[-1] if heard else ask_passphrase()
    ) as diary:
        newest = diary.weeks()
        holds = f"the newest week is {newest[0].name}" if newest else "no week is in it yet"
        tell(f"Restored into {desk.home}, {holds}.")
        tell(diary.key_place_says())
        is_registered = diary.server() is not None
    if aside is not None:
        tell(f"What lay there before: {aside}.")
    if is_registered:
        say("What was synced since the backup was made comes back with the next sync: diary sync.")


def _keys(
    desk: "Desk", file: Path, phrase_file: Path | None, place: "Callable[[], KeyPlace]"
) -> "tuple[DeviceKeys, KeyPlace] | None":
    """Return the keys that the phrase opens, and where they are to lie; None where the folder's own fit."""
    from diary.backup import fits, keys_by_phrase
    from diary.sealing.keyring import KEY_PLACE, place_of

    if (desk.home / KEY_PLACE).exists() and fits(file, place_of(desk.home, ask_passphrase), desk.clock):
        return None
    found = keys_by_phrase(file, asked_phrase(phrase_file))
    return found, place()
