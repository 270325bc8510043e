"""What the commands share that Typer reads: options, questions, and the desk of a run (CLI.md)."""

import sys
from typing import Annotated, Any

import typer

from diary.command.home import Desk, ask_passphrase, print_json, say, tell, zone_of
from diary.errors import UsageError
from diary.rules.plain_text import plain

__all__ = [
    "AsJson",
    "Desk",
    "Slots",
    "Utc",
    "WeekName",
    "Yes",
    "agree",
    "ask_new_passphrase",
    "ask_passphrase",
    "desk_of",
    "print_json",
    "say",
    "tell",
    "text_of",
    "zone_of",
]

MEMO_CHARACTERS_MAX = 4000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to what it would ask.")]
Utc = Annotated[bool, typer.Option("--utc", help="Read and show times in UTC.")]
Slots = Annotated[
    list[str], typer.Argument(metavar="SLOTS", help="9:00, 9-10:30, yesterday 14:00, @3, @3-5, @last")
]
WeekName = Annotated[str, typer.Argument(metavar="WEEK", help="2026-W47, this or last")]


class NotTextError(UsageError):
    """An argument is not text that any program could show again."""

    says = "The {what} is not readable text, or longer than {most} characters."
    mend = "Write it in UTF-8, and shorter if need be."


def desk_of(ctx: typer.Context) -> Desk:
    """Return the desk that `diary.command.program` set up for this run."""
    desk = ctx.find_root().obj
    assert isinstance(desk, Desk), "the desk is set up before any command runs"
    return desk


def text_of(given: str | None, what: str) -> str | None:
    """Return a text that was typed, if it can be kept.

    Raises:
        NotTextError: It holds bytes that are no UTF-8, or is too long.
    """
    if given is None:
        return None
    is_text = not any(0xD800 <= ord(letter) <= 0xDFFF for letter in given)
    if not is_text or len(given) > MEMO_CHARACTERS_MAX:
        raise NotTextError(what=what, most=MEMO_CHARACTERS_MAX)
    return given


def agree(question: str, *, yes: bool) -> None:
    """Go on only if the person agrees; without a person to ask, `--yes` must have been given.

    Raises:
        typer.Exit: They did not (exit status 1).
    """
    if yes:
        return
    if not typer.confirm(plain(question), err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)


def ask_new_passphrase() -> str:
    """Return a new passphrase: at a terminal typed twice, else the next line of stdin (R49)."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    answer: Any = typer.prompt(
        "A passphrase for this diary", hide_input=True, confirmation_prompt="The same again", err=True
    )
    return str(answer)
