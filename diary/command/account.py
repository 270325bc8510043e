"""`init` and `key`: how an account begins on a device, and its recovery phrase (R49, R50)."""

import platform
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import Desk, ask_new_passphrase, desk_of, say
from diary.errors import NothingError, UsageError

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.sealing.keyring import PlaceKind

app = typer.Typer(rich_markup_mode=None)
key = typer.Typer(rich_markup_mode=None, help="The recovery phrase.", no_args_is_help=True)
app.add_typer(key, name="key")

WORDS_ASKED = 3

Passphrase = Annotated[bool, typer.Option("--passphrase", help="Seal this device's keys under a passphrase.")]
KeyFile = Annotated[
    bool,
    typer.Option("--key-file", help="Keep this device's keys in a plain file: who can read it, reads all."),
]
DeviceName = Annotated[str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device.")]


class TwoPlacesError(UsageError):
    """Keys lie in one place."""

    says = "The keys lie either under a passphrase or in a plain key file, not in both."
    mend = "Give one of --passphrase and --key-file, or none for the operating system's keyring."


class EmptyPassphraseError(UsageError):
    """An empty passphrase seals nothing."""

    says = "The passphrase is empty."
    mend = "Type one, or on the first line of stdin."


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
        typer.echo(f"A new diary is in {diary.home}, on the device “{diary.device_name}”.")
        typer.echo(diary.key_place_says())
    say("Write the recovery phrase down before you rely on it: diary key phrase.")
    say('Then: diary contract new "Orchard website" --rate 60, and diary start Orchard.')


def new_passphrase() -> str:
    """Return a new passphrase that is not empty.

    Raises:
        EmptyPassphraseError: It is.
    """
    typed = ask_new_passphrase()
    if not typed:
        raise EmptyPassphraseError
    return typed


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
    from diary.diary import Diary
    from diary.sealing.keyring import choose_place
    from diary.store.connection import FILE_NAME, DiaryExistsError

    if passphrase and key_file:
        raise TwoPlacesError
    if (desk.home / FILE_NAME).exists():
        raise DiaryExistsError(home=desk.home)
    kind: PlaceKind = "file" if key_file else "passphrase" if passphrase else "keyring"
    # Asked before anything is made: an answer that will not do leaves no half of a diary behind.
    typed = ask() if passphrase else ""
    place = choose_place(desk.home, kind, lambda: typed)
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
) -> None:
    """Show the twelve words that bring the diary back; once confirmed, no device keeps them."""
    with desk_of(ctx).open_diary() as diary:
        words = diary.phrase()
        if words is None:
            raise PhraseGoneError
        if confirm:
            diary.confirm_phrase(_asked(len(words.split())))
            typer.echo("Confirmed. From now on only your paper has the phrase.")
            return
    say("The recovery phrase. Whoever has it can read and change the whole diary; without it a lost")
    say("device is a lost key. It signs a new device in: diary login URL. Write it on paper, in order:")
    for number, word in enumerate(words.split(), start=1):
        typer.echo(f"{number:>3}. {word}")
    say("Then confirm it: diary key phrase --confirm. After that no device keeps it.")


def _asked(count: int) -> dict[int, str]:
    """Ask for some of the words, which ones by chance, in their order."""
    places = sorted(secrets.SystemRandom().sample(range(1, count + 1), WORDS_ASKED))
    return {place: str(typer.prompt(f"Word {place}", err=True)) for place in places}
