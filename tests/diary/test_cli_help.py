"""`diary --help`: every command once, with its like, and short enough to be read through (CLI.md)."""

import re
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.command.program import GROUPS
from tests.diary.typed import Typist
from tests.practice import MONDAY_NINE, instant

NAMED = re.compile(r"^  ([a-z]+)(?:\s{2,}(\S.*))?$")


@pytest.fixture
def said(tmp_path: Path) -> str:
    typist = Typist(tmp_path / "home", GivenClock(instant(MONDAY_NINE)))
    return typist.types("--help").out


def test_every_command_stands_once_and_in_a_group(said: str) -> None:
    listed = [found[1] for line in said.splitlines() if (found := NAMED.match(line))]
    assert listed == [name for names in GROUPS.values() for name in names]
    assert [line for line in said.splitlines() if line.endswith(":") and not line.startswith(" ")] == [
        "Options:",
        *(f"{group}:" for group in GROUPS),
    ]


def test_no_line_is_cut_off(said: str) -> None:
    assert "..." not in said.partition("Run:")[2]
    assert max(map(len, said.splitlines())) <= 80
