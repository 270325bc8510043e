"""The window on a real desktop by keyboard alone, the tray in a real one, names for a screen reader."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mss
import pytest
from PIL import Image

from capture.window.acting import Acting
from diary.clock import SystemClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week, slot_at, starts_at_ms
from diary.sealing.keyring import choose_place
from tests.desktop import Desktop
from tests.practice import draft_of
from tests.rule import rule

pytestmark = [pytest.mark.screen, pytest.mark.timeout(600)]

SECONDS_MAX = 120  # a toolkit of many megabytes starts on a loaded machine
GREEN = (0x2E, 0x7D, 0x32)
NAMES = """
import sys
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget
from capture.window.acting import Acting
from capture.window.qt import Window
from diary.diary import Diary

LABEL = QAccessible.RelationFlag.Label
app = QApplication(["names"])
with Diary.open(Path(sys.argv[1])) as diary:
    window = Window(Acting(diary))
    window.show()
    app.processEvents()
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            described = QAccessible.queryAccessibleInterface(widget)
            labels = [to.text(QAccessible.Text.Name) for to, how in described.relations() if how == LABEL]
            name = (labels or [described.text(QAccessible.Text.Name)])[0]
            print(type(widget).__name__, name, sep="\\t")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a diary with two contracts."""
    folder = tmp_path / "diary"
    folder.mkdir()
    place = choose_place(folder, "file")
    with Diary.create(folder, clock=SystemClock(), place=place, device_name="desk") as diary:
        diary.new_contract(title="Mill", labels=("drawing", "calls"), limit_minutes=1200)
        diary.new_contract(title="Bakery")
    return folder


@contextmanager
def window(home: Path, desktop: Desktop, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `diary window`, and end it and the tracker that it started."""
    env = {**os.environ, **desktop.environment(), "QT_QPA_PLATFORM": "xcb"}
    running = subprocess.Popen([*diary_command(home), "window", *options], env=env)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        subprocess.run(["pkill", "-f", f"{home} tracker run"], check=False)


def diary_command(home: Path) -> list[str]:
    return [sys.executable, "-m", "diary.cli", "--home", str(home)]


def until(what: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + SECONDS_MAX
    while not what():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def titled(desktop: Desktop, start: str) -> Callable[[], bool]:
    return lambda: (desktop.active_title() or "").startswith(start)


@rule("R11")
@rule("R23")
def test_a_day_by_keyboard_alone(desktop: Desktop, home: Path) -> None:
    with window(home, desktop) as running, Diary.open(home) as diary:
        until(titled(desktop, "Work Diary – OFF"))
        desktop.key("alt+c")
        desktop.key("m")  # to the contract that begins so
        desktop.key("Tab")
        desktop.type_text("the north wing")
        desktop.key("Return")
        until(titled(desktop, "Work Diary – ON: tracking Mill"))
        memo = diary.tracking().memo
        assert memo is not None
        assert memo.text == "the north wing"
        desktop.key("alt+p")
        until(titled(desktop, "Work Diary – PAUSED"))
        assert not diary.tracking().on
        desktop.key("alt+n")
        until(lambda: diary.tracking().on)
        desktop.key("alt+t")
        until(lambda: diary.tracking().contract is None)
        desktop.key("alt+q")
        assert running.wait(SECONDS_MAX) == 0


@rule("R4")
@rule("R17")
def test_the_last_snapshot_is_removed_by_keyboard_after_a_question(desktop: Desktop, home: Path) -> None:
    with Diary.open(home) as diary:
        place = (diary.contract("Mill").id, recorded(diary, diary.contract("Mill")))
        with window(home, desktop):
            until(titled(desktop, "Work Diary"))
            desktop.key("alt+r")
            until(titled(desktop, "Remove the snapshot"))
            desktop.key("Escape")
            until(titled(desktop, "Work Diary"))
            found = diary.segment(place)
            assert found is not None
            assert found.snapshots
            desktop.key("alt+r")
            until(titled(desktop, "Remove the snapshot"))
            desktop.key("alt+y")
            until(lambda: (found := diary.segment(place)) is None or found.state == "deleted")


@rule("R4")
def test_what_is_removed_is_what_was_asked_about_though_a_newer_snapshot_came(home: Path) -> None:
    with Diary.open(home) as diary:
        mill = diary.contract("Mill")
        older = recorded(diary, mill, 2)
        asked = Acting(diary).panel(None).snapshot
        assert asked is not None
        newer = recorded(diary, mill)
        assert Acting(diary).do("remove", place=asked.place) == "Removed, with its time."
        states = {each.slot: each.state for each in diary.week(Week.of(newer)).segments}
        assert older not in states or states[older] == "deleted"
        assert states[newer] != "deleted"


def recorded(diary: Diary, contract: Contract, ago: int = 1) -> Slot:
    """Record the slot that was so many before this one and return it."""
    slot = slot_at(diary.now_ms() - ago * 600_000)
    assert starts_at_ms(slot) < diary.now_ms()
    sink = io.BytesIO()
    Image.new("RGB", (320, 180), "navy").save(sink, "WEBP")
    diary.record(draft_of(contract, slot, picture=sink.getvalue()))
    return slot


@rule("R18")
def test_an_answer_about_time_away_is_to_the_question_that_was_shown(home: Path) -> None:
    with Diary.open(home) as diary:
        mill, now_ms = diary.contract("Mill"), diary.now_ms()
        for ago in (40, 20):
            since_ms, until_ms = Millis(now_ms - ago * 60_000), Millis(now_ms - (ago - 10) * 60_000)
            diary.ask_idle(mill.id, since_ms=since_ms, until_ms=until_ms, minutes=10)
            acting = Acting(diary)
            if ago == 40:
                shown = acting.panel(None)
        assert "Nothing is asked" in acting.do("answer_idle", text="drop", asked_until_ms=shown.idle_until_ms)
        newer = diary.idle_question()
        assert newer is not None
        assert newer.answer is None
        named_ms = acting.panel(None).idle_until_ms
        assert acting.do("answer_idle", text="drop", asked_until_ms=named_ms) == ""
        answered = diary.idle_question()
        assert answered is not None
        assert answered.answer == "drop"


@rule("R23")
def test_the_tray_shows_whether_tracking_is_on(desktop: Desktop, home: Path) -> None:
    tray = subprocess.Popen(
        ["trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "64"],
        env={**os.environ, **desktop.environment()},
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1)
        with Diary.open(home) as diary, window(home, desktop, "--hidden"):
            until(lambda: is_seen(desktop, (0x75, 0x75, 0x75)))
            assert not (desktop.active_title() or "").startswith("Work Diary")
            diary.start(diary.contract("Mill").id)
            until(lambda: is_seen(desktop, GREEN))
    finally:
        tray.kill()
        tray.wait()


def is_seen(desktop: Desktop, colour: tuple[int, int, int]) -> bool:
    """Return whether a colour has a small icon's share of the screen."""
    with mss.MSS(display=desktop.display) as camera:
        shot = camera.grab(camera.monitors[0])
    seen = Image.frombytes("RGB", shot.size, shot.rgb).getcolors(1 << 24) or []
    return any(found == colour and count > 60 for count, found in seen)


def test_everything_that_takes_the_focus_has_a_name_for_a_screen_reader(home: Path) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", NAMES, str(home)], env=env, capture_output=True, text=True, check=True
    )
    named = dict(line.split("\t")[::-1] for line in run.stdout.splitlines() if "LineEdit" not in line)
    assert {"Contract", "Memo", "Label", "Start", "Open diary", "Quit"} <= set(named)
    assert "" not in named
