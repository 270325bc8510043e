"""The command as a process: what it exits with, how fast the state comes, what completion knows."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.diary.typed import Typist, typist_with_a_morning
from tests.journeys.actors import Process, eventually, free_port
from tests.rule import rule

UP_SECONDS = 60


def run(home: Path, *words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "diary.cli", *words],
        env={**os.environ, "DIARY_HOME": str(home), **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


def test_the_state_is_said_alike_with_and_without_typer(typist: Typist) -> None:
    # The recorded week lies in the past of the machine's clock, or its future: only the waiting agrees.
    quick = run(typist.home, "status", "--json")
    assert quick.returncode == 0
    assert set(typist.json("status")) == {
        word.split('"')[1] for word in quick.stdout.splitlines() if '"' in word
    }
    assert run(typist.home).stdout.count("\n") == 1


# Each costs what the whole answer may: prompts and status bars ask for the state at every line.
NOT_FOR_THE_STATE = {
    *("typer", "rich", "pydantic", "PIL", "httpx", "watchdog", "sqlite_utils", "keyring", "mnemonic"),
    *("cryptography.hazmat.primitives.hpke", "diary.diary", "diary.beginning", "diary.correcting"),
    *("diary.exchanging", "diary.looking", "diary.renewing", "diary.search", "diary.rules.timesheet"),
}


def test_the_state_loads_nothing_that_it_does_not_need(typist: Typist) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "diary.cli", "--home", str(typist.home), "status"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "diary.state_door" in loaded
    assert not loaded & NOT_FOR_THE_STATE


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("status",), 1),
        (("week",), 1),
        (("nonsense",), 2),
        (("week", "never"), 1),
        (("--home",), 2),
    ],
)
def test_without_a_diary_the_exit_status_is_that_of_the_table(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    done = run(tmp_path / "nothing", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr


def test_a_damaged_file_ends_with_4_and_a_bad_time_with_2(typist: Typist) -> None:
    assert run(typist.home, "edit", "soon", "--memo", "x").returncode == 2
    (typist.home / "diary.db").write_bytes(b"this is no database, though it is long enough to be one" * 90)
    for words in (("status",), ("week",), ()):
        done = run(typist.home, *words)
        assert done.returncode == 4
        assert "Traceback" not in done.stderr


def test_a_folder_without_permission_ends_with_6(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run(tmp_path / "file" / "home", "init", "--key-file")
    assert done.returncode == 6
    assert "Traceback" not in done.stderr


def test_who_stops_reading_stops_the_command_quietly(typist: Typist) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m diary.cli --home {typist.home} week 2026-W47 | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_completion_knows_the_commands_of_every_room(typist: Typist) -> None:
    program = shutil.which("diary", path=str(Path(sys.executable).parent))
    assert program is not None
    done = subprocess.run(
        [program],
        env={
            **os.environ,
            "DIARY_HOME": str(typist.home),
            "_DIARY_COMPLETE": "complete_bash",
            "COMP_WORDS": "diary s",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"status", "show", "search", "start", "stop", "sync"} <= set(done.stdout.split())


@rule("R46")
@pytest.mark.timeout(180)
def test_up_makes_what_is_missing_starts_all_parts_and_ends_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    up = Process("up", ("--home", str(home), "up", "--key-file"), lambda: environment, tmp_path / "up.log")
    up.start()
    eventually("the pages' address is printed", lambda: "token=" in up.talk() or None, seconds=UP_SECONDS)
    said = up.talk()
    for word in ("Practice", "device.key", "server", "sync", "tracker", "datasette", "Ctrl-C"):
        assert word in said
    assert run(home, "status").stdout.startswith("Tracking Practice")
    assert run(home, "up").returncode == 2, "a second one on the same diary"

    # A part that dies is started again, and said.
    server = children_named("server", home)
    os.kill(server[0], signal.SIGKILL)
    eventually("it is said", lambda: "ended with status -9" in up.talk() or None, seconds=30)
    eventually(
        "another server runs",
        lambda: (found := children_named("server", home)) and found != server,
        seconds=30,
    )
    began = time.monotonic()
    up.stop()
    assert time.monotonic() - began < 25
    for name in ("server", "sync", "tracker", "open"):
        assert children_named(name, home) == []
    logs = b"".join(path.read_bytes() for path in (home / "logs").iterdir())
    assert b"Trying the diary out" not in logs, "a log holds nothing that a person wrote"


def children_named(name: str, home: Path) -> list[int]:
    """Return the processes of `diary --home HOME NAME …`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(home).encode() in words and name.encode() in words:
                found.append(int(entry.name))
    return found


def test_a_free_port_is_found_where_the_usual_one_is_taken() -> None:
    import socket

    from diary.command import running

    with socket.socket() as taken:
        taken.bind((running.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert running.free_port(port) != port
    assert running.free_port(free := free_port()) == free
