"""What the tracker must never keep is in no memory, file or line of it, though it saw all of it (R15).

A real session: words typed, places clicked, a text copied, while the real tracker counts. Its whole memory is
read and searched, beside that of a control which keeps what it sees.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from Xlib.display import Display

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import Millis
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from tests.capture.test_tracker import READY, ROOT, RUN
from tests.desktop import Desktop
from tests.planted import Planted, internet_sockets, memory_of, places, stopped, word
from tests.rule import rule

pytestmark = pytest.mark.screen

TYPED = "quoxvzkwjypb"
COPIED = "grimzaltforkundel"
TITLE = "Titelwoch fernsprech"
MEMO = "memo hagestolz"
CLICKED = ((1117, 443), (731, 597), (1013, 617), (859, 719), (1201, 551))
ROUNDS = 3
SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found of what was planted, by its name: in the tracker, in the control, in files."""

    tracker: dict[str, set[str]]
    control: dict[str, set[str]]
    files: dict[str, dict[str, set[str]]]
    sockets: set[str]
    counted: int


def keycodes(display: str, text: str) -> list[int]:
    """Return the codes of the keys that type a text."""
    server = Display(display)
    try:
        return [server.keysym_to_keycode(ord(sign)) for sign in text]
    finally:
        server.close()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("session")
    home = folder / "diary"
    (folder / "tmp").mkdir()
    place = choose_place(home, "file")
    with Diary.create(home, clock=SystemClock(), place=place, device_name="desk") as diary:
        diary.start(diary.new_contract(title="Mill").id, memo=MEMO)
    with Desktop.start(1280, 800, title=TITLE) as desktop, ExitStack() as stack:
        environment = {
            **os.environ,
            **desktop.environment(),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder / "tmp"),
        }
        planted = {
            "typed": word(TYPED, keycodes(desktop.display, TYPED)),
            "clicked": places(CLICKED),
            "copied": word(COPIED),
            "title": word(TITLE),
        }
        copy(environment)
        keep = [sys.executable, "-m", "tests.capture.keeper"]
        control = begun(stack, keep, environment, folder / "control.out", "ready")
        track = [sys.executable, "-c", RUN, str(home), "0"]  # the snapshot comes at once
        tracker = begun(stack, track, environment, folder / "tracker.out", READY)
        # Before anything is clicked: the terminal still has the focus, and its title is the snapshot's.
        wait_until(lambda: any(each.titles for each in segments(home)))
        for _ in range(ROUNDS):
            work(desktop)
        found = [found_in(process.pid, planted) for process in (tracker, control)]
        sockets = internet_sockets(tracker.pid)
        tracker.terminate()
        tracker.wait(SECONDS_MAX)
    minutes = [minute for each in segments(home) for minute in each.minutes if minute]
    return Seen(
        tracker=found[0],
        control=found[1],
        files={
            str(path.relative_to(folder)): {
                what: each.found_in(iter([path.read_bytes()])) for what, each in planted.items()
            }
            for path in folder.rglob("*")
            if path.is_file()
        },
        sockets=sockets,
        counted=sum((minute.keystrokes or 0) + (minute.clicks or 0) for minute in minutes),
    )


def segments(home: Path) -> list[SegmentView]:
    with Diary.open(home) as diary:
        now = diary.now_ms()
        weeks = {Week.at(now), Week.at(Millis(now - 3_600_000))}
        return [each for week in weeks for each in diary.week(week).segments]


def found_in(pid: int, planted: Mapping[str, Planted]) -> dict[str, set[str]]:
    """Return the forms in which each thing lies in a process's memory."""
    found: dict[str, set[str]] = {what: set() for what in planted}
    with stopped(pid):
        for chunk in memory_of(pid):
            for what, each in planted.items():
                found[what] |= each.found_in(iter([chunk]))
    return found


def copy(environment: dict[str, str]) -> None:
    """Put the planted text on the clipboard, as a program does from which it is copied."""
    subprocess.run(
        ("xclip", "-i", "-selection", "clipboard"),
        input=COPIED.encode(),
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def begun(
    stack: ExitStack, command: list[str], environment: dict[str, str], log: Path, ready: str
) -> "subprocess.Popen[bytes]":
    """Start a process and wait until it says that it is ready; it ends with the stack."""
    with log.open("ab") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    stack.callback(process.wait, SECONDS_MAX)
    stack.callback(process.terminate)
    wait_until(lambda: ready in log.read_text(encoding="utf-8"))
    return process


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def work(desktop: Desktop) -> None:
    """Type the word, click the places, turn the wheel."""
    desktop.type_text(f"{TYPED} ")
    for place in CLICKED:
        desktop.move(*place)
        desktop.click()
    desktop.scroll(2)
    desktop.move(300, 300)
    desktop.click()  # back into the terminal
    time.sleep(1)


@rule("R15")
def test_the_search_finds_what_is_kept(seen: Seen) -> None:
    assert "keycodes 32 bytes apart" in seen.control["typed"]
    assert "events 32 bytes apart" in seen.control["clicked"]
    assert "utf-8" in seen.control["copied"]
    # The tracker's own memory can be searched as well: the title is recorded, and is there.
    assert "utf-8" in seen.tracker["title"]


@rule("R14")
@rule("R15")
def test_the_tracker_counted_what_it_did_not_keep(seen: Seen) -> None:
    assert seen.counted >= ROUNDS * (len(TYPED) + len(CLICKED))


@rule("R15")
@pytest.mark.parametrize("what", ["typed", "clicked", "copied"])
def test_it_is_not_in_the_trackers_memory(seen: Seen, what: str) -> None:
    assert seen.tracker[what] == set()


@rule("R15")
@rule("R46")
@pytest.mark.parametrize("what", ["typed", "clicked", "copied", "title"])
def test_it_is_in_no_file_and_no_log(seen: Seen, what: str) -> None:
    assert {"diary/diary.db", "tracker.out"} <= seen.files.keys()
    # Eight bytes that look like a place lie in any sealed picture; its text or a run of events do not.
    forms = {
        (name, form)
        for name, found in seen.files.items()
        for form in found[what]
        if not form.startswith("numbers")
    }
    assert forms == set()


@rule("R15")
@rule("R19")
def test_the_tracker_has_no_line_to_any_network(seen: Seen) -> None:
    assert seen.sockets == set()
