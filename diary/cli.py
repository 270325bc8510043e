"""The `diary` command: the state at once, everything else through Typer (CLI.md).

`diary` and `diary status` stand in prompts and status bars, so they are recognised here and answered without
loading Typer, which alone takes longer. `diary.command.program` has the whole command.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


@dataclass(slots=True)
class _Asked:
    """How the state is asked for."""

    home: Path | None = None
    as_json: bool = False
    utc: bool = False
    brief: bool = True


def main() -> None:
    """Run the command."""
    asked = _state_asked(sys.argv[1:])
    if asked is None or "_DIARY_COMPLETE" in os.environ:
        whole()(prog_name="diary")
    else:
        sys.exit(_answer(asked))


def whole() -> "typer.Typer":
    """Return the whole command as a Typer app; its group loads a module when a command of it is asked for."""
    from diary.command.program import app

    return app


def __getattr__(name: str) -> "typer.Typer":
    """Return the whole command as `diary.cli.app`, loaded by whoever asks for it."""
    if name == "app":
        return whole()
    raise AttributeError(name)


def _state_asked(words: Sequence[str]) -> _Asked | None:
    """Return how the state is asked for; None where the words ask for anything else, or not plainly."""
    asked = _Asked()
    left = list(words)
    while left:
        match left.pop(0):
            case "--home" if left and asked.brief:
                asked.home = Path(left.pop(0))
            case "--json":
                asked.as_json = True
            case "--utc":
                asked.utc = True
            case "status" if asked.brief:
                asked.brief = False
            case _:
                return None
    return asked


def _answer(asked: _Asked) -> int:
    from diary.clock import SystemClock
    from diary.command.home import Desk, fault_of, home_of, tell_fault
    from diary.command.state import show_state

    desk = Desk(home=home_of(asked.home), clock=SystemClock())
    try:
        show_state(desk, as_json=asked.as_json, utc=asked.utc, brief=asked.brief)
        sys.stdout.flush()
    except Exception as error:
        known = fault_of(error, desk.home)
        if known is None:
            raise
        return tell_fault(known)
    return 0


if __name__ == "__main__":
    main()
