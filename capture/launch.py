"""Starts a tracker on its own where none runs (R11)."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from capture.alone import is_tracked
from diary.command.home import ask_passphrase
from diary.errors import MachineError
from diary.sealing.keyring import Ask, place_of

LOG = "tracker.log"
START_SECONDS_MAX = 20  # a slow machine imports for a while; the tracker takes its place before that
POLL_SECONDS = 0.05


class TrackerDidNotStartError(MachineError):
    """The tracker ended before it began."""

    says = "The tracker did not start: {because}"
    mend = "See why with `diary tracker run`, which runs it here."


def ensure_tracker(home: Path, say: Callable[[str], None], ask: Ask = ask_passphrase) -> None:
    """Start a tracker where none runs, and say so; it outlives whoever started it.

    `ask` returns the passphrase of a diary that is under one.

    Raises:
        TrackerDidNotStartError: It ended again, or did not begin in time.
    """
    if is_tracked(home):
        return
    path = home / LOG
    # At a terminal, who opened the diary was asked already; the tracker reads it from a pipe.
    given = f"{ask()}\n".encode() if place_of(home).kind == "passphrase" else b""
    with path.open("ab") as sink:
        tracker = subprocess.Popen(
            [sys.executable, "-m", "diary.cli", "--home", str(home), "tracker", "run", "--quiet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=sink,
            start_new_session=True,
        )
    assert tracker.stdin is not None, "a pipe was asked for"
    try:
        tracker.stdin.write(given)
        tracker.stdin.close()
    except BrokenPipeError:
        pass  # it ended already; below it is said why
    for _ in range(int(START_SECONDS_MAX / POLL_SECONDS)):
        if is_tracked(home):
            say(f"A tracker was started (process {tracker.pid}); it talks to {path}.")
            return
        if tracker.poll() is not None:
            raise TrackerDidNotStartError(because=" ".join(last_lines(path, 1)))
        time.sleep(POLL_SECONDS)
    raise TrackerDidNotStartError(because=f"not within {START_SECONDS_MAX} seconds")


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of the tracker's log."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
