"""What takes long says how far it is: a line that changes at a terminal, few lines elsewhere."""

import os
import pty
import re
import subprocess
import sys

import pytest

from tests.terminal_end import read_to_end

LONG = """
import time
from diary.clock import SystemClock
from diary.command.progress import shown

with shown("Copying the diary", SystemClock()) as progress:
    for done in range(5):
        progress(done, 4)
        time.sleep(1)
print("done")
"""
SHORT = LONG.replace("range(5)", "range(0)")


def said_by(program: str, *, terminal: bool) -> str:
    """Return what a program says on stderr, which may be a terminal."""
    end, other = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=other,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(other)
        said = read_to_end(end)
        assert process.stdout is not None
        assert process.stdout.read() == b"done\n"
    assert process.returncode == 0
    return said.decode()


def test_a_terminal_sees_how_far_it_is_in_one_line_that_goes() -> None:
    said = said_by(LONG, terminal=True)
    assert re.search(r"Copying the diary for \d+ s, \d+ % done\.", said)
    assert "\n" not in said
    assert said.endswith("\r\x1b[K")


def test_what_is_no_terminal_gets_one_line_of_a_few_seconds() -> None:
    said = said_by(LONG, terminal=False)
    assert said.startswith("Copying the diary for ")
    assert said.endswith(" % done.\n")
    assert "\x1b" not in said


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_over_at_once_says_nothing(*, terminal: bool) -> None:
    assert said_by(SHORT, terminal=terminal) == ""
