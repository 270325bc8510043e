"""`init` and `key`: how an account begins on a device, and its recovery phrase (R49, R50)."""

import platform
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import Desk, Yes, desk_of, say, tell
from diary.command.keys import KeyFile, Passphrase, PhraseFile, asked_phrase, new_passphrase, place_for
from diary.command.on_screen import agree_to_show
from diary.errors import NothingError

if TYPE_CHECKING:
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)
key = typer.Typer(rich_markup_mode=None, help="The recovery phrase.", no_args_is_help=True)
app.add_typer(key, name="key")

WORDS_ASKED = 3

DeviceName = Annotated[str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device.")]


class PhraseGoneError(NothingError):
    """The phrase was confirmed, and since then no device has it (R50)."""

    says = "The phrase was confirmed as written down; since then no device has it."
    mend = "It is where you wrote it."


@app.command()
def init(
    ctx: typer.Context,
    name: DeviceName = None,
    *,
    passphrase: Passphrase = False,
    key_file: KeyFile = False,
) -> None:
    """Begin an account and a diary on this device, without a server; its keys go to the keyring."""
    desk = desk_of(ctx)
    with begin(desk, passphrase=passphrase, key_file=key_file, name=name) as diary:
        tell(f"A new diary is in {diary.home}, on the device “{diary.device_name}”.")
        tell(diary.key_place_says())
    say("Write the recovery phrase down before you rely on it: diary key phrase.")
    say('Then: diary contract new "Orchard website" --rate 60, and diary start Orchard.')


def begin(
    desk: Desk,
    *,
    passphrase: bool,
    key_file: bool,
    name: str | None = None,
    ask: Callable[[], str] = new_passphrase,
) -> "Diary":
    """Create the diary, its keys in the place that was asked for; by default the keyring (R49).

    Raises:
        TwoPlacesError: Two places were asked for.
        NoUsableKeyringError: There is no keyring; it names the two other ways.
        DiaryExistsError: There is a diary already.
    """
    from diary.beginning import check_none_in
    from diary.diary import Diary

    check_none_in(desk.home)
    place = place_for(desk.home, passphrase=passphrase, key_file=key_file, ask=ask)
    return Diary.create(
        desk.home, clock=desk.clock, place=place, device_name=name or platform.node() or "this computer"
    )


@key.command()
def phrase(
    ctx: typer.Context,
    *,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm by three of its words that you wrote it down.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Show the twelve words that bring the diary back; once confirmed, no device keeps them."""
    with desk_of(ctx).open_diary() as diary:
        words = diary.phrase()
        if words is None:
            raise PhraseGoneError
        if confirm:
            diary.confirm_phrase(_asked(len(words.split())))
            tell("Confirmed. From now on only your paper has the phrase.")
            return
        agree_to_show(diary, "the words stand", yes=yes)
    say("The recovery phrase. Whoever has it can read and change the whole diary; without it a lost")
    say("device is a lost key. It signs a new device in: diary login URL. Write it on paper, in order:")
    for number, word in enumerate(words.split(), start=1):
        tell(f"{number:>3}. {word}")
    say("Then confirm it: diary key phrase --confirm. After that no device keeps it.")


def _asked(count: int) -> dict[int, str]:
    """Ask for some of the words, which ones by chance, in their order."""
    places = sorted(secrets.SystemRandom().sample(range(1, count + 1), WORDS_ASKED))
    return {place: str(typer.prompt(f"Word {place}", err=True)) for place in places}


@key.command("restore")
def restore_keys(
    ctx: typer.Context,
    phrase_file: PhraseFile = None,
    *,
    passphrase: Passphrase = False,
    key_file: KeyFile = False,
) -> None:
    """Bring this device's keys back by the recovery phrase: passphrase forgotten, or keyring lost."""
    from diary.recovering import recover_keys

    desk = desk_of(ctx)
    says = recover_keys(
        desk.home,
        asked_phrase(phrase_file),
        lambda: place_for(desk.home, passphrase=passphrase, key_file=key_file),
    )
    tell(f"The keys are back. {says}")
