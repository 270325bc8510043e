"""What invitations and the phrase do at a terminal: a QR code, and a question while snapshots are taken."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import pytest

from diary.clock import SystemClock
from diary.diary import Diary
from diary.sealing.keyring import choose_place
from tests.rule import rule
from tests.seen_code import DARK, LIGHT, read_lines
from tests.terminal_end import read_to_end

ELSEWHERE = "http://diary.invalid"  # a name that leads nowhere: RFC 6761, section 6.4
NO_LINE = {
    "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}  # nobody asks for that name, which may take long
SHAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WIDE, NARROW = (50, 100), (24, 80)


@dataclass(frozen=True)
class Terminal:
    """A person at a terminal of some lines and columns, with a diary of the real time."""

    home: Path

    def types(
        self, *words: str, size: tuple[int, int] = WIDE, answers: str = "", **environment: str
    ) -> tuple[int, str]:
        """Return the exit status and all that the terminal showed, its colours taken off."""
        end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        os.write(end, answers.encode())
        env = {
            name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}
        }
        with subprocess.Popen(
            [sys.executable, "-m", "diary.cli", "--home", str(self.home), *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env=env | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | NO_LINE | environment,
        ) as process:
            os.close(other)
            said = read_to_end(end)
        return process.returncode, said.decode().replace("\r\n", "\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a diary with one contract, registered with a server that is not there."""
    folder = tmp_path / "diary"
    place = choose_place(folder, "file")
    with Diary.create(folder, clock=SystemClock(), place=place, device_name="laptop") as diary:
        diary.new_contract(title="Orchard", rate_minor=60_00)
        diary.link_server(ELSEWHERE, "ab" * 32)
    return folder


@pytest.fixture
def terminal(home: Path) -> Terminal:
    return Terminal(home)


def track(home: Path) -> None:
    with Diary.open(home, clock=SystemClock()) as diary:
        diary.start(diary.contract("Orchard").id)


def link_in(said: str) -> str:
    return next(line for line in said.splitlines() if line.startswith(ELSEWHERE))


def blocks_in(said: str) -> list[str]:
    """Return the lines of the code, as wide as the widest: what stands on its own ground is not stripped."""
    lines = [SHAPES.sub("", line) for line in said.splitlines()]
    at = next(place for place, line in enumerate(lines) if line.startswith("As a QR code"))
    return [line for line in lines[at + 1 :] if line]


@rule("R64")
@pytest.mark.parametrize("words", [("invite", "Orchard"), ("agency", "grant", "Orchard", "9a" * 16)])
def test_an_invitation_is_a_qr_code_at_a_terminal(terminal: Terminal, words: tuple[str, ...]) -> None:
    status, said = terminal.types(*words)
    assert status == 0
    assert "\x1b[38;5;16;48;5;231m" in said  # black on white, whatever the terminal's own colours are
    assert read_lines(blocks_in(said)) == [link_in(said)]


@rule("R64")
def test_without_colours_the_light_modules_are_drawn(terminal: Terminal) -> None:
    status, said = terminal.types("invite", "Orchard", NO_COLOR="1")
    assert status == 0
    assert "\x1b[" not in said
    assert read_lines(blocks_in(said), ink=LIGHT, paper=DARK) == [link_in(said)]


@rule("R64")
def test_a_small_terminal_is_told_how_large_a_code_would_be_and_shows_none(terminal: Terminal) -> None:
    status, said = terminal.types("invite", "Orchard", size=NARROW)
    assert status == 0
    assert re.search(r"A terminal of \d\d columns and \d\d lines shows it as a QR code too\.", said)
    assert "█" not in said


@rule("R64")
def test_a_link_to_this_computer_alone_is_called_so_and_is_no_code(home: Path, terminal: Terminal) -> None:
    with Diary.open(home, clock=SystemClock()) as diary:
        diary.link_server("http://127.0.0.1:9", "ab" * 32)
    status, said = terminal.types("invite", "Orchard")
    assert status == 0
    assert "It leads to this computer alone (http://127.0.0.1:9)" in said
    assert "█" not in said


@rule("R64")
def test_what_is_no_terminal_and_json_get_the_link_alone(terminal: Terminal) -> None:
    command = [sys.executable, "-m", "diary.cli", "--home", str(terminal.home), "invite", "Orchard"]
    piped = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **NO_LINE})
    assert piped.stdout.startswith(f"{ELSEWHERE}/join#1.")
    assert piped.stdout.count("\n") == 1
    assert "█" not in piped.stdout + piped.stderr
    status, said = terminal.types("invite", "Orchard", "--json")
    assert status == 0
    assert json.loads(said)["link"].startswith(f"{ELSEWHERE}/join#1.")


@rule("R50")
@rule("R51")
@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (("invite", "Orchard"), "/join#"),
        (("agency", "grant", "Orchard", "9a" * 16), "/join#"),
        (("key", "phrase"), " 12. "),
    ],
)
def test_a_screen_of_which_snapshots_are_taken_shows_no_secret_unasked(
    home: Path, terminal: Terminal, words: tuple[str, ...], secret: str
) -> None:
    track(home)
    status, said = terminal.types(*words, answers="n\n")
    assert status == 1
    assert "Tracking is on: a snapshot taken while" in said
    assert "diary pause 30m" in said
    assert secret not in said
    status, said = terminal.types(*words, answers="y\n")
    assert status == 0
    assert secret in said


@rule("R51")
def test_a_refused_question_has_invited_nobody(home: Path, terminal: Terminal) -> None:
    track(home)
    terminal.types("invite", "Orchard", answers="n\n")
    with Diary.open(home, clock=SystemClock()) as diary:
        assert diary.invitations() == ()
    status, said = terminal.types("--yes", "invite", "Orchard")
    assert status == 0
    assert "Tracking is on" not in said
