"""What commands ask about keys: where they are to lie, and the phrase that brings them back (R49, R50)."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import ask_new_passphrase
from diary.errors import UsageError

if TYPE_CHECKING:
    from diary.sealing.keyring import KeyPlace, PlaceKind

Passphrase = Annotated[bool, typer.Option("--passphrase", help="Seal this device's keys under a passphrase.")]
KeyFile = Annotated[
    bool,
    typer.Option("--key-file", help="Keep this device's keys in a plain file: who can read it, reads all."),
]
PhraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Read the recovery phrase from a file instead of asking."),
]


class TwoPlacesError(UsageError):
    """Keys lie in one place."""

    says = "Keys lie in one place: under a passphrase or in a plain key file, not in both."
    mend = "Give one of --passphrase and --key-file, or none for the operating system's keyring."


class EmptyPassphraseError(UsageError):
    """An empty passphrase seals nothing."""

    says = "The passphrase is empty."
    mend = "Type one, or on the first line of stdin."


class NoPhraseFileError(UsageError):
    """The phrase's file cannot be read."""

    says = "The file {path} cannot be read ({why})."
    mend = "Name a text file that holds the twelve words."


def new_passphrase() -> str:
    """Return a new passphrase that is not empty.

    Raises:
        EmptyPassphraseError: It is.
    """
    typed = ask_new_passphrase()
    if not typed:
        raise EmptyPassphraseError
    return typed


def place_for(
    home: Path, *, passphrase: bool, key_file: bool, ask: Callable[[], str] = new_passphrase
) -> "KeyPlace":
    """Return the place that was asked for; by default the keyring (R49).

    Raises:
        TwoPlacesError: Two places were asked for.
        NoUsableKeyringError: There is no keyring; it names the two other ways.
    """
    from diary.sealing.keyring import choose_place

    if passphrase and key_file:
        raise TwoPlacesError
    kind: PlaceKind = "file" if key_file else "passphrase" if passphrase else "keyring"
    # Asked before anything is made: an answer that will not do leaves no half of a diary behind.
    typed = ask() if passphrase else ""
    return choose_place(home, kind, lambda: typed)


def place_again(home: Path, *, passphrase: bool, key_file: bool) -> "KeyPlace":
    """Return where a folder's keys lie already, if nobody asks for another place; else as `place_for` (R49).

    A device that was revoked, or whose login was cut short, has its keys somewhere.

    Raises:
        TwoPlacesError: Two places were asked for.
        NoUsableKeyringError: There is no keyring; it names the two other ways.
    """
    from diary.sealing.keyring import NoKeyPlaceError, place_of

    if not (passphrase or key_file):
        with suppress(NoKeyPlaceError):
            return place_of(home, new_passphrase)
    return place_for(home, passphrase=passphrase, key_file=key_file)


def asked_phrase(file: Path | None) -> str:
    """Return the recovery phrase: from the file, typed at a terminal, else the next line of stdin.

    Raises:
        NoPhraseFileError: The file cannot be read.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NoPhraseFileError(path=file, why=error) from error
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt("The twelve words of your recovery phrase", hide_input=True, err=True))
