"""The commands of tracking."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from capture import cli
from capture.alone import holder, is_tracked
from diary.clock import SystemClock
from diary.contracts import UnknownContractError
from diary.diary import Diary
from diary.errors import UsageError
from diary.sealing.keyring import choose_place
from diary.tracking import NotTrackingError
from tests.rule import rule

# The command ends before the tracker that it started, on purpose; here both are one process's children.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Desk:
    """The `diary` command with this room's commands only."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.app = typer.Typer()
        cli.commands(self.app, self.open)

    def open(self) -> Diary:
        return Diary.open(self.home, clock=SystemClock())

    def run(self, *words: str) -> str:
        """Return what the command prints; raise what it raises."""
        done = CliRunner().invoke(self.app, list(words))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.delenv("DISPLAY", raising=False)
    home = tmp_path / "diary"
    place = choose_place(home, "file")
    with Diary.create(home, clock=SystemClock(), place=place, device_name="desk") as diary:
        diary.new_contract(title="Mill", labels=("design", "review"))
        diary.new_contract(title="Bakery", label_required=True, labels=("ovens",))
    yield Desk(home)
    if (pid := holder(home)) is not None:
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            if not is_tracked(home):
                break
            time.sleep(0.05)
        assert not is_tracked(home)


@rule("R11")
def test_start_sets_contract_memo_and_label_and_starts_a_tracker(desk: Desk) -> None:
    said = desk.run("start", "Mill", "page seven", "--label", "review")
    assert "Tracking Mill." in said
    assert "A tracker was started" in said
    assert is_tracked(desk.home)
    with desk.open() as diary:
        wish = diary.tracking()
        assert wish.contract == diary.contract("Mill").id
    assert wish.memo
    assert wish.label
    assert (wish.memo.text, wish.label.text) == ("page seven", "review")
    assert "A tracker was started" not in desk.run("switch", "Bakery", "ovens")
    desk.run("stop")
    desk.run("continue")
    with desk.open() as diary:
        assert diary.tracking().contract == diary.contract("Bakery").id


@rule("R11")
def test_starting_warns_of_what_is_known_to_fail(desk: Desk) -> None:
    said = desk.run("start", "Bakery")
    assert "There is no memo. Set one: diary memo" in said
    assert "asks for a label. Set one: diary label" in said


@rule("R23")
def test_a_pause_is_a_stretch_and_continue_ends_it(desk: Desk) -> None:
    desk.run("start", "Mill", "page seven")
    assert desk.run("pause", "30m") == "Paused for 30 minutes.\n"
    with desk.open() as diary:
        assert not diary.tracking().on
    desk.run("continue")
    with desk.open() as diary:
        assert diary.tracking().on
    with pytest.raises(UsageError):
        desk.run("pause", "soon")


@rule("R11")
def test_memo_and_label_change_while_tracking(desk: Desk) -> None:
    desk.run("start", "Mill")
    desk.run("memo", "page eight")
    desk.run("label", "design")
    with desk.open() as diary:
        wish = diary.tracking()
    assert wish.memo
    assert wish.label
    assert (wish.memo.text, wish.label.text) == ("page eight", "design")


@rule("R11")
@pytest.mark.parametrize("words", [("stop",), ("memo", "x"), ("switch", "Mill"), ("pause", "5m")])
def test_what_needs_tracking_says_that_nothing_is_tracked(desk: Desk, words: tuple[str, ...]) -> None:
    with pytest.raises(NotTrackingError):
        desk.run(*words)


def test_what_is_not_there_is_said(desk: Desk) -> None:
    with pytest.raises(UnknownContractError):
        desk.run("start", "Quarry")
    with pytest.raises(cli.NothingToContinueError):
        desk.run("continue")
    with pytest.raises(cli.NoLogError):
        desk.run("tracker", "log")


def test_the_log_tells_what_the_tracker_said(desk: Desk) -> None:
    desk.run("start", "Mill", "a secret memo")
    for _ in range(200):
        if "recording" in (said := desk.run("tracker", "log")):
            break
        time.sleep(0.05)
    assert "There is no X11 display here" in said
    assert "recording" in said
    assert "It runs as process" in said
    assert "secret" not in said
    assert "Mill" not in said
