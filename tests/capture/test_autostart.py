"""What is written so that the tracker starts with the desktop, read back as each system reads it."""

import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import autostart
from capture.autostart import KINDS, ForeignFileError, Kind, NotInstalledError, entry_of, kind_of
from tests.rule import rule

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20
)
commands = st.lists(words, min_size=1, max_size=5)
HOME = Path("/home/me")


@rule("R23")
@given(commands)
def test_a_systemd_unit_starts_the_command_word_by_word(command: list[str]) -> None:
    line = re.search("^ExecStart=(.*)$", autostart.systemd_unit(command), re.MULTILINE)
    assert line is not None
    # systemd's quoting is a shell's without its expansions, which are doubled away.
    read = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line[1])]
    assert read == [word.replace("%%", "%").replace("$$", "$") for word in _doubled(command)]


def _doubled(command: list[str]) -> list[str]:
    return [word.replace("%", "%%").replace("$", "$$") for word in command]


@rule("R23")
@given(commands)
def test_a_desktop_entry_starts_the_command_word_by_word(command: list[str]) -> None:
    line = re.search("^Exec=(.*)$", autostart.xdg_entry(command), re.MULTILINE)
    assert line is not None
    string = line[1].replace("\\\\", "\\")  # the escapes of any string of the file
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', string)
    assert [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in quoted] == command


@rule("R23")
@given(commands)
def test_a_launch_agent_starts_the_command_word_by_word(command: list[str]) -> None:
    read = plistlib.loads(autostart.launch_agent(command).encode())
    assert read["ProgramArguments"] == command
    assert read["RunAtLoad"] is True


@rule("R23")
@given(commands)
def test_a_windows_task_starts_the_command_word_by_word(command: list[str]) -> None:
    task = ET.fromstring(autostart.scheduled_task(command).encode())
    program, arguments = (_found(task, name) for name in ("Command", "Arguments"))
    assert [program, *_split_as_windows(arguments)] == command


def _found(task: ET.Element, name: str) -> str:
    found = task.find(f".//{{*}}{name}")
    assert found is not None
    return found.text or ""


def _split_as_windows(line: str) -> list[str]:
    """Split by the rules of Microsoft's C runtime, written apart."""
    words, word, quoted, begun, at = [], "", False, False, 0
    while at < len(line):
        run = len(line[at:]) - len(line[at:].lstrip("\\"))
        if run and line[at + run : at + run + 1] == '"':
            word, at, begun = word + "\\" * (run // 2), at + run, True
            if run % 2:
                word, at = word + '"', at + 1
            continue
        sign = line[at]
        at += 1
        if sign == '"':
            quoted, begun = not quoted, True
        elif sign.isspace() and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + sign, True
    return [*words, word] if begun else words


@rule("R23")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / "workdiary-tracker.service"
    unit.write_text(autostart.systemd_unit([sys.executable, "-m", "diary.cli", "--home", "/a b/%c$d"]))
    run = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "workdiary-tracker" not in run.stderr


@rule("R23")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ours_is_written_again_and_taken_away_and_what_is_not_stays(
    kind: Kind, tmp_path: Path
) -> None:
    entry = entry_of(kind, ["diary", "tracker", "run"], tmp_path, {})
    with pytest.raises(NotInstalledError):
        autostart.take_away(entry)
    autostart.write(entry)
    autostart.write(entry)
    assert entry.path.is_relative_to(tmp_path)
    autostart.take_away(entry)
    assert not entry.path.exists()
    entry.path.write_text("somebody else's")
    for act in (autostart.write, autostart.take_away):
        with pytest.raises(ForeignFileError):
            act(entry)
    assert entry.path.read_text() == "somebody else's"


@rule("R23")
def test_each_system_gets_its_own_way() -> None:
    assert kind_of("darwin", has_systemd=False) == "launchd"
    assert kind_of("win32", has_systemd=False) == "windows"
    assert kind_of("linux", has_systemd=True) == "systemd"
    assert kind_of("linux", has_systemd=False) == "xdg"
    assert entry_of("xdg", ["x"], HOME, {"XDG_CONFIG_HOME": "/elsewhere"}).path.is_relative_to("/elsewhere")
