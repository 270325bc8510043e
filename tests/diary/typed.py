"""A person at the command line, within the test's process and by the test's clock."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from diary.cli import whole
from diary.clock import GivenClock
from diary.command.home import ask_passphrase
from tests.practice import practice_diary, record_slot, slot


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    out: str
    err: str
    status: int


@dataclass
class Typist:
    """Types `diary WORDS` with one home and one clock."""

    home: Path
    clock: GivenClock

    def types(self, *words: str, given: str = "", says: int = 0) -> Said:
        """Return what the command says, held to the exit status `says`."""
        ask_passphrase.cache_clear()
        done = CliRunner(env={"DIARY_HOME": str(self.home), "TZ": "UTC", "NO_COLOR": "1"}).invoke(
            whole(), list(words), input=given, obj=self.clock
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == says, (done.exit_code, done.stdout, done.stderr)
        return Said(done.stdout, done.stderr, done.exit_code)

    def json(self, *words: str) -> Any:
        """Return what the command says to programs."""
        return json.loads(self.types(*words, "--json").out)


def typist_with_a_morning(folder: Path, *, times: tuple[str, ...] = ("09:00", "09:10", "09:20")) -> Typist:
    """Return a typist on Monday 2026-11-16 with slots recorded for Orchard; manual time is allowed."""
    diary, clock, contract = practice_diary(
        folder,
        "2026-11-16T08:50Z",
        title="Orchard website",
        client="Orchard",
        labels=("Design", "Code"),
        manual_allowed=True,
        rate_minor=60_00,
    )
    with diary:
        for time in times:
            record_slot(diary, contract, slot(f"2026-11-16T{time}Z"), memo="Invoice page", label="Design")
    return Typist(folder / "diary", clock)
