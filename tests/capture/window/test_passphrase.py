"""The window of a diary under a passphrase asks for it itself: whoever starts it has no terminal (R49)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capture.alone import is_tracked
from diary.clock import SystemClock
from diary.diary import Diary
from diary.sealing.keyring import choose_place
from tests.capture.window.test_window import SECONDS_MAX, diary_command, titled, until
from tests.desktop import Desktop
from tests.rule import rule

pytestmark = [pytest.mark.screen, pytest.mark.timeout(600)]

PASSPHRASE = "krummhorn und zink"
ASKS = "Work Diary: passphrase"
WRONG = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from capture.window.passphrase import Question, passphrase_for_tracker
from capture.window.qt import application

app = application()
answers = ["wrong", sys.argv[2]]

def answer():
    (dialog,) = [each for each in app.topLevelWidgets() if isinstance(each, Question) and each.isVisible()]
    line = dialog.findChild(QLineEdit)
    said = " ".join(each.text() for each in dialog.findChildren(QLabel))
    print("said", said, line.echoMode().name, sep="\\t")
    QTest.keyClicks(line, answers.pop(0))
    if answers:
        QTimer.singleShot(0, answer)
    QTest.keyClick(line, "\\r")

QTimer.singleShot(0, answer)
heard = passphrase_for_tracker(Path(sys.argv[1]))
left = [each.text() for each in app.allWidgets() if isinstance(each, QLineEdit)]
print("heard", heard == sys.argv[2], "".join(left) == "", sep="\\t")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "diary"
    folder.mkdir()
    place = choose_place(folder, "passphrase", lambda: PASSPHRASE)
    with Diary.create(folder, clock=SystemClock(), place=place, device_name="desk") as diary:
        diary.new_contract(title="Mill")
    return folder


@rule("R11")
@rule("R49")
def test_a_diary_under_a_passphrase_is_opened_and_tracked_by_keyboard_alone(
    desktop: Desktop, home: Path
) -> None:
    env = {**os.environ, **desktop.environment(), "QT_QPA_PLATFORM": "xcb"}
    running = subprocess.Popen([*diary_command(home), "window"], env=env, stdin=subprocess.DEVNULL)
    try:
        until(titled(desktop, ASKS))
        desktop.type_text(PASSPHRASE)
        desktop.key("Return")
        until(titled(desktop, "Work Diary – OFF"))
        desktop.key("alt+s")
        until(titled(desktop, ASKS))  # nothing was kept: the tracker opens the diary for itself
        desktop.type_text(PASSPHRASE)
        desktop.key("Return")
        until(titled(desktop, "Work Diary – ON: tracking Mill"))
        until(lambda: is_tracked(home))
        desktop.key("alt+q")
        assert running.wait(SECONDS_MAX) == 0
    finally:
        running.kill()
        running.wait()
        subprocess.run(["pkill", "-f", f"{home} tracker run"], check=False)


@rule("R49")
def test_a_dialog_that_is_closed_opens_nothing_and_says_so(desktop: Desktop, home: Path) -> None:
    env = {**os.environ, **desktop.environment(), "QT_QPA_PLATFORM": "xcb"}
    command = [*diary_command(home), "window"]
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        until(titled(desktop, ASKS))
        desktop.key("Escape")
        _, said = running.communicate(timeout=SECONDS_MAX)
        assert running.returncode == 2
        assert b"The passphrase was not given" in said


@rule("R49")
def test_a_wrong_passphrase_is_said_in_words_and_asked_for_again(home: Path) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", WRONG, str(home), PASSPHRASE],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert run.returncode == 0, run.stderr
    first, second, heard = (line.split("\t") for line in run.stdout.splitlines())
    assert "does not open" not in first[1]
    assert "This passphrase does not open" in second[1]
    assert {first[2], second[2]} == {"Password"}
    assert heard == ["heard", "True", "True"]
