"""Where a command works, and how it speaks and ends, without loading Typer (CLI.md).

`diary status` is asked by prompts and status bars: Typer alone would take longer than all that it does.
Output goes to stdout, talk and questions to stderr.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from diary.clock import Clock
from diary.errors import DiaryError, MachineError
from diary.rules.ids import ContractId, Place, Slot
from diary.rules.plain_text import plain

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.look_door import LookDoor
    from diary.state_door import StateDoor

LAST_LIST = "last-list.json"  # places only, never what stands in them
LISTED_MAX = 1008


class MachineFaultError(MachineError):
    """The operating system refused something that no other error of ours names."""

    says = "This computer could not do it: {fault}."
    mend = "Check free space and permissions, then try again."


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command works: one diary's home folder and one clock."""

    home: Path
    clock: Clock

    def open_diary(self) -> "Diary":
        """Open the diary, asking for its passphrase where it has one."""
        from diary.diary import Diary

        return Diary.open(self.home, clock=self.clock, ask_passphrase=ask_passphrase)

    def open_look(self) -> "LookDoor":
        """Open the diary to look only, which loads less."""
        from diary.look_door import LookDoor

        return LookDoor.open(self.home, clock=self.clock, ask_passphrase=ask_passphrase)

    def open_state(self) -> "StateDoor":
        """Open the diary to ask for its state alone, which loads much less."""
        from diary.state_door import StateDoor

        return StateDoor.open(self.home, clock=self.clock, ask_passphrase=ask_passphrase)

    def list_places(self, lines: Iterable[Sequence[Place]]) -> None:
        """Keep which places each line of a list stood for, so that `@3` names the third line's (CLI.md)."""
        path = self.home / LAST_LIST
        path.write_bytes(msgspec.json.encode(list(lines)[:LISTED_MAX]))
        path.chmod(0o600)

    def listed(self) -> Sequence[Sequence[Place]]:
        """Return the places of each line of the last list; none where nothing readable was kept."""
        try:
            raw = (self.home / LAST_LIST).read_bytes()
            found = msgspec.json.decode(raw, type=list[list[tuple[str, int]]])
        except (FileNotFoundError, msgspec.MsgspecError):
            return []
        return [[(ContractId(contract), Slot(slot)) for contract, slot in line] for line in found]


def home_of(given: Path | None) -> Path:
    """Return the diary's folder: `--home`, else DIARY_HOME, else the platform's data folder."""
    if given is not None:
        return given.expanduser()
    if named := os.environ.get("DIARY_HOME"):
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("workdiary", appauthor=False)


def zone_of(diary: "StateDoor", *, utc: bool) -> ZoneInfo:
    """Return the zone for reading and showing times: UTC if asked for, the setting's, the machine's (R5)."""
    if utc:
        return ZoneInfo("UTC")
    if named := str(diary.setting("zone")):
        return ZoneInfo(named)
    from diary.zone import machine_zone

    return machine_zone()


def print_json(value: object) -> None:
    """Print a value as JSON, indented, so that people can read it too."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Print what a command was asked for, plainly, on stdout; at once, since `diary up | tee` goes on."""
    sys.stdout.write(f"{plain(text)}\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Say something to the person on stderr, plainly: it is no output."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()


@cache
def ask_passphrase() -> str:
    """Return the passphrase: typed unseen at a terminal, else the next line of stdin (R49).

    It is asked for once a run: a thread that opens the diary anew gets the same answer.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    return getpass("Passphrase of this diary: ", stream=sys.stderr)


def fault_of(error: Exception, home: Path) -> DiaryError | None:
    """Return what an exception means to the person; None for what nobody foresaw, which is our mistake."""
    match error:
        case DiaryError():
            return error
        case BrokenPipeError():
            return None  # who read us has seen enough
        case OSError():
            return MachineFaultError(fault=error)
        case _ if "sqlite3" in sys.modules:
            return _fault_of_sqlite(error, home)
        case _:
            return None


def _fault_of_sqlite(error: Exception, home: Path) -> DiaryError | None:
    import sqlite3

    if not isinstance(error, sqlite3.Error):
        return None
    from diary.store import connection

    return connection.fault_of(error, home / connection.FILE_NAME)


def tell_fault(error: DiaryError) -> int:
    """Say what happened and how to mend it; return the exit status (CLI.md)."""
    for sentence in filter(None, (error.what_happened, error.how_to_mend)):
        say(sentence)
    return error.exit_code
