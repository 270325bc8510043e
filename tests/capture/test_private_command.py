"""`diary private`: rules by hand, and what of this screen they would mask."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from diary.cli import app
from diary.clock import SystemClock
from diary.diary import Diary
from diary.sealing.keyring import choose_place
from tests.capture.painted import GREEN, RED, has_colour, program
from tests.desktop import Desktop
from tests.rule import rule


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "diary"
    place = choose_place(home, "file")
    Diary.create(home, clock=SystemClock(), place=place, device_name="desk").close()
    return home


def run(home: Path, *words: str, says: int = 0) -> str:
    done = CliRunner().invoke(app, ["--home", str(home), "private", *words])
    assert done.exit_code == says, done.output
    return done.output


@rule("R22")
def test_rules_are_added_listed_and_removed_by_their_number(home: Path) -> None:
    assert "no private rules" in run(home, "list")
    assert "“my bank” in application or title" in run(home, "add", "my bank")
    assert "all windows of “KeePassXC”" in run(home, "add", "--application", "KeePassXC")
    assert "with “inbox” in their title" in run(home, "add", "inbox", "--application", "Thunderbird")
    assert run(home, "list").splitlines()[1] == "2  all windows of “KeePassXC”"
    run(home, "remove", "1")
    assert json.loads(run(home, "list", "--json")) == [
        {"number": 1, "application": "KeePassXC", "words": ""},
        {"number": 2, "application": "Thunderbird", "words": "inbox"},
    ]
    assert "no private rule 3" in run(home, "remove", "3", says=1)
    assert "fits every window" in run(home, "add", "*", says=2)
    assert "neither an application nor words" in run(home, "add", says=2)


@pytest.fixture
def two_windows(desktop: Desktop) -> Iterator[None]:
    with program(desktop.display, "Browser") as browser:
        browser.open("My Bank", RED, (60, 60, 300, 200))
        browser.focus(browser.open("Documentation", GREEN, (500, 300, 300, 200)))
        yield


@rule("R22")
@pytest.mark.screen
def test_a_trial_names_rule_and_place_but_no_title_and_writes_only_where_it_is_told_to(
    home: Path, two_windows: None, tmp_path: Path
) -> None:
    assert "nothing would be masked" in run(home, "test")
    run(home, "add", "my bank")
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    said = run(home, "test")
    assert "Rule 1: a window of Browser, 302 by" in said
    assert "1 place in the picture would be masked" in said
    assert "Bank" not in said
    assert {path for path in tmp_path.rglob("*") if path.is_file()} <= files | {home / "diary.db-wal"}
    shown = tmp_path / "now.png"
    assert "delete it when you have looked" in run(home, "test", "--picture", str(shown))
    picture = Image.open(shown)
    assert has_colour(picture, GREEN)
    assert not has_colour(picture, RED)
    found = json.loads(run(home, "test", "--json"))
    assert (found["masked"], found["positions_known"], len(found["boxes"])) == (True, True, 1)
    assert [(each["rule"], each["application"]) for each in found["windows"]] == [(1, "Browser")]


@rule("R22")
def test_a_machine_without_a_screen_says_that_there_is_nothing_to_show(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    assert "No picture can be taken here now" in run(home, "test", says=6)
