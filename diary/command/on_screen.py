"""What stands on a screen for a moment and opens a diary: invitations and the recovery phrase (R50, R51).

A snapshot of that screen would show it to whoever reads the contract that is tracked.
"""

import sys
from typing import TYPE_CHECKING

from diary.command.desk import agree, say

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.sealing.invitation import Link


def agree_to_show(diary: "Diary", what: str, *, yes: bool) -> None:
    """Ask before a secret is shown on a screen of which snapshots are being taken (R12, R50, R51).

    Nothing is asked where it goes to a file or a pipe, or where tracking is off.

    Raises:
        typer.Exit: The person would rather not (exit status 1).
    """
    if not sys.stdout.isatty() or not diary.tracking().on:
        return
    agree(
        f"Tracking is on: a snapshot taken while {what} on the screen shows it to whoever reads the "
        "contract. Better first: diary pause 30m. Show it now?",
        yes=yes,
    )


def show_reach(link: "Link") -> None:
    """Say where a link leads nobody, else show it as a QR code where stdout is a terminal (R64)."""
    if link.leads_here:
        say(
            f"It leads to this computer alone ({link.server_url}): nobody elsewhere can open it. For a "
            "client elsewhere run the server where they reach it (docs/operate.md), or use one that is."
        )
        return
    if not sys.stdout.isatty():
        return
    from diary.command.tables import plain_console
    from diary.qr_code import qr_code

    console, code = plain_console(), qr_code(link.text)
    lines = code.lines(draws_dark=console.color_system is not None and not console.no_color)
    if console.options.ascii_only:
        return
    if console.width < code.width or console.height <= len(lines):
        say(f"A terminal of {code.width} columns and {len(lines) + 1} lines shows it as a QR code too.")
        return
    say("As a QR code, for the camera of their phone; who photographs it has the link:")
    for line in lines:
        console.print(line, style="#000000 on #ffffff", no_wrap=True, crop=True)
